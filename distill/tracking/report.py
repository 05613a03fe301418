"""The pages of a candidate and of a study: one HTML file each that needs nothing from outside."""

from __future__ import annotations

import base64
import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.describe import described
from distill.engines.findings import Finding, lines
from distill.figures import upward
from distill.firmware.alternatives import Alternative
from distill.scoring.score import Errors
from distill.tracking.entries import shorten
from distill.tracking.places import box, place
from distill.tracking.plots import CandidatePlots, front_figure, latex_svg, to_png
from distill.tracking.record import PUBLISHED, CandidateRecord, StudyRecord

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"
_LONGEST_IN_TABLE = 240
_LONGEST_LATEX = 2000
_MOST_STEPS = 24
_MOST_CLASSES = 24
_OUTCOMES = {True: "passed", False: "FAILED", None: "not run"}


@dataclass(frozen=True, slots=True)
class _View:
    """What a page shows of a candidate besides the record itself."""

    label: str
    readable: str
    latex: str
    latex_image: str | None
    errors: list[tuple[str, Errors, str]]
    provenance: list[tuple[str, str]]
    closed: list[tuple[str, str]]
    steps: list[tuple[str, str]]


def candidate_report(
    record: StudyRecord, candidate: CandidateRecord, images: Mapping[str, bytes], run_id: str
) -> str:
    """The page of one candidate. ``images`` are what ``CandidatePlots.draw`` gave."""
    return (
        _environment()
        .get_template("candidate.html.j2")
        .render(
            study=record,
            c=candidate,
            view=_view(record, candidate),
            images={name: _data_uri(png) for name, png in images.items()},
            run_id=run_id,
        )
    )


def study_report(record: StudyRecord, plots: CandidatePlots, fronts: Mapping[str, bytes]) -> str:
    """The page of a study. ``fronts`` are what :func:`front_images` gave."""
    chosen = record.chosen
    images = plots.draw(chosen) if chosen else {}
    rows = [
        {
            "candidate": c,
            "label": record.label(c),
            "formula": shorten(c.formula.readable(4), _LONGEST_IN_TABLE),
            "instructions": c.figure(record.target, "instructions"),
            "flash": c.figure(record.target, "flash_bytes"),
        }
        for c in sorted(record.candidates, key=lambda c: c.formula.complexity)
    ]
    return (
        _environment()
        .get_template("study.html.j2")
        .render(
            study=record,
            c=chosen,
            view=_view(record, chosen) if chosen else None,
            images={name: _data_uri(png) for name, png in images.items()},
            fronts=[_data_uri(png) for png in fronts.values()],
            rows=rows,
            reference=any(c.score.reference for c in record.candidates),
            agreement=any(c.score.labels for c in record.candidates),
            proven=any(c.score.certified_error is not None for c in record.candidates),
            evidence=[
                (c["name"], f"{_OUTCOMES[c['passed']]}: {c['detail']}")
                for c in (record.evidence or {}).get("checks", ())
            ],
            alternatives=[_alternative(record, way) for way in record.alternatives],
            findings=record.findings,
            provenance=_provenance(record),
        )
    )


def front_images(record: StudyRecord) -> dict[str, bytes]:
    """``front.png`` over complexity and, where costs are known, ``front_instructions.png``."""
    images = {"front.png": to_png(front_figure(record))}
    if any(c.figure(record.target, "instructions") is not None for c in record.candidates):
        images["front_instructions.png"] = to_png(front_figure(record, record.target))
    return images


def _view(record: StudyRecord, candidate: CandidateRecord) -> _View:
    formula = candidate.formula
    closed = isinstance(formula, ClosedForm)
    latex = "" if closed else formula.latex()
    # mathtext takes seconds for what is too wide for any page.
    svg = latex_svg(latex) if 0 < len(latex) <= _LONGEST_LATEX else None
    score = candidate.score
    against = [("the teacher", score.teacher)]
    if score.reference is not None:
        against.append(("the reference", score.reference))
    return _View(
        label=record.label(candidate),
        readable=candidate.formula.readable(),
        latex=latex,
        latex_image=None if svg is None else _data_uri(svg.encode(), "image/svg+xml"),
        errors=[(truth, e, _place(record, e)) for truth, e in against],
        provenance=[("candidate", candidate.id), *_provenance(record)],
        closed=_counts(formula) if isinstance(formula, ClosedForm) else [],
        steps=_steps(formula.chain) if isinstance(formula, ClosedForm) else [],
    )


def _counts(closed: ClosedForm) -> list[tuple[str, str]]:
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


def _steps(chain: Chain) -> list[tuple[str, str]]:
    """Each step in words, with how many numbers it takes and gives; the first ones of many."""
    rows = [
        (described(Chain(step.inputs, (step,))), f"{step.inputs:,} to {step.outputs:,} numbers")
        for step in chain.steps[:_MOST_STEPS]
    ]
    more = len(chain.steps) - len(rows)
    return [*rows, *([(f"and {more} more steps", "")] if more > 0 else [])]


def _place(record: StudyRecord, errors: Errors) -> str:
    return place(record.domain, errors.max_error_at, 5)


def _provenance(record: StudyRecord) -> list[tuple[str, str]]:
    rows = [
        ("study", record.key),
        ("teacher", f"{record.teacher_name}, fingerprint {record.teacher_fingerprint}"),
        ("domain", box(record.domain)),
        *((f"version of {name}", version) for name, version in record.versions.items()),
    ]
    if record.export_directory:
        rows.append(("exported to", record.export_directory))
    return rows


def _alternative(record: StudyRecord, way: Mapping[str, Any]) -> tuple[str, str]:
    """A way of exporting, and what it costs or why it was not possible."""
    name = Alternative(way["content"], way["arithmetic"]).name
    if way["why_not"]:
        return name, way["why_not"]
    cost = way["cost"]
    if cost is None:
        return name, "its cost is not known"
    kind = "measured" if cost["measured"] else "estimated"
    flash = "" if cost["flash_bytes"] is None else f", {cost['flash_bytes']:,} B of flash"
    return name, (
        f"{cost['instructions']:,.0f} {cost['unit']} a call{flash} ({kind}, {cost['compiler']}), "
        f"off by at most {way['max_error']:.4g} {record.output_unit}"
    )


def _data_uri(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _figure(value: object) -> str:
    """A number for people: large ones with separators, others with four significant digits."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if not math.isfinite(value):
        return "not finite"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:.4g}"


def _line(finding: Finding) -> str:
    """A finding without its parts."""
    return next(lines(finding))


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["figure"] = _figure
    environment.filters["line"] = _line
    environment.filters["bound"] = lambda value: "" if value is None else upward(value)
    # Ours, and written before any text from outside: it needs no escaping.
    environment.globals["style"] = Markup((_TEMPLATES / "style.css").read_text(encoding="utf-8"))
    environment.globals["published"] = PUBLISHED
    environment.globals["most_classes"] = _MOST_CLASSES
    return environment
