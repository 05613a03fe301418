"""The pages themselves: templates, style and script in one file that needs nothing from outside."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distill.engines.findings import Finding, lines
from distill.figures import upward
from distill.tracking.entries import shorten
from distill.tracking.record import PUBLISHED, CandidateRecord, StudyRecord
from distill.tracking.report.candidates import candidate_data
from distill.tracking.report.figures import Figures
from distill.tracking.report.reproduce import command
from distill.tracking.report.words import MOST_CLASSES, checks, figure, provenance, way

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_TEMPLATES = Path(__file__).parent.parent / "templates"
_SCRIPTS = ("dom", "scale", "chart", "front", "table", "curves", "maps", "detail", "main")
_LONGEST_IN_TABLE = 240


def study_report(record: StudyRecord) -> str:
    """The page of a study and of all its candidates."""
    chosen = record.chosen
    candidates = sorted(record.candidates, key=lambda c: c.formula.complexity)
    shown = chosen or next(iter(candidates), None)
    return (
        _environment()
        .get_template("study.html.j2")
        .render(
            study=record,
            chosen=chosen,
            label="" if chosen is None else record.label(chosen),
            rows=[_row(record, c) for c in candidates],
            columns=_columns(record),
            evidence=checks(record.evidence),
            ways=[way(record, each) for each in record.alternatives],
            command=command(record.config),
            config=json.dumps(dict(record.config), indent=1),
            provenance=provenance(record),
            data=_data(
                record,
                candidates,
                "" if shown is None else record.label(shown),
                Figures(record, together=len(candidates)),
            ),
        )
    )


def candidate_report(
    record: StudyRecord, candidate: CandidateRecord, run_id: str, figures: Figures
) -> str:
    """The page of one candidate. ``run_id`` is its run in MLflow, for the export."""
    return (
        _environment()
        .get_template("candidate.html.j2")
        .render(
            study=record,
            c=candidate,
            label=record.label(candidate),
            run_id=run_id,
            command=command(record.config),
            provenance=[("candidate", candidate.id), *provenance(record)],
            data=_data(record, [candidate], record.label(candidate), figures),
        )
    )


def _data(
    record: StudyRecord, candidates: Sequence[CandidateRecord], selected: str, figures: Figures
) -> Markup:
    """What the script reads: JSON that cannot end the element that it stands in."""
    from markupsafe import Markup

    text = json.dumps(
        _finite(
            {
                "output": record.output_name,
                "unit": record.output_unit,
                "tolerance": record.tolerance,
                "target": record.target,
                "classes": list(record.classes) if len(record.classes) <= MOST_CLASSES else [],
                "selected": selected,
                "shared": figures.shared(),
                "candidates": [candidate_data(record, c, figures) for c in candidates],
            }
        ),
        separators=(",", ":"),
        allow_nan=False,
    )
    # In JSON these stand in strings only, where an escape means the same.
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _finite(data: Any) -> Any:
    """The data with null for numbers that JSON does not have."""
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def _columns(record: StudyRecord) -> dict[str, bool]:
    """The columns that some candidate has a figure for."""
    scores = [c.score for c in record.candidates]
    return {
        "bound": any(s.certified_error is not None for s in scores),
        "reference": any(s.reference for s in scores),
        "agreement": any(s.labels for s in scores),
    }


def _row(record: StudyRecord, c: CandidateRecord) -> dict[str, Any]:
    """A candidate in the table; the numbers are what it is sorted by."""
    score = c.score
    return {
        "label": record.label(c),
        "chosen": c.chosen,
        "formula": shorten(c.formula.readable(4), _LONGEST_IN_TABLE),
        "complexity": c.formula.complexity,
        "error": score.max_error,
        "within": c.within_tolerance,
        "bound": score.certified_error,
        "rmse": score.teacher.rmse,
        "reference": score.reference.max_error if score.reference else None,
        "agreement": score.labels.agreement if score.labels else None,
        "instructions": c.figure(record.target, "instructions"),
        "flash": c.figure(record.target, "flash_bytes"),
        "engine": f"{c.engine} ({c.origin})" if c.engine == PUBLISHED else c.engine,
    }


def _line(finding: Finding) -> str:
    """A finding without its parts."""
    return next(lines(finding))


def _hashed(text: str) -> str:
    """A source of the content security policy that allows this inline text and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _script() -> str:
    parts = [(_TEMPLATES / "script" / f"{name}.js").read_text("utf-8") for name in _SCRIPTS]
    return '\n"use strict";\n{\n' + "\n".join(parts) + "}\n"


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["figure"] = figure
    environment.filters["line"] = _line
    environment.filters["bound"] = lambda value: "" if value is None else upward(value)
    # Ours, and written before any text from outside: they need no escaping.
    script = _script()
    style = "\n" + (_TEMPLATES / "style.css").read_text(encoding="utf-8")
    environment.globals["script"] = Markup(script)
    environment.globals["style"] = Markup(style)
    environment.globals["policy"] = Markup(
        f"default-src 'none'; img-src data:; script-src {_hashed(script)}; "
        f"style-src {_hashed(style)}; base-uri 'none'; form-action 'none'"
    )
    environment.globals["published"] = PUBLISHED
    environment.globals["most_classes"] = MOST_CLASSES
    return environment
