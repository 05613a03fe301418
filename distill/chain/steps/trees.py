"""Decision trees, forests and boosted trees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import get_args

import numpy as np

from distill.arrays import Array, Flags
from distill.chain.arithmetic import Reals, computed, rounded
from distill.chain.base import Real
from distill.chain.checks import (
    Whole,
    check_choice,
    check_count,
    keep_flags,
    keep_numbers,
    keep_whole,
    wrong,
)
from distill.chain.cuts import Goes, cuts
from distill.chain.terms import refuse_growth
from distill.formula.tree import Node, Number, add, call, mul, total


def _no_flags() -> Flags:
    return np.zeros(0, dtype=bool)


@dataclass(frozen=True, eq=False)
class Trees:
    """The sum of the leaves that a point falls into, times ``scale``, plus ``bias``.

    In C: ``s = 0``, then ``s = s + leaf`` for each tree in the order of ``roots``, then
    ``s*scale + bias``, or ``s/scale + bias`` where ``divide``; each operation rounded. A point goes
    left at a node where ``x <= cut`` with the cut that :meth:`cuts` gives for the arithmetic, which
    decides every x of the arithmetic as ``goes`` does. A NaN goes right, or left where ``missing``.

    A bias that comes first in a model's sum is a tree of one leaf, the first of the roots.

    Attributes
    ----------
    inputs : how many inputs there are, whether or not a tree asks for them.
    roots : (trees,), the node that each tree starts at.
    feature, left, right : (nodes,); a node whose ``left`` is negative is a leaf, and its ``right``
        is a row of ``leaves``. Children stand behind their parents.
    threshold : (nodes,), meaning what ``goes`` says; infinity for all numbers to the left.
    leaves : (rows, k).
    scale, bias : (k,). The sum over the trees is made in the order of ``roots``.
    missing : (nodes,), where a NaN goes left; left out, it always goes right.
    divide : whether the sum is divided by ``scale`` and not multiplied.

    Raises
    ------
    FormulaError : for arrays that describe no such trees.
    """

    inputs: int
    roots: Whole
    feature: Whole
    threshold: Array
    left: Whole
    right: Whole
    leaves: Array
    scale: Array
    bias: Array
    goes: Goes = "float32_at_most"
    missing: Flags = field(default_factory=_no_flags)
    divide: bool = False

    def __post_init__(self) -> None:
        check_count(self, "inputs")
        check_choice(self, "goes", get_args(Goes))
        keep_whole(self, "left", (-1,))
        nodes = (len(self.left),)
        keep_whole(self, "roots", (-1,), 0, len(self.left))
        keep_whole(self, "feature", nodes)
        keep_whole(self, "right", nodes, 0)
        keep_numbers(self, "leaves", (-1, -1))
        keep_numbers(self, "scale", (self.leaves.shape[1],))
        keep_numbers(self, "bias", (self.leaves.shape[1],))
        if not len(self.missing):
            object.__setattr__(self, "missing", np.zeros(nodes, dtype=bool))
        keep_flags(self, "missing", nodes)
        if np.shape(self.threshold) == nodes:
            # What stands at a leaf means nothing; models fill it with anything.
            object.__setattr__(self, "threshold", np.where(self.left < 0, 0.0, self.threshold))
        keep_numbers(self, "threshold", nodes, infinite=True)
        if not len(self.roots) or not self.leaves.size:
            raise wrong(self, "it has no tree, or no leaf.")
        if self.divide and not self.scale.all():
            raise wrong(self, "`scale` divides and holds a 0.")
        self._check_nodes()

    def _check_nodes(self) -> None:
        split = self.splits
        children = np.concatenate([self.left[split], self.right[split]])
        if ((children <= np.tile(split, 2)) | (children >= len(self.left))).any():
            raise wrong(
                self,
                "a child stands before its parent, or is no node.",
                "number the nodes of each tree from its root, parents before their children.",
            )
        if len(np.unique(np.concatenate([children, self.roots]))) < len(children) + len(
            np.unique(self.roots)
        ):
            raise wrong(self, "a node is the child of two nodes, or of one and a root.")
        features = self.feature[split]
        if ((features < 0) | (features >= self.inputs)).any():
            raise wrong(self, f"a node asks for an input outside 0 to {self.inputs - 1}.")
        if (self.right[self.left < 0] >= len(self.leaves)).any():
            raise wrong(self, "a leaf points behind the last row of `leaves`.")
        lowest = self.threshold[split]
        if self.goes == "float32_below":
            lowest = rounded(lowest, "float32").astype(np.float64)
        if np.isneginf(lowest).any():
            raise wrong(self, "a threshold is minus infinity.", "put the right child in its place.")

    @property
    def outputs(self) -> int:
        """Columns of the leaves."""
        return int(self.leaves.shape[1])

    @cached_property
    def splits(self) -> Whole:
        """The numbers of the nodes that are no leaves."""
        return np.flatnonzero(self.left >= 0)

    @cached_property
    def depths(self) -> Whole:
        """(trees,): how many questions the longest path of each tree asks."""
        depths = np.zeros(len(self.roots), dtype=np.int64)
        at, tree = self.roots, np.arange(len(self.roots))
        while True:
            inner = self.left[at] >= 0
            at, tree = at[inner], tree[inner]
            if not len(at):
                return depths
            depths[np.unique(tree)] += 1
            at = np.concatenate([self.left[at], self.right[at]])
            tree = np.concatenate([tree, tree])

    @property
    def stored(self) -> int:
        """A feature, a threshold and two places for each split, and the leaves."""
        return 4 * len(self.splits) + self.leaves.size + 2 * self.outputs

    @property
    def operations(self) -> int:
        """The comparisons of the longest paths, and the sums."""
        return int(self.depths.sum()) + (len(self.roots) + 2) * self.outputs

    def cuts(self, real: Real) -> Reals:
        """(nodes,): ``x <= cut`` for every x of the arithmetic exactly where x goes left.

        At leaves they mean nothing.
        """
        return cuts(self.threshold, self.goes, real)

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, k) at x (n, inputs)."""
        limits = self.cuts(real)
        leaves, scale = rounded(self.leaves, real), rounded(self.scale, real)[:, None]
        bias = rounded(self.bias, real)[:, None]
        itself = np.arange(len(self.left))
        leaf = self.left < 0
        feature = np.where(leaf, 0, self.feature)
        # A leaf leads to itself: all points walk as far as the longest path.
        children = np.where(leaf, itself, [self.right, self.left]).T.reshape(-1)
        anywhere = bool(self.missing.any())

        def kernel(columns: Reals) -> Reals:
            points = columns.shape[1]
            values, place = columns.reshape(-1), np.arange(points)
            sums = np.zeros((self.outputs, points), dtype=columns.dtype)
            for root, depth in zip(self.roots, self.depths, strict=True):
                at = np.full(points, root)
                for _ in range(depth):
                    value = values[feature[at] * points + place]
                    left = value <= limits[at]
                    if anywhere:
                        left |= np.isnan(value) & self.missing[at]
                    at = children[2 * at + left]
                sums += leaves[self.right[at]].T
            scaled: Reals = sums / scale if self.divide else sums * scale
            return scaled + bias

        return computed(kernel, x, real, inputs=self.inputs, outputs=self.outputs)

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output: one condition for each split."""
        grown = []
        asked = np.bincount(self.feature[self.splits], minlength=self.inputs).tolist()
        used = sum(count * (size + 2) for count, size in zip(asked, sizes, strict=True))
        every = used + len(self.splits) + len(self.roots) + len(self.roots) - 1
        for scale, bias in zip(self.scale, self.bias, strict=True):
            grown.append(every + 2 * bool(scale != 1) + 2 * bool(bias))
        return grown

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """A condition for each split that matters, the scale and the bias at the end.

        Right for every float64 input; what NaNs do is left out, because domains have none.
        """
        refuse_growth(self, x)
        limits = self.cuts("double")
        factors = 1 / self.scale if self.divide else self.scale
        trees: list[Node] = []
        for k in range(self.outputs):
            sums = total(self._trees(x, limits, self.leaves[:, k]))
            if self.scale[k] != 1:
                sums = mul(Number(float(factors[k])), sums)
            trees.append(add(sums, Number(float(self.bias[k]))) if self.bias[k] else sums)
        return trees

    def _trees(self, x: Sequence[Node], limits: Reals, values: Array) -> list[Node]:
        """One output of each tree, built from the last node to the first."""
        nodes: dict[int, Node] = {}
        for i in reversed(range(len(self.left))):
            if self.left[i] < 0:
                nodes[i] = Number(float(values[self.right[i]]))
                continue
            left, right = nodes.pop(int(self.left[i])), nodes.pop(int(self.right[i]))
            if left == right or np.isposinf(limits[i]):
                nodes[i] = left
                continue
            cut = Number(float(limits[i]))
            nodes[i] = call("ifless", cut, x[self.feature[i]], right, left)
        return [nodes[root] for root in self.roots.tolist()]
