"""The sample: points, the teacher's answers, and which of them could be used."""

from __future__ import annotations

from dataclasses import dataclass

from distill.arrays import Array
from distill.domain import Domain


@dataclass(frozen=True)
class SampleSet:
    """Points x (n, d) inside ``domain`` with the finite answers y (n,) of one output.

    ``rejected`` (m, d) holds the points at which the teacher's answer was not finite.
    """

    domain: Domain
    x: Array
    y: Array
    rejected: Array

    def __len__(self) -> int:
        return len(self.x)
