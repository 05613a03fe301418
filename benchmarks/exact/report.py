"""Figures of one model as a table in Markdown, and what was promised."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from textwrap import shorten

from side_by_side.report import NOTHING, markdown

from distill.arrays import Array
from distill.errors import DistillError, ExportError, ToolchainError
from distill.firmware.cost import Cost
from distill.firmware.graph import Arithmetic
from distill.firmware.target import Target

from .emitting import PEERS, CannotDo, Emitted, ours
from .judging import Judgement, cost, judged
from .models import Model


@dataclass(eq=False)
class Row:
    """One emitter's figures, and why some are lacking."""

    name: str
    judgement: Judgement | None = None
    cells: dict[str, Cost | str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Section:
    """One model on some targets."""

    model: Model
    targets: Sequence[Target]
    rows: Sequence[Row]

    @property
    def own(self) -> list[Row]:
        """The rows of distill."""
        return [row for row in self.rows if row.name.startswith("distill")]

    def text(self) -> str:
        """The table, and the notes below it."""
        head = ["emitter", "wrong labels", "ulp", "of largest", *(t.name for t in self.targets)]
        body = [
            [
                row.name,
                *_judged(row.judgement),
                *(_cell(row.cells.get(t.name)) for t in self.targets),
            ]
            for row in self.rows
        ]
        notes = [f"- {row.name}: {note}" for row in self.rows for note in row.notes]
        return "\n".join([markdown(head, body), *([""] if notes else []), *notes])


def section(model: Model, targets: Sequence[Target], points: int) -> Section:
    """All rows of a model, each judged at ``points`` points and more."""
    emitters: dict[str, Callable[[Target], Emitted]] = {
        _WAYS[way]: partial(ours, model, way) for way in model.ways
    }
    emitters["distill, float32, inputs unchecked"] = partial(
        ours, model, "float32", out_of_domain="unchecked"
    )
    for name, emit in PEERS.items():
        emitters[name] = partial(_for_any, emit, model)
    x = model.points(points)
    fitting = [target for target in targets if target.name not in model.too_large_for]
    rows = [_row(model, name, emit, fitting, x) for name, emit in emitters.items()]
    return Section(model, targets, rows)


_WAYS: dict[Arithmetic, str] = {
    "float32": "distill, float32",
    "double": "distill, double",
    "fixed": "distill, fixed point, integers",
}


def _for_any(emit: Callable[[Model], Emitted], model: Model, target: Target) -> Emitted:
    """The C of another generator is the same for every target."""
    return emit(model)


def _row(
    model: Model, name: str, emit: Callable[[Target], Emitted], targets: Sequence[Target], x: Array
) -> Row:
    row, seen, reasons = Row(name), dict[str, Judgement](), dict[str, list[str]]()
    for target in targets:
        try:
            emitted = emit(target)
            key = emitted.files[f"{emitted.name}.c"]
            if key not in seen:
                seen[key] = judged(model, emitted, x)
            if row.judgement is None or seen[key].wrong > row.judgement.wrong:
                row.judgement = seen[key]
            row.cells[target.name] = cost(model, emitted, target)
        except CannotDo as reason:
            row.notes.append(str(reason))
            break
        except (ExportError, ToolchainError) as error:
            row.cells[target.name] = "does not run"
            reasons.setdefault(_first(error), []).append(target.name)
    row.notes += [f"{', '.join(where)}: {reason}" for reason, where in reasons.items()]
    return row


def _first(error: DistillError) -> str:
    return shorten(re.sub(r"\S*/distill-\w+/", "", error.what), 200, placeholder=" …")


def _judged(found: Judgement | None) -> tuple[str, str, str]:
    if found is None:
        return NOTHING, NOTHING, NOTHING
    wrong = "0" if not found.wrong else f"{found.wrong:,} ({found.wrong / found.points:.3%})"
    return wrong, _number(found.ulp), _number(found.of_largest)


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3g}"


def _cell(cell: Cost | str | None) -> str:
    if not isinstance(cell, Cost):
        return cell or NOTHING
    return f"{cell.instructions:,.0f} / {cell.flash_bytes or 0:,}"
