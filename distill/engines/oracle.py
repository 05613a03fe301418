"""The teacher as engines see it: one output that can be asked, counted and limited."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import NotDifferentiable
from distill.teachers.base import Teacher

ROUNDING = 4e-16
"""What an exact answer in float64 is taken to be off by, as a part of its size."""


class OutOfQuestions(Exception):
    """The teacher may not be asked any more."""


@dataclass
class Oracle:
    """Output ``output`` of a teacher over a domain.

    Attributes
    ----------
    error : how far the answers are from the smooth function behind them (the teacher's own error,
        or noise), in the unit of the output; 0 for a function that is exact but for rounding.
    questions : at how many points it may be asked; None for any number.
    asked : at how many points it has been asked.
    """

    teacher: Teacher
    domain: Domain
    output: int = 0
    error: float = 0.0
    questions: int | None = None
    asked: int = field(default=0, init=False)

    @property
    def left(self) -> float:
        """At how many more points it may be asked; infinite where nobody counts."""
        return np.inf if self.questions is None else self.questions - self.asked

    def __call__(self, x: Array) -> Array:
        """Answers (n,) at x (n, d); NaN where the teacher has none.

        Raises
        ------
        OutOfQuestions : when fewer than n questions are left; the teacher is not asked then.
        """
        self._count(len(x))
        answer = self.teacher.predict(x)[:, self.output]
        return np.where(np.isfinite(answer), answer, np.nan)

    def gradient(self, x: Array) -> Array:
        """Derivatives by the inputs at x (n, d), shape (n, d).

        Raises
        ------
        NotDifferentiable : when the teacher has none.
        OutOfQuestions : as for a call.
        """
        if not self.differentiable:
            raise NotDifferentiable("this teacher has no gradient.")
        self._count(len(x))
        return self.teacher.gradient(x)[:, self.output]

    @property
    def differentiable(self) -> bool:
        """Whether the teacher has a gradient."""
        if not hasattr(self, "_differentiable"):
            try:
                self.teacher.gradient(self.domain.sample(1))
                self._differentiable = True
            except NotDifferentiable:
                self._differentiable = False
        return self._differentiable

    def _count(self, points: int) -> None:
        if points > self.left:
            raise OutOfQuestions
        self.asked += points
