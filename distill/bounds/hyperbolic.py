"""Hyperbolic functions, with their derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from distill.arrays import Array
from distill.bounds.jets import Jet, Range, contains, squares, turning


def _even(low: Array, high: Array, function: Callable[[Array], Array], least: float) -> Range:
    """An even function that grows with |z| from ``least``."""
    return turning((function(low), function(high)), [(contains(low, high, 0.0), least)])


def sinh_over(low: Array, high: Array) -> Jet:
    """The jet of the hyperbolic sine over intervals."""
    s, c = (np.sinh(low), np.sinh(high)), _even(low, high, np.cosh, 1.0)
    return Jet(s, c, s, c)


def sinh_at(z: Array) -> tuple[Array, Array, Array]:
    """Value, slope and half the second derivative of the hyperbolic sine."""
    s = np.sinh(z)
    return s, np.cosh(z), s / 2


def cosh_over(low: Array, high: Array) -> Jet:
    """The jet of the hyperbolic cosine over intervals."""
    s, c = (np.sinh(low), np.sinh(high)), _even(low, high, np.cosh, 1.0)
    return Jet(c, s, c, s)


def cosh_at(z: Array) -> tuple[Array, Array, Array]:
    """Value, slope and half the second derivative of the hyperbolic cosine."""
    c = np.cosh(z)
    return c, np.sinh(z), c / 2


def tanh_over(low: Array, high: Array) -> Jet:
    """The jet of the hyperbolic tangent over intervals."""
    a, b = np.tanh(low), np.tanh(high)
    s_low, s_high = squares(a, b)
    turn, most = 1 / math.sqrt(3), 4 / (3 * math.sqrt(3))

    def second(v: Array) -> Array:
        return 2 * v * (v * v - 1)

    def third(s: Array) -> Array:
        return (1 - s) * (6 * s - 2)

    return Jet(
        (a, b),
        (1 - s_high, 1 - s_low),
        turning(
            (second(a), second(b)),
            [(contains(a, b, turn), -most), (contains(a, b, -turn), most)],
        ),
        turning((third(s_low), third(s_high)), [(contains(s_low, s_high, 2 / 3), 2 / 3)]),
    )


def tanh_at(z: Array) -> tuple[Array, Array, Array]:
    """Value, slope and half the second derivative of the hyperbolic tangent."""
    v = np.tanh(z)
    first = 1 - v * v
    return v, first, -v * first
