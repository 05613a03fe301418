"""Trees made ready for C: only the splits that matter, every decision ``x <= cut``, leaves once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.chain.arithmetic import rounded
from distill.chain.base import Real
from distill.chain.steps.trees import Trees
from distill.firmware.graph import Arithmetic
from distill.firmware.input_code import order_of

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Forest:
    """Splits and leaves. What follows a split is ``rows + n`` for the split number n, or a leaf.

    Attributes
    ----------
    inputs : how many inputs there are.
    column : (m,), the input that each of the m splits asks for.
    cut : (m,), an input at most that large goes on to ``follows[:, 0]``: real numbers, or integers.
    missing : (m,), whether NaN goes there, too.
    follows : (m, 2), never back to an earlier split.
    roots : (trees,), where each tree starts, numbered as what follows.
    leaves : (rows, k), no two the same.
    """

    inputs: int
    column: Whole
    cut: npt.NDArray[Any]
    missing: npt.NDArray[np.bool_]
    follows: Whole
    roots: Whole
    leaves: npt.NDArray[Any]

    @property
    def rows(self) -> int:
        """How many leaves there are."""
        return len(self.leaves)

    @property
    def splits(self) -> int:
        """How many splits there are."""
        return len(self.column)


def forest_of(step: Trees, cuts: npt.NDArray[Any], leaves: npt.NDArray[Any]) -> Forest:
    """The forest of a step, with other cuts (nodes,) and leaves (rows, k).

    Splits between the same leaves on both sides decide nothing and are left out; so is what no
    root leads to.
    """
    left, right, roots = step.left, step.right, step.roots
    unique, row_of = _unique_rows(leaves)
    goes = _without_idle(left, right, row_of, len(unique))
    kept = _reached(goes, roots, left, right, len(unique))
    number = np.cumsum(kept) - 1
    ends = np.concatenate([goes[left[kept]], goes[right[kept]], goes[roots]])
    used = np.unique(ends[ends < len(unique)])
    row = np.zeros(len(unique), dtype=np.int64)
    row[used] = np.arange(len(used))
    is_row = ends < len(unique)
    ends[is_row] = row[ends[is_row]]
    ends[~is_row] = len(used) + number[ends[~is_row] - len(unique)]
    m = int(kept.sum())
    follows = np.stack([ends[:m], ends[m : 2 * m]], axis=1)
    return Forest(
        step.inputs,
        step.feature[kept],
        cuts[kept],
        step.missing[kept],
        follows,
        ends[2 * m :],
        unique[used],
    )


def real_forest(step: Trees, arithmetic: Arithmetic, *, ordered: bool) -> Forest:
    """The forest in float32 or double; ``ordered``: cuts are integers in the order of floats.

    The leaves of a single tree hold the answers themselves, scaled and moved.
    """
    real: Real = "double" if arithmetic == "double" else "float32"
    cuts, leaves = step.cuts(real), rounded(step.leaves, real)
    if len(step.roots) == 1:
        zero = leaves.dtype.type(0)
        scale = rounded(step.scale, real)
        sums = zero + leaves
        leaves = (sums / scale if step.divide else sums * scale) + rounded(step.bias, real)
    return forest_of(step, order_keys(cuts) if ordered else cuts, leaves)


def leaf_rows(forest: Forest, x: Array) -> Iterator[Whole]:
    """For each tree the rows (n,) of the leaves that points x (n, d) fall into."""
    points = np.arange(len(x))
    for root in forest.roots:
        at = np.full(len(x), root)
        while (inner := at >= forest.rows).any():
            split = at[inner] - forest.rows
            value = x[points[inner], forest.column[split]]
            first = (value <= forest.cut[split]) | (np.isnan(value) & forest.missing[split])
            at[inner] = forest.follows[split, np.where(first, 0, 1)]
        yield at


def _unique_rows(leaves: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Whole]:
    """The different rows, by their bits, in the order they first occur, and the row of each."""
    rows = np.ascontiguousarray(leaves)
    keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rows[first[order]], rank[inverse]


def _without_idle(left: Whole, right: Whole, row_of: Whole, rows: int) -> Whole:
    """Where each node leads: its leaf's row, or ``rows`` plus its number if it is a split."""
    is_leaf = left < 0
    goes = np.where(is_leaf, row_of[np.where(is_leaf, right, 0)], rows + np.arange(len(left)))
    found: list[int] = goes.tolist()
    splits = np.flatnonzero(~is_leaf)
    pairs = zip(splits.tolist(), left[splits].tolist(), right[splits].tolist(), strict=True)
    # Children stand behind their parents, so they are known first.
    for node, a, b in reversed(list(pairs)):
        if found[a] == found[b] and found[a] < rows:
            found[node] = found[a]
    return np.array(found, dtype=np.int64)


def _reached(
    goes: Whole, roots: Whole, left: Whole, right: Whole, rows: int
) -> npt.NDArray[np.bool_]:
    """Which splits (n,) a root leads to."""
    reached = np.zeros(len(goes), dtype=bool)
    at = goes[roots]
    while len(at := np.unique(at[at >= rows]) - rows):
        at = at[~reached[at]]
        reached[at] = True
        at = goes[np.concatenate([left[at], right[at]])]
    return reached


def order_keys(cut: npt.NDArray[Any]) -> Whole:
    """Cuts in float32 as integers in the order of the floats."""
    return np.array([order_of(value) for value in cut.tolist()], dtype=np.int64)
