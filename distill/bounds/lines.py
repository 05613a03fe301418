"""Functions made of straight lines, with or without jumps, replaced by one line and a remainder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.bounds.jets import SLACK, Range
from distill.bounds.relax import Relaxation
from distill.bounds.rounding import TINY, down, up


@dataclass(frozen=True)
class Lines:
    """``slopes[i]*z + offsets[i]`` between ``knots[i - 1]`` and ``knots[i]``, ``at[i]`` at knot i.

    Only where a function jumps is ``at`` not what follows from both sides.
    """

    knots: tuple[float, ...]
    slopes: tuple[float, ...]
    offsets: tuple[float, ...]
    at: tuple[float, ...]

    @property
    def jumps(self) -> bool:
        """Whether the sides of some knot differ."""
        sides = zip(
            self.knots, self.slopes, self.offsets, self.slopes[1:], self.offsets[1:], strict=False
        )
        return any(abs((a - c) * z + (b - d)) > SLACK for z, a, b, c, d in sides)

    def value(self, z: Array) -> Array:
        """At points."""
        values = _line(self.slopes[0], z, self.offsets[0])
        rows = zip(self.knots, self.slopes[1:], self.offsets[1:], self.at, strict=True)
        for knot, slope, offset, own in rows:
            values = np.where(z > knot, _line(slope, z, offset), values)
            values = np.where(z == knot, own, values)
        return values

    def steep(self, low: Array, high: Array) -> Range:
        """The range of the slopes over [low, high]; of a kink both sides', of a jump infinite."""
        least, most = np.full(low.shape, np.inf), np.full(low.shape, -np.inf)
        for start, stop, slope, _ in self._pieces():
            touched = (high >= start) & (low <= stop)
            least = np.where(touched, np.minimum(least, slope), least)
            most = np.where(touched, np.maximum(most, slope), most)
        if self.jumps:
            for knot in self.knots:
                inside = (low <= knot) & (knot <= high)
                least, most = np.where(inside, -np.inf, least), np.where(inside, np.inf, most)
        return least, most

    def _pieces(self) -> Iterator[tuple[float, float, float, float]]:
        starts, stops = (-np.inf, *self.knots), (*self.knots, np.inf)
        return zip(starts, stops, self.slopes, self.offsets, strict=True)

    def extremes(self, tilt: Array, low: Array, high: Array) -> Range:
        """The range of the function less ``tilt*z`` over [low, high], as float64 computes it."""
        least, most = np.full(low.shape, np.inf), np.full(low.shape, -np.inf)
        for start, stop, slope, offset in self._pieces():
            touched = (high > start) & (low < stop)
            for end in (np.maximum(low, start), np.minimum(high, stop)):
                value = _line(slope - tilt, end, offset)
                least = np.where(touched, np.minimum(least, value), least)
                most = np.where(touched, np.maximum(most, value), most)
        for knot, own in zip(self.knots, self.at, strict=True):
            inside, value = (low <= knot) & (knot <= high), own - tilt * knot
            least = np.where(inside, np.minimum(least, value), least)
            most = np.where(inside, np.maximum(most, value), most)
        return least, most

    def alone(self, low: Array, high: Array) -> tuple[Array, Array]:
        """How many lines [low, high] shares more than a knot with, and the last one's slope."""
        count, slope = np.zeros(low.shape), np.zeros(low.shape)
        for start, stop, own, _ in self._pieces():
            touched = (high > start) & (low < stop)
            count += touched
            slope = np.where(touched, own, slope)
        return count, slope


def _line(slope: float | Array, z: Array, offset: float) -> Array:
    """A slope of 0 takes nothing of an infinite z."""
    return np.where(slope == 0, 0.0, slope * z) + offset


def step(threshold: float) -> Lines:
    """0 up to the threshold, 1 above it."""
    return Lines((threshold,), (0.0, 0.0), (0.0, 1.0), (0.0,))


def kink(below: float, above: float) -> Lines:
    """``z < 0 ? below*z : above*z``."""
    return Lines((0.0,), (below, above), (0.0, 0.0), (0.0,))


LINES: Mapping[str, Lines] = {
    "identity": Lines((), (1.0,), (0.0,), ()),
    "relu": kink(0.0, 1.0),
    "abs": kink(-1.0, 1.0),
    "hardtanh": Lines((-1.0, 1.0), (0.0, 1.0, 0.0), (-1.0, 0.0, 1.0), (-1.0, 1.0)),
    "relu6": Lines((0.0, 6.0), (0.0, 1.0, 0.0), (0.0, 0.0, 6.0), (0.0, 6.0)),
    "hardsigmoid": Lines((-3.0, 3.0), (0.0, 1 / 6, 0.0), (0.0, 0.5, 1.0), (0.0, 1.0)),
    "sign": Lines((0.0,), (0.0, 0.0), (-1.0, 1.0), (0.0,)),
}
"""By the names of ``distill.chain.functions``."""


def relax_lines(lines: Lines, centre: Array, low: Array, high: Array) -> Relaxation:
    """Of the function over [low, high]: exact on one line, else the chord between both ends.

    The chord leaves least of all lines where a convex or concave function has one kink; where a
    function jumps its range is taken.
    """
    with np.errstate(all="ignore"):
        count, slope = lines.alone(low, high)
        chord = (lines.value(high) - lines.value(low)) / (high - low)
        flat = lines.jumps | ~np.isfinite(chord)
        tilt = np.where(count > 1, np.where(flat, 0.0, chord), slope)
        least, most = lines.extremes(np.zeros(low.shape), low, high)
        below, above = lines.extremes(tilt, low, high)
        reach = np.maximum(np.maximum(np.abs(low), np.abs(high)), np.abs(centre))
        steep, far = max(map(abs, lines.slopes)), max(map(abs, (*lines.offsets, *lines.at)))
        size = _line(steep, np.maximum(np.abs(low), np.abs(high)), far)
        slack = SLACK / 64 * (size + _line(np.abs(tilt), reach, 0.0)) + TINY
        middle = below + (above - below) / 2
        value = tilt * centre + middle
        lost = ~np.isfinite(value) | ~np.isfinite(slack)
        spread = SLACK / 64 * np.where(np.isfinite(size), size, 0.0) + TINY
    return Relaxation(
        np.where(lost, 0.0, value),
        np.where(lost, 0.0, tilt),
        np.zeros(low.shape),
        np.where(lost, -np.inf, down(below - middle) - slack),
        np.where(lost, np.inf, up(above - middle) + slack),
        (least - spread, most + spread),
    )
