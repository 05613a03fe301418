"""What the rules that need it know of values: bounds over the domain, of operations being built."""

from __future__ import annotations

from collections.abc import Callable

from distill.domain import Domain
from distill.firmware.graph import Builder, Rule
from distill.firmware.ranges import operation_ranges

_PIECES = 256
_LARGE, _SMALL = 2.0**100, 2.0**-100
"""Far enough from the ends of float32 (2^128, 2^-126) for any rounding."""

BoundRule = Callable[["Bounds", tuple[int, ...]], int | None]


class Bounds:
    """A builder, and the bounds of its operations by interval arithmetic."""

    def __init__(self, builder: Builder, domain: Domain) -> None:
        self.builder = builder
        self._domain = domain

    def of(self, at: int) -> tuple[float, float]:
        """The least and the largest value of ``at``, or bounds outside them."""
        low, high = operation_ranges(self.builder.finish(at), self._domain, _PIECES)
        return float(low[-1]), float(high[-1])

    def positive(self, *places: int) -> bool:
        """Whether all are above zero, and far from underflow and overflow."""
        return all(low >= _SMALL and high <= _LARGE for low, high in map(self.of, places))

    def apart(self, at: int) -> bool:
        """Whether ``at`` is of one sign, and far from underflow and overflow."""
        low, high = self.of(at)
        return _SMALL <= low <= high <= _LARGE or _SMALL <= -high <= -low <= _LARGE

    def within(self, limit: float, *places: int) -> bool:
        """Whether no magnitude exceeds ``limit``."""
        return all(-limit <= low and high <= limit for low, high in map(self.of, places))


def bounded(rule: BoundRule, domain: Domain) -> Rule:
    """A rule that asks for bounds as one that does not."""
    return lambda builder, args: rule(Bounds(builder, domain), args)
