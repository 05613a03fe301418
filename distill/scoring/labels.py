"""Labels of classifiers: what scores say, and how often two agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.arrays import Array

Whole = npt.NDArray[np.int64]

VERSION = 1


@dataclass(frozen=True, slots=True)
class Labels:
    """How the labels of a formula compare with the teacher's over fresh points.

    ``confusion[i][j]`` counts the points that the teacher calls i and the formula j.
    """

    confusion: tuple[tuple[int, ...], ...]

    @property
    def points(self) -> int:
        """At how many points they were compared."""
        return sum(map(sum, self.confusion))

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
        return cls(tuple(tuple(map(int, row)) for row in data["confusion"]))


def labels_of(scores: Array) -> Whole:
    """The labels (n,) that scores (n, k) mean.

    One score means label 1 above 0; of several the largest wins, of equals the first.
    """
    if scores.shape[1] == 1:
        return (scores[:, 0] > 0).astype(np.int64)
    return np.asarray(np.argmax(scores, axis=1), dtype=np.int64)


def compare_labels(found: Whole, wanted: Whole, classes: int) -> Labels:
    """Count how often ``found`` (n,) is what the teacher says, ``wanted`` (n,)."""
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (wanted, found), 1)
    return Labels(tuple(map(tuple, counts.tolist())))
