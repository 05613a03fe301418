"""A formula in place of a layer's function, for all numbers of the layer at once."""

from __future__ import annotations

import numpy as np

from distill.arrays import Array
from distill.bounds.builder import Builder
from distill.bounds.formulas import formula_block
from distill.chain.steps.formula import Each


class _Rows(Builder):
    """The same tape, with constants of several rows."""

    def __init__(self, builder: Builder, rows: int) -> None:
        self.blocks, self.heights, self._rows = builder.blocks, builder.heights, rows

    def fixed(self, numbers: Array) -> int:
        """A number, repeated."""
        return super().fixed(np.repeat(numbers, self._rows))

    def shift(self, source: int, shift: Array, divisor: Array) -> int:
        """A number each, repeated."""
        return super().shift(source, *(np.repeat(a, self._rows) for a in (shift, divisor)))


def make_each(builder: Builder, source: int, step: Each) -> int:
    """The formula's blocks, each of as many rows as the step is wide.

    Raises
    ------
    NotBounded : for an operator that has no enclosure.
    """
    name = step.formula.domain.names[0]
    return formula_block(_Rows(builder, step.width), step.formula.tree, {name: source})
