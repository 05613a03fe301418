"""What is to be logged about a study, as plain data that knows nothing of MLflow.

Its plain form is JSON of Python's dialect: an infinite error stands as ``Infinity``.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distill.arrays import Array
from distill.chain.expression import Expression, read_expression
from distill.domain import Domain
from distill.engines.findings import Finding
from distill.errors import StorageError
from distill.identifiers import why_not_identifier
from distill.scoring.labels import Labels
from distill.scoring.score import Score
from distill.tracking.slices import GuardCells, Slices

VERSION = 8
PUBLISHED = "published"
"""The engine's name on records of formulas from the literature."""

Cost = Mapping[str, Mapping[str, float | str | None]]
"""Figures per target, such as ``{"pic32": {"instructions": 812, "compiler": "zig 0.17"}}``."""


@dataclass(frozen=True)
class CandidateRecord:
    """One row of the comparison.

    ``origin`` says how the formula was found, or where it was published. ``candidate_data`` is the
    candidate's own plain form, from which an export starts; the formula stands in it and is written
    nowhere else, because a forest has megabytes. ``kept`` says how the formula keeps to units and
    constraints, line by line.
    """

    id: str
    engine: str
    origin: str
    formula: Expression
    score: Score
    cost: Cost
    chosen: bool
    on_front: bool
    within_tolerance: bool
    c_source: str
    candidate_data: Mapping[str, Any]
    kept: tuple[str, ...] = ()

    def figure(self, target: str, name: str) -> float | None:
        """A finite cost figure on a target, or None where there is none."""
        value = self.cost.get(target, {}).get(name)
        usable = isinstance(value, int | float) and math.isfinite(value)
        return float(value) if usable and value is not None else None

    def to_data(self) -> dict[str, Any]:
        """A versioned plain form."""
        return {
            "version": VERSION,
            "id": self.id,
            "engine": self.engine,
            "origin": self.origin,
            "readable": self.formula.readable(),
            "complexity": self.formula.complexity,
            "score": self.score.to_data(),
            "cost": {target: dict(figures) for target, figures in self.cost.items()},
            "chosen": self.chosen,
            "on_front": self.on_front,
            "within_tolerance": self.within_tolerance,
            "c_source": self.c_source,
            "candidate": dict(self.candidate_data),
            "kept": list(self.kept),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> CandidateRecord:
        """Read what :meth:`to_data` gave.

        Raises
        ------
        StorageError : when it is of another version.
        """
        _check_version(data, "candidate")
        return cls(
            id=data["id"],
            engine=data["engine"],
            origin=data["origin"],
            formula=read_expression(data["candidate"]["formula"]),
            score=Score.from_data(data["score"]),
            cost=data["cost"],
            chosen=data["chosen"],
            on_front=data["on_front"],
            within_tolerance=data["within_tolerance"],
            c_source=data["c_source"],
            candidate_data=data["candidate"],
            kept=tuple(data["kept"]),
        )


@dataclass(frozen=True, slots=True)
class Milestone:
    """News of the search: after ``seconds``, at ``step``, the best error at a complexity.

    ``step`` counts evaluations or generations, whatever the engine counts; it never decreases.
    """

    step: int
    seconds: float
    complexity: int
    error: float


@dataclass(frozen=True, eq=False)
class StudyRecord:
    """A study and its candidates, in the order in which they are numbered.

    ``points`` (m, d) and ``truth`` (m,) are the teacher's answers that the plots are drawn from.
    ``evidence`` is how the exported C was verified, ``alternatives`` what other ways of exporting
    it would have cost. ``config`` is the whole resolved config. ``overrides`` are what a sweep
    varied. ``findings`` is what the engine found out about the teacher. ``created`` is in seconds
    since 1970. ``outputs`` is how many the teacher has, ``classes`` what a classifier calls its
    labels, and ``labels`` how the chosen formulas of all outputs together give them. ``unproven``
    is why nothing can be proven about the teacher. ``slices`` and ``guard`` are what the report
    draws besides, None where they are not known. ``bundle`` is the folder of the C that was
    exported, which is kept with the record. ``teacher_file`` is the ``name`` and ``sha256`` of the
    file that the teacher was read from, empty where it came from none.
    """

    key: str
    teacher_name: str
    teacher_fingerprint: str
    output_name: str
    output_unit: str
    domain: Domain
    tolerance: float
    engine: str
    target: str
    config: Mapping[str, Any]
    candidates: tuple[CandidateRecord, ...]
    history: tuple[Milestone, ...]
    points: Array
    truth: Array
    selection: str
    created: float
    sweep_id: str | None = None
    overrides: tuple[str, ...] = ()
    export_directory: str | None = None
    evidence: Mapping[str, Any] | None = None
    alternatives: tuple[Mapping[str, Any], ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    findings: Finding | None = None
    outputs: int = 1
    classes: tuple[str, ...] = ()
    labels: Labels | None = None
    unproven: str = ""
    slices: Slices | None = None
    guard: GuardCells | None = None
    bundle: Path | None = None
    teacher_file: Mapping[str, str] = field(default_factory=dict)

    @property
    def chosen(self) -> CandidateRecord | None:
        """The candidate that the rule chose, or None."""
        return next((c for c in self.candidates if c.chosen), None)

    @property
    def name(self) -> str:
        """What people call the study: engine, target, what a sweep varied, start of the key.

        The output's name stands before them where the teacher has several.
        """
        output = [self.output_name] if self.outputs > 1 else []
        return " ".join([*output, self.engine, self.target, *self.overrides, self.key[:8]])

    def label(self, candidate: CandidateRecord) -> str:
        """The short name of a candidate in tables and plots: ``c07``, ``p01`` when published."""
        published = candidate.engine == PUBLISHED
        peers = [c.id for c in self.candidates if (c.engine == PUBLISHED) == published]
        return f"{'p' if published else 'c'}{peers.index(candidate.id) + 1:02d}"

    def to_data(self) -> dict[str, Any]:
        """A versioned plain form, without arrays."""
        return {
            "version": VERSION,
            "key": self.key,
            "teacher": {
                "name": self.teacher_name,
                "fingerprint": self.teacher_fingerprint,
                "file": dict(self.teacher_file),
            },
            "output": {"name": self.output_name, "unit": self.output_unit},
            "domain": json.loads(self.domain.to_json()),
            "tolerance": self.tolerance,
            "engine": self.engine,
            "target": self.target,
            "config": dict(self.config),
            "candidates": [c.to_data() for c in self.candidates],
            "history": [[m.step, m.seconds, m.complexity, m.error] for m in self.history],
            "selection": self.selection,
            "created": self.created,
            "sweep_id": self.sweep_id,
            "overrides": list(self.overrides),
            "export_directory": self.export_directory,
            "evidence": None if self.evidence is None else dict(self.evidence),
            "alternatives": [dict(way) for way in self.alternatives],
            "versions": dict(self.versions),
            "findings": None if self.findings is None else self.findings.to_data(),
            "outputs": self.outputs,
            "classes": list(self.classes),
            "labels": None if self.labels is None else self.labels.to_data(),
            "unproven": self.unproven,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any], points: Array, truth: Array) -> StudyRecord:
        """Read what :meth:`to_data` gave, with the points and the truth beside it.

        Raises
        ------
        StorageError : when it is of another version.
        ValueError : for a key or a name that is none.
        """
        _check_version(data, "study")
        _check_names(data)
        return cls(
            key=data["key"],
            teacher_name=data["teacher"]["name"],
            teacher_fingerprint=data["teacher"]["fingerprint"],
            teacher_file=data["teacher"]["file"],
            output_name=data["output"]["name"],
            output_unit=data["output"]["unit"],
            domain=Domain.from_data(data["domain"]),
            tolerance=data["tolerance"],
            engine=data["engine"],
            target=data["target"],
            config=data["config"],
            candidates=tuple(map(CandidateRecord.from_data, data["candidates"])),
            history=tuple(Milestone(*row) for row in data["history"]),
            points=points,
            truth=truth,
            selection=data["selection"],
            created=data["created"],
            sweep_id=data["sweep_id"],
            overrides=tuple(data["overrides"]),
            export_directory=data["export_directory"],
            evidence=data["evidence"],
            alternatives=tuple(data["alternatives"]),
            versions=data["versions"],
            findings=None if data["findings"] is None else Finding.from_data(data["findings"]),
            outputs=data["outputs"],
            classes=tuple(data["classes"]),
            labels=None if data["labels"] is None else Labels.from_data(data["labels"]),
            unproven=data["unproven"],
        )


def digest(*parts: object) -> str:
    """Sixteen hexadecimal digits of the hash of plain data; equal data, equal digest."""
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


_KEY = re.compile(r"[0-9a-f]{4,64}\Z")


def _check_names(data: Mapping[str, Any]) -> None:
    """A record may come from anybody, and these name folders, locks and MLflow's experiments."""
    if not _KEY.match(str(data["key"])):
        raise ValueError("its key is none")
    for what in ("teacher", "output"):
        if why := why_not_identifier(data[what]["name"]):
            raise ValueError(f"the name of its {what} is none: {why}")


def _check_version(data: Mapping[str, Any], what: str) -> None:
    if not isinstance(data, Mapping) or data.get("version") != VERSION:
        raise StorageError(
            f"this is not the record of a {what} of version {VERSION}.",
            hint="it was written by another version of distill; run the study again.",
        )
