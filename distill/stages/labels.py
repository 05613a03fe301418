"""The labels stage: how often formulas of all classes together give the teacher's label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from distill.chain.expression import Expression
from distill.config.schema import ScoreConfig
from distill.domain import Domain
from distill.runner import Stage
from distill.scoring.labels import Labels, compare_labels
from distill.scoring.truth import fresh_points
from distill.stages.kept import read_json, write_json
from distill.teachers.base import Teacher
from distill.teachers.labels import labels_of


def compare_all_labels(
    config: ScoreConfig, teacher: Teacher, domain: Domain, scores: Sequence[Expression]
) -> Labels:
    """How often formulas of all outputs together give the label of a classifier, at fresh points.

    ``scores`` are one for each class, in the order of the teacher's outputs.
    """
    x = fresh_points(domain, config.points, config.seed)
    found = np.column_stack([score(x) for score in scores])
    return compare_labels(labels_of(found), labels_of(teacher.predict(x)), len(scores))


def _save_labels(result: Labels, folder: Path) -> None:
    write_json(folder / "labels.json", result.to_data())


def _load_labels(folder: Path) -> Labels:
    return Labels.from_data(read_json(folder / "labels.json"))


LABELS: Stage[Labels] = Stage(
    "labels",
    _save_labels,
    _load_labels,
    lambda result: f"the teacher's label at {result.agreement:.2%} of {result.points:,} points",
)
