"""Asking teacher, table and C along the lines that the report draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.building.scalar import evaluate_real
from distill.building.vector import real_answers
from distill.errors import DistillError
from distill.firmware.bundle import Bundle
from distill.firmware.spec import BundleSpec
from distill.firmware.vector.bundle import VectorBundle
from distill.study.choice import Choice
from distill.study.study import Study
from distill.teachers.base import asked_freely
from distill.tracking.residuals import influence
from distill.tracking.slices import MOST_INPUTS, STEPS, GuardCells, Slices, along, anchor

Model = Callable[[Array], Array]
"""Answers (n,) at points (n, d)."""


@dataclass(frozen=True)
class Drawn:
    """What a record keeps for its report besides scores."""

    slices: Slices | None
    guard: GuardCells | None


def draw(study: Study, bundle: Bundle | VectorBundle | None) -> Drawn:
    """Ask everything that can be asked along the lines through the candidates' worst points.

    The C is Python's model of its arithmetic: of the chosen candidate as it was exported, of others
    the function that their cost was measured of. A teacher with a limit is not asked again.
    """
    spec = bundle.spec if isinstance(bundle, Bundle) else None
    guard = spec.guard if spec is not None and spec.guarded else None
    cells = None if guard is None else GuardCells.of(guard)
    if not study.shown:
        return Drawn(None, cells)
    domain = study.context.domain
    ranked = np.argsort(-influence(*study.points, domain), kind="stable")[:MOST_INPUTS]
    inputs = np.sort(ranked)
    lines = np.array([along(domain.variables[i]) for i in inputs])
    anchors = np.array([anchor(domain, c.score.teacher.max_error_at) for c in study.shown])
    unknown = np.full((len(anchors), len(inputs), STEPS), np.nan)
    empty = Slices(inputs, lines, anchors, unknown, unknown, unknown)
    points = np.array(
        [[empty.points(k, s) for s in range(len(inputs))] for k in range(len(anchors))]
    )
    teacher = study.context.truth if asked_freely(study.context.teacher) else None
    models = [_c_model(choice, spec if choice is study.chosen else None) for choice in study.shown]
    return Drawn(
        Slices(
            inputs,
            lines,
            anchors,
            _answers(teacher, points),
            np.array([_answers(model, rows) for model, rows in zip(models, points, strict=True)]),
            _answers(_table_model(spec), points),
        ),
        cells,
    )


def _answers(model: Model | None, points: Array) -> Array:
    """What a model answers at points (..., d), asked once at each; NaN where it cannot."""
    shape, d = points.shape[:-1], points.shape[-1]
    if model is None:
        return np.full(shape, np.nan)
    unique, where = np.unique(points.reshape(-1, d), axis=0, return_inverse=True)
    try:
        answers = np.asarray(model(unique), dtype=float)
    except DistillError:
        return np.full(shape, np.nan)  # a curve is missing; the study is none the worse for it
    return answers[where.ravel()].reshape(shape)


def _c_model(choice: Choice, exported: BundleSpec | None) -> Model | None:
    """The C of a candidate: as exported, or alone; None where it was never written."""
    spec = exported if exported is not None and exported.formula is not None else choice.alone
    if spec is None:
        return None
    if isinstance(spec, BundleSpec):
        return lambda x: evaluate_real(spec, x)
    return lambda x: real_answers(spec, x)[:, 0]


def _table_model(spec: BundleSpec | None) -> Model | None:
    if spec is None or spec.table is None:
        return None
    return lambda x: evaluate_real(spec, x, "table")
