"""Bands around quadratics: what is known of a function over each of many boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from distill.arrays import Array
from distill.bounds.rounding import gamma


@lru_cache
def pairs(d: int) -> tuple[tuple[int, int], ...]:
    """The pairs i <= j of d inputs in their order: (0, 0), (0, 1), ..., (1, 1), ..."""
    return tuple((i, j) for i in range(d) for j in range(i, d))


@dataclass(frozen=True, eq=False)
class Enclosure:
    """A function over n boxes of d inputs, with e = (x - middle) / radius in [-1, 1]^d.

    For every x of box b the function lies in ``centre + sum_i slope_i e_i + sum_(i<=j) curve_ij
    e_i e_j + [low, high]``, in real numbers. Infinite remainders say that nothing is known.

    Attributes
    ----------
    centre, low, high : (n,).
    slope : (d, n).
    curve : (p, n), in the order of :func:`pairs`.
    blame : (d, n), how much of the width each input is to blame for: where to split.
    """

    centre: Array
    slope: Array
    curve: Array
    low: Array
    high: Array
    blame: Array

    def range(self) -> tuple[Array, Array]:
        """Bounds (n,) of the function over each box.

        Of each input alone the parabola's own range counts; mixed terms count fully.
        """
        d = len(self.slope)
        most, least = np.zeros_like(self.centre), np.zeros_like(self.centre)
        size = np.abs(self.centre) + np.abs(self.slope).sum(axis=0) + np.abs(self.curve).sum(axis=0)
        with np.errstate(all="ignore"):
            for (i, j), c in zip(pairs(d), self.curve, strict=True):
                if i != j:
                    most += np.abs(c)
                    least -= np.abs(c)
                    continue
                g = np.abs(self.slope[i])
                vertex = np.where(np.abs(c) * 2 > g, g * g / (4 * np.abs(c)), 0.0)
                inside = np.abs(c) * 2 > g
                most += np.where(inside & (c < 0), vertex, g + c)
                least -= np.where(inside & (c > 0), vertex, g - c)
            slack = gamma(6 * len(self.curve) + 8) * (size + np.abs(self.low) + np.abs(self.high))
            low = self.centre + least + self.low - slack
            high = self.centre + most + self.high + slack
        return (
            np.where(np.isnan(low), -np.inf, low),
            np.where(np.isnan(high), np.inf, high),
        )

    def highest(self, *, sign: Array) -> Array:
        """Places e (d, n) in [-1, 1] near which ``sign`` (n,) times the quadratic is largest.

        A guess: mixed terms are left out of it.
        """
        d = len(self.slope)
        diagonal = [at for at, (i, j) in enumerate(pairs(d)) if i == j]
        g, c = self.slope * sign, self.curve[diagonal] * sign
        with np.errstate(all="ignore"):
            vertex = np.where(c < 0, -g / (2 * c), np.inf * np.sign(g))
        end = np.where(g < 0, -1.0, 1.0)
        return np.where(np.abs(vertex) < 1, vertex, end)

    def minus(self, other: Enclosure) -> Enclosure:
        """The difference of two functions over the same boxes."""
        with np.errstate(invalid="ignore"):
            centre = self.centre - other.centre
            slope, curve = self.slope - other.slope, self.curve - other.curve
            sizes = (
                np.abs(centre)
                + np.abs(slope).sum(axis=0)
                + np.abs(curve).sum(axis=0)
                + np.abs(self.low)
                + np.abs(self.high)
                + np.abs(other.low)
                + np.abs(other.high)
            )
            slack = gamma(2) * sizes
            low, high = self.low - other.high - slack, self.high - other.low + slack
        lost = ~np.isfinite(centre) | ~np.isfinite(slack) | np.isnan(low) | np.isnan(high)
        lost |= ~np.isfinite(slope).all(axis=0) | ~np.isfinite(curve).all(axis=0)
        return Enclosure(
            np.where(lost, 0.0, centre),
            np.where(lost, 0.0, slope),
            np.where(lost, 0.0, curve),
            np.where(lost, -np.inf, low),
            np.where(lost, np.inf, high),
            self.blame + other.blame,
        )


def joined(bands: Sequence[Enclosure]) -> Enclosure:
    """Bands over boxes one after the other, as one over all of them."""
    if len(bands) == 1:
        return bands[0]
    names = [field.name for field in fields(Enclosure)]
    return Enclosure(*(np.concatenate([getattr(b, n) for b in bands], axis=-1) for n in names))
