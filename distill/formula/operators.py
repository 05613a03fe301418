"""The operators a formula may use, as data: one row each, with its value and its derivatives.

Printers to other languages keep their own table keyed by the operator's name, so that a printer
that does not know an operator fails loudly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array

Partial = Callable[..., Array]


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator.

    ``value(*args)`` is its NumPy meaning in float64. ``partials[i](*args, value)`` is the
    derivative by argument i; at kinks it is one of the one-sided ones. ``symbol`` and
    ``precedence`` are given for operators written between or before their operands.
    """

    name: str
    arity: int
    value: Callable[..., Array]
    partials: tuple[Partial, ...]
    symbol: str = ""
    precedence: int = 0


def _pow_by_exponent(a: Array, b: Array, v: Array) -> Array:
    return np.where(a > 0, v * np.log(np.where(a > 0, a, 1.0)), 0.0)


def _ifless(a: Array, b: Array, then: Array, otherwise: Array) -> Array:
    """``a < b ? then : otherwise`` as C means it: with a NaN on either side a is not less."""
    return np.where(a < b, then, otherwise)


_ROWS = (
    Operator("add", 2, np.add, (lambda a, b, v: np.ones_like(v), lambda a, b, v: np.ones_like(v)),
             "+", 1),
    Operator("sub", 2, np.subtract,
             (lambda a, b, v: np.ones_like(v), lambda a, b, v: -np.ones_like(v)), "-", 1),
    Operator("mul", 2, np.multiply, (lambda a, b, v: b, lambda a, b, v: a), "*", 2),
    Operator("div", 2, np.divide, (lambda a, b, v: 1 / b, lambda a, b, v: -v / b), "/", 2),
    Operator("neg", 1, np.negative, (lambda a, v: -np.ones_like(v),), "-", 3),
    Operator("pow", 2, np.power,
             (lambda a, b, v: b * np.power(a, b - 1), _pow_by_exponent), "^", 4),
    Operator("square", 1, np.square, (lambda a, v: 2 * a,)),
    Operator("cube", 1, lambda a: a * a * a, (lambda a, v: 3 * a * a,)),
    Operator("inv", 1, lambda a: 1.0 / a, (lambda a, v: -v * v,)),
    Operator("sqrt", 1, np.sqrt, (lambda a, v: 0.5 / v,)),
    Operator("cbrt", 1, np.cbrt, (lambda a, v: 1 / (3 * v * v),)),
    Operator("exp", 1, np.exp, (lambda a, v: v,)),
    Operator("log", 1, np.log, (lambda a, v: 1 / a,)),
    Operator("sin", 1, np.sin, (lambda a, v: np.cos(a),)),
    Operator("cos", 1, np.cos, (lambda a, v: -np.sin(a),)),
    Operator("tan", 1, np.tan, (lambda a, v: 1 + v * v,)),
    Operator("asin", 1, np.arcsin, (lambda a, v: 1 / np.sqrt(1 - a * a),)),
    Operator("acos", 1, np.arccos, (lambda a, v: -1 / np.sqrt(1 - a * a),)),
    Operator("atan", 1, np.arctan, (lambda a, v: 1 / (1 + a * a),)),
    Operator("sinh", 1, np.sinh, (lambda a, v: np.cosh(a),)),
    Operator("cosh", 1, np.cosh, (lambda a, v: np.sinh(a),)),
    Operator("tanh", 1, np.tanh, (lambda a, v: 1 - v * v,)),
    Operator("abs", 1, np.abs, (lambda a, v: np.sign(a),)),
    Operator("atan2", 2, np.arctan2,
             (lambda a, b, v: b / (a * a + b * b), lambda a, b, v: -a / (a * a + b * b))),
    Operator("min", 2, np.minimum,
             (lambda a, b, v: (a <= b) * 1.0, lambda a, b, v: (b < a) * 1.0)),
    Operator("max", 2, np.maximum,
             (lambda a, b, v: (a >= b) * 1.0, lambda a, b, v: (b > a) * 1.0)),
    Operator("ifless", 4, _ifless,
             (lambda a, b, t, o, v: np.zeros_like(v), lambda a, b, t, o, v: np.zeros_like(v),
              lambda a, b, t, o, v: (a < b) * 1.0, lambda a, b, t, o, v: 1.0 - (a < b))),
)  # fmt: skip

OPERATORS: dict[str, Operator] = {row.name: row for row in _ROWS}
"""All operators by name; the names are what parsers and printers agree on."""


def _first_if(holds: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    def chosen(a: Array, b: Array) -> Array:
        return np.asarray(np.where(holds(a, b), a, b))

    return chosen


_IN_C = {"min": _first_if(np.less), "max": _first_if(np.greater)}


def value_in_c(name: str) -> Callable[..., Array]:
    """The meaning of an operator as generated C has it.

    It is NumPy's but for ``a < b ? a : b``, which gives the second of two where one is a NaN and
    where both are zeros.
    """
    return _IN_C.get(name, OPERATORS[name].value)
