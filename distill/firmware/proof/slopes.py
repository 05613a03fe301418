"""Bounds of derivatives over boxes: one rule for each operator.

Where an operator has a kink, the slopes of both sides and all between them count (F. H. Clarke,
Optimization and Nonsmooth Analysis, 1983, section 2.3: a chain rule and a mean value theorem hold
for these). Where it jumps (``ifless``) the slopes are those of either branch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.firmware.intervals import Interval, apply

Slopes = tuple[Interval, ...]


def partials(name: str, args: tuple[Interval, ...], value: Interval) -> Slopes:
    """Bounds of the derivatives of an operator by each argument, for arguments in these intervals.

    Raises
    ------
    KeyError : for an operator without a rule; every one of ``ranges`` has one.
    """
    return _RULES[name](*args, value)


def magnitude(a: Interval) -> Array:
    """The largest magnitude (m,) in an interval; infinite where it is not known."""
    size: Array = np.maximum(np.abs(a[0]), np.abs(a[1]))
    return np.where(np.isnan(size), np.inf, size)


def hull(a: Interval, b: Interval) -> Interval:
    """The smallest interval around both."""
    return np.minimum(a[0], b[0]), np.maximum(a[1], b[1])


_ENDS = {
    "sqrt": (0.0, np.inf), "log": (np.nextafter(0.0, 1.0), np.inf),
    "asin": (-1.0, 1.0), "acos": (-1.0, 1.0),
}  # fmt: skip
"""Where functions have values."""


def undefined(name: str, args: Sequence[Interval]) -> npt.NDArray[np.bool_]:
    """Where (m,) arguments in these intervals may lie outside what the operator is defined for."""
    low, high = args[0]
    if name in _ENDS:
        least, most = _ENDS[name]
        return np.asarray((low < least) | (high > most))
    if name == "pow":
        power = args[1]
        whole = (power[0] == power[1]) & (power[0] == np.floor(power[0]))
        return np.asarray(((low < 0) & ~whole) | ((low <= 0) & (power[0] < 0)))
    if name == "atan2":
        # It jumps along the negative axis, where the sign of a zero decides.
        return np.asarray((args[1][0] <= 0) & (low <= 0) & (high >= 0))
    return np.zeros(len(low), dtype=bool)


def _same(a: Interval, number: float) -> Interval:
    full = np.full(len(a[0]), number)
    return full, full


def _times(a: Interval, number: float) -> Interval:
    return apply("mul", a, _same(a, number))


def _one_minus_square(a: Interval) -> Interval:
    low, high = apply("sub", _same(a, 1.0), apply("square", a))
    return np.maximum(low, 0.0), high


def _sign(a: Interval) -> Interval:
    return np.where(a[0] >= 0, 1.0, -1.0), np.where(a[1] <= 0, -1.0, 1.0)


def _smaller(a: Interval, b: Interval) -> Slopes:
    """By how much each of two counts where the smaller one is taken."""
    first, second = a[1] <= b[0], a[0] > b[1]
    return (
        (np.where(first, 1.0, 0.0), np.where(second, 0.0, 1.0)),
        (np.where(second, 1.0, 0.0), np.where(first, 0.0, 1.0)),
    )


def _larger(a: Interval, b: Interval) -> Slopes:
    other, one = _smaller(a, b)
    return one, other


def _choice(a: Interval, b: Interval, then: Interval, other: Interval) -> Slopes:
    always, never = a[1] < b[0], a[0] >= b[1]
    zero = _same(a, 0.0)
    return (
        zero, zero,
        (np.where(always, 1.0, 0.0), np.where(never, 0.0, 1.0)),
        (np.where(never, 1.0, 0.0), np.where(always, 0.0, 1.0)),
    )  # fmt: skip


def _pow(a: Interval, b: Interval, v: Interval) -> Slopes:
    lower = apply("pow", a, apply("sub", b, _same(b, 1.0)))
    # A constant exponent has no error that its slope could carry.
    fixed = b[0] == b[1]
    low, high = apply("mul", v, apply("log", a))
    return apply("mul", b, lower), (np.where(fixed, 0.0, low), np.where(fixed, 0.0, high))


def _atan2(y: Interval, x: Interval, v: Interval) -> Slopes:
    squares = apply("add", apply("square", y), apply("square", x))
    return apply("div", x, squares), apply("neg", apply("div", y, squares))


def _asin(a: Interval) -> Interval:
    return apply("inv", apply("sqrt", _one_minus_square(a)))


def _quotient(a: Interval, b: Interval, v: Interval) -> Slopes:
    inverse = apply("inv", b)
    return inverse, apply("neg", apply("mul", v, inverse))


_RULES: dict[str, Callable[..., Slopes]] = {
    "add": lambda a, b, v: (_same(a, 1.0), _same(a, 1.0)),
    "sub": lambda a, b, v: (_same(a, 1.0), _same(a, -1.0)),
    "mul": lambda a, b, v: (b, a),
    "div": _quotient,
    "neg": lambda a, v: (_same(a, -1.0),),
    "pow": _pow,
    "square": lambda a, v: (_times(a, 2.0),),
    "cube": lambda a, v: (_times(apply("square", a), 3.0),),
    "inv": lambda a, v: (apply("neg", apply("square", v)),),
    "sqrt": lambda a, v: (apply("div", _same(a, 0.5), (np.maximum(v[0], 0.0), v[1])),),
    "cbrt": lambda a, v: (apply("inv", _times(apply("square", v), 3.0)),),
    "exp": lambda a, v: (v,),
    "log": lambda a, v: (apply("inv", a),),
    "sin": lambda a, v: (apply("cos", a),),
    "cos": lambda a, v: (apply("neg", apply("sin", a)),),
    "tan": lambda a, v: (apply("add", _same(a, 1.0), apply("square", v)),),
    "asin": lambda a, v: (_asin(a),),
    "acos": lambda a, v: (apply("neg", _asin(a)),),
    "atan": lambda a, v: (apply("inv", apply("add", _same(a, 1.0), apply("square", a))),),
    "sinh": lambda a, v: (apply("cosh", a),),
    "cosh": lambda a, v: (apply("sinh", a),),
    "tanh": lambda a, v: (_one_minus_square(v),),
    "abs": lambda a, v: (_sign(a),),
    "atan2": _atan2,
    "min": lambda a, b, v: _smaller(a, b),
    "max": lambda a, b, v: _larger(a, b),
    "ifless": lambda a, b, then, other, v: _choice(a, b, then, other),
}
