"""What a formula is in real numbers: mpmath on the tree, sharing nothing with its printers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.firmware.graph import Arithmetic, Graph, dtype
from distill.formula import Formula
from distill.formula.tree import Call, Node, Number, Symbol

BITS = 400
"""Precision of the mantissas; exponents have no bound."""

_STEEPEST = 1e6
"""Beyond it exp and the like are said to be infinite: the numbers would fill the memory."""


STEEP = 1e6
"""Tangents beyond it are next to their pole."""


STRAY = 1e-2
"""A value that is off by more than this part of it is another number: of another sign, perhaps."""

TURN = 1e-3
"""What the last place of an angle may turn it by, in radians."""


class Undefined(Exception):
    """There is no real value."""


def _pow(a: Any, b: Any) -> Any:
    if b == 0:
        return mpmath.mpf(1)
    if a == 0:
        if b < 0:
            raise Undefined
        return mpmath.mpf(0)
    if a < 0 and b != mpmath.floor(b):
        raise Undefined
    if abs(b * mpmath.log(abs(a))) > _STEEPEST:
        raise Undefined
    return a**b


def _divide(a: Any, b: Any) -> Any:
    if b == 0:
        raise Undefined
    return a / b


def _within(function: Callable[[Any], Any], low: float, high: float) -> Callable[[Any], Any]:
    def apply(a: Any) -> Any:
        if not low <= a <= high:
            raise Undefined
        return function(a)

    return apply


def _log(a: Any) -> Any:
    if a <= 0:
        raise Undefined
    return mpmath.log(a)


def _cbrt(a: Any) -> Any:
    return mpmath.sign(a) * mpmath.cbrt(abs(a))


def _atan2(a: Any, b: Any) -> Any:
    if a == 0 and b <= 0:
        raise Undefined  # a jump: floats go either way, by the sign of their zero
    return mpmath.atan2(a, b)


_MEANINGS: Mapping[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": _divide,
    "neg": lambda a: -a,
    "pow": _pow,
    "square": lambda a: a * a,
    "cube": lambda a: a * a * a,
    "inv": lambda a: _divide(1, a),
    "sqrt": _within(mpmath.sqrt, 0, mpmath.inf),
    "cbrt": _cbrt,
    "exp": _within(mpmath.exp, -_STEEPEST, _STEEPEST),
    "log": _log,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "asin": _within(mpmath.asin, -1, 1),
    "acos": _within(mpmath.acos, -1, 1),
    "atan": mpmath.atan,
    "sinh": _within(mpmath.sinh, -_STEEPEST, _STEEPEST),
    "cosh": _within(mpmath.cosh, -_STEEPEST, _STEEPEST),
    "tanh": lambda a: mpmath.sign(a) if abs(a) > _STEEPEST else mpmath.tanh(a),
    "abs": abs,
    "atan2": _atan2,
    "min": min,
    "max": max,
}


def value(node: Node, point: Mapping[str, Any]) -> Any:
    """The real value at a point.

    Raises
    ------
    Undefined : where there is none, or none of a size that floats could hold.
    """
    if isinstance(node, Number):
        return mpmath.mpf(node.value)
    if isinstance(node, Symbol):
        return point[node.name]
    assert isinstance(node, Call)
    args = [value(a, point) for a in node.args[: 2 if node.operator == "ifless" else None]]
    if node.operator == "ifless":
        return value(node.args[2 if args[0] < args[1] else 3], point)
    return _MEANINGS[node.operator](*args)


def exactly(formula: Formula, x: Array) -> Array:
    """The real values at x (n, d), each rounded once to float64; NaN where there is none."""
    found = np.full(len(x), np.nan)
    with mpmath.workprec(BITS):
        for i, row in enumerate(x):
            point = {
                n: mpmath.mpf(float(v)) for n, v in zip(formula.domain.names, row, strict=True)
            }
            try:
                found[i] = float(value(formula.tree, point))
            except (Undefined, OverflowError):
                continue
    return found


def tame(graph: Graph, x: Array, arithmetic: Arithmetic) -> npt.NDArray[np.bool_]:
    """Where (n,) a bound to first order tells how far rounding moves a graph's result.

    That is where every value on the way is in the arithmetic still the number that it stands for:
    none is beyond it, or lost below its smallest number, or nothing but what two others left of
    each other; no tangent stands next to its pole, and no angle is so large that its last place
    turns it.
    """
    limits = np.finfo(dtype(arithmetic))
    kept = np.ones(len(x), dtype=bool)
    values, reals = graph.evaluate_all(x, arithmetic), graph.evaluate_all(x)
    for operation, value, real in zip(graph.operations, values, reals, strict=True):
        kept &= np.isfinite(value) & ((real == 0) | (np.abs(value) >= float(limits.tiny)))
        if arithmetic != "double":
            kept &= np.abs(value - real) <= STRAY * np.abs(real)
        if operation.name == "tan":
            kept &= np.abs(real) < STEEP
        if operation.name in ("sin", "cos", "tan"):
            kept &= np.abs(reals[operation.args[0]]) * float(limits.eps) <= TURN
    return kept
