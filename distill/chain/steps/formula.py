"""A formula of one variable, applied to each number alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.chain.arithmetic import Reals, computed
from distill.chain.base import Real
from distill.chain.checks import check_count, wrong
from distill.chain.terms import refuse_growth
from distill.formula import Formula
from distill.formula.operators import value_in_c
from distill.formula.tree import (
    Call,
    Node,
    Number,
    Symbol,
    complexity,
    constants,
    postorder,
    substitute,
)


@dataclass(frozen=True, eq=False)
class Each:
    """``formula`` of each of ``width`` numbers: what was found in place of a layer's function.

    In C: the tree's operators one by one, ``square(a)`` as ``a*a``, ``cube(a)`` as ``a*a*a``,
    ``inv(a)`` as ``1/a``. Numbers outside the formula's domain are handed to it all the same.

    Raises
    ------
    FormulaError : when the formula has another number of variables than one.
    """

    formula: Formula
    width: int

    def __post_init__(self) -> None:
        check_count(self, "width")
        if len(self.formula.domain) != 1:
            raise wrong(
                self,
                f"`formula` has {len(self.formula.domain)} variables, not one.",
                "state the formula over a domain of one variable.",
            )

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
        """The formula's constants."""
        return len(constants(self.formula.tree))

    @property
    def operations(self) -> int:
        """The formula's operators, for each number."""
        return self.width * sum(isinstance(n, Call) for n in postorder(self.formula.tree))

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, width) at x (n, width)."""

        def kernel(columns: Reals) -> Reals:
            return _value(self.formula.tree, columns)

        return computed(kernel, x, real, inputs=self.width, outputs=self.width)

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """The formula's nodes, its variable as large as the input each time it occurs."""
        uses = sum(isinstance(n, Symbol) for n in postorder(self.formula.tree))
        others = complexity(self.formula.tree) - uses
        return [others + uses * size for size in sizes]

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """The formula with each of the trees in its variable's place."""
        refuse_growth(self, x)
        name = self.formula.domain.names[0]
        return [substitute(self.formula.tree, {name: node}) for node in x]


def _value(node: Node, columns: Reals) -> Reals:
    """Values at all numbers, every operation of the tree rounded to their type."""
    if isinstance(node, Symbol):
        return columns
    if isinstance(node, Number):
        return np.full(columns.shape, node.value, dtype=columns.dtype)
    args = [_value(arg, columns) for arg in node.args]
    return np.asarray(value_in_c(node.operator)(*args), dtype=columns.dtype)
