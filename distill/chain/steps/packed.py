"""A function of whole numbers that was asked everywhere, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.chain.base import Real
from distill.chain.checks import Whole, keep_whole
from distill.chain.steps.whole import check_bounds, check_levels, index_of, leveled, stepped
from distill.chain.terms import refuse_growth
from distill.errors import FormulaError
from distill.formula.tree import Node, Number, call


@dataclass(frozen=True, eq=False)
class Packed:
    """A table of the answers at all points of a box of whole numbers.

    The inputs are rounded to whole numbers and held in their bounds (NaN counts as the lower one).
    The rows of ``codes`` (rows, k) are the points, the last input fastest; a code is the number of
    a level of its output.

    Raises
    ------
    FormulaError : for parts that do not fit each other, or more than 2^20 points.
    """

    lows: Whole
    highs: Whole
    codes: Whole
    levels: tuple[Array, ...]

    def __post_init__(self) -> None:
        for name, shape in (("lows", (-1,)), ("highs", (-1,)), ("codes", (-1, -1))):
            keep_whole(self, name, shape)
        counts = self.highs - self.lows + 1 if self.lows.shape == self.highs.shape else self.lows
        check_bounds(self.lows, self.highs, counts)
        check_levels(self.levels)
        if (
            self.codes.shape != (int(counts.prod()), len(self.levels))
            or (self.codes < 0).any()
            or (self.codes >= [len(v) for v in self.levels]).any()
        ):
            raise FormulaError(
                "the codes of a packed table do not fit its inputs and levels.",
                hint="build it with distill.logic.logic_chain.",
            )

    @property
    def inputs(self) -> int:
        """How many whole numbers it takes."""
        return len(self.lows)

    @property
    def outputs(self) -> int:
        """How many numbers it gives."""
        return len(self.levels)

    @property
    def stored(self) -> int:
        """Codes and levels."""
        return self.codes.size + sum(map(len, self.levels))

    @property
    def operations(self) -> int:
        """Five to read an input and find its place, three to read an output."""
        return 5 * self.inputs + 3 * self.outputs

    @property
    def steps(self) -> Whole:
        """How many rows one step of each input goes on."""
        counts = self.highs - self.lows + 1
        return np.append(counts[::-1].cumprod()[::-1][1:], 1).astype(np.int64)

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, k) at x (n, d)."""
        row = index_of(x, self.lows, self.highs, self.steps, real)
        return leveled(self.codes[row], self.levels, real)

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output, at most."""
        rows = len(self.codes)
        return [rows + (rows - 1) * (2 + max(sizes))] * self.outputs

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """Nested conditions on the inputs, in their order; equal parts are not asked for."""
        refuse_growth(self, x)
        shape = tuple(self.highs - self.lows + 1)
        return [
            _conditions(list(x), self.lows, levels[codes].reshape(shape))
            for levels, codes in zip(self.levels, self.codes.T, strict=True)
        ]


def _conditions(x: list[Node], lows: Whole, values: Array) -> Node:
    """A function on a grid of whole numbers, input after input."""
    if (values == values.flat[0]).all():
        return Number(float(values.flat[0]))
    if len(x) == 1:
        return stepped(x[0], int(lows[0]), values)
    same = [(values[i] == values[i + 1]).all() for i in range(len(values) - 1)]
    starts = [0, *(i + 1 for i, equal in enumerate(same) if not equal)]
    parts = [_conditions(x[1:], lows[1:], values[start]) for start in starts]

    def between(first: int, last: int) -> Node:
        if first == last:
            return parts[first]
        middle = (first + last + 1) // 2
        cut = Number(float(lows[0]) + starts[middle] - 0.5)
        return call("ifless", x[0], cut, between(first, middle - 1), between(middle, last))

    return between(0, len(parts) - 1)
