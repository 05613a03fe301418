"""Linear models: regressions, logistic and other linear classifiers, linear discriminants."""

from __future__ import annotations

from typing import Any

import numpy as np

from distill.chain.base import Step
from distill.chain.steps.elementwise import Apply
from distill.chain.steps.winner import Softmax
from distill.teachers.sklearn.readers.base import (
    OUTPUTS,
    PROBABILITIES,
    TRANSFORMS,
    Columns,
    Unreadable,
    affine,
    outputs_of,
    reads,
    with_ties,
)

_REGRESSIONS = (
    "LinearRegression",
    "Ridge",
    "RidgeCV",
    "Lasso",
    "LassoCV",
    "LassoLars",
    "LassoLarsCV",
    "LassoLarsIC",
    "ElasticNet",
    "ElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "Lars",
    "LarsCV",
    "OrthogonalMatchingPursuit",
    "OrthogonalMatchingPursuitCV",
    "BayesianRidge",
    "ARDRegression",
    "SGDRegressor",
    "HuberRegressor",
    "QuantileRegressor",
    "TheilSenRegressor",
    "PassiveAggressiveRegressor",
    "LinearSVR",
)
_CLASSIFIERS = (
    "LogisticRegression",
    "LogisticRegressionCV",
    "LinearSVC",
    "Perceptron",
    "PassiveAggressiveClassifier",
    "RidgeClassifier",
    "RidgeClassifierCV",
    "SGDClassifier",
    "LinearDiscriminantAnalysis",
)


@reads(OUTPUTS, *_REGRESSIONS, *_CLASSIFIERS)
def _linear(model: Any, columns: Columns) -> list[Step]:
    if np.ndim(model.coef_) == 2 and np.shape(model.coef_)[0] == 0:
        raise Unreadable("there are no coefficients")
    return [affine(model.coef_, model.intercept_)]


@reads(OUTPUTS, "SGDOneClassSVM")
def _one_class(model: Any, columns: Columns) -> list[Step]:
    return [affine(model.coef_, -np.asarray(model.offset_)), with_ties()]


@reads(OUTPUTS, "RANSACRegressor")
def _ransac(model: Any, columns: Columns) -> list[Step]:
    return outputs_of(model.estimator_, columns)


@reads(OUTPUTS, "PLSRegression", "PLSCanonical", "CCA")
def _pls(model: Any, columns: Columns) -> list[Step]:
    # (x - mean) @ coef.T + intercept; coef is in the units of the inputs already.
    bias = model.intercept_ - np.asarray(model._x_mean) @ np.asarray(model.coef_).T
    return [affine(model.coef_, bias)]


@reads(OUTPUTS, "PoissonRegressor", "GammaRegressor")
def _log_link(model: Any, columns: Columns) -> list[Step]:
    return [affine(model.coef_, model.intercept_), Apply("exp", 1)]


@reads(OUTPUTS, "TweedieRegressor")
def _tweedie(model: Any, columns: Columns) -> list[Step]:
    link = model.link if model.link != "auto" else ("identity" if model.power <= 0 else "log")
    steps: list[Step] = [affine(model.coef_, model.intercept_)]
    return steps if link == "identity" else [*steps, Apply("exp", 1)]


@reads(PROBABILITIES, "LogisticRegression", "LogisticRegressionCV", "LinearDiscriminantAnalysis")
def _probabilities(model: Any, columns: Columns) -> list[Step]:
    scores = _linear(model, columns)
    count = len(model.classes_)
    if count > 2:
        return [*scores, Softmax(count)]
    return [*scores, Apply("sigmoid", 1), both()]


def both() -> Step:
    """The probabilities of both classes from that of the second."""
    return affine([[-1.0], [1.0]], [1.0, 0.0])


@reads(TRANSFORMS, "LinearDiscriminantAnalysis")
def _discriminants(model: Any, columns: Columns) -> list[Step]:
    if model.solver == "lsqr":
        raise Unreadable("LinearDiscriminantAnalysis(solver='lsqr') does not transform")
    weights = np.asarray(model.scalings_).T[: model._max_components]
    if model.solver == "svd":
        return [affine(weights, -(weights @ model.xbar_))]
    return [affine(weights)]
