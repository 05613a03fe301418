"""Monomials of the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.chain.arithmetic import Reals, computed
from distill.chain.base import Real
from distill.chain.checks import Whole, keep_whole
from distill.chain.terms import refuse_growth
from distill.formula.tree import Node, Number, call, mul

HIGHEST = 64
"""Exponents above it are a mistake: such powers leave float32 next to 1 already."""


@dataclass(frozen=True, eq=False)
class Monomials:
    """Products of powers of the inputs: exponents (m, d), whole and not negative.

    In C: ``p = 1``, then ``p = p*x`` for each input in turn, as often as its exponent says. A NaN
    makes those outputs NaN whose exponent of it is above 0.

    Raises
    ------
    FormulaError : for exponents that are negative, above ``HIGHEST``, or not whole.
    """

    exponents: Whole

    def __post_init__(self) -> None:
        keep_whole(self, "exponents", (-1, -1), 0, HIGHEST + 1)

    @property
    def inputs(self) -> int:
        """Columns of the exponents."""
        return int(self.exponents.shape[1])

    @property
    def outputs(self) -> int:
        """Rows of the exponents."""
        return len(self.exponents)

    @property
    def stored(self) -> int:
        """The exponents."""
        return self.exponents.size

    @property
    def operations(self) -> int:
        """A product for each factor."""
        return int(self.exponents.sum())

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, m) at x (n, d)."""

        def kernel(columns: Reals) -> Reals:
            products = np.ones((self.outputs, columns.shape[1]), dtype=columns.dtype)
            for j, column in enumerate(columns):
                exponents = self.exponents[:, j]
                for times in range(int(exponents.max(initial=0))):
                    products[exponents > times] *= column
            return products

        return computed(kernel, x, real, inputs=self.inputs, outputs=self.outputs)

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output."""
        grown = []
        for row in self.exponents.tolist():
            factors = [_power_size(s, e) for s, e in zip(sizes, row, strict=True) if e]
            grown.append(sum(factors) + len(factors) - 1 if factors else 1)
        return grown

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """The products of powers."""
        refuse_growth(self, x)
        trees: list[Node] = []
        for row in self.exponents.tolist():
            factors = [_power(node, e) for node, e in zip(x, row, strict=True) if e]
            product = factors[0] if factors else Number(1.0)
            for factor in factors[1:]:
                product = mul(product, factor)
            trees.append(product)
        return trees


def _power(node: Node, exponent: int) -> Node:
    if exponent == 1:
        return node
    if exponent <= 3:
        return call("square" if exponent == 2 else "cube", node)
    return call("pow", node, Number(float(exponent)))


def _power_size(size: int, exponent: int) -> int:
    return size + (0 if exponent == 1 else 1 if exponent <= 3 else 2)
