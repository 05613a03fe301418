"""Which points are asked, by whom, and of which teachers."""

from __future__ import annotations

import numpy as np

from distill.arrays import Array
from distill.config.schema import StudyConfig
from distill.domain import Domain
from distill.errors import ConfigError
from distill.pipeline.all_outputs import ALL, with_output
from distill.pipeline.opening import open_context
from distill.sampling.sample import lay_out
from distill.scoring.truth import asked_points
from distill.study.choice import StudyContext
from distill.teachers.base import Teacher
from distill.teachers.checked import Checked
from distill.teachers.simulator import SlowTeacher


def open_first(config: StudyConfig) -> StudyContext:
    """What the config names; of all outputs the first.

    Raises
    ------
    DistillError : naming the key.
    """
    return open_context(with_output(config, 0) if config.teacher.output == ALL else config)


def points_asked(config: StudyConfig, domain: Domain) -> Array:
    """Every point once, shape (n, d), in an order that says nothing of where they lie.

    So each part goes over the whole domain, and the first ones tell how long the others take.

    Raises
    ------
    SampleError : for a design that asks nobody.
    """
    sampling = config.sampling
    parts = [lay_out(domain, sampling.design, sampling.points, sampling.seed)]
    if sampling.ahead == "score":
        parts += asked_points(domain, config.score.points, config.score.seed)
    return np.random.default_rng(0).permutation(np.unique(np.vstack(parts), axis=0))


def slow_one(teacher: Teacher) -> tuple[Checked, SlowTeacher]:
    """A teacher whose answers are kept: with the checks around it, and itself.

    Raises
    ------
    ConfigError : for one whose answers are not, naming what to set.
    """
    inner = teacher.teacher if isinstance(teacher, Checked) else None
    if isinstance(inner, SlowTeacher) and inner.answers.folder is not None:
        assert isinstance(teacher, Checked)
        return teacher, inner
    raise ConfigError(
        f"the answers of the teacher `{teacher.name}` are not kept, so they cannot be asked ahead.",
        where="config key `teacher.options.cache`",
        hint="of a simulator or a function by import path set teacher.options.cache=true, or a "
        "folder that all machines share; others answer quickly: `distill run` asks them itself.",
    )
