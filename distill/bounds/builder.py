"""Putting a tape together, block by block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from distill.arrays import Array
from distill.bounds.blocks.base import Block
from distill.bounds.blocks.joining import Choose, Product
from distill.bounds.blocks.linear import Fixed, Linear, Rows, Shift
from distill.bounds.blocks.unary import Apply, Kink
from distill.bounds.jets import Smooth
from distill.bounds.smooth import SMOOTH
from distill.chain.checks import Whole


class Builder:
    """Blocks so far; every method adds one and gives its number. The inputs are number 0."""

    def __init__(self, inputs: int) -> None:
        self.blocks: list[Block] = []
        self.heights = [inputs]

    def push(self, block: Block, rows: int) -> int:
        """Any block of so many rows."""
        self.blocks.append(block)
        self.heights.append(rows)
        return len(self.blocks)

    def linear(self, terms: Sequence[tuple[int, Array]], bias: Array | float = 0.0) -> int:
        """The sum of ``weights (m, k) @ block``, or (m,) row by row, plus the bias (m,)."""
        sources, weights = zip(*terms, strict=True)
        rows = len(weights[0])
        added = np.broadcast_to(np.asarray(bias, dtype=float), (rows,))
        return self.push(Linear(tuple(sources), tuple(weights), added), rows)

    def combined(self, terms: Sequence[tuple[int, float]], bias: float = 0.0) -> int:
        """The sum of numbers times blocks of equal height, row by row, plus a number."""
        rows = self.heights[terms[0][0]]
        return self.linear([(at, np.full(rows, factor)) for at, factor in terms], bias)

    def shift(self, source: int, shift: Array, divisor: Array) -> int:
        """``(block - shift) / divisor``, row by row."""
        return self.push(Shift(source, shift, divisor), len(shift))

    def rows(self, sources: Sequence[int], index: Whole | Sequence[int]) -> int:
        """Rows of the blocks put one below the other, in a new order."""
        chosen = np.asarray(index, dtype=np.int64)
        if len(sources) == 1 and np.array_equal(chosen, np.arange(self.heights[sources[0]])):
            return sources[0]
        heights = tuple(self.heights[i] for i in sources)
        return self.push(Rows(tuple(sources), heights, chosen), len(chosen))

    def fixed(self, numbers: Array) -> int:
        """Numbers."""
        return self.push(Fixed(0, np.asarray(numbers, dtype=float)), len(numbers))

    def apply(self, source: int, function: Smooth | str) -> int:
        """A smooth function of every row, by name or as it is."""
        smooth = SMOOTH[function] if isinstance(function, str) else function
        return self.push(Apply(source, smooth), self.heights[source])

    def kink(self, source: int, below: float, above: float) -> int:
        """``z < 0 ? below*z : above*z`` of every row."""
        return self.push(Kink(source, below, above), self.heights[source])

    def product(self, first: int, second: int) -> int:
        """Row by row."""
        if first == second:
            return self.apply(first, "square")
        return self.push(Product(first, second), self.heights[first])

    def choose(self, a: int, b: int, then: int, otherwise: int) -> int:
        """``a < b ? then : otherwise``, row by row."""
        return self.push(Choose(a, b, then, otherwise), self.heights[then])

    def larger(self, a: int, b: int) -> int:
        """``max(a, b) = b + max(a - b, 0)``, row by row."""
        above = self.kink(self.combined([(a, 1.0), (b, -1.0)]), 0.0, 1.0)
        return self.combined([(b, 1.0), (above, 1.0)])

    def smaller(self, a: int, b: int) -> int:
        """``min(a, b) = b - max(b - a, 0)``, row by row."""
        above = self.kink(self.combined([(b, 1.0), (a, -1.0)]), 0.0, 1.0)
        return self.combined([(b, 1.0), (above, -1.0)])
