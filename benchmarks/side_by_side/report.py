"""Figures of one problem as a table in Markdown, and the verdicts on what was promised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from distill.firmware.cost import Cost
from distill.firmware.target import Target

from .measuring import Accuracy
from .ours import AUTO_ROW, FIXED
from .problems import Problem

NOTHING = "—"


@dataclass(eq=False)
class Row:
    """One emitter's figures: the largest error of its C, and a cost, or why none, by target."""

    name: str
    accuracy: Accuracy | None = None
    cells: dict[str, Cost | str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def cost(self, target: str) -> Cost | None:
        """What it costs on a target; None where it could not be measured."""
        cell = self.cells.get(target)
        return cell if isinstance(cell, Cost) else None


@dataclass(frozen=True, eq=False)
class Section:
    """One problem on some targets with one choice of toolchains."""

    problem: Problem
    targets: Sequence[Target]
    rows: Sequence[Row]

    def row(self, name: str) -> Row | None:
        """The row of an emitter."""
        return next((row for row in self.rows if row.name == name), None)

    def text(self) -> str:
        """The table and the notes below it."""
        unit = f" in {self.problem.unit}" if self.problem.unit else ""
        head = ["emitter", f"largest error{unit}", *(_title(target) for target in self.targets)]
        body = [
            [row.name, _error(row.accuracy), *(_cell(row.cells.get(t.name)) for t in self.targets)]
            for row in self.rows
        ]
        notes = [f"- {row.name}: {note}" for row in self.rows for note in row.notes]
        return "\n".join([markdown(head, body), *([""] if notes else []), *notes])


def _title(target: Target) -> str:
    return f"{target.name} (cycles)" if target.unit == "cycles" else target.name


def _error(accuracy: Accuracy | None) -> str:
    if accuracy is None:
        return NOTHING
    if accuracy.label:
        return f"{accuracy.worst:.3%} wrong labels"
    return f"{accuracy.worst:.3g}"


def _cell(cell: Cost | str | None) -> str:
    if not isinstance(cell, Cost):
        return cell or NOTHING
    parts = (cell.instructions, cell.flash_bytes, cell.ram_bytes, cell.stack_bytes)
    return " / ".join(NOTHING if part is None else f"{part:,.0f}" for part in parts)


def markdown(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table whose columns are aligned, to be read as it is too; numbers to the right."""
    widths = [max(len(row[i]) for row in [head, *body]) for i in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def line(cells: Sequence[str]) -> str:
        padded = [cells[0].ljust(widths[0])]
        padded += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return f"| {' | '.join(padded)} |"

    return "\n".join([line(head), line(rule), *map(line, body)])


@dataclass(frozen=True, slots=True)
class Verdict:
    """One promise: what was measured and whether it holds."""

    promise: str
    measured: str
    holds: bool

    @property
    def row(self) -> tuple[str, str, str]:
        """Its line in the summary."""
        return self.promise, self.measured, "holds" if self.holds else "MISSED"


@dataclass(frozen=True, slots=True)
class Promise:
    """What one call of the dew point may take on a target, alone and against emlearn's network."""

    target: str
    instructions: float
    flash: float
    fewer: float
    smaller: float


PROMISES = (Promise("pic32", 250, 1_200, 1_000, 8), Promise("cortex_m0plus", 1_200, 900, 400, 8))
"""Of the dew point to 0.1 degC."""

JUDGED = (FIXED.name, AUTO_ROW)
"""The rows that are judged: with integers at the door, and with floats as emlearn's."""

TABLE_TOLERANCE, TABLE_BYTES = 0.05, 400
"""Of the dew point: what the smallest table for that tolerance may store."""


def verdicts(section: Section) -> list[Verdict]:
    """The promises about the dew point, judged by the rows of :data:`JUDGED`."""
    network = section.row("emlearn")
    return [
        verdict
        for name in JUDGED
        if (ours := section.row(name)) is not None and ours.accuracy is not None
        for promise in PROMISES
        for verdict in _judged(promise, ours, network, ours.accuracy.worst, section)
    ]


def _judged(
    promise: Promise, ours: Row, network: Row | None, worst: float, section: Section
) -> Iterator[Verdict]:
    cost = ours.cost(promise.target)
    if cost is None or cost.flash_bytes is None:
        return
    within = worst <= section.problem.tolerance
    where = f"{promise.target}, {ours.name}, {cost.compiler}"
    yield Verdict(
        f"{where}: at most {promise.instructions:,} instructions, {promise.flash:,} B",
        f"{cost.instructions:,.0f} instructions, {cost.flash_bytes:,} B",
        within and cost.instructions <= promise.instructions and cost.flash_bytes <= promise.flash,
    )
    theirs = network.cost(promise.target) if network else None
    if theirs is None or theirs.flash_bytes is None:
        return
    fewer = theirs.instructions / cost.instructions
    smaller = theirs.flash_bytes / cost.flash_bytes
    yield Verdict(
        f"{where}: {promise.fewer:,} times fewer instructions and {promise.smaller} times less "
        "flash than emlearn's network",
        f"{fewer:,.0f} times, {smaller:.1f} times",
        within and fewer >= promise.fewer and smaller >= promise.smaller,
    )


def table_verdict(stored: int) -> Verdict:
    """The promise about the smallest table."""
    return Verdict(
        f"table of the dew point to {TABLE_TOLERANCE} degC: at most {TABLE_BYTES} B",
        f"{stored} B",
        stored <= TABLE_BYTES,
    )
