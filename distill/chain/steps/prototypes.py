"""Distances to prototypes, and the vote of the nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.chain.arithmetic import Reals, computed, rounded
from distill.chain.base import Real
from distill.chain.checks import check_choice, check_count, keep_numbers, wrong
from distill.chain.distances import (
    Metric,
    distance_operations,
    distance_size,
    distance_tree,
    distances,
)
from distill.chain.terms import (
    divided,
    linear,
    linear_size,
    refuse_growth,
    sum_size,
    winner,
    winner_size,
)
from distill.errors import FormulaError
from distill.formula.tree import Node, Number, call, total


@dataclass(frozen=True, eq=False)
class Distances:
    """Distances to the m prototypes (m, d): outputs (m,).

    ``distill.chain.distances`` has the operations in their order. A NaN makes every output NaN.

    Raises
    ------
    FormulaError : for an unknown metric, or prototypes that are no finite matrix.
    """

    prototypes: Array
    metric: Metric = "squared"

    def __post_init__(self) -> None:
        keep_numbers(self, "prototypes", (-1, -1))
        check_choice(self, "metric", get_args(Metric))
        if not self.prototypes.size:
            raise wrong(self, "`prototypes` is empty.")

    @property
    def inputs(self) -> int:
        """Columns of the prototypes."""
        return int(self.prototypes.shape[1])

    @property
    def outputs(self) -> int:
        """One for each prototype."""
        return len(self.prototypes)

    @property
    def stored(self) -> int:
        """The prototypes."""
        return self.prototypes.size

    @property
    def operations(self) -> int:
        """Three for each number of a prototype, and a root."""
        return self.outputs * distance_operations(self.inputs, self.metric)

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, m) at x (n, d)."""
        prototypes = rounded(self.prototypes, real)
        return computed(
            lambda columns: distances(columns, prototypes, self.metric),
            x,
            real,
            inputs=self.inputs,
            outputs=self.outputs,
        )

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output."""
        return [distance_size(sizes, row, self.metric) for row in self.prototypes.tolist()]

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """The distances."""
        refuse_growth(self, x)
        return [distance_tree(x, row, self.metric) for row in self.prototypes.tolist()]


@dataclass(frozen=True, eq=False)
class Nearest:
    """The mean of ``values`` (m, k) over the ``count`` nearest of the prototypes (m, d).

    Equally near ones count in their order. ``weights="distance"`` weighs by the inverse distance;
    a point on prototypes takes their values alone.

    In C: the ``count`` best by insertion, a distance passing the ones that it is below; ``s = 0``,
    then ``s = s + v`` from the nearest on, then ``s / count``. By distance: the weights are
    ``1 / distance``, or 1 and 0 where one of the best is at 0; ``t = 0``, ``t = t + w`` and
    ``s = 0``, ``s = s + w*v`` from the nearest on, then ``s / t``. With a NaN among the inputs no
    distance is below another: the first ``count`` prototypes count as the nearest (by distance, the
    outputs are NaN).

    Raises
    ------
    FormulaError : when the shapes do not fit, or there are fewer prototypes than ``count``.
    """

    prototypes: Array
    values: Array
    count: int
    metric: Metric = "squared"
    weights: Literal["uniform", "distance"] = "uniform"

    def __post_init__(self) -> None:
        keep_numbers(self, "prototypes", (-1, -1))
        keep_numbers(self, "values", (len(self.prototypes), -1))
        check_count(self, "count")
        check_choice(self, "metric", get_args(Metric))
        check_choice(self, "weights", get_args(Literal["uniform", "distance"]))
        if not self.prototypes.size or not self.values.size:
            raise wrong(self, "`prototypes` or `values` is empty.")
        if self.count > len(self.prototypes):
            raise wrong(self, f"{self.count} nearest of {len(self.prototypes)} prototypes.")

    @property
    def inputs(self) -> int:
        """Columns of the prototypes."""
        return int(self.prototypes.shape[1])

    @property
    def outputs(self) -> int:
        """Columns of the values."""
        return int(self.values.shape[1])

    @property
    def stored(self) -> int:
        """Prototypes and values."""
        return self.prototypes.size + self.values.size

    @property
    def operations(self) -> int:
        """The distances, a comparison each, and the means."""
        each = distance_operations(self.inputs, self.metric) + 1
        return len(self.prototypes) * each + (self.count + 1) * self.outputs

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, k) at x (n, d)."""
        prototypes, values = rounded(self.prototypes, real), rounded(self.values, real)

        def kernel(columns: Reals) -> Reals:
            found = distances(columns, prototypes, self.metric).T
            best = _nearest(found, self.count)
            one = columns.dtype.type(1)
            near = np.take_along_axis(found, best, axis=1)
            factors = one / near
            there = near == 0
            factors = np.where(there.any(axis=1)[:, None], there.astype(near.dtype), factors)
            sums = np.zeros((len(found), self.outputs), dtype=columns.dtype)
            weight = np.zeros((len(found), 1), dtype=columns.dtype)
            for i in range(self.count):
                value = values[best[:, i]]
                if self.weights == "distance":
                    weight += factors[:, i : i + 1]
                    value = factors[:, i : i + 1] * value
                sums += value
            divisor = weight if self.weights == "distance" else columns.dtype.type(self.count)
            answers: Reals = sums / divisor
            return answers.T

        width = len(self.prototypes)
        return computed(kernel, x, real, inputs=self.inputs, outputs=self.outputs, width=width)

    def _compared(self) -> Metric:
        """A metric with the same order that is shorter to write."""
        return "squared" if self.metric == "euclidean" else self.metric

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output."""
        metric = self._compared()
        found = [distance_size(sizes, row, metric) for row in self.prototypes.tolist()]
        if self.count == 1:
            return [winner_size(found)] * self.outputs
        m = len(found)
        if m == self.count:
            near = [1] * m
        else:
            # Each is compared with each other; the count is compared with the limit.
            near = [sum_size([a + b + 3 for j, b in enumerate(found) if j != i]) + 4
                    for i, a in enumerate(found)]  # fmt: skip
        return [linear_size(column, near, 0.0) + 2 for column in self.values.T.tolist()]

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """The value of the nearest; of several, each counts where few enough are nearer.

        Refused for weights by distance of more than one.
        """
        if self.weights == "distance" and self.count > 1:
            raise FormulaError(
                "neighbours weighed by their distance are not written out as a formula.",
                where="chain step `Nearest`",
                hint="export the closed form as it is.",
            )
        refuse_growth(self, x)
        metric = self._compared()
        found = [distance_tree(x, row, metric) for row in self.prototypes.tolist()]
        columns = self.values.T.tolist()
        if self.count == 1:
            return [winner(found, column, largest=False) for column in columns]
        near = [self._counts(i, found) for i in range(len(found))]
        return [divided(linear(column, near, 0.0), float(self.count)) for column in columns]

    def _counts(self, i: int, found: Sequence[Node]) -> Node:
        """1 where prototype i is among the nearest, else 0."""
        if len(found) == self.count:
            return Number(1.0)
        nearer: list[Node] = []
        for j, other in enumerate(found):
            if j < i:  # of equals the first: it is nearer unless i is below it
                nearer.append(call("ifless", found[i], other, Number(0.0), Number(1.0)))
            elif j > i:
                nearer.append(call("ifless", other, found[i], Number(1.0), Number(0.0)))
        return call("ifless", total(nearer), Number(self.count - 0.5), Number(1.0), Number(0.0))


def _nearest(found: Reals, count: int) -> npt.NDArray[np.int64]:
    """The numbers (b, count) of the smallest in each row (b, m), nearest first, ties in order."""
    ranked = np.where(np.isnan(found), np.inf, found)
    limit = np.partition(ranked, count - 1, axis=1)[:, count - 1 : count]
    below = ranked < limit
    equal = ranked == limit
    free = count - below.sum(axis=1, keepdims=True)
    chosen = below | (equal & (np.cumsum(equal, axis=1) <= free))
    best = np.nonzero(chosen)[1].reshape(len(found), count)
    order = np.argsort(np.take_along_axis(ranked, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)
