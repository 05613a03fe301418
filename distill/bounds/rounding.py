"""What float64 may lose, so that no bound becomes false by it.

Sums and products of n terms computed in any order are off by at most ``gamma(n)`` times the sum of
the terms' magnitudes (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1).
"""

from __future__ import annotations

import numpy as np

from distill.arrays import Array

UNIT = 2.0**-53
"""The unit roundoff of float64."""

TINY = 2.0**-1000
"""Added where products may underflow."""

FUNCTION = 8 * UNIT
"""The relative error that NumPy's functions are taken to stay within: 4 units in the last place."""


def gamma(terms: int) -> float:
    """The relative error of a sum of so many products; rounded up generously."""
    return 1.01 * (terms + 2) * UNIT


def up(x: Array) -> Array:
    """The next float above."""
    return np.nextafter(x, np.inf)


def down(x: Array) -> Array:
    """The next float below."""
    return np.nextafter(x, -np.inf)


def sum_down(a: Array, b: Array) -> Array:
    """A lower bound of a + b; the sum itself where it is exact."""
    s = a + b
    with np.errstate(invalid="ignore"):
        back = s - a
        error = (a - (s - back)) + (b - back)  # Knuth's two-sum
    return np.where(error >= 0, s, down(s))


def sum_up(a: Array, b: Array) -> Array:
    """An upper bound of a + b; the sum itself where it is exact."""
    return -sum_down(-a, -b)


def product(low: Array, high: Array, c: Array, d: Array) -> tuple[Array, Array]:
    """Bounds of all products of a number of [low, high] with one of [c, d]; 0 * inf counts as 0."""
    with np.errstate(invalid="ignore", over="ignore"):
        corners = np.stack([low * c, low * d, high * c, high * d])
    corners = np.where(np.isnan(corners), 0.0, corners)
    least, most = corners.min(axis=0), corners.max(axis=0)
    return np.where(least == 0, least, down(least)), np.where(most == 0, most, up(most))
