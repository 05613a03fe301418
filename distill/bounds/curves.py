"""Functions of one number by their derivatives, and functions made of several of them.

Over an interval a derivative lies between its values at both ends and at the places inside at which
it turns. Ranges come widened by far more than float64 can lose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array, Flags
from distill.bounds.jets import Jet, Range

LOST = 2.0**-46
"""What the few operations of a row lose of the size of their terms, and much more."""

Derivative = Callable[[Array], Array]


@dataclass(frozen=True)
class Curve:
    """A function by its derivatives 0 to 3, and where each of them turns.

    ``lost(z)`` is what its value loses, relative to it, in units of ``LOST``; ``floor`` what it
    loses where it is 0.
    """

    derivatives: tuple[Derivative, Derivative, Derivative, Derivative]
    turns: tuple[Sequence[float], Sequence[float], Sequence[float], Sequence[float]]
    lost: Derivative = np.ones_like
    floor: float = 0.0

    def at(self, z: Array) -> tuple[Array, Array, Array]:
        """Value, slope and half the second derivative."""
        with np.errstate(all="ignore"):
            value, first, second, _ = (f(z) for f in self.derivatives)
        return value, first, second / 2

    def over(self, low: Array, high: Array) -> Jet:
        """The ranges over intervals; infinite where an end has no derivative."""
        ranges = []
        with np.errstate(all="ignore"):
            for order, (f, turns) in enumerate(zip(self.derivatives, self.turns, strict=True)):
                least, most = _hull(f, turns, low, high)
                size = LOST * np.maximum(np.abs(least), np.abs(most))
                if order:
                    size += LOST
                else:
                    size = size * np.maximum(self.lost(low), self.lost(high)) + self.floor
                ranges.append(_known(least - size, most + size))
        return Jet(*ranges)


def _hull(f: Derivative, turns: Sequence[float], low: Array, high: Array) -> Range:
    a, b = f(low), f(high)
    least, most = np.minimum(a, b), np.maximum(a, b)
    for turn in turns:
        value = f(np.array([turn]))[0]
        inside = (low <= turn) & (turn <= high)
        least = np.where(inside & (value < least), value, least)
        most = np.where(inside & (value > most), value, most)
    return least, most


def _known(least: Array, most: Array) -> Range:
    good = ~np.isnan(least) & ~np.isnan(most)
    return np.where(good, least, -np.inf), np.where(good, most, np.inf)


@dataclass(frozen=True)
class Pieced:
    """Curves beside each other: ``pieces[i]`` holds from ``breaks[i - 1]`` to ``breaks[i]``.

    The whole is continuous, its slope need not be. A slope's range is known over all pieces that
    an interval touches, the higher derivatives' within one piece alone.
    """

    breaks: tuple[float, ...]
    pieces: tuple[Curve, ...]

    def at(self, z: Array) -> tuple[Array, Array, Array]:
        """Value, slope and half the second derivative, at a break of the piece above it."""
        found = self.pieces[0].at(np.minimum(z, self.breaks[0]))
        for i, start in enumerate(self.breaks):
            next_one = self.pieces[i + 1].at(np.maximum(z, start))
            pairs = zip(next_one, found, strict=True)
            a, b, c = (np.where(z >= start, new, old) for new, old in pairs)
            found = a, b, c
        return found

    def over(self, low: Array, high: Array) -> Jet:
        """The hulls of the pieces' ranges."""
        nothing = np.full(low.shape, np.inf), np.full(low.shape, -np.inf)
        value, first, pieces = nothing, nothing, np.zeros(low.shape)
        second, third = nothing, nothing
        for i, piece in enumerate(self.pieces):
            start = self.breaks[i - 1] if i else -np.inf
            stop = self.breaks[i] if i < len(self.breaks) else np.inf
            touched = (high >= start) & (low <= stop)
            jet = piece.over(np.clip(low, start, stop), np.clip(high, start, stop))
            value = _joined(value, jet.value, touched)
            first = _joined(first, jet.first, touched)
            second = _joined(second, jet.second, touched)
            third = _joined(third, jet.third, touched)
            pieces += touched
        lost = (pieces > 1) | ~np.isfinite(low) | ~np.isfinite(high)
        return Jet(value, first, _unless(lost, second), _unless(lost, third))


def _joined(a: Range, b: Range, where: Flags) -> Range:
    return (
        np.where(where, np.minimum(a[0], b[0]), a[0]),
        np.where(where, np.maximum(a[1], b[1]), a[1]),
    )


def _unless(lost: Flags, pair: Range) -> Range:
    return np.where(lost, -np.inf, pair[0]), np.where(lost, np.inf, pair[1])


def line(slope: float) -> Curve:
    """``slope*z``."""
    return parabola(slope, 0.0)


def parabola(slope: float, curve: float) -> Curve:
    """``slope*z + curve*z*z``."""
    turns = (-slope / (2 * curve),) if curve else ()
    return Curve(
        (
            lambda z: slope * z + (curve * z * z if curve else 0.0),
            lambda z: slope + 2 * curve * z if curve else np.full_like(z, slope),
            lambda z: np.full_like(z, 2 * curve),
            np.zeros_like,
        ),
        (turns, (), (), ()),
        floor=LOST if curve else 0.0,
    )


def constant(value: float) -> Curve:
    """One number."""
    return Curve(
        (lambda z: np.full_like(z, value), np.zeros_like, np.zeros_like, np.zeros_like),
        ((), (), (), ()),
    )
