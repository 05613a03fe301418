"""The ways one export could be done, what each costs, and which is taken."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from distill.errors import ExportError
from distill.firmware.cost import Cost
from distill.firmware.graph import Arithmetic
from distill.firmware.target import Target

VERSION = 1

_CONTENTS = {
    "formula": "formula",
    "table": "table alone",
    "formulas": "formulas",
    "closed": "closed form",
}
_ARITHMETICS = {"float32": "float32", "double": "double", "fixed": "fixed point"}

NEVER = "cannot be made"
"""How a reason starts that no larger chip or tolerance takes away."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way: formula or table alone, in an arithmetic.

    ``max_error`` is the largest error against the teacher that was found, in the output's unit.
    ``why_not`` says why it cannot be taken; it is empty where it can.
    """

    content: str
    arithmetic: Arithmetic
    max_error: float | None = None
    cost: Cost | None = None
    why_not: str = ""

    @property
    def name(self) -> str:
        """Such as ``formula in fixed point``."""
        return f"{_CONTENTS[self.content]} in {_ARITHMETICS[self.arithmetic]}"

    def to_data(self) -> dict[str, object]:
        """A versioned plain form."""
        return {
            "version": VERSION,
            "content": self.content,
            "arithmetic": self.arithmetic,
            "max_error": self.max_error,
            "cost": self.cost.to_data() if self.cost else None,
            "why_not": self.why_not,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, object]) -> Alternative:
        """Read what :meth:`to_data` gave."""
        values = {key: value for key, value in data.items() if key != "version"}
        cost = values["cost"]
        values["cost"] = Cost.from_data(cost) if isinstance(cost, Mapping) else None
        return cls(**values)  # type: ignore[arg-type]


def too_large(cost: Cost, target: Target) -> str:
    """Which of the target's limits a function exceeds, with both figures; empty for none."""
    sizes = (
        ("flash", cost.flash_bytes, target.flash_bytes),
        ("RAM", cost.ram_bytes, target.ram_bytes),
        ("stack", cost.stack_bytes, target.stack_bytes),
    )
    over = [
        f"{used:,} B of {name}, and {target.name} gives {limit:,} B"
        for name, used, limit in sizes
        if used is not None and used > limit
    ]
    return f"takes {' and '.join(over)}" if over else ""


def cheapest(alternatives: Sequence[Alternative]) -> Alternative | None:
    """The possible one of the fewest instructions, then the least flash; measured before not."""
    possible = [a for a in alternatives if not a.why_not]
    return min(possible, key=_price, default=None)


def _price(alternative: Alternative) -> tuple[bool, float, float]:
    cost = alternative.cost
    if cost is None:
        return (True, math.inf, math.inf)
    return (not cost.measured, cost.instructions, cost.flash_bytes or math.inf)


def nothing_fits(alternatives: Sequence[Alternative], target: Target) -> ExportError:
    """The error that says of each way why it cannot be taken."""
    reasons = "; ".join(f"the {a.name} {a.why_not.removesuffix('.')}" for a in alternatives)
    if all(a.why_not.startswith(NEVER) for a in alternatives):
        return ExportError(
            f"nothing fits {target.name}: {reasons}.",
            where="config key `export.arithmetic`",
            hint="use another one (auto looks at all), or export a formula found by the search.",
        )
    return ExportError(
        f"nothing fits {target.name}: {reasons}.",
        where="config keys `target.flash_bytes`, `target.ram_bytes`, `target.stack_bytes`, "
        "`export.table_bytes`, `tolerance`",
        hint="allow more, raise the tolerance, or choose a larger chip (`distill list targets`).",
    )
