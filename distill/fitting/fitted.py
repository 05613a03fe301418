"""What the fit stage gives: formulas, how the search went, and what it found out on the way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

from distill.engines.base import Candidate
from distill.engines.findings import Finding
from distill.engines.noise import ErrorEstimate
from distill.files import write_whole
from distill.runner import Stage

VERSION = 2

SOURCES = {
    "stated": "as stated",
    "validation": "by its own validation",
    "noise": "noise",
    "float32": "rounding to 32 bits",
    "quantised": "answers in steps",
    "rough": "values that are not smooth",
}
"""What people call the kinds of error."""


@dataclass(frozen=True, slots=True)
class Step:
    """When a better formula was found: candidates seen, seconds, its complexity and max error."""

    candidates: int
    seconds: float
    complexity: int
    max_error: float


@dataclass(frozen=True)
class Fitted:
    """What a search gave: candidates from simple to accurate, and how it went.

    Attributes
    ----------
    counterexamples : points that joined the sample because a good formula was most wrong there.
    asked : at how many points the teacher was asked, the sample not counted.
    error : the teacher's own error, where the search wanted to know it.
    finding : what the engine found out about the teacher, the last it said.
    """

    candidates: tuple[Candidate, ...]
    history: tuple[Step, ...]
    counterexamples: int
    asked: int = 0
    error: ErrorEstimate | None = None
    finding: Finding | None = None


def save_fitted(fitted: Fitted, folder: Path) -> None:
    """Write a fit to a folder."""
    data = {
        "version": VERSION,
        "candidates": [c.to_data() for c in fitted.candidates],
        "history": [astuple(s) for s in fitted.history],
        "counterexamples": fitted.counterexamples,
        "asked": fitted.asked,
        "error": None if fitted.error is None else asdict(fitted.error),
        "finding": None if fitted.finding is None else fitted.finding.to_data(),
    }
    write_whole(folder / "candidates.json", json.dumps(data, indent=1))


def load_fitted(folder: Path) -> Fitted:
    """Read what :func:`save_fitted` wrote."""
    data = json.loads((folder / "candidates.json").read_text(encoding="utf-8"))
    return Fitted(
        tuple(Candidate.from_data(c) for c in data["candidates"]),
        tuple(Step(*row) for row in data["history"]),
        int(data["counterexamples"]),
        int(data["asked"]),
        read_error(data["error"]),
        read_finding(data["finding"]),
    )


def read_error(data: Mapping[str, Any] | None) -> ErrorEstimate | None:
    """An error estimate from its plain form, or None from None."""
    return None if data is None else ErrorEstimate(float(data["value"]), data["kind"])


def read_finding(data: Mapping[str, Any] | None) -> Finding | None:
    """A finding from its plain form, or None from None."""
    return None if data is None else Finding.from_data(data)


def _describe(fitted: Fitted) -> str:
    parts = [
        f"{len(fitted.candidates)} candidates",
        f"{fitted.counterexamples} counterexamples joined the sample",
    ]
    if fitted.asked:
        parts.append(f"asked the teacher {fitted.asked:,} times")
    error = fitted.error
    if error is not None and error.kind == "smoothed":
        parts.append(f"asked a smooth model of the rows, off by about {error.value:.2g}")
    elif error is not None and error.value > 0:
        source = SOURCES[error.kind]
        parts.append(f"the teacher's own error is about {error.value:.2g} ({source})")
    return ", ".join(parts)


FIT: Stage[Fitted] = Stage("fit", save_fitted, load_fitted, _describe)
