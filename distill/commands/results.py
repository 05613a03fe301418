"""What a command came to, as plain data for a program and in one line for a log.

``docs/json-lines.md`` says what the data means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from distill.commands.figures import LONGEST
from distill.delivery.shipping import Shipped
from distill.study.choice import Choice
from distill.study.study import Study
from distill.tracking.entries import shorten

MOST = 12
"""Outputs that are told one by one in a line."""


def study_data(study: Study, folder: Path, place: Mapping[str, Any] | None) -> dict[str, object]:
    """A study: its front, its choice, its record's folder, and where it is in MLflow."""
    output, chosen = study.context.output_of_teacher, study.chosen
    return {
        "teacher": study.context.teacher.name,
        "output": output.name,
        "unit": output.unit,
        "tolerance": study.context.config.tolerance,
        "folder": str(folder),
        "selection": study.selection.reason,
        "chosen": choice_data(chosen) if chosen else None,
        "candidates": [choice_data(choice) for choice in study.shown],
        "mlflow": None if place is None else dict(place),
    }


def choice_data(choice: Choice) -> dict[str, object]:
    """A candidate with its errors and what it costs; None for what is not known."""
    score, cost = choice.score, choice.cost
    return {
        "id": choice.candidate.id,
        "formula": choice.formula.readable(),
        "complexity": choice.formula.complexity,
        "engine": choice.candidate.engine,
        "on_front": choice.on_front,
        "within_tolerance": choice.within_tolerance,
        "max_error": score.max_error,
        "certified_error": score.certified_error,
        "rmse": score.teacher.rmse,
        "agreement": score.labels.agreement if score.labels else None,
        "instructions": cost.instructions if cost else None,
        "flash_bytes": cost.flash_bytes if cost else None,
        "measured": cost.measured if cost else None,
    }


def shipped_data(shipped: Shipped | None) -> dict[str, object] | None:
    """A bundle: where it is, how it computes, and how many of the checks that were run passed."""
    if shipped is None:
        return None
    evidence = shipped.evidence
    ran = [check for check in evidence.checks if check.passed is not None] if evidence else []
    return {
        "directory": str(shipped.bundle.directory),
        "source": str(shipped.bundle.source),
        "arithmetic": shipped.bundle.spec.arithmetic,
        "content": shipped.content,
        "verified": None if evidence is None else evidence.passed,
        "checks_run": len(ran),
        "checks_passed": sum(bool(check.passed) for check in ran),
    }


def run_line(
    studies: Sequence[Study], shipped: Shipped | None, places: Sequence[Mapping[str, Any] | None]
) -> str:
    """What a run came to: its choices, its C and its MLflow runs; of many only how many."""
    lines = [_chosen_line(study) for study in studies]
    if len(studies) > MOST:
        found = sum(study.chosen is not None for study in studies)
        lines = [f"{found:,} of {len(studies):,} outputs have a formula within the tolerance"]
    runs = [str(place["run"]) for place in places if place is not None]
    in_mlflow = [f"MLflow run{'s' if len(runs) > 1 else ''} {', '.join(runs)}"] if runs else []
    if len(runs) > MOST:
        in_mlflow = [f"{len(runs):,} MLflow runs"]
    return "; ".join([*lines, *([shipped_line(shipped)] if shipped else []), *in_mlflow])


def shipped_line(shipped: Shipped) -> str:
    """Where a bundle is, and whether it is verified."""
    checked = "not verified" if shipped.evidence is None else "verified"
    return f"C in {shipped.bundle.directory} ({checked})"


def _chosen_line(study: Study) -> str:
    output, chosen = study.context.output_of_teacher, study.chosen
    if chosen is None:
        return f"{output.name}: {study.selection.reason.rstrip('.')}"
    error = f"{chosen.score.max_error:.4g} {output.unit}".rstrip()
    return (
        f"{output.name} = {shorten(chosen.formula.readable(), LONGEST)}, off by up to {error}, "
        f"{chosen.formula.complexity:,} nodes"
    )
