"""What is claimed of a candidate, and how each of it is known: one table that hides nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from distill.figures import upward
from distill.scoring.proof import Proof
from distill.scoring.score import Errors
from distill.tracking.places import place
from distill.tracking.record import CandidateRecord, StudyRecord
from distill.tracking.report.words import figure, with_unit

Known = Literal["proven", "statistical", "sampled", "measured", "estimated", "open"]
"""Proven: no input is an exception. Statistical: with a stated confidence. Sampled: at the points
that were looked at. Measured: counted in an emulator, or estimated. Open: could not be shown."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence, how it is known, and on what that rests."""

    says: str
    known: Known
    basis: str


def claims(record: StudyRecord, candidate: CandidateRecord) -> list[Claim]:
    """All claims about a candidate, the surest first."""
    score, unit = candidate.score, record.output_unit
    found = list(_bound(record, candidate))
    found += [
        Claim(fact.says, "proven" if fact.proven else "open", "enclosures over boxes")
        for fact in score.facts
    ]
    if score.statement is not None:
        s = score.statement
        found.append(
            Claim(
                f"off by more than {with_unit(upward(s.size), unit)} on at most "
                f"{100 * s.fraction:.3g} % of the domain",
                "statistical",
                f"{100 * s.confidence:.4g} % confidence, {s.points:,} random points",
            )
        )
    found += _sampled(record, score.teacher, "the teacher")
    if score.reference is not None:
        found += _sampled(record, score.reference, "the reference")
    if score.labels is not None:
        found.append(
            Claim(
                f"the teacher's label at {100 * score.labels.agreement:.2f} % of the points",
                "sampled",
                f"{score.labels.points:,} fresh points",
            )
        )
    return found + _costs(record, candidate)


def _bound(record: StudyRecord, candidate: CandidateRecord) -> list[Claim]:
    score = candidate.score
    if score.certified_error is None or score.proof is None:
        why = score.unproven or record.unproven
        return [Claim("a bound of the error everywhere on the domain", "open", why or "not tried")]
    size = with_unit(upward(score.certified_error), record.output_unit)
    return [Claim(f"off by at most {size} anywhere on the domain", "proven", _basis(score.proof))]


def _basis(proof: Proof) -> str:
    if proof.method == "boxes":
        return f"enclosures over {proof.boxes:,} boxes, for the teacher in real numbers"
    if proof.method == "every point":
        return f"compared at each of its {proof.boxes:,} points"
    return "it is the teacher's own arithmetic"


def _sampled(record: StudyRecord, errors: Errors, truth: str) -> list[Claim]:
    basis = f"{errors.points:,} fresh points" + (" and a search between" if errors.searched else "")
    if not math.isfinite(errors.max_error):
        says = f"no finite value at {errors.non_finite:,} of the points"
        return [Claim(says, "sampled", basis)]
    unit, at = record.output_unit, place(record.domain, errors.max_error_at, 5)
    where = f", at {at}" if errors.max_error > 0 and at else ""
    return [
        Claim(
            f"largest error found against {truth}: "
            f"{with_unit(figure(errors.max_error), unit)}{where}",
            "sampled",
            basis,
        ),
        Claim(
            f"RMSE against {truth}: {with_unit(figure(errors.rmse), unit)}, R² {errors.r2:.6f}",
            "sampled",
            f"{errors.points:,} fresh points",
        ),
    ]


def _costs(record: StudyRecord, candidate: CandidateRecord) -> list[Claim]:
    """What a call takes on the study's target; other targets have a table of their own."""
    target = record.target
    figures = candidate.cost.get(target, {})
    if (instructions := candidate.figure(target, "instructions")) is None:
        return []
    flash = candidate.figure(target, "flash_bytes")
    size = "" if flash is None else f", {flash:,.0f} B of flash"
    says = f"{instructions:,.0f} {figures.get('unit', 'instructions')} a call{size} on {target}"
    if figures.get("measured", True) is False:
        return [Claim(says, "estimated", "from the operations; no compiler was there")]
    return [Claim(says, "measured", f"{figures.get('compiler') or ''}, in an emulator")]
