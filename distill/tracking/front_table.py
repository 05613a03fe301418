"""The candidates of a study as a table of MLflow's. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from distill.tracking.record import CandidateRecord, StudyRecord


def front_table(record: StudyRecord) -> dict[str, list[Any]]:
    """The candidates as columns, cheapest first, for MLflow's table view."""
    rows = sorted(record.candidates, key=lambda c: (c.formula.complexity, c.score.max_error))
    return {
        "candidate": [record.label(c) for c in rows],
        "formula": [c.formula.readable() for c in rows],
        "complexity": [c.formula.complexity for c in rows],
        "max_error": [_finite(c.score.max_error) for c in rows],
        **_bounds(rows),
        "rmse": [_finite(c.score.teacher.rmse) for c in rows],
        **_agreements(rows),
        "instructions": [c.figure(record.target, "instructions") for c in rows],
        "flash_bytes": [c.figure(record.target, "flash_bytes") for c in rows],
        "engine": [c.engine for c in rows],
        "within_tolerance": [c.within_tolerance for c in rows],
        "chosen": [c.chosen for c in rows],
    }


def _agreements(rows: Sequence[CandidateRecord]) -> dict[str, list[Any]]:
    """The column of agreement with a classifier's labels; none for numbers."""
    if not any(c.score.labels for c in rows):
        return {}
    return {"agreement": [c.score.labels.agreement if c.score.labels else None for c in rows]}


def _bounds(rows: Sequence[CandidateRecord]) -> dict[str, list[Any]]:
    """The column of proven bounds; none where nothing is proven."""
    bounds = [c.score.certified_error for c in rows]
    return {"certified_error": bounds} if any(b is not None for b in bounds) else {}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
