"""Kernel machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from distill.arrays import Array
from distill.chain.arithmetic import Reals, computed, rounded
from distill.chain.base import Real
from distill.chain.checks import (
    check_choice,
    check_count,
    check_finite,
    keep_numbers,
    wrong,
)
from distill.chain.distances import distances
from distill.chain.terms import linear, linear_size, refuse_growth, squares, squares_size, sum_size
from distill.formula.tree import Node, Number, add, call, div, mul, total

HIGHEST = 64
"""Degrees above it are a mistake: such powers leave float32 next to 1 already."""


@dataclass(frozen=True, eq=False)
class Kernel:
    """The kernel of x with each of the m vectors (m, d): outputs (m,).

    rbf: ``exp(-gamma*|x - v|^2)``; poly: ``(gamma*x.v + constant)^degree``;
    sigmoid: ``tanh(gamma*x.v + constant)``.

    In C: rbf ``s = 0``, then ``z = x - v``, ``s = s + z*z`` for each input in turn, then
    ``exp(-(gamma*s))``; the others ``s = 0``, then ``s = s + v*x``, then ``z = gamma*s + constant``
    and ``p = z``, ``p = p*z`` degree - 1 times (1 for a degree of 0), or ``tanh(z)``. A NaN makes
    every output NaN.

    Raises
    ------
    FormulaError : for an unknown kind, or numbers that are not finite.
    """

    vectors: Array
    kind: Literal["rbf", "poly", "sigmoid"]
    gamma: float
    constant: float = 0.0
    degree: int = 3

    def __post_init__(self) -> None:
        keep_numbers(self, "vectors", (-1, -1))
        check_choice(self, "kind", get_args(Literal["rbf", "poly", "sigmoid"]))
        check_finite(self, "gamma")
        check_finite(self, "constant")
        check_count(self, "degree", 0)
        if not self.vectors.size:
            raise wrong(self, "`vectors` is empty.")
        if self.degree > HIGHEST:
            raise wrong(self, f"`degree` is {self.degree}; {HIGHEST} is the highest.")

    @property
    def inputs(self) -> int:
        """Columns of the vectors."""
        return int(self.vectors.shape[1])

    @property
    def outputs(self) -> int:
        """One for each vector."""
        return len(self.vectors)

    @property
    def stored(self) -> int:
        """The vectors and the kernel's constants."""
        return self.vectors.size + 2

    @property
    def operations(self) -> int:
        """Two or three for each number of a vector, and what follows."""
        if self.kind == "rbf":
            return self.outputs * (3 * self.inputs + 3)
        after = 2 + (max(self.degree - 1, 0) if self.kind == "poly" else 1)
        return self.outputs * (2 * self.inputs + after)

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, m) at x (n, d)."""
        vectors = rounded(self.vectors, real)
        gamma = rounded(np.array(self.gamma), real)
        constant = rounded(np.array(self.constant), real)

        def kernel(columns: Reals) -> Reals:
            if self.kind == "rbf":
                powers: Reals = np.exp(-(gamma * distances(columns, vectors, "squared")))
                return powers
            sums = np.zeros((self.outputs, columns.shape[1]), dtype=columns.dtype)
            for j, column in enumerate(columns):
                sums += vectors[:, j : j + 1] * column
            z = gamma * sums + constant
            if self.kind == "sigmoid":
                return np.tanh(z)
            power = z if self.degree else np.ones_like(z)
            for _ in range(self.degree - 1):
                power = power * z
            return power

        return computed(kernel, x, real, inputs=self.inputs, outputs=self.outputs)

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output."""
        rows = self.vectors.tolist()
        if self.kind == "rbf":
            return [squares_size(sizes, row) + 3 for row in rows]
        if self.kind == "poly" and not self.degree:
            return [1] * len(rows)
        after = 1 if self.kind == "sigmoid" else (0, 1, 1, 2)[min(self.degree, 4) - 1]
        return [
            linear_size([self.gamma * v for v in row], sizes, self.constant) + after for row in rows
        ]

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """The kernels, gamma multiplied into the vectors of products."""
        refuse_growth(self, x)
        return [self._tree(x, row) for row in self.vectors.tolist()]

    def _tree(self, x: Sequence[Node], row: Sequence[float]) -> Node:
        if self.kind == "rbf":
            return call("exp", mul(Number(-self.gamma), squares(x, row)))
        z = linear([self.gamma * v for v in row], x, self.constant)
        if self.kind == "sigmoid":
            return call("tanh", z)
        if self.degree <= 1:
            return z if self.degree else Number(1.0)
        if self.degree <= 3:
            return call("square" if self.degree == 2 else "cube", z)
        return call("pow", z, Number(float(self.degree)))


@dataclass(frozen=True, slots=True)
class OneVsOne:
    """Votes of classes from the margins of each pair, in the order (0,1), (0,2), ... (1,2), ...

    A positive margin votes for the first of the pair, every other one, a NaN too, for the second.
    Outputs (classes,): the numbers of votes, or with ``ties="margins"`` what scikit-learn's
    decision_function_shape="ovr" makes of them.

    In C, for the latter: pair by pair in that order, a negative margin votes for the second, every
    other one for the first, ``s_first = s_first + margin``, ``s_second = s_second - margin``; at
    last ``votes + s / (3*(|s| + 1))``.

    Raises
    ------
    FormulaError : for less than two classes, or unknown ties.
    """

    classes: int
    ties: Literal["first", "margins"] = "first"

    def __post_init__(self) -> None:
        check_count(self, "classes", 2)
        check_choice(self, "ties", get_args(Literal["first", "margins"]))

    @property
    def inputs(self) -> int:
        """The number of pairs."""
        return self.classes * (self.classes - 1) // 2

    @property
    def outputs(self) -> int:
        """The number of classes."""
        return self.classes

    @property
    def stored(self) -> int:
        """Nothing."""
        return 0

    @property
    def operations(self) -> int:
        """A comparison and a sum for each pair; with margins two sums more and five an output."""
        return (4 * self.inputs + 5 * self.classes) if self.ties == "margins" else 2 * self.inputs

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The pairs in the order of the margins."""
        return [(i, j) for i in range(self.classes) for j in range(i + 1, self.classes)]

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, classes) at x (n, pairs)."""

        def kernel(columns: Reals) -> Reals:
            votes = np.zeros((self.classes, columns.shape[1]), dtype=columns.dtype)
            sums = np.zeros_like(votes)
            for (i, j), margin in zip(self.pairs, columns, strict=True):
                first = margin > 0 if self.ties == "first" else ~(margin < 0)
                votes[i] += first
                votes[j] += ~first
                sums[i] += margin
                sums[j] -= margin
            if self.ties == "first":
                return votes
            kind = columns.dtype.type
            return votes + sums / (kind(3) * (np.abs(sums) + kind(1)))

        return computed(kernel, x, real, inputs=self.inputs, outputs=self.outputs)

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output."""
        grown = []
        for k in range(self.classes):
            own = [(s, k == i) for s, pair in zip(sizes, self.pairs, strict=True)
                   if k in pair for i in pair[:1]]  # fmt: skip
            votes = sum_size([s + 4 for s, _ in own])
            margins = sum_size([s + (not first) for s, first in own])
            grown.append(votes if self.ties == "first" else votes + 2 * margins + 7)
        return grown

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """A choice for each pair."""
        refuse_growth(self, x)
        one, none = Number(1.0), Number(0.0)
        trees: list[Node] = []
        for k in range(self.classes):
            votes: list[Node] = []
            margins: list[Node] = []
            for (i, j), margin in zip(self.pairs, x, strict=True):
                if k not in (i, j):
                    continue
                won, lost = (one, none) if k == i else (none, one)
                if self.ties == "first":
                    votes.append(call("ifless", none, margin, won, lost))
                else:
                    votes.append(call("ifless", margin, none, lost, won))
                margins.append(margin if k == i else call("neg", margin))
            tree = total(votes)
            if self.ties == "margins":
                margin = total(margins)
                size = add(call("abs", margin), one)
                tree = add(tree, div(margin, mul(Number(3.0), size)))
            trees.append(tree)
        return trees
