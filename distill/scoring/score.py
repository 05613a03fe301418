"""What is known about how good a candidate is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from distill.scoring.labels import Labels

VERSION = 2


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of a formula against some truth over fresh points and a search for the worst point.

    In the unit of the output, but ``relative_rmse`` (RMSE over the truth's standard deviation)
    and ``r2``. ``max_error_at`` is the worst point found, in the order of the domain.
    ``non_finite`` counts the points at which the formula had no finite value; max_error is
    infinite then. ``searched`` says whether the worst point was searched for between the points;
    without, ``max_error`` is the largest at the points alone.
    """

    rmse: float
    relative_rmse: float
    r2: float
    max_error: float
    max_error_at: tuple[float, ...]
    non_finite: int
    points: int
    searched: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """Errors against the teacher and the reference where there is one, and the proven bound.

    ``labels`` is how the labels compare with those of a teacher that tells two classes apart.
    """

    teacher: Errors
    reference: Errors | None = None
    certified_error: float | None = None
    labels: Labels | None = None

    @property
    def max_error(self) -> float:
        """The largest error against the teacher that was found anywhere on the domain."""
        return self.teacher.max_error

    def to_data(self) -> dict[str, object]:
        """A versioned plain form."""
        labels = None if self.labels is None else self.labels.to_data()
        return {"version": VERSION, **asdict(self), "labels": labels}

    @classmethod
    def from_data(cls, data: Mapping[str, object]) -> Score:
        """Read what :meth:`to_data` gave."""

        def errors(entry: object) -> Errors | None:
            if not isinstance(entry, Mapping):
                return None
            return Errors(**{**entry, "max_error_at": tuple(entry["max_error_at"])})

        teacher = errors(data["teacher"])
        assert teacher is not None
        certified, labels = data.get("certified_error"), data.get("labels")
        return cls(
            teacher,
            errors(data.get("reference")),
            float(certified) if isinstance(certified, int | float) else None,
            Labels.from_data(labels) if isinstance(labels, Mapping) else None,
        )
