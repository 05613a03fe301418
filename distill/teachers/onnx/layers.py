"""Layers of networks as steps of chains."""

from __future__ import annotations

import math

import numpy as np

from distill.arrays import Array
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Pick
from distill.chain.steps.elementwise import Apply, Function, Scale
from distill.chain.steps.images import Pool
from distill.chain.steps.polynomials import Monomials
from distill.chain.steps.winner import Softmax
from distill.teachers.onnx.flow import Flow, Handler, NoChain, Node, joined
from distill.teachers.onnx.images import image_of

_FUNCTIONS: dict[str, Function] = {
    "Relu": "relu", "Tanh": "tanh", "Sigmoid": "sigmoid", "Softplus": "softplus", "Sin": "sin",
    "Cos": "cos", "Exp": "exp", "Log": "log", "Sqrt": "sqrt", "Abs": "abs", "Erf": "erf",
    "Reciprocal": "inv", "HardSwish": "hardswish", "Softsign": "softsign", "Mish": "mish",
    "Sign": "sign",
}  # fmt: skip
_ALPHAS: dict[str, tuple[Function, float]] = {
    "LeakyRelu": ("leaky_relu", 0.01),
    "Elu": ("elu", 1.0),
}
_CLIPS: dict[tuple[float, float], Function] = {
    (0.0, 6.0): "relu6",
    (-1.0, 1.0): "hardtanh",
    (0.0, math.inf): "relu",
}


LARGEST = 2**20
"""Numbers that spreading or summing may bring into a chain."""


def _apply(node: Node) -> Flow:
    x = node.flow()
    if node.name in _ALPHAS:
        function, usual = _ALPHAS[node.name]
        return x.then(Apply(function, x.width, float(node.given.get("alpha", usual))))
    return x.then(Apply(_FUNCTIONS[node.name], x.width))


def _clip(node: Node) -> Flow:
    x = node.flow()
    low, high = node.constant(1), node.constant(2)
    bounds = (
        float(node.given.get("min", -math.inf) if low is None else low),
        float(node.given.get("max", math.inf) if high is None else high),
    )
    if bounds[1] > 3e38:
        bounds = (bounds[0], math.inf)
    if bounds not in _CLIPS:
        raise NoChain(f"`Clip` to {bounds[0]:g} and {bounds[1]:g} is no known activation")
    return x.then(Apply(_CLIPS[bounds], x.width))


def _hard_sigmoid(node: Node) -> Flow:
    x = node.flow()
    alpha, beta = node.given.get("alpha", 0.2), node.given.get("beta", 0.5)
    if abs(alpha - 1 / 6) > 1e-6 or beta != 0.5:
        raise NoChain(f"`HardSigmoid` of slope {alpha:g} is no known activation")
    return x.then(Apply("hardsigmoid", x.width))


def _gelu(node: Node) -> Flow:
    if node.given.get("approximate", "none") != "none":
        raise NoChain("`Gelu` by its tanh approximation is no known activation")
    x = node.flow()
    return x.then(Apply("gelu", x.width))


def _selu(node: Node) -> Flow:
    x = node.flow()
    if abs(node.given.get("alpha", 1.6732632) - 1.6732632) > 1e-6:
        raise NoChain("`Selu` with another alpha is no known activation")
    return x.then(Apply("selu", x.width))


def _softmax(node: Node) -> Flow:
    x = node.flow()
    if len(x.shape) != 1 or node.given.get("axis", -1) not in {1, -1}:
        raise NoChain("`Softmax` over a part of an image has no step")
    return x.then(Softmax(x.width))


def _power(node: Node) -> Flow:
    x, exponent = node.flow(), node.numbers(1)
    if exponent.size != 1 or float(exponent.reshape(())) not in {2.0, 0.5, 1.0, -1.0}:
        raise NoChain("`Pow` has a step for the exponents 2, 0.5 and -1 only")
    function: dict[float, Function] = {2.0: "square", 0.5: "sqrt", 1.0: "identity", -1.0: "inv"}
    return x.then(Apply(function[float(exponent.reshape(()))], x.width))


def _spread(x: Flow, constant: Array, name: str) -> tuple[Flow, Array]:
    """Both spread over each other as ONNX does (NumPy's rules); the constant for one point."""
    shape = np.broadcast_shapes((1, *x.shape), constant.shape)
    if shape[0] != 1 or len(shape) > len(x.shape) + 1 or math.prod(shape) > LARGEST:
        raise NoChain(f"`{name}` of {x.shape} with a tensor of the shape {constant.shape}")
    if shape[1:] != x.shape:
        places = np.arange(x.width).reshape(1, *x.shape)
        columns = np.broadcast_to(places, shape).reshape(-1)
        x = x.then(Pick(x.width, columns), shape=shape[1:])
    return x, np.broadcast_to(constant, shape).reshape(-1)


def _sum(node: Node) -> Flow:
    if all(isinstance(value, Flow) for value in node.inputs):
        first, second = node.flow(0), node.flow(1)
        if first.shape != second.shape or first.width > 256:
            raise NoChain(f"`{node.name}` joins two tensors")
        sign = 1.0 if node.name == "Add" else -1.0
        unit = np.eye(first.width)
        return joined([first, second], first.shape).then(
            Affine(np.hstack([unit, sign * unit]), np.zeros(first.width))
        )
    constant_first = not isinstance(node.inputs[0], Flow)
    x = node.flow(1 if constant_first else 0)
    x, constant = _spread(x, node.numbers(0 if constant_first else 1), node.name)
    if node.name == "Add":
        return _plus(x, constant)
    if not constant_first:
        return x.then(Scale(constant, np.ones(x.width)))
    return x.then(Scale(constant, -np.ones(x.width)))


def _plus(x: Flow, constant: Array) -> Flow:
    """X + constant; a bias joins the product before it, as it does in onnxruntime."""
    last = x.steps[-1] if x.steps else None
    if isinstance(last, Affine) and not last.bias.any():
        return Flow(x.inputs, (*x.steps[:-1], Affine(last.weights, constant)), x.shape, x.double)
    return x.then(Scale(-constant, np.ones(x.width)))


def _product(node: Node) -> Flow:
    if all(isinstance(value, Flow) for value in node.inputs):
        return _gated(node.flow(0), node.flow(1), node.name)
    constant_first = not isinstance(node.inputs[0], Flow)
    x = node.flow(1 if constant_first else 0)
    x, constant = _spread(x, node.numbers(0 if constant_first else 1), node.name)
    if node.name == "Mul":
        if not constant.all():
            raise NoChain("`Mul` by zero")
        return x.then(Scale(np.zeros(x.width), 1.0 / constant))
    if constant_first:
        if (constant != 1).any():
            raise NoChain("`Div` of a constant by a tensor")
        return x.then(Apply("inv", x.width))
    return x.then(Scale(np.zeros(x.width), constant))


def _gated(first: Flow, second: Flow, name: str) -> Flow:
    """X times its own sigmoid, or x times x."""
    if name == "Mul":
        short, long = sorted((first, second), key=lambda f: len(f.steps))
        same = all(a is b for a, b in zip(short.steps, long.steps, strict=False))
        rest = long.steps[len(short.steps) :]
        if same and not rest:
            return short.then(Apply("square", short.width))
        if same and len(rest) == 1 and isinstance(rest[0], Apply) and rest[0].function == "sigmoid":
            return short.then(Apply("silu", short.width))
    raise NoChain(f"`{name}` of two computed tensors")


def _matmul(node: Node) -> Flow:
    x, weights = node.flow(0), node.numbers(1)
    if weights.ndim != 2 or len(x.shape) != 1:
        raise NoChain("`MatMul` of more than a row and a matrix")
    k = weights.shape[1]
    return x.then(Affine(weights.T, np.zeros(k)), shape=(k,))


def _gemm(node: Node) -> Flow:
    x, weights = node.flow(0), node.numbers(1)
    if node.given.get("transA", 0) or len(x.shape) != 1:
        raise NoChain("`Gemm` of a transposed input")
    weights = weights if node.given.get("transB", 0) else weights.T
    weights = node.given.get("alpha", 1.0) * weights
    bias = np.zeros(len(weights))
    if node.constant(2) is not None:
        beta = node.given.get("beta", 1.0)
        bias = beta * np.broadcast_to(node.numbers(2), (1, len(weights)))[0]
    return x.then(Affine(weights, bias), shape=(len(weights),))


def _neg(node: Node) -> Flow:
    x = node.flow()
    return x.then(Scale(np.zeros(x.width), -np.ones(x.width)))


def _reduce(node: Node) -> Flow:
    x = node.flow()
    axes = node.given.get("axes", node.constant(1))
    chosen = np.asarray([] if axes is None else axes, np.int64) % (len(x.shape) + 1)
    found = set(chosen.reshape(-1).tolist())
    keep = bool(node.given.get("keepdims", 1))
    if len(x.shape) == 1 and found == {1} and node.name == "ReduceProd":
        ones = np.ones((1, x.width), np.int64)
        return x.then(Monomials(ones), shape=(1,) if keep else ())
    if node.name == "ReduceMean" and len(x.shape) == 3 and found == {2, 3}:
        image = image_of(x, node.name)
        pool = Pool(image, "mean", image[1:], image[1:])
        return x.then(pool, shape=(image[0], 1, 1) if keep else (image[0],))
    places = np.arange(x.width).reshape(1, *x.shape)
    if node.name == "ReduceProd" or not found or 0 in found or x.width**2 > LARGEST:
        raise NoChain(f"`{node.name}` over these dimensions")
    kept = np.moveaxis(places, sorted(found), range(-len(found), 0))
    left = tuple(n for i, n in enumerate(x.shape, 1) if i not in found)
    rows = kept.reshape(max(math.prod(left), 1), -1)
    weights = np.zeros((len(rows), x.width))
    weights[np.arange(len(rows))[:, None], rows] = (
        1.0 / rows.shape[1] if node.name == "ReduceMean" else 1.0
    )
    flat = tuple(1 if i in found else n for i, n in enumerate(x.shape, 1)) if keep else left
    return x.then(Affine(weights, np.zeros(len(rows))), shape=flat)


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys((*_FUNCTIONS, *_ALPHAS), _apply),
    "Clip": _clip, "HardSigmoid": _hard_sigmoid, "Gelu": _gelu, "Selu": _selu,
    "Softmax": _softmax, "Pow": _power, "Add": _sum, "Sub": _sum, "Mul": _product,
    "Div": _product, "MatMul": _matmul, "Gemm": _gemm, "Neg": _neg, "ReduceMean": _reduce,
    "ReduceSum": _reduce, "ReduceProd": _reduce,
}  # fmt: skip
"""How each operator of a network over rows of numbers is read."""
