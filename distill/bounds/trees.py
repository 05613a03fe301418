"""Trees over boxes: the lowest and highest value of their sum, and where a box is best split.

A box goes down a tree to every leaf that one of its points can reach. Where it reaches one leaf of
each tree the sum is constant there, so that splitting at the trees' own thresholds ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.chain.checks import Whole
from distill.chain.steps.trees import Trees

_PAIRS = 2**18
"""Pairs of a box and a node that go down together; more wait their turn."""

_EPS = float(np.finfo(np.float64).eps)
_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees made ready for boxes.

    Attributes
    ----------
    trees : what they are.
    limits : (nodes,), the cuts that decide every float64; infinity at leaves.
    jumps : (nodes,), how far the mean leaf left of a split is from that right of it, in 2^-30 of
        the farthest; 1 at least. Whole, so that their sums do not depend on their order.
    """

    trees: Trees
    limits: Array
    jumps: Whole

    @staticmethod
    @lru_cache(maxsize=8)
    def of(trees: Trees) -> Forest:
        """The trees, with their cuts in double and the weights of their splits."""
        limits = np.where(trees.left < 0, np.inf, trees.cuts("double"))
        jumps = _jumps(trees)
        share = np.rint(jumps / max(float(jumps.max()), _TINY) * 2**30)
        return Forest(trees, limits, np.maximum(share, 1).astype(np.int64))

    def ranges(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Bounds (k, n) of every output over the boxes low to high, each (d, n).

        No real sum of leaves that a float64 of the box reaches lies outside, and of one tree the
        bounds are reached, but where a split repeats what one above it has decided. Boxes may be
        infinite; an end that is no number counts as infinite.
        """
        low, high = _sided(low, high)
        outputs, count = self.trees.outputs, low.shape[1]
        answers = np.empty((2, outputs, count))
        step = max(1, _PAIRS // len(self.trees.roots))
        for start in range(0, count, step):
            part = slice(start, start + step)
            answers[:, :, part] = self._sums(low[:, part], high[:, part])
        return answers[0], answers[1]

    def cuts(self, low: Array, high: Array) -> tuple[Array, Whole]:
        """Where to split boxes along each axis, and how much hangs on it: each (d, n).

        For each tree the first split whose cut lies in the box counts, as much as its two sides
        differ; along each axis the weighted median of these cuts is taken. A cut c leaves
        [low, c] and what is above c; NaN and weight 0 where no tree asks.
        """
        low, high = _sided(low, high)
        width, count = low.shape
        cuts = np.full(width * count, np.nan)
        weights = np.zeros(width * count, dtype=np.int64)
        step = max(1, _PAIRS // len(self.trees.roots))
        for start in range(0, count, step):
            part = slice(start, start + step)
            box, node = self._undecided(low[:, part], high[:, part])
            place = self.trees.feature[node] * count + box + start
            at, cut, weight = _medians(place, self.limits[node], self.jumps[node])
            cuts[at], weights[at] = cut, weight
        return cuts.reshape(width, count), weights.reshape(width, count)

    def _sums(self, low: Array, high: Array) -> Array:
        """Bounds (2, k, n) of the outputs."""
        trees, count = len(self.trees.roots), low.shape[1]
        ends = np.empty((2, self.trees.outputs, count, trees))
        ends[0], ends[1] = np.inf, -np.inf
        flat = ends.reshape(2, self.trees.outputs, -1)
        slots = np.arange(count * trees)
        waiting = [(slots, np.tile(self.trees.roots, count))]
        while waiting:
            slot, node = waiting.pop()
            if len(slot) > _PAIRS:
                half = len(slot) // 2
                waiting += [(slot[:half], node[:half]), (slot[half:], node[half:])]
                continue
            leaf = self.trees.left[node] < 0
            if leaf.any():
                reached, values = slot[leaf], self.trees.leaves[self.trees.right[node[leaf]]].T
                for k in range(self.trees.outputs):
                    np.minimum.at(flat[0, k], reached, values[k])
                    np.maximum.at(flat[1, k], reached, values[k])
                slot, node = slot[~leaf], node[~leaf]
            if len(slot):
                left, right = self._sides(low, high, slot // trees, node)
                waiting.append(
                    (
                        np.concatenate([slot[left], slot[right]]),
                        np.concatenate(
                            [self.trees.left[node[left]], self.trees.right[node[right]]]
                        ),
                    )
                )
        return self._scaled(ends)

    def _sides(
        self, low: Array, high: Array, box: Whole, node: Whole
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Whether some point of each box goes left, and right, at the node."""
        place = self.trees.feature[node] * low.shape[1] + box
        limit = self.limits[node]
        return low.reshape(-1)[place] <= limit, high.reshape(-1)[place] > limit

    def _scaled(self, ends: Array) -> Array:
        """The sums over the trees (last axis), scaled and shifted, rounded outwards."""
        trees = self.trees
        sums, size = ends.sum(axis=-1), np.abs(ends).sum(axis=-1)
        scale, bias = trees.scale[:, None], trees.bias[:, None]
        with np.errstate(over="ignore", invalid="ignore"):
            factor = 1 / np.abs(scale) if trees.divide else np.abs(scale)
            scaled = sums / scale if trees.divide else sums * scale
            error = size * factor * (ends.shape[-1] + 4) + np.abs(scaled) + np.abs(bias)
            error = 4 * _EPS * error + _TINY
            answers = np.stack(
                [
                    scaled.min(axis=0) + bias - error.max(axis=0),
                    scaled.max(axis=0) + bias + error.max(axis=0),
                ]
            )
        answers[0][~np.isfinite(answers[0])] = -np.inf
        answers[1][~np.isfinite(answers[1])] = np.inf
        return answers

    def _undecided(self, low: Array, high: Array) -> tuple[Whole, Whole]:
        """For each box and tree the first node that the box does not lie on one side of."""
        trees, count = self.trees, low.shape[1]
        box, node = np.repeat(np.arange(count), len(trees.roots)), np.tile(trees.roots, count)
        boxes, nodes = [], []
        while len(box):
            inner = trees.left[node] >= 0
            box, node = box[inner], node[inner]
            left, right = self._sides(low, high, box, node)
            both = left & right
            boxes.append(box[both])
            nodes.append(node[both])
            box, node, left = box[~both], node[~both], left[~both]
            node = np.where(left, trees.left[node], trees.right[node])
        return np.concatenate(boxes), np.concatenate(nodes)


def _sided(low: Array, high: Array) -> tuple[Array, Array]:
    return np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)


def _jumps(trees: Trees) -> Array:
    """The largest difference, over the outputs, of the mean leaves on both sides of each split."""
    sums = np.zeros((len(trees.left), trees.outputs))
    counts = np.zeros(len(trees.left))
    leaf = trees.left < 0
    with np.errstate(divide="ignore"):
        factor = np.abs(1 / trees.scale if trees.divide else trees.scale)
    sums[leaf] = trees.leaves[trees.right[leaf]] * factor
    counts[leaf] = 1
    jumps = np.zeros(len(trees.left))
    for nodes in reversed(_levels(trees)):
        left, right = trees.left[nodes], trees.right[nodes]
        means = [sums[side] / counts[side][:, None] for side in (left, right)]
        jumps[nodes] = np.abs(means[0] - means[1]).max(axis=1)
        sums[nodes], counts[nodes] = sums[left] + sums[right], counts[left] + counts[right]
    return jumps


def _levels(trees: Trees) -> list[Whole]:
    """The splits of all trees that as many questions lead to, from the roots on."""
    levels = []
    at = np.unique(trees.roots)
    while len(at := at[trees.left[at] >= 0]):
        levels.append(at)
        at = np.concatenate([trees.left[at], trees.right[at]])
    return levels


def _medians(place: Whole, cut: Array, weight: Whole) -> tuple[Whole, Array, Whole]:
    """For each place that occurs: it, the weighted median of its cuts, the weights' sum."""
    order = np.lexsort((cut, place))
    place, cut = place[order], cut[order]
    total = np.concatenate([[0], np.cumsum(weight[order])])
    first = np.flatnonzero(np.diff(place, prepend=-1))
    last = np.append(first[1:], len(place))
    half = (total[first] + total[last] + 1) // 2
    middle = np.searchsorted(total, half, side="left") - 1
    return place[first], cut[middle], total[last] - total[first]
