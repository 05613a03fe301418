"""Naive Bayes and quadratic discriminants: joint log-likelihoods, their difference for two."""

from __future__ import annotations

from typing import Any

import numpy as np

from distill.arrays import Array
from distill.chain.base import Step
from distill.chain.steps.columns import OneHot
from distill.chain.steps.elementwise import Above
from distill.chain.steps.gaussians import Gaussians
from distill.chain.steps.winner import Softmax
from distill.teachers.sklearn.readers.base import (
    OUTPUTS,
    PROBABILITIES,
    Columns,
    Unreadable,
    affine,
    margin,
    reads,
)


@reads(OUTPUTS, "GaussianNB")
def _gaussian(model: Any, columns: Columns) -> list[Step]:
    return [_densities(model), *margin(len(model.classes_))]


@reads(PROBABILITIES, "GaussianNB")
def _gaussian_probabilities(model: Any, columns: Columns) -> list[Step]:
    return [_densities(model), Softmax(len(model.classes_))]


def _densities(model: Any) -> Gaussians:
    constants = np.log(model.class_prior_) - 0.5 * np.log(2 * np.pi * model.var_).sum(axis=1)
    if not np.isfinite(constants).all():
        raise Unreadable("a class of GaussianNB has the prior probability 0")
    return Gaussians(np.asarray(model.theta_), 1 / np.sqrt(model.var_), constants)


@reads(OUTPUTS, "QuadraticDiscriminantAnalysis")
def _quadratic(model: Any, columns: Columns) -> list[Step]:
    rows = max(len(s) for s in model.scalings_)
    factors = np.zeros((len(model.classes_), rows, len(columns)))
    constants = np.empty(len(model.classes_))
    for k, (rotation, scaling) in enumerate(zip(model.rotations_, model.scalings_, strict=True)):
        factors[k, : len(scaling)] = (rotation * scaling**-0.5).T
        constants[k] = np.log(model.priors_[k]) - 0.5 * np.log(scaling).sum()
    return [Gaussians(np.asarray(model.means_), factors, constants), *margin(len(model.classes_))]


@reads(OUTPUTS, "BernoulliNB")
def _bernoulli(model: Any, columns: Columns) -> list[Step]:
    absent = np.log(1 - np.exp(model.feature_log_prob_))
    steps: list[Step] = []
    if model.binarize is not None:
        steps.append(Above(np.full(len(columns), float(model.binarize))))
    return steps + _counted(
        model.feature_log_prob_ - absent, model.class_log_prior_ + absent.sum(axis=1)
    )


@reads(OUTPUTS, "MultinomialNB")
def _multinomial(model: Any, columns: Columns) -> list[Step]:
    return _counted(model.feature_log_prob_, model.class_log_prior_)


@reads(OUTPUTS, "ComplementNB")
def _complement(model: Any, columns: Columns) -> list[Step]:
    return _counted(model.feature_log_prob_, np.zeros(len(model.classes_)))


@reads(OUTPUTS, "CategoricalNB")
def _categorical(model: Any, columns: Columns) -> list[Step]:
    categories = tuple(np.arange(float(count)) for count in model.n_categories_)
    return [
        OneHot(categories),
        *_counted(np.hstack(model.feature_log_prob_), np.asarray(model.class_log_prior_)),
    ]


def _counted(weights: Array, bias: Array) -> list[Step]:
    """Log-likelihoods that are linear: of two classes one row is enough."""
    if len(weights) == 2:
        return [affine(weights[1] - weights[0], bias[1] - bias[0])]
    return [affine(weights, bias)]
