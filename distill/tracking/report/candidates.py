"""A candidate as the page's script reads it: figures to draw by, and text that only is shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from distill.chain.closed_form import ClosedForm
from distill.errors import FormulaError
from distill.formula import Formula
from distill.formula.to_mathml import to_mathml
from distill.tracking.record import PUBLISHED, CandidateRecord, StudyRecord
from distill.tracking.report.claims import claims
from distill.tracking.report.figures import Figures
from distill.tracking.report.words import MOST_CLASSES, counts, figure, steps

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
        "costs": _costs(candidate),
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


def _costs(candidate: CandidateRecord) -> dict[str, list[Any]]:
    """Names of figures, and for each target its figures in that order."""
    names = dict.fromkeys(
        name
        for figures in candidate.cost.values()
        for name, value in figures.items()
        if value is not None and name not in ("target", "measured")
    )
    rows = [
        [target, *(figure(figures.get(name)) for name in names)]
        for target, figures in candidate.cost.items()
    ]
    return {"names": [name.replace("_", " ") for name in names], "rows": rows}
