"""Linear and kernel models, scalers and encoders as steps."""

from __future__ import annotations

import numpy as np

from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Normalise, OneHot
from distill.chain.steps.elementwise import Above, Scale
from distill.chain.steps.kernels import Kernel
from distill.teachers.onnx.flow import Flow, Handler, NoChain, Node


def _linear(node: Node) -> Flow | tuple[Flow, ...]:
    x = node.flow()
    if node.name == "LinearRegressor" and node.given.get("post_transform", "NONE") != "NONE":
        raise NoChain("`LinearRegressor` with a post-transform")
    weights = np.array(node.given["coefficients"], np.float64).reshape(-1, x.width)
    bias = np.array(node.given.get("intercepts") or [0.0] * len(weights), np.float64)
    if node.name == "LinearRegressor":
        return x.then(Affine(weights, bias), shape=(len(weights),))
    if len(weights) == 1:  # onnxruntime gives 1 - s and s
        weights, bias = np.vstack([-weights, weights]), np.array([1.0 - bias[0], bias[0]])
    return x, x.then(Affine(weights, bias), shape=(len(weights),))


def _scaler(node: Node) -> Flow:
    x = node.flow()
    shift, factor = (
        np.broadcast_to(np.array(node.given.get(key) or [usual], np.float64), (x.width,))
        for key, usual in (("offset", 0.0), ("scale", 1.0))
    )
    if not factor.all():
        raise NoChain("`Scaler` with a factor of 0")
    return x.then(Scale(shift, 1.0 / factor))


def _normaliser(node: Node) -> Flow:
    x = node.flow()
    norms = {"MAX": "max", "L1": "l1", "L2": "l2"}
    norm = norms[node.given.get("norm", "MAX")]
    return x.then(Normalise(x.width, norm))  # type: ignore[arg-type]  # one of the three


def _one_hot(node: Node) -> Flow:
    x = node.flow()
    found = node.given.get("cats_int64s")
    if not found:
        raise NoChain("`OneHotEncoder` of text")
    categories = np.array(found, np.float64)
    width = x.width * len(categories)
    return x.then(OneHot((categories,) * x.width), shape=(width,))


def _binarizer(node: Node) -> Flow:
    x = node.flow()
    return x.then(Above(np.full(x.width, float(node.given.get("threshold", 0.0)))))


def _svm(node: Node) -> Flow:
    x = node.flow()
    kinds = {"RBF": "rbf", "POLY": "poly", "SIGMOID": "sigmoid"}
    kind = node.given.get("kernel_type", "LINEAR")
    count = int(node.given.get("n_supports", 0))
    if node.given.get("one_class", 0) or node.given.get("post_transform", "NONE") != "NONE":
        raise NoChain("`SVMRegressor` of one class or with a post-transform")
    factors = np.array(node.given["coefficients"], np.float64)
    bias = np.array(node.given["rho"], np.float64)[:1]
    if kind == "LINEAR" and not count:
        return x.then(Affine(factors.reshape(1, -1), bias), shape=(1,))
    if kind not in kinds or not count:
        raise NoChain(f"`SVMRegressor` with the kernel {kind}")
    vectors = np.array(node.given["support_vectors"], np.float64).reshape(count, x.width)
    gamma, constant, degree = (node.given.get("kernel_params") or [1.0 / x.width, 0.0, 3.0])[:3]
    kernel = Kernel(vectors, kinds[kind], gamma, constant, int(degree))  # type: ignore[arg-type]  # one of the three
    return x.then(kernel, Affine(factors.reshape(1, -1), bias), shape=(1,))


HANDLERS: dict[str, Handler] = {
    "LinearRegressor": _linear, "LinearClassifier": _linear, "Scaler": _scaler,
    "Normalizer": _normaliser, "OneHotEncoder": _one_hot, "Binarizer": _binarizer,
    "SVMRegressor": _svm,
}  # fmt: skip
"""How each operator of ai.onnx.ml other than trees is read."""
