"""The functions between layers: how each is computed, and as a tree.

Every function is computed by the operations written here, each rounded, in this order; constants
are rounded once. The C does the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from distill.chain.arithmetic import Reals
from distill.errors import FormulaError
from distill.formula.tree import Node, Number, add, call, div, mul, sub

SELU_SCALE = 1.0507009873554804934193349852946
SELU_SLOPE = SELU_SCALE * 1.6732632423543772848170429916717
"""What selu multiplies positive numbers with, and expm1 of negative ones."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One function.

    ``value(x, p)`` computes it in the precision of x, p its parameter in that precision;
    ``tree(x, p)`` is its formula, None where the operators of formulas have none. ``operations``
    counts both operations and calls of the C library.
    """

    value: Callable[[Reals, Any], Reals]
    tree: Callable[[Node, float], Node] | None
    operations: int = 1


def sigmoid(x: Reals) -> Reals:
    """``e = exp(-|x|)``, then ``1 / (1 + e)``, or ``e / (1 + e)`` where x is below 0."""
    e = np.exp(-np.abs(x))
    one = x.dtype.type(1)
    top: Reals = np.where(x < 0, e, one)
    return top / (one + e)


def softplus(x: Reals) -> Reals:
    """``(x < 0 ? 0 : x) + log1p(exp(-|x|))``."""
    return _relu(x) + np.log1p(np.exp(-np.abs(x)))


def _relu(x: Reals) -> Reals:
    return np.where(x < 0, x.dtype.type(0), x)


def _between(x: Reals, low: float, high: float) -> Reals:
    """``x < low ? low : (x > high ? high : x)``; a NaN stays."""
    kind = x.dtype.type
    return np.where(x < kind(low), kind(low), np.where(x > kind(high), kind(high), x))


def _erf(x: Reals) -> Reals:
    from scipy.special import erf

    values: Reals = erf(x)
    return values


def _gelu(x: Reals) -> Reals:
    kind = x.dtype.type
    return (kind(0.5) * x) * (kind(1) + _erf(x * kind(math.sqrt(0.5))))


def _sign(x: Reals) -> Reals:
    return (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)


def _number(value: float) -> Number:
    return Number(value)


def sigmoid_tree(x: Node) -> Node:
    """By tanh, which no argument is too large for."""
    return add(_number(0.5), mul(_number(0.5), call("tanh", mul(_number(0.5), x))))


def _expm1_tree(x: Node) -> Node:
    """``tanh(x/2) * (exp(x) + 1)``, which loses no digits next to 0."""
    half = call("tanh", mul(_number(0.5), x))
    return mul(half, add(call("exp", x), _number(1)))


def _below_zero(x: Node, below: Node, above: Node) -> Node:
    return call("ifless", x, _number(0), below, above)


def _limited(x: Node, low: float, high: float) -> Node:
    return call("min", call("max", x, _number(low)), _number(high))


def _softplus_tree(x: Node) -> Node:
    small = call("log", add(_number(1), call("exp", call("neg", call("abs", x)))))
    return add(call("max", x, _number(0)), small)


def _hard_tree(x: Node) -> Node:
    return div(_limited(add(x, _number(3)), 0, 6), _number(6))


def _plain(operator: str) -> Callable[[Node, float], Node]:
    return lambda x, p: call(operator, x)


FUNCTIONS: Mapping[str, Definition] = {
    "identity": Definition(lambda x, p: x, lambda x, p: x, 0),
    "tanh": Definition(lambda x, p: np.tanh(x), _plain("tanh")),
    "sin": Definition(lambda x, p: np.sin(x), _plain("sin")),
    "cos": Definition(lambda x, p: np.cos(x), _plain("cos")),
    "exp": Definition(lambda x, p: np.exp(x), _plain("exp")),
    "log": Definition(lambda x, p: np.log(x), _plain("log")),
    "sqrt": Definition(lambda x, p: np.sqrt(x), _plain("sqrt")),
    "abs": Definition(lambda x, p: np.abs(x), _plain("abs")),
    "square": Definition(lambda x, p: x * x, _plain("square")),
    # 1 / x
    "inv": Definition(lambda x, p: x.dtype.type(1) / x, _plain("inv")),
    "expm1": Definition(lambda x, p: np.expm1(x), lambda x, p: _expm1_tree(x)),
    "log1p": Definition(lambda x, p: np.log1p(x), lambda x, p: call("log", add(_number(1), x))),
    "erf": Definition(lambda x, p: _erf(x), None),
    # x < 0 ? 0 : x
    "relu": Definition(lambda x, p: _relu(x), lambda x, p: call("max", x, _number(0))),
    # x < 0 ? p*x : x
    "leaky_relu": Definition(
        lambda x, p: np.where(x < 0, p * x, x),
        lambda x, p: _below_zero(x, mul(_number(p), x), x),
        2,
    ),
    # x < 0 ? p*expm1(x) : x
    "elu": Definition(
        lambda x, p: np.where(x < 0, p * np.expm1(x), x),
        lambda x, p: _below_zero(x, mul(_number(p), _expm1_tree(x)), x),
        3,
    ),
    # x < 0 ? SELU_SLOPE*expm1(x) : SELU_SCALE*x
    "selu": Definition(
        lambda x, p: np.where(
            x < 0, x.dtype.type(SELU_SLOPE) * np.expm1(x), x.dtype.type(SELU_SCALE) * x
        ),
        lambda x, p: _below_zero(
            x, mul(_number(SELU_SLOPE), _expm1_tree(x)), mul(_number(SELU_SCALE), x)
        ),
        3,
    ),
    # (0.5*x) * (1 + erf(x*sqrt(0.5)))
    "gelu": Definition(lambda x, p: _gelu(x), None, 5),
    "sigmoid": Definition(lambda x, p: sigmoid(x), lambda x, p: sigmoid_tree(x), 5),
    # x * sigmoid(x)
    "silu": Definition(lambda x, p: x * sigmoid(x), lambda x, p: mul(x, sigmoid_tree(x)), 6),
    "softplus": Definition(lambda x, p: softplus(x), lambda x, p: _softplus_tree(x), 5),
    # x * tanh(softplus(x))
    "mish": Definition(
        lambda x, p: x * np.tanh(softplus(x)),
        lambda x, p: mul(x, call("tanh", _softplus_tree(x))),
        7,
    ),
    # x / (1 + |x|)
    "softsign": Definition(
        lambda x, p: x / (x.dtype.type(1) + np.abs(x)),
        lambda x, p: div(x, add(_number(1), call("abs", x))),
        3,
    ),
    # x < -1 ? -1 : (x > 1 ? 1 : x)
    "hardtanh": Definition(lambda x, p: _between(x, -1, 1), lambda x, p: _limited(x, -1, 1), 2),
    "relu6": Definition(lambda x, p: _between(x, 0, 6), lambda x, p: _limited(x, 0, 6), 2),
    # relu6(x + 3) / 6
    "hardsigmoid": Definition(
        lambda x, p: _between(x + x.dtype.type(3), 0, 6) / x.dtype.type(6),
        lambda x, p: _hard_tree(x),
        4,
    ),
    # (x * relu6(x + 3)) / 6
    "hardswish": Definition(
        lambda x, p: (x * _between(x + x.dtype.type(3), 0, 6)) / x.dtype.type(6),
        lambda x, p: mul(x, _hard_tree(x)),
        5,
    ),
    # (x > 0) - (x < 0): 0 for a NaN
    "sign": Definition(
        lambda x, p: _sign(x),
        lambda x, p: sub(
            call("ifless", _number(0), x, _number(1), _number(0)),
            call("ifless", x, _number(0), _number(1), _number(0)),
        ),
        3,
    ),
}
"""All functions by name. A NaN stays a NaN but in ``sign``."""


def function_tree(name: str, x: Node, parameter: float) -> Node:
    """The function of a tree.

    Raises
    ------
    FormulaError : where the operators of formulas have none.
    """
    tree = FUNCTIONS[name].tree
    if tree is None:
        raise FormulaError(
            f"`{name}` cannot be written with the operators of formulas.",
            where="chain step `Apply`",
            hint="export the closed form as it is, or approximate it.",
        )
    return tree(x, parameter)
