"""Real numbers as balls, and what intervals need beyond them: exact ends, hulls, turning points.

Ends of intervals are exact balls (of radius 0), so that a threshold that is an end of a box is
compared exactly. Whatever is undefined is a ball that is not finite, and nothing is proven of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from flint import arb, ctx

PRECISION = 128
"""Bits of the middles: sums and differences of most pairs of float64 numbers are exact."""

ZERO = arb(0)
ONE = arb(1)
HALF = arb(0.5)
UNDEFINED = arb("nan")


@contextmanager
def precise() -> Iterator[None]:
    """Compute with ``PRECISION`` bits inside."""
    before = ctx.prec
    ctx.prec = PRECISION
    try:
        yield
    finally:
        ctx.prec = before


def ball(low: arb, high: arb) -> arb:
    """The ball around an interval given by its exact ends."""
    return low.union(high)


def around(reach: arb) -> arb:
    """The ball of all numbers up to ``reach`` (exact, not negative) in size."""
    return reach.union(-reach)


def hull(values: Iterable[arb]) -> arb:
    """The ball around balls; undefined where one of them is."""
    found: arb | None = None
    for value in values:
        if not value.is_finite():
            return UNDEFINED
        found = value if found is None else found.union(value)
    return UNDEFINED if found is None else found


def ends(values: Iterable[arb]) -> tuple[arb, arb]:
    """The lowest and the highest end of balls; undefined where one of them is not finite."""
    low: arb | None = None
    high: arb | None = None
    for value in values:
        if not value.is_finite():
            return UNDEFINED, UNDEFINED
        below, above = value.lower(), value.upper()
        low = below if low is None or below < low else low
        high = above if high is None or above > high else high
    if low is None or high is None:
        return UNDEFINED, UNDEFINED
    return low, high


def span(
    function: Callable[[arb], arb], low: arb, high: arb, turns: Iterable[arb] = ()
) -> tuple[arb, arb]:
    """The range over [low, high] of a function that is monotone between its turning points."""
    inside = [turn for turn in turns if not (turn < low or turn > high)]
    return ends(function(at) for at in (low, high, *inside))


def multiples(step: arb, first: arb, low: arb, high: arb, most: int = 8) -> list[arb] | None:
    """The points ``first + k*step`` that may lie in [low, high]; None where there are too many."""
    if not (high - low < most * step):
        return None
    k = int(((low - first) / step).lower().floor().unique_fmpz() or 0)
    points = [first + step * i for i in range(k, k + most + 2)]
    return [at for at in points if not (at < low or at > high)]
