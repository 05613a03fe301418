"""What the candidates of a recorded study cost on the targets that it was not for.

Known figures are taken: those that other studies of the same teacher measured. The chosen formula
is measured where they are missing, and kept; of the others there is an estimate from their
operations, which needs no compiler.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from distill.building.order import accuracy_left, arithmetics
from distill.building.scalar import plain_spec
from distill.building.vector import plain_vector
from distill.chain.closed_form import ClosedForm
from distill.config.folder import options_of, read_option
from distill.config.schema import ExportConfig
from distill.errors import DistillError
from distill.firmware.cost import Cost, estimate
from distill.firmware.spec import BundleSpec
from distill.firmware.target import Target, load_target
from distill.firmware.vector.spec import VectorSpec
from distill.firmware.weigh import weigh
from distill.formula import Formula
from distill.progress import Progress
from distill.reading import json_of
from distill.runner import Runner
from distill.stages.measure import MEASURE, MEASURED_BY, Costs, measured_points
from distill.tracking.record import CandidateRecord, StudyRecord
from distill.tracking.record_folder import RECORD

MOST_ESTIMATED = 2000
"""Nodes up to which a formula's operations are counted: of longer ones that takes long."""


def with_every_target(record: StudyRecord, folder: Path, progress: Progress) -> StudyRecord:
    """The record with costs on every target of ``conf/target``, as far as they can be known.

    ``folder`` is the record's; what is measured is kept among the teacher's results.
    """
    record = with_other_studies(record, folder)
    options = _options(record)
    targets = [load_target(read_option("target", name)) for name in options_of("target")]
    runner = Runner(folder.parent.parent, progress)

    def completed(candidate: CandidateRecord) -> CandidateRecord:
        cost = dict(candidate.cost)
        for target in targets:
            if target.name in cost:
                continue
            found = _measured(record, candidate, target, options, runner)
            if found := found or _estimated(candidate, target, options):
                cost[target.name] = asdict(found)
        return replace(candidate, cost=cost)

    return replace(record, candidates=tuple(map(completed, record.candidates)))


def with_other_studies(record: StudyRecord, folder: Path) -> StudyRecord:
    """The record with what its candidates cost on targets of other studies of the same teacher.

    A formula is the same wherever it was measured: its id is the hash of it.
    """
    measured: dict[str, dict[str, Mapping[str, Any]]] = {}
    for file in sorted(folder.parent.glob(f"*/{RECORD}")):
        try:
            data = json_of(file.read_text(encoding="utf-8"))
            if data["teacher"]["fingerprint"] != record.teacher_fingerprint:
                continue
            for candidate in data["candidates"]:
                measured.setdefault(candidate["id"], {}).update(candidate["cost"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # of another version, or broken: it adds nothing

    def completed(candidate: CandidateRecord) -> CandidateRecord:
        return replace(candidate, cost={**measured.get(candidate.id, {}), **candidate.cost})

    return replace(record, candidates=tuple(map(completed, record.candidates)))


def _options(record: StudyRecord) -> ExportConfig:
    """How the study exports; what the record does not say is as by default."""
    given = record.config.get("export") or {}
    return ExportConfig(**{f.name: given[f.name] for f in fields(ExportConfig) if f.name in given})


def _measured(
    record: StudyRecord,
    candidate: CandidateRecord,
    target: Target,
    options: ExportConfig,
    runner: Runner,
) -> Cost | None:
    """What the chosen formula takes on a target, alone; None of others, or where it fails there."""
    if not candidate.chosen:
        return None
    done = runner.run(
        MEASURE,
        {
            "target": read_option("target", target.name),
            "export": {key: getattr(options, key) for key in MEASURED_BY},
            "tolerance": record.tolerance,
            "candidate": candidate.id,
            "error": candidate.score.max_error,
        },
        [],
        f"what it costs on {target.name}",
        lambda work: _weighed(record, candidate, target, options, work.progress),
    )
    return done.result.known.get(candidate.id)


def _weighed(
    record: StudyRecord,
    candidate: CandidateRecord,
    target: Target,
    options: ExportConfig,
    progress: Progress,
) -> Costs:
    """Compile it in every arithmetic that the export may use; the cheapest counts."""
    specs: dict[str, BundleSpec | VectorSpec] = {}
    formula, accuracy = (
        candidate.formula,
        accuracy_left(candidate.score.max_error, record.tolerance),
    )
    for arithmetic in arithmetics(options):
        name = f"formula_{arithmetic}"
        try:
            specs[name] = (
                plain_vector(formula, name, arithmetic, record.tolerance, options, target)
                if isinstance(formula, ClosedForm)
                else plain_spec(
                    formula, name, arithmetic, accuracy, record.tolerance, options, target
                )
            )
        except DistillError as error:
            progress.warn(f"in {arithmetic} for {target.name}: {error.what}")
    found = weigh(
        specs,
        measured_points(record.domain),
        target,
        lambda what: progress.advance(None, what),
    )
    for failure in found.failures.values():
        progress.warn(f"on {target.name}: {failure.what}")
    if not found.costs:
        return Costs()
    cheapest = min(found.costs.values(), key=lambda cost: cost.instructions)
    return Costs({candidate.id: cheapest})


def _estimated(candidate: CandidateRecord, target: Target, options: ExportConfig) -> Cost | None:
    """By its operations, in the cheapest arithmetic; None for closed forms, and very long ones."""
    formula = candidate.formula
    if not isinstance(formula, Formula) or formula.complexity > MOST_ESTIMATED:
        return None
    try:
        costs = [estimate(formula, target, arithmetic) for arithmetic in arithmetics(options)]
    except DistillError:
        return None  # an operator that this arithmetic does not have
    return min(costs, key=lambda cost: cost.instructions)
