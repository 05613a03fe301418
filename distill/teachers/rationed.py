"""A teacher that may be asked at so many points and no more, whatever kind it is."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import Any

from distill.arrays import Array
from distill.errors import NotDifferentiable, TeacherError
from distill.teachers.base import Teacher, calls_left
from distill.teachers.checked import Checked


@dataclass
class Ration:
    """Counts the points at which a teacher is asked; everything else of it is as it was.

    Attributes
    ----------
    questions : the points at which it may be asked in all, for answers or for derivatives.
    asked : the points at which it was asked.
    """

    teacher: Teacher
    questions: int
    asked: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def calls_left(self) -> int:
        """At how many points it may still be asked."""
        own = calls_left(self.teacher)
        left = self.questions - self.asked
        return left if own is None else min(left, own)

    def predict(self, x: Array) -> Array:
        """The teacher's answers.

        Raises
        ------
        TeacherError : when fewer questions are left; it is not asked then.
        """
        self._count(len(x))
        return self.teacher.predict(x)

    def gradient(self, x: Array) -> Array:
        """The teacher's derivatives.

        Raises
        ------
        TeacherError : as for :meth:`predict`.
        """
        self._count(len(x))
        try:
            return self.teacher.gradient(x)
        except NotDifferentiable:
            self.asked -= len(x)
            raise

    def _count(self, points: int) -> None:
        with self._lock:
            if points > self.questions - self.asked:
                raise TeacherError(
                    f"the teacher would be asked at {points:,} points, but {self.asked:,} of "
                    f"{self.questions:,} questions are used.",
                    where="config key `limits.questions`",
                    hint="raise it, or ask less (sampling.points, score.points, engine.questions).",
                )
            self.asked += points

    def __getattr__(self, name: str) -> Any:
        if name == "teacher" or name.startswith("__"):  # while it is copied there is none yet
            raise AttributeError(name)
        return getattr(self.teacher, name)


def rationed(teacher: Teacher, questions: int | None) -> Teacher:
    """The teacher with so many questions; as it is for None, and where it has a ration already."""
    if questions is None or not teacher.can_be_asked:
        return teacher
    if not isinstance(teacher, Checked) or isinstance(teacher.teacher, Ration):
        return teacher
    return replace(teacher, teacher=Ration(teacher.teacher, questions))
