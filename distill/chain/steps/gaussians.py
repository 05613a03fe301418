"""Logarithms of normal densities: naive Bayes and quadratic discriminants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.chain.arithmetic import Reals, computed, rounded
from distill.chain.base import Real
from distill.chain.checks import keep_numbers, wrong
from distill.chain.terms import linear, linear_size, refuse_growth, shifted, sum_size
from distill.formula.tree import Node, Number, call, mul, sub, total


@dataclass(frozen=True, eq=False)
class Gaussians:
    """``constants_k - 0.5 * sum_r (factors_kr . (x - centres_k))^2`` for k classes.

    centres (k, d), constants (k,), factors (k, r, d); or (k, d), one factor an input, of naive
    Bayes.

    In C, for each class: ``s = 0``; for each r ``z = 0``, then ``z = z + f*(x - c)`` for each input
    in turn (one factor an input: ``z = f*(x - c)``), then ``s = s + z*z``; at last
    ``constant - 0.5*s``. A NaN makes every output NaN.

    Raises
    ------
    FormulaError : when the shapes do not fit, or numbers are not finite.
    """

    centres: Array
    factors: Array
    constants: Array

    def __post_init__(self) -> None:
        keep_numbers(self, "centres", (-1, -1))
        k, d = self.centres.shape
        if np.ndim(self.factors) not in (2, 3):
            raise wrong(self, f"`factors` has the shape {np.shape(self.factors)}.")
        keep_numbers(self, "factors", (k, d) if np.ndim(self.factors) == 2 else (k, -1, d))
        keep_numbers(self, "constants", (k,))

    @property
    def diagonal(self) -> bool:
        """Whether there is one factor an input."""
        return self.factors.ndim == 2

    @property
    def inputs(self) -> int:
        """Columns of the centres."""
        return int(self.centres.shape[1])

    @property
    def outputs(self) -> int:
        """One for each class."""
        return len(self.centres)

    @property
    def stored(self) -> int:
        """Centres, factors and constants."""
        return self.centres.size + self.factors.size + self.constants.size

    @property
    def operations(self) -> int:
        """Four for each factor, and what makes the squares and the end."""
        rows = self.factors.size // self.inputs
        ends = 2 * self.outputs
        return 4 * self.factors.size + ends + (0 if self.diagonal else 2 * rows)

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, k) at x (n, d)."""
        centres, factors = rounded(self.centres, real), rounded(self.factors, real)
        constants = rounded(self.constants, real)[:, None]

        def kernel(columns: Reals) -> Reals:
            shape = (self.outputs, columns.shape[1])
            sums = np.zeros(shape, dtype=columns.dtype)
            if self.diagonal:
                for j, column in enumerate(columns):
                    z = factors[:, j : j + 1] * (column - centres[:, j : j + 1])
                    sums += z * z
            else:
                for r in range(factors.shape[1]):
                    z = np.zeros_like(sums)
                    for j, column in enumerate(columns):
                        z += factors[:, r, j : j + 1] * (column - centres[:, j : j + 1])
                    sums += z * z
            return constants - columns.dtype.type(0.5) * sums

        return computed(kernel, x, real, inputs=self.inputs, outputs=self.outputs)

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output."""
        grown = []
        for centre, factors in zip(self.centres.tolist(), self.factors.tolist(), strict=True):
            off = [size + 2 * bool(c) for size, c in zip(sizes, centre, strict=True)]
            if self.diagonal:
                squares = [s + 1 + 2 * bool(f != 1) for s, f in zip(off, factors, strict=True) if f]
            else:
                squares = [linear_size(row, off, 0.0) + 1 for row in factors]
            grown.append(sum_size(squares) + 4)
        return grown

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """The sums of squares."""
        refuse_growth(self, x)
        trees: list[Node] = []
        for centre, factors, constant in zip(
            self.centres.tolist(), self.factors.tolist(), self.constants.tolist(), strict=True
        ):
            off = [shifted(node, c) for node, c in zip(x, centre, strict=True)]
            if self.diagonal:
                parts = [
                    linear([f], [node], 0.0) for f, node in zip(factors, off, strict=True) if f
                ]
            else:
                parts = [linear(row, off, 0.0) for row in factors]
            squares = total([call("square", part) for part in parts])
            trees.append(sub(Number(constant), mul(Number(0.5), squares)))
        return trees
