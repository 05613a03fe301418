"""What a sweep came to, in the end: its jobs beside each other, and the best of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from distill.sweeping.record import JobRecord, Status

STATUSES: tuple[Status, ...] = ("done", "failed", "pruned", "left_out")

WORDS: Mapping[str, str] = {
    "done": "done",
    "failed": "failed",
    "pruned": "ended as hopeless",
    "left_out": "not begun, time was up",
    "died": "died",
}


@dataclass(frozen=True)
class Outcome:
    """The choice of one study: what sweeps are compared by. None where it is not known."""

    formula: str
    unit: str
    max_error: float | None
    complexity: int | None
    instructions: float | None
    within_tolerance: bool


@dataclass(frozen=True)
class Row:
    """A job as the table shows it: with an outcome for each study, and whether one is best."""

    record: JobRecord
    outcomes: tuple[Outcome, ...]
    best: bool


def outcomes_of(record: JobRecord) -> tuple[Outcome, ...]:
    """The choices of a job's studies, one for each output."""
    found = []
    for study in record.result.get("studies") or ():
        chosen = study.get("chosen")
        if chosen:
            found.append(
                Outcome(
                    str(chosen["formula"]),
                    str(study["unit"]),
                    chosen["max_error"],
                    chosen["complexity"],
                    chosen["instructions"],
                    bool(chosen["within_tolerance"]),
                )
            )
    return tuple(found)


def rows(records: Sequence[JobRecord]) -> list[Row]:
    """A row for each job by its number; best are those that no other beats in error and cost."""
    outcomes = {record.job.number: outcomes_of(record) for record in records}
    points = {n: _point(each[0]) for n, each in outcomes.items() if len(each) == 1}
    best = {
        n
        for n, point in points.items()
        if point and not any(other and _beats(other, point) for other in points.values())
    }
    return [
        Row(record, outcomes[record.job.number], record.job.number in best)
        for record in sorted(records, key=lambda record: record.job.number)
    ]


def counts(records: Sequence[JobRecord], died: int) -> str:
    """How the jobs ended, in words: ``60 done, 3 failed, 1 died``."""
    ended = [(sum(r.status == status for r in records), WORDS[status]) for status in STATUSES]
    return ", ".join(f"{n:,} {word}" for n, word in [*ended, (died, WORDS["died"])] if n) or "none"


def summary_data(name: str, records: Sequence[JobRecord], died: Sequence[int]) -> dict[str, Any]:
    """The sweep for programs: ``docs/json-lines.md`` says what it means."""
    table = rows(records)
    return {
        "sweep": name,
        "best": [row.record.job.number for row in table if row.best],
        "jobs": [
            {
                "job": row.record.job.number,
                "overrides": list(row.record.job.overrides),
                "status": row.record.status,
                "exit_code": row.record.exit_code,
                "problem": row.record.problem or None,
                "seconds": row.record.seconds,
            }
            for row in table
        ],
        "died": list(died),
    }


def _point(outcome: Outcome) -> tuple[float, float] | None:
    cost = outcome.complexity if outcome.instructions is None else outcome.instructions
    known = outcome.max_error is not None and cost is not None and outcome.within_tolerance
    return (float(outcome.max_error or 0), float(cost or 0)) if known else None


def _beats(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))
