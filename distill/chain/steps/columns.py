"""Choosing, encoding and joining columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from distill.arrays import Array
from distill.chain.arithmetic import Reals, computed, larger, rounded
from distill.chain.base import Real
from distill.chain.chain import Chain
from distill.chain.checks import Whole, check_choice, check_count, keep_whole, wrong
from distill.chain.terms import balanced, refuse_growth, sum_size
from distill.formula.tree import Node, Number, call, div, sub, total


@dataclass(frozen=True, eq=False)
class Pick:
    """The inputs of these numbers, in this order; NaNs are handed on.

    Raises
    ------
    FormulaError : when a column is no input.
    """

    inputs: int
    columns: Whole

    def __post_init__(self) -> None:
        check_count(self, "inputs")
        keep_whole(self, "columns", (-1,), 0, self.inputs)

    @property
    def outputs(self) -> int:
        """How many are picked."""
        return len(self.columns)

    @property
    def stored(self) -> int:
        """The numbers of the columns."""
        return len(self.columns)

    @property
    def operations(self) -> int:
        """None: values are only moved."""
        return 0

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, k) at x (n, d)."""
        return computed(
            lambda columns: columns[self.columns],
            x,
            real,
            inputs=self.inputs,
            outputs=self.outputs,
        )

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output."""
        return [sizes[i] for i in self.columns.tolist()]

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """The trees themselves."""
        refuse_growth(self, x)
        return [x[i] for i in self.columns.tolist()]


@dataclass(frozen=True, eq=False)
class OneHot:
    """For each input in turn: 1 for the category that it equals, 0 for the others.

    A category of NaN stands for "none of the others". Outputs: all categories of all inputs. In
    float32 both sides are rounded. A NaN equals no category, so it is "none of the others".

    Raises
    ------
    FormulaError : when an input has no category, an infinite one, or one twice.
    """

    categories: tuple[Array, ...]

    def __post_init__(self) -> None:
        kept = []
        for values in self.categories:
            array = np.array(values, dtype=np.float64)
            if array.ndim != 1 or not array.size or np.isinf(array).any():
                raise wrong(self, "`categories` needs one finite vector for each input.")
            if len(np.unique(array)) != len(array):
                raise wrong(self, "`categories` has a category twice.")
            array.setflags(write=False)
            kept.append(array)
        if not kept:
            raise wrong(self, "`categories` is empty.")
        object.__setattr__(self, "categories", tuple(kept))

    @property
    def inputs(self) -> int:
        """One for each vector of categories."""
        return len(self.categories)

    @property
    def outputs(self) -> int:
        """All categories."""
        return sum(map(len, self.categories))

    @property
    def stored(self) -> int:
        """All categories."""
        return self.outputs

    @property
    def operations(self) -> int:
        """A comparison each."""
        return self.outputs

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, categories) at x (n, d)."""
        categories = [rounded(values, real)[:, None] for values in self.categories]

        def kernel(columns: Reals) -> Reals:
            rows = []
            for column, values in zip(columns, categories, strict=True):
                equal = column == values
                rows.append(np.where(np.isnan(values), ~equal.any(axis=0), equal))
            return np.concatenate(rows).astype(columns.dtype)

        return computed(kernel, x, real, inputs=self.inputs, outputs=self.outputs)

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output."""
        grown: list[int] = []
        for size, values in zip(sizes, self.categories, strict=True):
            equal = 2 * size + 7
            known = int((~np.isnan(values)).sum())
            other = 2 + sum_size([equal] * known) if known else 1
            grown.extend(other if np.isnan(value) else equal for value in values)
        return grown

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """Two choices for each category."""
        refuse_growth(self, x)
        trees: list[Node] = []
        for node, values in zip(x, self.categories, strict=True):
            equal = {c: _equals(node, c) for c in values.tolist() if c == c}  # noqa: PLR0124
            known = list(equal.values())
            other = sub(Number(1.0), total(known)) if known else Number(1.0)
            trees.extend(equal.get(c, other) for c in values.tolist())
        return trees


def _equals(node: Node, value: float) -> Node:
    """1 where the tree equals the value, else 0."""
    above = call("ifless", Number(value), node, Number(0.0), Number(1.0))
    return call("ifless", node, Number(value), Number(0.0), above)


@dataclass(frozen=True, eq=False)
class Branches:
    """Several chains over the same inputs; their outputs one after another.

    Raises
    ------
    FormulaError : when there is none, or they take different numbers of inputs.
    """

    chains: tuple[Chain, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "chains", tuple(self.chains))
        if len({chain.inputs for chain in self.chains}) != 1:
            raise wrong(
                self,
                f"its chains take {[chain.inputs for chain in self.chains]} inputs.",
                "every chain takes all inputs; begin those that need some with Pick.",
            )

    @property
    def inputs(self) -> int:
        """What each chain takes."""
        return self.chains[0].inputs

    @property
    def outputs(self) -> int:
        """All chains' together."""
        return sum(chain.outputs for chain in self.chains)

    @property
    def stored(self) -> int:
        """All chains' together."""
        return sum(chain.stored for chain in self.chains)

    @property
    def operations(self) -> int:
        """All chains' together."""
        return sum(chain.operations for chain in self.chains)

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, outputs) at x (n, d)."""
        return np.concatenate([chain.evaluate(x, real) for chain in self.chains], axis=1)

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output."""
        return [size for chain in self.chains for size in chain.growth(sizes)]

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """Each chain's, one after another."""
        refuse_growth(self, x)
        return [node for chain in self.chains for node in chain.expand(x)]


@dataclass(frozen=True, slots=True)
class Normalise:
    """x divided by its norm; zeros stay zeros.

    In C: ``s = 0``, then ``s = s + |x|`` (l1) or ``s = s + x*x`` (l2, then the root) for each in
    turn, or the largest ``|x|``, where a NaN wins; then ``s == 0 ? x : x / s``. A NaN makes every
    output NaN.

    Raises
    ------
    FormulaError : for another norm, or a width below 1.
    """

    width: int
    norm: Literal["l1", "l2", "max"] = "l2"

    def __post_init__(self) -> None:
        check_count(self, "width")
        check_choice(self, "norm", get_args(Literal["l1", "l2", "max"]))

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
        """Two for the norm and a quotient each, and the root."""
        return 3 * self.width + (self.norm == "l2")

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, width) at x (n, width)."""

        def kernel(columns: Reals) -> Reals:
            norm = np.zeros_like(columns[0])
            for column in columns:
                if self.norm == "max":
                    norm = larger(norm, np.abs(column))
                else:
                    norm = norm + (np.abs(column) if self.norm == "l1" else column * column)
            norm = np.sqrt(norm) if self.norm == "l2" else norm
            return np.where(norm == 0, columns, columns / norm)

        return computed(kernel, x, real, inputs=self.width, outputs=self.width)

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output."""
        norm = sum_size([size + 1 for size in sizes]) + (self.norm == "l2")
        return [2 * norm + 2 * size + 3 for size in sizes]

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """One choice each, so that zeros stay zeros."""
        refuse_growth(self, x)
        if self.norm == "l2":
            norm: Node = call("sqrt", total([call("square", node) for node in x]))
        else:
            parts: list[Node] = [call("abs", node) for node in x]
            norm = balanced("max", parts) if self.norm == "max" else total(parts)
        return [call("ifless", Number(0.0), norm, div(node, norm), node) for node in x]
