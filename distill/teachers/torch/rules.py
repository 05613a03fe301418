"""What each operator of a traced network is as steps of a chain; one function for each family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

import numpy as np
import torch

from distill.arrays import Array
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Pick
from distill.chain.steps.elementwise import Apply, Function, Scale
from distill.chain.steps.images import Convolution, Pool
from distill.chain.steps.winner import Softmax
from distill.teachers.torch.pieces import (
    Piece,
    Unknown,
    added,
    less,
    multiplied,
    over,
    scaled,
)


@dataclass(frozen=True)
class Call:
    """An operator's call: its arguments by the names of its schema, pieces and plain values.

    ``inputs`` is how many inputs the network has.
    """

    name: str
    given: dict[str, Any]
    inputs: int

    def piece(self, key: str = "self") -> Piece:
        """An argument that depends on the network's inputs."""
        value = self.given.get(key)
        if not isinstance(value, Piece):
            raise Unknown(f"`{self.name}` takes its `{key}` from no input")
        return value

    def constant(self, key: str) -> Array:
        """An argument that does not."""
        value = self.given.get(key)
        if isinstance(value, Piece):
            raise Unknown(f"the `{key}` of `{self.name}` depends on the inputs")
        if isinstance(value, torch.Tensor):
            return np.asarray(value.detach().double().numpy(), dtype=np.float64)
        return np.asarray(value, dtype=np.float64)

    def number(self, key: str, default: float) -> float:
        """A number among the arguments."""
        value = self.given.get(key)
        return default if value is None else float(self.constant(key))


Rule = Callable[[Call], Piece]


def _apply(call: Call, function: Function, parameter: float = 0.0) -> Piece:
    piece = call.piece("self" if "self" in call.given else "input")
    return piece.then(Apply(function, piece.width, parameter))


def _plain(function: Function) -> Rule:
    return lambda call: _apply(call, function)


def _leaky_relu(call: Call) -> Piece:
    return _apply(call, "leaky_relu", call.number("negative_slope", 0.01))


def _prelu(call: Call) -> Piece:
    slope = call.constant("weight").reshape(-1)
    if len(slope) != 1:
        raise Unknown("its PReLU has a slope for each channel")
    return _apply(call, "leaky_relu", float(slope[0]))


def _elu(call: Call) -> Piece:
    if call.number("scale", 1) != 1 or call.number("input_scale", 1) != 1:
        raise Unknown("its ELU scales")
    return _apply(call, "elu", call.number("alpha", 1.0))


def _gelu(call: Call) -> Piece:
    if call.given.get("approximate", "none") != "none":
        raise Unknown("its GELU is the approximation by tanh")
    return _apply(call, "gelu")


def _softplus(call: Call) -> Piece:
    if call.number("beta", 1) != 1:
        raise Unknown("its softplus has another beta than 1")
    return _apply(call, "softplus")


def _clamp(call: Call) -> Piece:
    low, high = (call.given.get("min"), call.given.get("max"))
    if call.name.startswith("hardtanh"):
        low, high = call.number("min_val", -1), call.number("max_val", 1)
    ends: tuple[float | None, float | None] = (
        None if low is None else float(low),
        None if high is None else float(high),
    )
    known: dict[tuple[float | None, float | None], Function] = {
        (0.0, None): "relu",
        (-1.0, 1.0): "hardtanh",
        (0.0, 6.0): "relu6",
    }
    if ends not in known:
        raise Unknown(f"it clamps to {ends}; only 0 and above, -1 to 1 and 0 to 6 are known")
    return _apply(call, known[ends])


def _power(call: Call) -> Piece:
    exponent = call.number("exponent", 0)
    known: dict[float, Function] = {2.0: "square", 0.5: "sqrt", -1.0: "inv", 1.0: "identity"}
    if exponent not in known:
        raise Unknown(f"it raises to the power of {exponent:g}")
    return _apply(call, known[exponent])


def _add(call: Call) -> Piece:
    one, other = call.given["self"], call.given["other"]
    factor = call.number("alpha", 1)
    if isinstance(one, Piece) and isinstance(other, Piece):
        return added(one, other, call.inputs, factor)
    if isinstance(one, Piece):
        return less(one, -factor * call.constant("other"))
    return scaled(call.piece("other"), np.array(factor), call.constant("self"))


def _sub(call: Call) -> Piece:
    one, other = call.given["self"], call.given["other"]
    factor = call.number("alpha", 1)
    if isinstance(one, Piece) and isinstance(other, Piece):
        return added(one, other, call.inputs, -factor)
    if isinstance(one, Piece):
        return less(one, factor * call.constant("other"))
    return scaled(call.piece("other"), np.array(-factor), call.constant("self"))


def _rsub(call: Call) -> Piece:
    return scaled(call.piece(), -np.array(call.number("alpha", 1)), call.constant("other"))


def _mul(call: Call) -> Piece:
    one, other = call.given["self"], call.given["other"]
    if isinstance(one, Piece) and isinstance(other, Piece):
        return multiplied(one, other, call.inputs)
    piece, key = (one, "other") if isinstance(one, Piece) else (call.piece("other"), "self")
    return scaled(piece, call.constant(key), np.array(0.0))


def _div(call: Call) -> Piece:
    if call.given.get("rounding_mode") is not None:
        raise Unknown("it rounds a quotient")
    one, other = call.given["self"], call.given["other"]
    if isinstance(one, Piece) and isinstance(other, Piece):
        if _one_and_size(one, other):
            return one.then(Apply("softsign", one.width))
        inverse = other.then(Apply("inv", other.width))
        return multiplied(one, inverse, call.inputs)
    if isinstance(one, Piece):
        return over(one, call.constant("other"))
    piece = call.piece("other")
    return scaled(piece.then(Apply("inv", piece.width)), call.constant("self"), np.array(0.0))


def _one_and_size(one: Piece, other: Piece) -> bool:
    """Whether ``other`` is ``1 + |one|``, of which torch makes softsign."""
    match other.steps[len(one.steps) :]:
        case (Apply(function="abs"), Scale(shift=shift, divisor=divisor)):
            same = all(a is b for a, b in zip(one.steps, other.steps, strict=False))
            return same and bool((shift == -1).all() and (divisor == 1).all())
    return False


def _neg(call: Call) -> Piece:
    return scaled(call.piece(), np.array(-1.0), np.array(0.0))


def _product(piece: Piece, weights: Array, bias: Array) -> Piece:
    """``weights @ x + bias`` over the last dimension; at every position where there are more."""
    if len(piece.shape) == 1:
        return piece.then(Affine(weights, bias), shape=(len(bias),))
    rows = piece.width // piece.shape[-1]
    each = Convolution((1, rows, piece.shape[-1]), weights[:, None, None, :], bias)
    turned = Pick(rows * len(bias), np.arange(rows * len(bias)).reshape(len(bias), rows).T.ravel())
    return piece.then(each, turned, shape=(*piece.shape[:-1], len(bias)))


def _linear(call: Call) -> Piece:
    weights = call.constant("weight")
    bias = np.zeros(len(weights)) if call.given.get("bias") is None else call.constant("bias")
    return _product(call.piece("input"), weights, bias)


def _addmm(call: Call) -> Piece:
    weights = call.constant("mat2").T
    bias = np.broadcast_to(call.constant("self"), (1, len(weights)))[0]
    if call.number("alpha", 1) != 1 or call.number("beta", 1) != 1:
        raise Unknown("its `addmm` scales")
    return _product(call.piece("mat1"), weights, np.array(bias))


def _matmul(call: Call) -> Piece:
    weights = call.constant("other" if "other" in call.given else "mat2")
    if weights.ndim != 2:
        raise Unknown("it multiplies with something else than a matrix")
    return _product(call.piece(), weights.T, np.zeros(weights.shape[1]))


def _convolution(call: Call) -> Piece:
    """conv1d, an image of height 1, and conv2d."""
    piece, weights = call.piece("input"), call.constant("weight")
    flat = weights.ndim == 3
    if len(piece.shape) != (2 if flat else 3):
        raise Unknown(f"its convolution sees the shape {list(piece.shape)}")
    bias = np.zeros(len(weights)) if call.given.get("bias") is None else call.constant("bias")
    stride, dilation = _pair(call, "stride", 1, flat), _pair(call, "dilation", 1, flat)
    if flat:
        weights = weights[:, :, None, :]
    size = weights.shape[2:]
    padding = call.given.get("padding", 0)
    if isinstance(padding, str):
        full = [
            d * (k - 1) if padding == "same" else 0 for d, k in zip(dilation, size, strict=True)
        ]
        top, left = full[0] // 2, full[1] // 2
        around = (top, left, full[0] - top, full[1] - left)
    else:
        top, left = _pair(call, "padding", 0, flat)
        around = (top, left, top, left)
    shape = (piece.shape[0], 1, piece.shape[1]) if flat else piece.shape
    groups = int(call.number("groups", 1))
    step = Convolution(
        (shape[0], shape[1], shape[2]), weights, bias, stride, around, dilation, groups
    )
    return _seen(piece, step, (len(weights), *_after(shape, size, stride, around, dilation)), flat)


def _batch_norm(call: Call) -> Piece:
    if call.given.get("training"):
        raise Unknown("its batch normalisation is in training mode")
    piece = call.piece("input")
    mean, var = call.constant("running_mean"), call.constant("running_var")
    ones, none = np.ones(len(mean)), np.zeros(len(mean))
    weight = ones if call.given.get("weight") is None else call.constant("weight")
    bias = none if call.given.get("bias") is None else call.constant("bias")
    factor = weight / np.sqrt(var + call.number("eps", 1e-5))
    spread = (-1, *[1] * (len(piece.shape) - 1))
    return scaled(piece, factor.reshape(spread), (bias - mean * factor).reshape(spread))


def _pool(kind: Literal["max", "mean"]) -> Rule:
    def rule(call: Call) -> Piece:
        piece = call.piece("self")
        flat = "1d" in call.name
        size = _pair(call, "kernel_size", 1, flat)
        stride = _pair(call, "stride", 0, flat)
        if call.given.get("stride") in (None, []):
            stride = size
        high, wide = _pair(call, "padding", 0, flat)
        if _pair(call, "dilation", 1, flat) != (1, 1) or call.given.get("divisor_override"):
            raise Unknown("its pooling has a dilation or a divisor of its own")
        shape = (piece.shape[0], 1, piece.shape[1]) if flat else piece.shape
        around = (high, wide, high, wide)
        if call.given.get("ceil_mode"):
            if kind == "mean":
                raise Unknown("its average pooling rounds sizes up")
            around = (high, wide, *_rounded_up(shape, size, stride, (high, wide)))
        image = (shape[0], shape[1], shape[2])
        new = (shape[0], *_after(shape, size, stride, around, (1, 1)))
        if kind == "mean" and (high or wide) and call.given.get("count_include_pad", True):
            weights = np.full((shape[0], 1, *size), 1 / (size[0] * size[1]))
            none = np.zeros(shape[0])
            step: Convolution | Pool = Convolution(
                image, weights, none, stride, around, groups=shape[0]
            )
        else:
            step = Pool(image, kind, size, stride, around)
        return _seen(piece, step, new, flat)

    return rule


def _adaptive(call: Call) -> Piece:
    piece = call.piece("self")
    flat = "1d" in call.name
    shape = (piece.shape[0], 1, piece.shape[1]) if flat else piece.shape
    wanted = _pair(call, "output_size", 1, flat)
    if shape[1] % wanted[0] or shape[2] % wanted[1]:
        raise Unknown(f"it pools {list(shape[1:])} to {list(wanted)}, by windows that overlap")
    size = (shape[1] // wanted[0], shape[2] // wanted[1])
    step = Pool((shape[0], shape[1], shape[2]), "mean", size, size)
    return _seen(piece, step, (shape[0], *wanted), flat)


def _mean(call: Call) -> Piece:
    """The mean over the last dimensions."""
    piece = call.piece()
    rank = len(piece.shape) + 1
    over_all = sorted(d % rank for d in call.given.get("dim") or [0])
    kept = rank - len(over_all)
    if over_all != list(range(kept, rank)) or kept < 1:
        raise Unknown("it takes the mean over other than the last dimensions")
    rows = int(np.prod(piece.shape[: kept - 1], dtype=np.int64))
    size = (1, piece.width // rows)
    shape = piece.shape[: kept - 1]
    if call.given.get("keepdim"):
        shape = (*shape, *[1] * len(over_all))
    return piece.then(Pool((1, rows, size[1]), "mean", size, size), shape=shape)


def _softmax(call: Call) -> Piece:
    piece = call.piece()
    if len(piece.shape) != 1 or call.given.get("dim") not in (1, -1):
        raise Unknown("its softmax is not over all of a point's numbers")
    return piece.then(Softmax(piece.width))


def _pair(call: Call, key: str, default: int, flat: bool) -> tuple[int, int]:
    """A size for height and width from one or two numbers; (neutral, it) for flat ones."""
    value = call.given.get(key, default)
    values = [value] if isinstance(value, int) else list(value) or [default]
    if flat:
        return (0 if key == "padding" else 1), int(values[0])
    return int(values[0]), int(values[-1])


def _after(
    shape: tuple[int, ...],
    size: tuple[int, ...],
    stride: tuple[int, int],
    around: tuple[int, int, int, int],
    dilation: tuple[int, int],
) -> tuple[int, int]:
    high, wide = (
        (shape[i + 1] + around[i] + around[i + 2] - dilation[i] * (size[i] - 1) - 1) // stride[i]
        + 1
        for i in (0, 1)
    )
    return high, wide


def _rounded_up(
    shape: tuple[int, ...], size: tuple[int, int], stride: tuple[int, int], pad: tuple[int, int]
) -> tuple[int, int]:
    """Padding below and to the right by which the last window counts that begins inside."""
    ends = []
    for i in (0, 1):
        count = ceil((shape[i + 1] + 2 * pad[i] - size[i]) / stride[i]) + 1
        if (count - 1) * stride[i] >= shape[i + 1] + pad[i]:
            count -= 1
        ends.append(max(pad[i], (count - 1) * stride[i] + size[i] - shape[i + 1] - pad[i]))
    return ends[0], ends[1]


def _seen(piece: Piece, step: Convolution | Pool, shape: tuple[int, ...], flat: bool) -> Piece:
    return piece.then(step, shape=(shape[0], shape[2]) if flat else shape)


RULES: dict[str, Rule] = {
    **{
        name: _plain(name)  # type: ignore[arg-type]  # names of both
        for name in (
            *("tanh", "sigmoid", "relu", "relu6", "silu", "mish", "selu", "sin", "cos", "exp"),
            *("log", "sqrt", "square", "abs", "expm1", "log1p", "erf", "sign", "hardsigmoid"),
            "hardswish",
        )
    },
    "reciprocal": _plain("inv"),
    "leaky_relu": _leaky_relu,
    "prelu": _prelu,
    "elu": _elu,
    "gelu": _gelu,
    "softplus": _softplus,
    **dict.fromkeys(("clamp", "clamp_min", "clamp_max", "hardtanh"), _clamp),
    "pow": _power,
    "add": _add,
    "sub": _sub,
    "rsub": _rsub,
    **dict.fromkeys(("mul", "multiply"), _mul),
    **dict.fromkeys(("div", "true_divide"), _div),
    "neg": _neg,
    "linear": _linear,
    "addmm": _addmm,
    **dict.fromkeys(("matmul", "mm"), _matmul),
    **dict.fromkeys(("conv1d", "conv2d"), _convolution),
    "batch_norm": _batch_norm,
    **dict.fromkeys(("max_pool1d", "max_pool2d"), _pool("max")),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d"), _pool("mean")),
    **dict.fromkeys(("adaptive_avg_pool1d", "adaptive_avg_pool2d"), _adaptive),
    "mean": _mean,
    "softmax": _softmax,
}
"""By the operator's name in torch, an underscore at its end left out."""

MOVES = frozenset(
    [
        "view",
        "reshape",
        "flatten",
        "unflatten",
        "unsqueeze",
        "squeeze",
        "permute",
        "transpose",
        "t",
        "numpy_T",
        "select",
        "slice",
        "split",
        "split_with_sizes",
        "chunk",
        "unbind",
        "narrow",
        "expand",
        "repeat",
        "flip",
        "roll",
        "index_select",
        "cat",
        "concat",
        "stack",
        "contiguous",
        "clone",
        "detach",
        "alias",
        "movedim",
        "pixel_shuffle",
        "_unsafe_view",
        "expand_as",
        "tile",
        "repeat_interleave",
    ]
)
"""What only moves numbers about."""

NOTHING = frozenset({"dropout", "feature_dropout", "to", "_to_copy", "type_as"})
"""What does nothing in evaluation."""
