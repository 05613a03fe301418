"""What each operator of a traced network is as steps of a chain: functions and arithmetic here."""

from __future__ import annotations

import numpy as np

from distill.chain.steps.elementwise import Apply, Function, Scale
from distill.teachers.torch import layers
from distill.teachers.torch.calls import Call, Rule
from distill.teachers.torch.pieces import Piece, Unknown, added, less, multiplied, over, scaled


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


_SAME: tuple[Function, ...] = (
    *("tanh", "sigmoid", "relu", "relu6", "silu", "mish", "selu", "sin", "cos", "exp", "log"),
    *("sqrt", "square", "abs", "expm1", "log1p", "erf", "sign", "hardsigmoid", "hardswish"),
)
"""Called the same by torch and by the steps."""

RULES: dict[str, Rule] = {
    **{name: _plain(name) for name in _SAME},
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
    "linear": layers.linear,
    "addmm": layers.addmm,
    **dict.fromkeys(("matmul", "mm"), layers.matmul),
    **dict.fromkeys(("conv1d", "conv2d"), layers.convolution),
    "batch_norm": layers.batch_norm,
    **dict.fromkeys(("max_pool1d", "max_pool2d"), layers.pool("max")),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d"), layers.pool("mean")),
    **dict.fromkeys(("adaptive_avg_pool1d", "adaptive_avg_pool2d"), layers.adaptive),
    "mean": layers.mean,
    "softmax": layers.softmax,
}
"""By the operator's name in torch, an underscore at its end left out."""

_MOVES = """
_unsafe_view alias cat chunk clone concat contiguous detach expand expand_as flatten flip
index_select movedim narrow numpy_T permute pixel_shuffle repeat repeat_interleave reshape roll
select slice split split_with_sizes squeeze stack t tile transpose unbind unflatten unsqueeze view
"""

MOVES = frozenset(_MOVES.split())
"""What only moves numbers about."""

NOTHING = frozenset({"dropout", "feature_dropout", "to", "_to_copy", "type_as"})
"""What does nothing in evaluation."""
