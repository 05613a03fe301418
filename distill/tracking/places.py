"""Points and domains in words, cut where there are more inputs than anybody reads."""

from __future__ import annotations

from collections.abc import Sequence

from distill.domain import Domain

SHOWN_INPUTS = 6
"""Inputs that are named; the others are counted."""


def place(domain: Domain, at: Sequence[float], digits: int = 4, *, units: bool = True) -> str:
    """A point of the domain, such as ``temperature = 46.4 degC, humidity = 74.17 percent``."""
    pairs = zip(domain.variables, at, strict=False)
    known = [f"{v.name} = {x:.{digits}g} {v.unit if units else ''}".rstrip() for v, x in pairs]
    return _cut(known, ", ")


def box(domain: Domain) -> str:
    """The domain, such as ``temperature 10 to 50 degC; humidity 5 to 99 percent``."""
    return _cut([f"{v.name} {v.low:g} to {v.high:g} {v.unit}".rstrip() for v in domain.variables])


def _cut(parts: Sequence[str], between: str = "; ") -> str:
    more = len(parts) - SHOWN_INPUTS
    shown = [*parts[:SHOWN_INPUTS], *([f"and {more:,} more inputs"] if more > 0 else [])]
    return between.join(shown)
