"""The numbers on a tape, and functions of one of them on its range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb

from distill.checking.balls import ZERO, ball


class Term:
    """One number on the tape; ``at`` is its place there, -1 for a constant.

    ``value`` and ``slope`` (d,) hold at the middle, free numbers held; ``slopes`` (d,) enclose the
    derivatives over the box; ``free`` what free numbers add; [low, high] its range, exact ends.
    """

    __slots__ = ("_ball", "at", "free", "high", "low", "slope", "slopes", "value")

    def __init__(
        self,
        at: int,
        value: arb,
        slope: Sequence[arb],
        slopes: Sequence[arb],
        free: arb,
        low: arb,
        high: arb,
    ) -> None:
        self.at = at
        self.value = value
        self.slope = slope
        self.slopes = slopes
        self.free = free
        self.low = low
        self.high = high
        self._ball: arb | None = None

    @property
    def range(self) -> arb:
        """The range as one ball."""
        if self._ball is None:
            self._ball = ball(self.low, self.high)
        return self._ball

    @property
    def constant(self) -> bool:
        """Whether it depends on nothing."""
        return self.at < 0


@dataclass(frozen=True, slots=True)
class Bend:
    """A function of one term on its range: value and slope where the term stands at the middle,
    the value's range [low, high], slopes and second derivatives over the range, and what is free.
    """

    value: arb
    slope: arb
    low: arb
    high: arb
    slopes: arb
    curves: arb
    free: arb = ZERO
