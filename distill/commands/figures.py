"""Figures of candidates in words for a terminal."""

from __future__ import annotations

from distill.firmware.cost import Cost

LONGEST = 2000
"""Characters of a formula; the report and the C have all of a longer one."""

LONGEST_DETAIL = 180
"""Characters of a finding or of a check's detail; everything is kept with the study."""


def figure(value: float | None, digits: int = 3) -> str:
    """A number for a person, or a dash."""
    return "-" if value is None else f"{value:.{digits}g}"


def count(value: float | None) -> str:
    """A whole number with separators, or a dash."""
    return "-" if value is None else f"{value:,.0f}"


def cost_line(cost: Cost) -> str:
    """Instructions, flash, RAM and stack in one line, with the compiler they belong to."""
    if not cost.measured:
        return f"about {count(cost.instructions)} {cost.unit} a call on {cost.target} (estimated)"
    return (
        f"{count(cost.instructions)} {cost.unit} a call, {count(cost.flash_bytes)} B flash, "
        f"{count(cost.ram_bytes)} B RAM, {count(cost.stack_bytes)} B stack "
        f"on {cost.target} (measured, {cost.compiler})"
    )
