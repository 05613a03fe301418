"""Support vector machines and Gaussian processes."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.chain.base import Step
from distill.chain.steps.elementwise import Scale
from distill.chain.steps.kernels import Kernel, OneVsOne
from distill.teachers.sklearn.readers.base import (
    OUTPUTS,
    Columns,
    Unreadable,
    affine,
    reads,
    with_ties,
)


@reads(OUTPUTS, "SVR", "NuSVR", "OneClassSVM")
def _values(model: Any, columns: Columns) -> list[Step]:
    return _machine(model, _dense(model.dual_coef_), model.intercept_)


@reads(OUTPUTS, "SVC", "NuSVC")
def _votes(model: Any, columns: Columns) -> list[Step]:
    count = len(model.classes_)
    if count == 2:
        return [*_machine(model, _dense(model.dual_coef_), model.intercept_), with_ties()]
    pairs = _pairs(_dense(model.dual_coef_), model.n_support_)
    return [
        *_machine(model, pairs, model.intercept_),
        OneVsOne(count, "margins" if model.break_ties else "first"),
    ]


def _machine(model: Any, weights: Array, bias: Array) -> list[Step]:
    vectors = _dense(model.support_vectors_)
    if model.kernel == "linear":
        return [affine(weights @ vectors, bias)]
    if model.kernel not in {"rbf", "poly", "sigmoid"}:
        raise Unreadable(f"the kernel {model.kernel!r} has no known closed form")
    if not len(vectors):
        raise Unreadable("there are no support vectors")
    kernel = Kernel(
        vectors,
        model.kernel,
        gamma=float(model._gamma),
        constant=0.0 if model.kernel == "rbf" else float(model.coef0),
        degree=int(model.degree) if model.kernel == "poly" else 3,
    )
    return [kernel, affine(weights, bias)]


def _dense(values: Any) -> Array:
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values, dtype=np.float64)


def _pairs(dual: Array, support: Any) -> Array:
    """The weight of every support vector for every pair of classes, (pairs, vectors).

    Row j - 1 of ``dual`` (row j for later classes) holds a vector's weight against class j.
    """
    ends = np.cumsum(support)
    starts = ends - support
    pairs = list(combinations(range(len(support)), 2))
    weights = np.zeros((len(pairs), dual.shape[1]))
    for row, (i, j) in enumerate(pairs):
        weights[row, starts[i] : ends[i]] = dual[j - 1, starts[i] : ends[i]]
        weights[row, starts[j] : ends[j]] = dual[i, starts[j] : ends[j]]
    return weights


@reads(OUTPUTS, "KernelRidge")
def _kernel_ridge(model: Any, columns: Columns) -> list[Step]:
    vectors = _dense(model.X_fit_)
    weights = np.atleast_2d(np.asarray(model.dual_coef_).T)
    if model.kernel == "linear":
        return [affine(weights @ vectors)]
    if model.kernel not in {"rbf", "poly", "polynomial", "sigmoid"}:
        raise Unreadable(f"the kernel {model.kernel!r} has no known closed form")
    if model.kernel.startswith("poly") and model.degree != int(model.degree):
        raise Unreadable("the degree of the kernel is not whole")
    gamma = 1 / vectors.shape[1] if model.gamma is None else float(model.gamma)
    kernel = Kernel(
        vectors,
        "poly" if model.kernel.startswith("poly") else model.kernel,
        gamma=gamma,
        constant=0.0 if model.kernel == "rbf" else float(model.coef0),
        degree=int(model.degree),
    )
    return [kernel, affine(weights)]


@reads(OUTPUTS, "GaussianProcessRegressor")
def _process(model: Any, columns: Columns) -> list[Step]:
    factor, length = _rbf(model.kernel_)
    vectors = np.asarray(model.X_train_, dtype=np.float64)
    deviation = np.atleast_1d(model._y_train_std)
    weights = np.asarray(model.alpha_).reshape(len(vectors), -1).T * deviation[:, None] * factor
    lengths = np.broadcast_to(np.asarray(length, dtype=np.float64), len(columns)).copy()
    return [
        Scale(np.zeros(len(columns)), lengths),
        Kernel(vectors / lengths, "rbf", gamma=0.5),
        affine(weights, model._y_train_mean),
    ]


def _rbf(kernel: Any) -> tuple[float, Any]:
    """Factor and length scale of a squared exponential; white noise does not reach the mean."""
    name = type(kernel).__name__
    if name == "RBF":
        return 1.0, kernel.length_scale
    if name == "Sum":
        for one, other in ((kernel.k1, kernel.k2), (kernel.k2, kernel.k1)):
            if type(other).__name__ == "WhiteKernel":
                return _rbf(one)
    if name == "Product":
        for one, other in ((kernel.k1, kernel.k2), (kernel.k2, kernel.k1)):
            if type(other).__name__ == "ConstantKernel":
                factor, length = _rbf(one)
                return factor * float(other.constant_value), length
    raise Unreadable(f"the kernel {kernel} has no known closed form")
