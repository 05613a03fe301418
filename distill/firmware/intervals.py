"""Interval arithmetic over many boxes at once: one rule for each operator, rounded outwards.

Moore, Kearfott, Cloud: Introduction to Interval Analysis, 2009. A bound is infinite where a pole,
or the edge beyond which a function has no value, may lie inside.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.errors import ExportError

Interval = tuple[Array, Array]
"""Lower and upper bounds on every box, each of shape (m,)."""

Rule = Callable[..., Interval]
"""From the intervals of an operator's arguments to its own."""

LIBRARY_ULPS = 8
"""By how many last places NumPy's functions may be off; their documented errors are below 4."""


def apply(name: str, *args: Interval) -> Interval:
    """Bounds of an operator's values wherever it has one, for arguments in these intervals.

    Raises
    ------
    ExportError : for an operator without interval arithmetic.
    """
    rule = _RULES.get(name)
    if rule is None:
        raise ExportError(
            f"the range of the operator `{name}` is not known.",
            hint=f"known operators: {', '.join(sorted(_RULES))}.",
        )
    low, high = rule(*args)
    # What is not a number came from infinite bounds: nothing is known then.
    return np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)


def widen(low: Array, high: Array, ulps: int = 1) -> Interval:
    """Move both bounds outwards by some last places: an exact value rounded stays inside."""
    if ulps == 1:
        return np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
    tiny = np.finfo(float).tiny
    return (
        low - ulps * np.spacing(np.maximum(np.abs(low), tiny)),
        high + ulps * np.spacing(np.maximum(np.abs(high), tiny)),
    )


def _hull(*values: Array) -> Interval:
    stacked = np.stack(values)
    return stacked.min(axis=0), stacked.max(axis=0)


def _add(a: Interval, b: Interval) -> Interval:
    return widen(a[0] + b[0], a[1] + b[1])


def _neg(a: Interval) -> Interval:
    return -a[1], -a[0]


def _sub(a: Interval, b: Interval) -> Interval:
    return _add(a, _neg(b))


def _mul(a: Interval, b: Interval) -> Interval:
    # Zero times a bound at infinity is zero: the values themselves are finite.
    products = [np.where((x == 0) | (y == 0), 0.0, x * y) for x in a for y in b]
    return widen(*_hull(*products))


def _square(a: Interval) -> Interval:
    low, high = _abs(a)
    squared = widen(low * low, high * high)
    return np.maximum(squared[0], 0.0), squared[1]


def _cube(a: Interval) -> Interval:
    return widen(a[0] * a[0] * a[0], a[1] * a[1] * a[1], 3)


def _abs(a: Interval) -> Interval:
    low, high = a
    return np.maximum(np.maximum(low, -high), 0.0), np.maximum(-low, high)


def _inv(a: Interval) -> Interval:
    low, high = a
    pole = (low <= 0) & (high >= 0)
    ends = widen(1 / np.where(pole, 1.0, high), 1 / np.where(pole, 1.0, low))
    # A divisor that only touches zero leaves one end finite.
    below = np.where((low >= 0) & (high > 0), np.nextafter(1 / high, 0), -np.inf)
    above = np.where((high <= 0) & (low < 0), np.nextafter(1 / low, 0), np.inf)
    return np.where(pole, below, ends[0]), np.where(pole, above, ends[1])


def _div(a: Interval, b: Interval) -> Interval:
    pole = (b[0] <= 0) & (b[1] >= 0)
    safe = (np.where(pole, 1.0, b[0]), np.where(pole, 1.0, b[1]))
    low, high = widen(*_hull(*(x / y for x in a for y in safe)))
    pole_low, pole_high = _mul(a, _inv(b))
    return np.where(pole, pole_low, low), np.where(pole, pole_high, high)


def _rising(function: Callable[[Array], Array], least: float, most: float) -> Rule:
    """Interval arithmetic of a rising function that has values between ``least`` and ``most``."""

    def bounds(a: Interval) -> Interval:
        low, high = a
        inside = (np.maximum(low, least), np.minimum(high, most))
        below, above = widen(function(inside[0]), function(inside[1]), LIBRARY_ULPS)
        nowhere = (high < least) | (low > most)
        return np.where(nowhere, -np.inf, below), np.where(nowhere, np.inf, above)

    return bounds


def _wave(function: Callable[[Array], Array], crest: float) -> Rule:
    """Interval arithmetic of sin or cos, whose crests lie at ``crest`` + 2 pi k."""

    def holds(low: Array, high: Array, at: float) -> npt.NDArray[np.bool_]:
        # The slack allows for the rounding of large arguments.
        slack = 1e-15 * (1 + np.maximum(np.abs(low), np.abs(high)))
        turn = 2 * math.pi
        first, last = np.ceil((low - slack - at) / turn), np.floor((high + slack - at) / turn)
        return np.asarray(first <= last)

    def bounds(a: Interval) -> Interval:
        low, high = a
        below, above = widen(*_hull(function(low), function(high)), LIBRARY_ULPS)
        below = np.where(holds(low, high, crest - math.pi), -1.0, below)
        above = np.where(holds(low, high, crest), 1.0, above)
        return np.maximum(below, -1.0), np.minimum(above, 1.0)

    return bounds


def _tan(a: Interval) -> Interval:
    low, high = a
    slack = 1e-15 * (1 + np.maximum(np.abs(low), np.abs(high)))
    half = math.pi / 2
    branches = np.floor((high + slack + half) / math.pi), np.floor((low - slack + half) / math.pi)
    pole = branches[0] != branches[1]
    below, above = widen(np.tan(low), np.tan(high), LIBRARY_ULPS)
    return np.where(pole, -np.inf, below), np.where(pole, np.inf, above)


def _acos(a: Interval) -> Interval:
    low, high = _RULES["asin"](a)
    above, below = math.pi / 2 - low, math.pi / 2 - high
    return np.maximum(below - 1e-15, np.where(np.isfinite(high), 0.0, -np.inf)), above + 1e-15


def _cosh(a: Interval) -> Interval:
    low, high = _abs(a)
    bounds = widen(np.cosh(low), np.cosh(high), LIBRARY_ULPS)
    return np.maximum(bounds[0], 1.0), bounds[1]


def _pow(a: Interval, b: Interval) -> Interval:
    low, high = a
    corners = widen(*_hull(*(np.power(np.maximum(x, 0.0), y) for x in a for y in b)), LIBRARY_ULPS)
    below, above = np.maximum(corners[0], 0.0), corners[1]
    # Negative bases have powers with whole exponents only.
    whole = (b[0] == b[1]) & (b[0] == np.floor(b[0]))
    size = _abs(a)
    even = np.mod(b[0], 2) == 0
    ends = np.power(low, b[0]), np.power(high, b[0])
    signed = _hull(*ends, np.where(even, np.power(size[0], b[0]), ends[0]))
    through_pole = (b[0] < 0) & (low <= 0) & (high >= 0)
    outer = widen(*signed, LIBRARY_ULPS)
    negative = low < 0
    below = np.where(negative & whole, np.where(even, np.maximum(outer[0], 0), outer[0]), below)
    above = np.where(negative & whole, outer[1], above)
    lost = (negative & ~whole & (high < 0)) | (negative & through_pole)
    return np.where(lost, -np.inf, below), np.where(lost | through_pole, np.inf, above)


def _atan2(y: Interval, x: Interval) -> Interval:
    corners = [np.arctan2(v, u) for v in y for u in x]
    low, high = widen(*_hull(*corners), LIBRARY_ULPS)
    # The angle jumps along the negative x axis; the origin has every angle.
    cut = (x[0] <= 0) & (y[0] <= 0) & (y[1] >= 0)
    return np.where(cut, -np.pi, low), np.where(cut, np.pi, high)


def _min(a: Interval, b: Interval) -> Interval:
    return np.minimum(a[0], b[0]), np.minimum(a[1], b[1])


def _max(a: Interval, b: Interval) -> Interval:
    return np.maximum(a[0], b[0]), np.maximum(a[1], b[1])


def _ifless(a: Interval, b: Interval, then: Interval, other: Interval) -> Interval:
    always, never = a[1] < b[0], a[0] >= b[1]
    low = np.where(always, then[0], np.where(never, other[0], np.minimum(then[0], other[0])))
    high = np.where(always, then[1], np.where(never, other[1], np.maximum(then[1], other[1])))
    return low, high


_EVERYWHERE = (-math.inf, math.inf)

_RULES: dict[str, Rule] = {
    "add": _add, "sub": _sub, "mul": _mul, "div": _div, "neg": _neg, "pow": _pow,
    "square": _square, "cube": _cube, "inv": _inv, "abs": _abs, "min": _min, "max": _max,
    "sqrt": _rising(np.sqrt, 0.0, math.inf), "cbrt": _rising(np.cbrt, *_EVERYWHERE),
    "exp": _rising(np.exp, *_EVERYWHERE), "log": _rising(np.log, 0.0, math.inf),
    "asin": _rising(np.arcsin, -1.0, 1.0), "atan": _rising(np.arctan, *_EVERYWHERE),
    "sinh": _rising(np.sinh, *_EVERYWHERE), "tanh": _rising(np.tanh, *_EVERYWHERE),
    "sin": _wave(np.sin, math.pi / 2), "cos": _wave(np.cos, 0.0), "tan": _tan, "acos": _acos,
    "cosh": _cosh, "atan2": _atan2, "ifless": _ifless,
}  # fmt: skip
"""One interval rule for each operator, from the intervals of its arguments to its own."""
