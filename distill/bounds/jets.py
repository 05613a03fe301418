"""A function of one number with its derivatives: at points, and as ranges over intervals.

Every row gives ranges without regard for its own rounding; what uses them widens them by ``SLACK``
times the stated scales, far more than the few operations here can lose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array, Flags

SLACK = 1e-13
"""Relative to the size of a derivative's terms: 450 units in the last place."""

Range = tuple[Array, Array]
"""Lowest and highest values."""


@dataclass(frozen=True)
class Jet:
    """A function and its first three derivatives over intervals: a range of each.

    Minus and plus infinity say that nothing is known; so where the function is undefined.
    """

    value: Range
    first: Range
    second: Range
    third: Range


@dataclass(frozen=True)
class Smooth:
    """One function.

    Attributes
    ----------
    at : value, first and half the second derivative at points: three arrays.
    over : the :class:`Jet` over intervals [low, high].
    scale : the size of the terms that its derivatives are differences of; 0 where they are
        computed to a relative error.
    """

    at: Callable[[Array], tuple[Array, Array, Array]]
    over: Callable[[Array, Array], Jet]
    scale: float = 0.0


def turning(ends: Range, inside: list[tuple[Flags, float]]) -> Range:
    """The range of a function by its values at both ends and at turning points that lie inside."""
    low, high = np.minimum(*ends), np.maximum(*ends)
    for holds, value in inside:
        low = np.where(holds & (value < low), value, low)
        high = np.where(holds & (value > high), value, high)
    return low, high


def contains(low: Array, high: Array, point: float) -> Flags:
    """Which intervals hold a point."""
    return (low <= point) & (point <= high)


def ordered(a: Array, b: Array) -> Range:
    """The smaller and the larger."""
    return np.minimum(a, b), np.maximum(a, b)


def known(there: Flags, jet: Jet) -> Jet:
    """The jet where it is ``there``, nothing elsewhere."""

    def masked(pair: Range) -> Range:
        good = there & ~np.isnan(pair[0]) & ~np.isnan(pair[1])
        return np.where(good, pair[0], -np.inf), np.where(good, pair[1], np.inf)

    return Jet(masked(jet.value), masked(jet.first), masked(jet.second), masked(jet.third))


def squares(a: Array, b: Array) -> Range:
    """The squares of intervals."""
    return turning((a * a, b * b), [(contains(a, b, 0.0), 0.0)])
