"""Matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.chain.arithmetic import Reals, computed, rounded
from distill.chain.base import Real
from distill.chain.checks import keep_numbers
from distill.chain.terms import linear, linear_size, refuse_growth
from distill.formula.tree import Node


@dataclass(frozen=True, eq=False)
class Affine:
    """``weights @ x + bias``: weights (k, d), bias (k,). Summed over the inputs in their order.

    In C: ``y = bias``, then ``y = y + w*x`` for each input in turn, product and sum rounded; also
    where w is 0. A NaN among the inputs makes every output NaN.

    Raises
    ------
    FormulaError : when the shapes do not fit, or numbers are not finite.
    """

    weights: Array
    bias: Array

    def __post_init__(self) -> None:
        keep_numbers(self, "weights", (-1, -1))
        keep_numbers(self, "bias", (len(self.weights),))

    @property
    def inputs(self) -> int:
        """Columns of the weights."""
        return int(self.weights.shape[1])

    @property
    def outputs(self) -> int:
        """Rows of the weights."""
        return len(self.weights)

    @property
    def stored(self) -> int:
        """Weights and biases."""
        return self.weights.size + self.bias.size

    @property
    def operations(self) -> int:
        """A product and a sum for each weight."""
        return 2 * self.weights.size

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, k) at x (n, d)."""
        weights, bias = rounded(self.weights, real), rounded(self.bias, real)

        def kernel(columns: Reals) -> Reals:
            sums = np.repeat(bias[:, None], columns.shape[1], axis=1)
            products = np.empty_like(sums)
            for j, column in enumerate(columns):
                np.multiply(weights[:, j : j + 1], column, out=products)
                np.add(sums, products, out=sums)
            return sums

        return computed(kernel, x, real, inputs=self.inputs, outputs=self.outputs)

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output."""
        rows = zip(self.weights.tolist(), self.bias.tolist(), strict=True)
        return [linear_size(row, sizes, bias) for row, bias in rows]

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """The sums; factors of 0 and 1 are left out."""
        refuse_growth(self, x)
        rows = zip(self.weights.tolist(), self.bias.tolist(), strict=True)
        return [linear(row, x, bias) for row, bias in rows]
