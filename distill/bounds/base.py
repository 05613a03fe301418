"""What can be bounded over boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from distill.arrays import Array
from distill.bounds.boxes import Boxes
from distill.bounds.enclosure import Enclosure
from distill.errors import FormulaError


class NotBounded(FormulaError):
    """A function that has no enclosure, and which part of it is to blame."""


class Enclosable(Protocol):
    """A function of d inputs with values that can be found and bands that can be proven."""

    @property
    def inputs(self) -> int:
        """D."""
        ...

    def __call__(self, x: Array) -> Array:
        """Values (n,) at x (n, d) in float64: for finding large ones, never for a proof."""
        ...

    def enclose(self, boxes: Boxes) -> Enclosure:
        """A band that holds the function on every box."""
        ...

    def cuts(self, boxes: Boxes) -> Array | None:
        """Where along each axis a box is best split, (d, n): strictly inside, or NaN.

        NaN, and None for all, means the middle. The part below holds the cut itself, the part
        above begins with the next float.
        """
        ...


@dataclass(frozen=True)
class Difference:
    """``first - second``."""

    first: Enclosable
    second: Enclosable

    @property
    def inputs(self) -> int:
        """D."""
        return self.first.inputs

    def __call__(self, x: Array) -> Array:
        """Values (n,) at x (n, d)."""
        with np.errstate(all="ignore"):
            return self.first(x) - self.second(x)

    def enclose(self, boxes: Boxes) -> Enclosure:
        """The difference of the bands: what both have in common cancels up to second order."""
        return self.first.enclose(boxes).minus(self.second.enclose(boxes))

    def cuts(self, boxes: Boxes) -> Array | None:
        """The first's, and the second's where it has none."""
        first, second = self.first.cuts(boxes), self.second.cuts(boxes)
        if first is None or second is None:
            return second if first is None else first
        return np.where(np.isnan(first), second, first)
