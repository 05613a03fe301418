"""Steps that are constant in cells: trees, and functions of whole numbers turned into trees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.bounds.builder import Builder
from distill.bounds.form import Form
from distill.bounds.jets import Range
from distill.bounds.steps.ranged import Ranged
from distill.bounds.trees import Forest
from distill.chain.checks import Whole
from distill.chain.steps.logic import Logic
from distill.chain.steps.packed import Packed
from distill.chain.steps.trees import Trees


@dataclass(frozen=True, eq=False)
class Cells:
    """Trees by the leaves that a box can reach."""

    forest: Forest

    def ranges(self, form: Form) -> Range:
        """The sums of the lowest and highest leaves."""
        return self.forest.ranges(form.least, form.most)

    def aims(self, form: Form) -> Array:
        """As much as hangs on the splits by each input."""
        return self.forest.cuts(form.least, form.most)[1].astype(np.float64)


def make_trees(builder: Builder, source: int, step: Trees) -> int:
    """Ranges of leaves."""
    return builder.push(Ranged(source, Cells(Forest.of(step))), step.outputs)


def make_whole(builder: Builder, source: int, step: Logic | Packed) -> int:
    """A tree that splits between whole numbers until the answers are the same."""
    return make_trees(builder, source, tree_of(step))


def tree_of(step: Logic | Packed) -> Trees:
    """One tree with the answers of a function of whole numbers as its leaves.

    The points of its table stand in a row, the last input fastest. A cell is a stretch of them;
    level by level every cell of unequal answers is halved along the first input that varies in it.
    So there are at most two nodes for each point of a table that the step keeps small.
    """
    counts = step.highs - step.lows + 1
    strides = np.append(counts[::-1].cumprod()[::-1][1:], 1)
    values = step.evaluate(_points(step.lows, counts, strides), "double")
    levels, codes = np.unique(values, axis=0, return_inverse=True)
    codes = codes.reshape(-1)
    changed = np.concatenate([[0], np.cumsum(np.diff(codes) != 0)])
    start, stop = np.zeros(1, dtype=np.int64), np.array([len(codes)])
    columns: list[tuple[Whole, Array, Whole, Whole]] = []
    made = 1
    while len(start):
        leaf = changed[stop - 1] == changed[start]
        axis = (stop - start > strides[:, None]).argmax(axis=0)
        stride = strides[axis]
        middle = start + (stop - start) // stride // 2 * stride
        split = np.flatnonzero(~leaf)
        left = np.full(len(start), -1)
        left[split] = made + 2 * np.arange(len(split))
        right = np.where(leaf, codes[start], left + 1)
        coordinate = step.lows[axis] + middle // stride % counts[axis]
        columns.append((axis, np.where(leaf, 0.0, coordinate - 0.5), left, right))
        made += 2 * len(split)
        start, middle, stop = start[split], middle[split], stop[split]
        start = np.stack([start, middle], axis=1).reshape(-1)
        stop = np.stack([middle, stop], axis=1).reshape(-1)
    feature, threshold, left, right = (np.concatenate(part) for part in zip(*columns, strict=True))
    ones, zeros = np.ones(step.outputs), np.zeros(step.outputs)
    root = np.zeros(1, dtype=np.int64)
    return Trees(
        step.inputs, root, feature, threshold, left, right, levels, ones, zeros, goes="below"
    )


def _points(lows: Whole, counts: Whole, strides: Whole) -> Array:
    """All points of a table in the order of its rows, (rows, d)."""
    rows = np.arange(int(counts.prod()))[:, None]
    points: Array = (lows + rows // strides % counts).astype(float)
    return points
