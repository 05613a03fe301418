"""What was proven of one candidate, in plain figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from distill.figures import upward

Method = Literal["boxes", "every point", "the teacher itself"]
"""How: by enclosures over boxes, by asking at every point there is, or nothing had to be shown."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A formula is nowhere on the domain off by more than ``bound``, in the output's unit.

    By ``boxes`` the statement is about the teacher's own arithmetic in real numbers; what its
    float32 or float64 answers are rounded by comes on top. At ``every point`` it is about the
    answers themselves.

    Attributes
    ----------
    bound : infinite where nothing could be proven.
    found : the largest difference that was found, from the same thing that the bound is about.
    at : where that is (d,), in the order of the domain.
    boxes : how many boxes (or points) were looked at.
    """

    bound: float
    found: float
    at: tuple[float, ...]
    boxes: int
    method: Method = "boxes"

    @property
    def proven(self) -> bool:
        """Whether there is a bound."""
        return math.isfinite(self.bound)

    @property
    def ratio(self) -> float:
        """The bound over what was found, at least 1: how much the proof may be too careful."""
        if self.bound <= self.found:
            return 1.0
        return self.bound / self.found if self.found > 0 else math.inf

    def told(self, unit: str = "") -> str:
        """The proof as a clause for people; empty where nothing is proven."""
        if not self.proven:
            return ""
        if self.method == "the teacher itself":
            return "proven: the teacher's own arithmetic, in real numbers no difference at all"
        most = f"{upward(self.bound)} {unit}".rstrip()
        size = f"proven: off by at most {most} anywhere on the domain"
        if self.method == "every point":
            return f"{size} (compared at each of its {self.boxes:,} points)"
        ratio = f", ratio {self.ratio:.3g}" if math.isfinite(self.ratio) else ""
        found = f"{self.found:.4g} {unit}".rstrip()
        return f"{size} (found {found}{ratio})"

    def to_data(self) -> dict[str, object]:
        """A plain form."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Proof:
        """Read what :meth:`to_data` gave."""
        return cls(
            float(data["bound"]),
            float(data["found"]),
            tuple(map(float, data["at"])),
            int(data["boxes"]),
            data["method"],
        )


@dataclass(frozen=True, slots=True)
class Fact:
    """Something of the formula alone, such as "increasing in x", and whether it is proven.

    Not proven does not mean wrong: the budget was too small, or the enclosures are too wide.
    """

    says: str
    proven: bool

    def told(self) -> str:
        """As a line for people."""
        return f"{self.says}: {'proven' if self.proven else 'could not be proven'}"

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Fact:
        """Read what ``dataclasses.asdict`` gave."""
        return cls(str(data["says"]), bool(data["proven"]))
