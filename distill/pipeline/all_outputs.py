"""All outputs of a teacher, one search after the other."""

from __future__ import annotations

from dataclasses import replace

from distill.config.schema import StudyConfig
from distill.domain import Domain
from distill.engines.base import formulas
from distill.formula import Formula
from distill.pipeline.one_output import search, study_root
from distill.pipeline.opening import open_context
from distill.progress import OUTPUT, Progress
from distill.runner import Runner
from distill.stages.labels import LABELS, compare_all_labels
from distill.study.study import Study
from distill.study.study_set import StudySet
from distill.teachers.base import (
    Teacher,
    asked_freely,
    classes_of,
)

ALL = "all"
"""What ``teacher.output`` says where all outputs are meant."""


def search_all(
    config: StudyConfig,
    progress: Progress,
    teacher: Teacher | None = None,
    domain: Domain | None = None,
) -> StudySet:
    """Search for formulas of every output of the teacher, one after the other.

    What was found for one output is known in the search for the next: outputs of one model often
    share parts.

    Raises
    ------
    DistillError : for everything that a user can do something about.
    """
    first = open_context(with_output(config, 0), teacher, domain)
    teacher, domain = first.teacher, first.domain
    studies: list[Study] = []
    hints: list[Formula] = []
    for number, output in enumerate(teacher.outputs):
        progress.begin(OUTPUT, f"{output.name}, {number + 1} of {len(teacher.outputs)}")
        study = search(with_output(config, number), progress, teacher, domain, hints)
        studies.append(study)
        new = formulas(c.candidate for c in study.choices if c.on_front)[-HINTS:]
        hints = [*(h for h in hints if h not in new), *new][-MOST_HINTS:]
    whole = StudySet(tuple(studies))
    choices = whole.chosen
    if len(classes_of(teacher)) <= 2 or choices is None or not asked_freely(teacher):
        return whole
    expressions = [choice.formula for choice in choices]
    labels = Runner(study_root(config, teacher), progress).run(
        LABELS,
        {"candidates": [c.candidate.id for c in choices], "points": config.score.points},
        [study.key for study in studies],
        f"comparing labels with those of {teacher.name}",
        lambda work: compare_all_labels(config.score, teacher, domain, expressions),
    )
    return StudySet(tuple(studies), labels.result)


HINTS = 3
"""So many of the most accurate formulas of an output are known in the searches for the next."""

MOST_HINTS = 12
"""So many different ones are known at most, the newest: of hundreds of outputs, each search would
try more than the last."""


def with_output(config: StudyConfig, output: int) -> StudyConfig:
    """The config of a study of one output."""
    return replace(config, teacher=replace(config.teacher, output=output))
