"""What is known about how good a candidate is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from distill.bounds.statistical import Statement
from distill.scoring.labels import Labels
from distill.scoring.proof import Fact, Proof

VERSION = 3


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
    """Errors against the teacher and the reference where there is one, and what is proven.

    Attributes
    ----------
    proof : how far the formula is off at most; None where no proof was tried.
    statement : what random points tell with how much confidence, where nothing is proven.
    facts : what else was to be proven of the formula: finite, in its range, monotone.
    unproven : why this candidate has no proven bound although the teacher could have one; for
        people.
    labels : how the labels compare with those of a teacher that tells two classes apart.
    """

    teacher: Errors
    reference: Errors | None = None
    proof: Proof | None = None
    statement: Statement | None = None
    facts: tuple[Fact, ...] = ()
    unproven: str = ""
    labels: Labels | None = None

    @property
    def max_error(self) -> float:
        """The largest error against the teacher that was found anywhere on the domain."""
        return self.teacher.max_error

    @property
    def certified_error(self) -> float | None:
        """A proven bound of the error, in real numbers; None where nothing is proven.

        Never below what was found: a teacher that answers in float32 may be off from its own
        arithmetic by more than the formula is.
        """
        if self.proof is None or not (self.proof.proven and math.isfinite(self.max_error)):
            return None
        return max(self.proof.bound, self.max_error)

    def told(self, unit: str = "") -> str:
        """How sure the largest error is, as a sentence for people; empty where nothing is said."""
        if self.proof is not None and self.proof.proven:
            text = self.proof.told(unit)
            over = self.max_error - self.proof.bound
            if over > 0 and math.isfinite(over):
                size = f"{self.max_error:.3g} {unit}".rstrip()
                text += f"; with the rounding of the teacher's own answers {size} was found"
            return f"{text[0].upper()}{text[1:]}."
        parts = [self.unproven] if self.unproven else []
        if self.statement is not None:
            parts.append(self.statement.told(unit))
        return " ".join(parts)

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
        proof, statement, facts, labels = (
            data[key] for key in ("proof", "statement", "facts", "labels")
        )
        assert isinstance(facts, list | tuple)
        return cls(
            teacher,
            errors(data["reference"]),
            Proof.from_data(proof) if isinstance(proof, Mapping) else None,
            Statement.from_data(statement) if isinstance(statement, Mapping) else None,
            tuple(map(Fact.from_data, facts)),
            str(data["unproven"]),
            Labels.from_data(labels) if isinstance(labels, Mapping) else None,
        )
