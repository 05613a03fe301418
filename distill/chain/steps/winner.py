"""From scores to probabilities and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.chain.arithmetic import Reals, computed
from distill.chain.base import Real
from distill.chain.checks import check_count
from distill.chain.functions import sigmoid_tree
from distill.chain.terms import refuse_growth, winner, winner_size
from distill.formula.tree import Node, Number, add, call, div, sub, total

_FAR = 80.0
"""exp of it still is a float32; probabilities below exp of minus it count as that."""


@dataclass(frozen=True, slots=True)
class Softmax:
    """Exponentials of the scores less the largest, divided by their sum.

    In C: ``m = x_0``, then ``if (x > m) m = x`` for each in turn; ``e = exp(x - m)``; ``s = 0``,
    then ``s = s + e`` for each in turn; ``e / s``. A NaN makes every output NaN.

    Raises
    ------
    FormulaError : for a width below 1.
    """

    width: int

    def __post_init__(self) -> None:
        check_count(self, "width")

    @property
    def inputs(self) -> int:
        """The width."""
        return self.width

    @property
    def outputs(self) -> int:
        """The width."""
        return self.width

    @property
    def stored(self) -> int:
        """Nothing."""
        return 0

    @property
    def operations(self) -> int:
        """Five each: a comparison, a difference, an exponential, a sum, a quotient."""
        return 5 * self.width

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, width) at x (n, width)."""

        def kernel(columns: Reals) -> Reals:
            largest = columns[0]
            for column in columns[1:]:
                largest = np.where(column > largest, column, largest)
            powers: Reals = np.exp(columns - largest)
            sums = np.zeros_like(largest)
            for power in powers:
                sums = sums + power
            shares: Reals = powers / sums
            return shares

        return computed(kernel, x, real, inputs=self.width, outputs=self.width)

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output."""
        if self.width == 1:
            return [1]
        if self.width == 2:
            return [sum(sizes) + 8] * 2
        every = sum(sizes)
        others = self.width - 1
        # 1/(1 + sum of others): each is exp(min(other - own, 80)).
        return [4 + (others - 1) + (every - s) + others * (s + 4) for s in sizes]

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """``1 / (1 + sum of exp(other - own))``; of two, by tanh."""
        refuse_growth(self, x)
        if self.width == 1:
            return [Number(1.0)]
        if self.width == 2:
            return [sigmoid_tree(sub(x[0], x[1])), sigmoid_tree(sub(x[1], x[0]))]
        trees: list[Node] = []
        for i, own in enumerate(x):
            others: list[Node] = [
                call("exp", call("min", sub(other, own), Number(_FAR)))
                for j, other in enumerate(x)
                if j != i
            ]
            trees.append(div(Number(1.0), add(Number(1.0), total(others))))
        return trees


@dataclass(frozen=True, slots=True)
class Winner:
    """The number of the largest (or smallest) of ``width`` scores; of equals the first.

    In C: ``w = 0``, then ``if (x_i > x_w) w = i`` for each in turn. So a NaN never wins, but the
    first score is never beaten when it is one.

    Raises
    ------
    FormulaError : for a width below 1.
    """

    width: int
    largest: bool = True

    def __post_init__(self) -> None:
        check_count(self, "width")

    @property
    def inputs(self) -> int:
        """The width."""
        return self.width

    @property
    def outputs(self) -> int:
        """One."""
        return 1

    @property
    def stored(self) -> int:
        """Nothing."""
        return 0

    @property
    def operations(self) -> int:
        """The comparisons."""
        return self.width - 1

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, 1) at x (n, width)."""

        def kernel(columns: Reals) -> Reals:
            best, at = columns[0], np.zeros(columns.shape[1], dtype=columns.dtype)
            for i, column in enumerate(columns):
                better = column > best if self.largest else column < best
                best, at = np.where(better, column, best), np.where(better, i, at)
            return at[None, :].astype(columns.dtype)

        return computed(kernel, x, real, inputs=self.width, outputs=1)

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of the output."""
        return [winner_size(sizes)]

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """A choice for each score after the first."""
        refuse_growth(self, x)
        return [winner(x, range(self.width), largest=self.largest)]
