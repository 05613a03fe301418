"""The domain cut into boxes, as a tree, with a bound for each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.bounds.boxes import Boxes
from distill.domain import Domain

Split = int | tuple[int, float]
"""An entry of a tree of boxes in preorder: -1 a leaf; k: split along axis k in the middle,
``low + (high - low) / 2`` in float64, which both parts hold; (k, c): split along axis k at c, the
part below holds c, the part above begins with the next float, or the next whole number."""

_LEAF = -1
_MIDDLE = np.nan


class Partition:
    """Boxes, of which those without children cover the domain.

    Arrays of all boxes ever made grow as they are needed; ``bounded`` counts those that were
    looked at, and a box that was not has its parent's bound.
    """

    def __init__(self, domain: Domain) -> None:
        d = len(domain)
        self.discrete = np.array([v.discrete for v in domain.variables])
        self._low, self._high = np.empty((d, 1024)), np.empty((d, 1024))
        self._bound = np.full(1024, np.inf)
        self._axis = np.full(1024, _LEAF, dtype=np.int64)
        self._cut = np.full(1024, _MIDDLE)
        self._child = np.zeros(1024, dtype=np.int64)
        self._low[:, 0], self._high[:, 0] = domain.low, domain.high
        self._made = 1
        self._open: npt.NDArray[np.int64] = np.zeros(1, dtype=np.int64)
        self._done = -np.inf
        self.bounded = 0

    @property
    def waiting(self) -> int:
        """How many boxes may still be looked at."""
        return len(self._open)

    @property
    def highest_bound(self) -> float:
        """The highest bound of all boxes: one for the whole domain."""
        return float(max(self._done, self._bound[self._open].max(initial=-np.inf)))

    def highest(self, above: float, count: int) -> npt.NDArray[np.int64]:
        """The numbers of waiting boxes with bounds above a size, the ``count`` highest."""
        if count < 1:
            return self._open[:0]
        bounds = self._bound[self._open]
        worth = np.flatnonzero(bounds > above)
        if len(worth) > count:
            worth = worth[np.argpartition(-bounds[worth], count - 1)[:count]]
        chosen = self._open[worth]
        left = np.ones(len(self._open), dtype=bool)
        left[worth] = False
        self._open = self._open[left]
        return chosen[np.argsort(chosen)]

    def boxes(self, chosen: npt.NDArray[np.int64]) -> Boxes:
        """The boxes of these numbers."""
        return Boxes(self._low[:, chosen], self._high[:, chosen])

    def bound(self, chosen: npt.NDArray[np.int64], bounds: Array) -> None:
        """Boxes were looked at; a bound never grows."""
        self._bound[chosen] = np.minimum(self._bound[chosen], bounds)
        self.bounded += len(chosen)

    def split(
        self, chosen: npt.NDArray[np.int64], scores: Array, cuts: Array | None, wanted: float
    ) -> None:
        """Those of the boxes whose bound is above ``wanted`` are split along their best axis.

        ``scores`` (d, n) say how good each axis is, ``cuts`` (d, n) where it is cut. What cannot
        be split any more is done with.
        """
        low, high = self._low[:, chosen], self._high[:, chosen]
        middle = np.where(
            self.discrete[:, None], np.floor((low + high) / 2), low + (high - low) / 2
        )
        inside = (low < middle) & (middle < high)
        whole = self.discrete[:, None] & (low < high)
        at = np.full(low.shape, _MIDDLE)
        if cuts is not None:
            at = np.where((low <= cuts) & (cuts < high), cuts, at)
        at = np.where(whole, middle, at)
        possible = inside | whole | ~np.isnan(at)
        scores = np.where(possible, scores, -1.0)
        axis = scores.argmax(axis=0)
        rows = np.arange(len(chosen))
        high_enough = self._bound[chosen] > wanted
        able = possible[axis, rows]
        if (high_enough & ~able).any():
            self._done = max(self._done, float(self._bound[chosen[high_enough & ~able]].max()))
        # Below what is wanted now may be above it never again: sizes found only grow.
        if (~high_enough).any():
            self._done = max(self._done, float(self._bound[chosen[~high_enough]].max()))
        self._halve(chosen, rows[high_enough & able], axis, at[axis, rows], middle[axis, rows])

    def _halve(
        self,
        chosen: npt.NDArray[np.int64],
        rows: npt.NDArray[np.int64],
        axis: npt.NDArray[np.int64],
        cut: Array,
        middle: Array,
    ) -> None:
        parents, axis, cut, middle = chosen[rows], axis[rows], cut[rows], middle[rows]
        self._grow(2 * len(parents))
        first = self._made + 2 * np.arange(len(parents))
        second = first + 1
        plain = np.isnan(cut)
        below = np.where(plain, middle, cut)
        above = np.where(
            plain, middle, np.where(self.discrete[axis], cut + 1, np.nextafter(cut, np.inf))
        )
        for children in (first, second):
            self._low[:, children] = self._low[:, parents]
            self._high[:, children] = self._high[:, parents]
            self._bound[children] = self._bound[parents]
        self._high[axis, first] = below
        self._low[axis, second] = above
        self._axis[parents], self._cut[parents], self._child[parents] = axis, cut, first
        self._made += 2 * len(parents)
        self._open = np.concatenate([self._open, first, second])

    def _grow(self, more: int) -> None:
        size = len(self._bound)
        if self._made + more <= size:
            return
        extra = max(size, more)
        wider = ((0, 0), (0, extra))
        self._low, self._high = np.pad(self._low, wider), np.pad(self._high, wider)
        self._bound = np.pad(self._bound, (0, extra), constant_values=np.inf)
        self._axis = np.pad(self._axis, (0, extra), constant_values=_LEAF)
        self._cut = np.pad(self._cut, (0, extra), constant_values=_MIDDLE)
        self._child = np.pad(self._child, (0, extra))

    def splits(self) -> tuple[Split, ...]:
        """The tree in preorder, the part below first."""
        axis, cut = self._axis[: self._made].tolist(), self._cut[: self._made].tolist()
        child = self._child[: self._made].tolist()
        entries: list[Split] = []
        stack = [0]
        while stack:
            at = stack.pop()
            entries.append(axis[at] if cut[at] != cut[at] else (axis[at], cut[at]))
            if axis[at] != _LEAF:
                stack += [child[at] + 1, child[at]]
        return tuple(entries)

    def worst(self, count: int) -> Array:
        """(m, d): the middles of the boxes without children that have the highest bounds."""
        leaves = np.flatnonzero(self._axis[: self._made] == _LEAF)
        best = leaves[np.argsort(-self._bound[leaves], kind="stable")[:count]]
        return Boxes(self._low[:, best], self._high[:, best]).middle.T
