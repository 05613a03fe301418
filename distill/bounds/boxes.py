"""Many boxes of one input space at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from distill.arrays import Array, Flags
from distill.bounds.rounding import up
from distill.chain.checks import Whole
from distill.domain import Domain


@dataclass(frozen=True, eq=False)
class Boxes:
    """n boxes of d inputs: ``low`` and ``high`` of shape (d, n), both inclusive."""

    low: Array
    high: Array

    @classmethod
    def of(cls, domain: Domain) -> Boxes:
        """The domain as one box."""
        return cls(domain.low[:, None], domain.high[:, None])

    @property
    def inputs(self) -> int:
        """D."""
        return len(self.low)

    @property
    def count(self) -> int:
        """N."""
        return int(self.low.shape[1])

    @cached_property
    def middle(self) -> Array:
        """(d, n): floats in the box."""
        return np.clip(self.low + (self.high - self.low) / 2, self.low, self.high)

    @cached_property
    def radius(self) -> Array:
        """(d, n): the box lies within ``middle +- radius``, in real numbers."""
        wide = np.maximum(self.high - self.middle, self.middle - self.low)
        return np.where(wide > 0, up(wide), 0.0)

    def take(self, index: Flags | Whole) -> Boxes:
        """Some of them, by number or flag (n,)."""
        return Boxes(self.low[:, index], self.high[:, index])
