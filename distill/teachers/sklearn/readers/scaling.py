"""Scalers, encoders, selections and projections."""

from __future__ import annotations

from typing import Any

import numpy as np

from distill.chain.base import Step
from distill.chain.steps.columns import Normalise, OneHot
from distill.chain.steps.elementwise import Above, Apply, Function, Scale
from distill.chain.steps.polynomials import Monomials
from distill.chain.steps.prototypes import Distances
from distill.teachers.sklearn.readers.base import (
    TRANSFORMS,
    Columns,
    Unreadable,
    affine,
    pick,
    reads,
    stretch,
)

FUNCTIONS: dict[str, Function] = {
    "exp": "exp",
    "log": "log",
    "sqrt": "sqrt",
    "square": "square",
    "expm1": "expm1",
    "log1p": "log1p",
    "abs": "abs",
    "absolute": "abs",
    "sin": "sin",
    "cos": "cos",
    "tanh": "tanh",
    "reciprocal": "inv",
    "expit": "sigmoid",
}
"""numpy's and scipy's functions, by their names there."""


@reads(TRANSFORMS, "StandardScaler")
def _standard(model: Any, columns: Columns) -> list[Step]:
    return _scale(len(columns), model.mean_ if model.with_mean else None, model.scale_)


@reads(TRANSFORMS, "RobustScaler")
def _robust(model: Any, columns: Columns) -> list[Step]:
    return _scale(len(columns), model.center_, model.scale_)


@reads(TRANSFORMS, "MaxAbsScaler")
def _max_abs(model: Any, columns: Columns) -> list[Step]:
    if getattr(model, "clip", False):
        raise Unreadable("MaxAbsScaler clips")
    return _scale(len(columns), None, model.scale_)


def _scale(width: int, shift: Any, divisor: Any) -> list[Step]:
    return [
        Scale(
            np.zeros(width) if shift is None else np.asarray(shift, dtype=np.float64),
            np.ones(width) if divisor is None else np.asarray(divisor, dtype=np.float64),
        )
    ]


@reads(TRANSFORMS, "MinMaxScaler")
def _min_max(model: Any, columns: Columns) -> list[Step]:
    if model.clip:
        raise Unreadable("MinMaxScaler clips")
    return [stretch(len(columns), model.scale_, model.min_)]


@reads(TRANSFORMS, "Normalizer")
def _normalizer(model: Any, columns: Columns) -> list[Step]:
    return [Normalise(len(columns), model.norm)]


@reads(TRANSFORMS, "Binarizer")
def _binarizer(model: Any, columns: Columns) -> list[Step]:
    return [Above(np.full(len(columns), float(model.threshold)))]


@reads(TRANSFORMS, "SimpleImputer")
def _imputer(model: Any, columns: Columns) -> list[Step]:
    if model.add_indicator or len(model.get_feature_names_out()) != len(columns):
        raise Unreadable("SimpleImputer adds or drops columns")
    return []  # what is missing does not occur in a domain


@reads(TRANSFORMS, "OneHotEncoder")
def _one_hot(model: Any, columns: Columns) -> list[Step]:
    if getattr(model, "_infrequent_enabled", False):
        raise Unreadable("OneHotEncoder gathers infrequent categories")
    categories = _categories(model, columns)
    steps: list[Step] = [OneHot(categories)]
    if model.drop_idx_ is None:
        return steps
    kept, at = [], 0
    for values, dropped in zip(categories, model.drop_idx_, strict=True):
        kept += [at + i for i in range(len(values)) if i != dropped]
        at += len(values)
    return [*steps, *pick(at, kept)]


@reads(TRANSFORMS, "OrdinalEncoder")
def _ordinal(model: Any, columns: Columns) -> list[Step]:
    if getattr(model, "_infrequent_enabled", False):
        raise Unreadable("OrdinalEncoder gathers infrequent categories")
    categories = _categories(model, columns)
    if all(np.array_equal(values, np.arange(len(values))) for values in categories):
        return []
    weights = np.zeros((len(categories), sum(len(values) for values in categories)))
    at = 0
    for row, values in enumerate(categories):
        weights[row, at : at + len(values)] = np.arange(len(values))
        at += len(values)
    return [OneHot(categories), affine(weights)]


def _categories(model: Any, columns: Columns) -> tuple[np.ndarray[Any, Any], ...]:
    """The value that stands for each category: its code where it is no number."""
    found = []
    for values, coded in zip(model.categories_, columns, strict=True):
        if coded is not None:
            found.append(coded)
        elif np.asarray(values).dtype.kind in "fiub":
            found.append(np.asarray(values, dtype=np.float64))
        else:
            raise Unreadable(f"{type(model).__name__} encodes texts that another step made")
    return tuple(found)


@reads(TRANSFORMS, "PolynomialFeatures")
def _polynomial(model: Any, columns: Columns) -> list[Step]:
    return [Monomials(np.asarray(model.powers_, dtype=np.int64))]


@reads(
    TRANSFORMS,
    "SelectKBest",
    "SelectPercentile",
    "SelectFpr",
    "SelectFdr",
    "SelectFwe",
    "SelectFromModel",
    "GenericUnivariateSelect",
    "VarianceThreshold",
    "RFE",
    "RFECV",
    "SequentialFeatureSelector",
)
def _selection(model: Any, columns: Columns) -> list[Step]:
    return pick(len(columns), model.get_support(indices=True))


@reads(TRANSFORMS, "FunctionTransformer")
def _function(model: Any, columns: Columns) -> list[Step]:
    return function_steps(model.func, model.kw_args, len(columns))


def function_steps(function: Any, arguments: Any, width: int) -> list[Step]:
    """One of numpy's functions, applied to each of ``width`` numbers; None for the identity.

    Raises
    ------
    Unreadable : for any other function.
    """
    if function is None:
        return []
    name = getattr(function, "__name__", "")
    libraries = _libraries()
    known = name in FUNCTIONS and any(getattr(one, name, None) is function for one in libraries)
    if arguments or not known:
        raise Unreadable(f"the function `{name or function!r}` has no known closed form")
    return [Apply(FUNCTIONS[name], width)]


def _libraries() -> tuple[Any, Any]:
    import scipy.special

    return np, scipy.special


@reads(TRANSFORMS, "PCA", "IncrementalPCA")
def _pca(model: Any, columns: Columns) -> list[Step]:
    weights = np.asarray(model.components_, dtype=np.float64)
    steps: list[Step] = [affine(weights, -(np.asarray(model.mean_) @ weights.T))]
    if model.whiten:
        least = np.finfo(model.explained_variance_.dtype).eps
        deviation = np.sqrt(model.explained_variance_)
        steps += _scale(len(weights), None, np.where(deviation < least, least, deviation))
    return steps


@reads(TRANSFORMS, "TruncatedSVD")
def _truncated(model: Any, columns: Columns) -> list[Step]:
    return [affine(model.components_)]


@reads(TRANSFORMS, "KMeans", "MiniBatchKMeans", "BisectingKMeans")
def _distances(model: Any, columns: Columns) -> list[Step]:
    return [Distances(np.asarray(model.cluster_centers_, dtype=np.float64), "euclidean")]
