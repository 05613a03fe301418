"""Where a curve is asked: an even grid to fit on, random points between to judge by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.engines.structure.piece import Curve, Values

DECADES = 100.0
"""Ranges of positive numbers with a larger ratio of their ends are walked through in ratios."""

HUGE = 1e100
"""Answers beyond it count as none: their squares would not fit in a float64."""


@dataclass(frozen=True)
class Points:
    """Finite answers y (n,) with sensitivities s (n,) at x (n,)."""

    x: Array
    y: Array
    s: Array

    @property
    def values(self) -> Values:
        """Answers and sensitivities."""
        return Values(self.y, self.s)

    @property
    def spread(self) -> float:
        """The standard deviation of the answers."""
        return float(np.std(self.y))

    def rows(self, chosen: Array | slice) -> Points:
        """Some of the points."""
        return Points(self.x[chosen], self.y[chosen], self.s[chosen])

    def thinned(self, most: int) -> Points:
        """At most so many of the points, evenly picked."""
        if len(self.x) <= most:
            return self
        return self.rows(np.unique(np.linspace(0, len(self.x) - 1, most).round().astype(int)))


def in_ratios(low: float, high: float) -> bool:
    """Whether the interval spans so many decades that points are spread over them evenly."""
    return low > 0 and high / low > DECADES


def grid(curve: Curve, count: int) -> Points:
    """The answers at evenly spaced points, ends included."""
    space = np.geomspace if in_ratios(curve.low, curve.high) else np.linspace
    return _finite(curve, np.asarray(space(curve.low, curve.high, count), dtype=float))


def fresh(curve: Curve, count: int, seed: int) -> Points:
    """The answers at random points."""
    part = np.sort(np.random.default_rng(seed).uniform(size=count))
    if in_ratios(curve.low, curve.high):
        x = curve.low * (curve.high / curve.low) ** part
    else:
        x = curve.low + (curve.high - curve.low) * part
    return _finite(curve, np.clip(x, curve.low, curve.high))


def _finite(curve: Curve, x: Array) -> Points:
    y, s = curve(x)
    with np.errstate(all="ignore"):
        good = np.isfinite(y) & np.isfinite(s) & (s > 0) & (np.abs(y) < HUGE)
    return Points(x[good], np.asarray(y, dtype=float)[good], np.asarray(s, dtype=float)[good])
