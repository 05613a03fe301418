"""Figures and sentences of the report, for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.describe import described
from distill.firmware.alternatives import Alternative
from distill.tracking.places import box
from distill.tracking.record import StudyRecord

MOST_STEPS = 24

MOST_CLASSES = 24
"""Of more classes nobody reads a table of labels."""

_OUTCOMES = {True: "passed", False: "FAILED", None: "not run"}
_TEACHER = "against the teacher"
"""What checks are called that ask the teacher."""

Pairs = list[tuple[str, str]]
"""Names and what they have, row by row."""


def figure(value: object) -> str:
    """A number for people: large ones with separators, others with four significant digits.

    >>> figure(1234567.0), figure(0.123456), figure(None), figure(float("inf"))
    ('1,234,567', '0.1235', '', 'not finite')
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if not math.isfinite(value):
        return "not finite"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:.4g}"


def count(value: object) -> str:
    """How many of something there are, rounded; nothing where that is not known.

    >>> count(831.34), count(None)
    ('831', '')
    """
    known = isinstance(value, int | float) and math.isfinite(value)
    return f"{value:,.0f}" if known else ""


def with_unit(text: str, unit: str) -> str:
    """A figure and its unit, which may be none."""
    return f"{text} {unit}".rstrip()


def counts(closed: ClosedForm) -> Pairs:
    """How large a closed form is."""
    chain = closed.chain
    rows = [
        ("inputs", f"{chain.inputs:,}"),
        ("outputs", f"{chain.outputs:,}"),
        ("constants stored", f"{chain.stored:,}"),
        ("operations a call", f"{chain.operations:,}"),
    ]
    if chain.outputs > 1:
        rows.append(("this one", f"output {closed.output + 1} of {chain.outputs:,}"))
    return rows


def steps(chain: Chain) -> Pairs:
    """Each step in words, with how many numbers it takes and gives; the first ones of many."""
    rows = [
        (described(Chain(step.inputs, (step,))), f"{step.inputs:,} to {step.outputs:,} numbers")
        for step in chain.steps[:MOST_STEPS]
    ]
    more = len(chain.steps) - len(rows)
    return [*rows, *([(f"and {more} more steps", "")] if more > 0 else [])]


def provenance(record: StudyRecord) -> Pairs:
    """What the study was made from."""
    rows = [
        ("study", record.key),
        ("teacher", f"{record.teacher_name}, fingerprint {record.teacher_fingerprint}"),
        ("domain", box(record.domain)),
        *((f"version of {name}", version) for name, version in record.versions.items()),
    ]
    if record.export_directory:
        rows.append(("exported to", record.export_directory))
    return rows


@dataclass(frozen=True, slots=True)
class Way:
    """A way of exporting: what it costs and how that is known, or why it was not possible."""

    name: str
    cost: str
    flash: str
    error: str
    remark: str


def way(record: StudyRecord, data: Mapping[str, Any]) -> Way:
    """A recorded alternative, for people."""
    cost, error = data["cost"], data["max_error"]
    remark = "its cost is not known"
    if cost is not None:
        remark = f"{'measured' if cost['measured'] else 'estimated'}, {cost['compiler']}"
    return Way(
        name=Alternative(data["content"], data["arithmetic"]).name,
        cost="" if cost is None else f"{cost['instructions']:,.0f} {cost['unit']}",
        flash="" if cost is None or cost["flash_bytes"] is None else f"{cost['flash_bytes']:,} B",
        error="" if error is None else with_unit(f"{error:.4g}", record.output_unit),
        remark=data["why_not"] or remark,
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """One check of the exported C."""

    name: str
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class Checks:
    """How the exported C was verified: in a sentence, what one has to see, and all the rest."""

    told: str
    notable: tuple[Checked, ...]
    passed: tuple[Checked, ...]


def checks(evidence: Mapping[str, Any] | None) -> Checks | None:
    """The recorded evidence, for people; None without any.

    Notable is what failed, what could not be run, and how far the C is from the teacher.
    """
    rows = [
        Checked(c["name"], _OUTCOMES[c["passed"]], c["detail"])
        for c in (evidence or {}).get("checks", ())
    ]
    if not rows:
        return None
    count = {outcome: sum(c.outcome == outcome for c in rows) for outcome in _OUTCOMES.values()}
    told = f"{count['passed']} of {count['passed'] + count['FAILED']} checks passed"
    absent = f"; {count['not run']} not run" if count["not run"] else ""
    notable = [c for c in rows if c.outcome != "passed" or _TEACHER in c.name]
    return Checks(
        told=f"{told}{absent}.",
        notable=tuple(sorted(notable, key=lambda c: c.outcome != "FAILED")),
        passed=tuple(c for c in rows if c not in notable),
    )
