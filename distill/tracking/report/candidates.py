"""A candidate as the page's script reads it: figures to draw by, and text that only is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from distill.chain.closed_form import ClosedForm
from distill.errors import FormulaError
from distill.formula import Formula
from distill.formula.to_mathml import to_mathml
from distill.tracking.record import PUBLISHED, CandidateRecord, StudyRecord
from distill.tracking.report.claims import claims
from distill.tracking.report.figures import Figures
from distill.tracking.report.words import MOST_CLASSES, count, counts, steps, with_unit

MOST_SET = 400
"""Nodes up to which a formula is set as mathematics; longer ones are read as text."""


def candidate_data(
    record: StudyRecord, candidate: CandidateRecord, figures: Figures
) -> dict[str, Any]:
    """All that the page shows of a candidate, as plain data."""
    formula, score = candidate.formula, candidate.score
    closed = formula if isinstance(formula, ClosedForm) else None
    few = len(record.classes) <= MOST_CLASSES
    return {
        "id": candidate.id,
        "label": record.label(candidate),
        "engine": candidate.engine,
        "origin": candidate.origin,
        "published": candidate.engine == PUBLISHED,
        "chosen": candidate.chosen,
        "front": candidate.on_front,
        "within": candidate.within_tolerance,
        "formula": formula.readable(),
        "exact": formula.text,
        "latex": "" if closed else formula.latex(),
        "mathml": _mathml(candidate),
        "closed": [] if closed is None else counts(closed),
        "steps": [] if closed is None else steps(closed.chain),
        "figures": {
            "complexity": formula.complexity,
            "instructions": candidate.figure(record.target, "instructions"),
            "flash": candidate.figure(record.target, "flash_bytes"),
            "error": score.max_error,
            "rmse": score.teacher.rmse,
            "bound": score.certified_error,
        },
        "claims": [asdict(claim) for claim in claims(record, candidate)],
        "costs": _costs(record, candidate),
        "kept": list(candidate.kept),
        "confusion": score.labels.confusion if few and score.labels else None,
        "c": candidate.c_source,
        "drawn": figures.of(candidate),
    }


def _mathml(candidate: CandidateRecord) -> str:
    formula = candidate.formula
    if not isinstance(formula, Formula) or formula.complexity > MOST_SET:
        return ""
    try:
        return to_mathml(formula.tree)
    except FormulaError:
        return ""  # an operator without a notation: the text says it all


_COSTS = ("a call", "at most", "flash, B", "RAM, B", "stack, B", "arithmetic", "how known")


def _costs(record: StudyRecord, candidate: CandidateRecord) -> dict[str, Any]:
    """Names of figures, and for each target its figures in that order; the study's target first."""
    targets = sorted(candidate.cost, key=lambda target: (target != record.target, target))
    return {"names": _COSTS, "rows": [_cost(target, candidate.cost[target]) for target in targets]}


def _cost(target: str, figures: Mapping[str, Any]) -> list[str]:
    known = "estimated from its operations"
    if figures.get("measured", True) is not False:
        known = ", ".join(["measured", *filter(None, [str(figures.get("compiler") or "")])])
    unit = str(figures.get("unit") or "instructions")
    return [
        target,
        with_unit(count(figures.get("instructions")), unit),
        count(figures.get("instructions_max")),
        count(figures.get("flash_bytes")),
        count(figures.get("ram_bytes")),
        count(figures.get("stack_bytes")),
        str(figures.get("arithmetic") or ""),
        known,
    ]
