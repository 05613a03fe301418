"""The studies of all outputs of one teacher, which become one C function together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from distill.scoring.labels import Labels
from distill.study.choice import Choice, StudyContext
from distill.study.study import Study

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class StudySet:
    """One study for each output of a teacher, in the teacher's order.

    ``labels`` is how often the chosen formulas together give the label of a teacher that tells
    several classes apart, over fresh points; None for numbers, and where an output has no choice.
    """

    studies: tuple[Study, ...]
    labels: Labels | None = None

    @property
    def context(self) -> StudyContext:
        """What the studies share; its output is the first."""
        return self.studies[0].context

    @property
    def chosen(self) -> tuple[Choice, ...] | None:
        """The choice for each output; None where one has nothing within the tolerance."""
        found = tuple(study.chosen for study in self.studies)
        return tuple(c for c in found if c is not None) if all(found) else None

    @property
    def front(self) -> pd.DataFrame:
        """The fronts under each other, the output's name in the first column."""
        import pandas as pd

        fronts = [study.front for study in self.studies]
        names = [study.context.output_of_teacher.name for study in self.studies]
        return pd.concat(fronts, keys=names, names=["output", None]).reset_index(level=0)
