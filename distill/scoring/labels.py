"""Labels of classifiers: how often two agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from distill.teachers.labels import LabelArray

VERSION = 2


@dataclass(frozen=True, slots=True)
class Labels:
    """How the labels of a formula compare with the teacher's over fresh points.

    ``confusion[i][j]`` counts the points that the teacher calls i and the formula j; ``missing``
    those at which the formula has no value and no label.
    """

    confusion: tuple[tuple[int, ...], ...]
    missing: int = 0

    @property
    def points(self) -> int:
        """At how many points they were compared."""
        return sum(map(sum, self.confusion)) + self.missing

    @property
    def agreement(self) -> float:
        """The part of the points at which they are the same."""
        same = sum(row[i] for i, row in enumerate(self.confusion))
        return same / self.points if self.points else 0.0

    def to_data(self) -> dict[str, object]:
        """A versioned plain form."""
        return {"version": VERSION, **asdict(self)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Labels:
        """Read what :meth:`to_data` gave."""
        return cls(tuple(tuple(map(int, row)) for row in data["confusion"]), int(data["missing"]))


def compare_labels(found: LabelArray, wanted: LabelArray, classes: int) -> Labels:
    """Count how often ``found`` (n,) is what the teacher says, ``wanted`` (n,); -1 is no label.

    Points without a label of the teacher's are left out.
    """
    known = wanted >= 0
    found, wanted = found[known], wanted[known]
    given = found >= 0
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (wanted[given], found[given]), 1)
    return Labels(tuple(map(tuple, counts.tolist())), int((~given).sum()))
