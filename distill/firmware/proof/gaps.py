"""How far a polynomial is from a function of one variable, everywhere on an interval: proven.

The interval is cut into pieces; on each of them Taylor's theorem bounds the difference by its value
and slope in the middle and bounds of its second derivative, or the mean value theorem by bounds of
its slope alone (Moore, Kearfott, Cloud: Introduction to Interval Analysis, 2009, chapter 6). Pieces
get narrower where that adds much.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import polynomial

from distill.arrays import Array
from distill.firmware.intervals import Interval, apply
from distill.firmware.proof.lines import Line
from distill.firmware.proof.slopes import magnitude

_FEWEST, _PARTS, _MOST = 2**9, 4, 2**19
_ENOUGH = 1.002
"""Pieces whose bound is no larger than this times a gap that occurs are narrow enough."""

_ROUNDING = 4e-15
"""What float64 loses in a polynomial of degree 16 and less, relative to its terms' magnitudes:
33 roundings of 2^-53 (Higham 2002, section 5.1)."""


def largest_gap(
    coefficients: Array, line: Line, low: float, high: float, enough: float = 0.0
) -> float:
    """A bound of |polynomial - function| on [low, high]; infinite where there is none.

    Parameters
    ----------
    coefficients : of powers of the variable, lowest first, each good to 8 units of 2^-53.
    enough : a bound that is small enough: no smaller one is looked for.
    """
    edges = np.linspace(low, high, _FEWEST + 1)
    left, right = edges[:-1], edges[1:]
    settled, found, asked = 0.0, 0.0, 0
    while left.size:
        asked += left.size
        least, most = _gaps(coefficients, line, left, right)
        found = max(found, float(least.max()))
        goal = max(enough, found * _ENOUGH)
        open_ = most > goal
        if not np.isfinite(most).all() or asked > _MOST:
            return max(settled, float(most.max()))
        settled = max(settled, float(most[~open_].max(initial=0.0)))
        cuts = np.linspace(left[open_], right[open_], _PARTS + 1)
        left, right = cuts[:-1].ravel(), cuts[1:].ravel()
    return settled


def _gaps(coefficients: Array, line: Line, left: Array, right: Array) -> tuple[Array, Array]:
    """A gap (m,) that occurs in each piece, and a bound of all that do."""
    middle = left + (right - left) / 2
    half = np.maximum(right - middle, middle - left)
    derivative = _derivative(coefficients)
    with np.errstate(all="ignore"):
        point, piece = line(middle, middle), line(left, right)
        apart = magnitude(apply("sub", _around(coefficients, middle), point.value))
        there = apply("sub", _around(derivative, middle), point.slope)
        bend = apply("sub", polynomial_range(_derivative(derivative), middle, half), piece.bend)
        second = (magnitude(there) + magnitude(bend) * half / 2) * half
        slope = apply("sub", polynomial_range(derivative, middle, half), piece.slope)
        total = (apart + np.fmin(second, magnitude(slope) * half)) * (1 + 1e-12)
    # Not a number where the function's bounds are none.
    return apart, np.where(np.isnan(total), np.inf, total)


def polynomial_range(coefficients: Array, middle: Array, half: Array) -> Interval:
    """Bounds of a polynomial on intervals (m,): from its value and slope in the middle."""
    slope = _derivative(coefficients)
    reach = np.abs(middle) + half
    # |slope| between: in the middle, and the terms of its own slope as if of one sign.
    bend = _values(np.abs(_derivative(slope)), reach)
    spread = (np.abs(_values(slope, middle)) + half * bend) * half
    spread = spread * (1 + 1e-12) + _lost(coefficients, reach) + _lost(slope, reach) * half
    value = _values(coefficients, middle)
    return value - spread, value + spread


def _around(coefficients: Array, at: Array) -> Interval:
    """The value with what rounding may cost."""
    value, lost = _values(coefficients, at), _lost(coefficients, at)
    return value - lost, value + lost


def _lost(coefficients: Array, at: Array) -> Array:
    return _ROUNDING * _values(np.abs(coefficients), np.abs(at))


def _values(coefficients: Array, at: Array) -> Array:
    values = np.asarray(polynomial.polyval(at, coefficients), dtype=float)
    return np.broadcast_to(values, at.shape)


def _derivative(coefficients: Array) -> Array:
    return np.asarray(polynomial.polyder(coefficients), dtype=float)
