"""A function that counts on one side of a guard only, and the tree that proves it there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array, Flags
from distill.bounds.base import Enclosable
from distill.bounds.boxes import Boxes
from distill.bounds.enclosure import Enclosure, pairs
from distill.bounds.partition import Split
from distill.domain import Domain
from distill.proving.region import Region

ELSEWHERE = -2
"""In a tree of boxes: a leaf that lies wholly on the other side of the guard."""

FIRST = 1e100
"""Blame that makes a box be split at the guard before anywhere else."""


@dataclass(frozen=True)
class OneSide:
    """The function where the table may answer, or where the formula may; 0 elsewhere.

    Boxes that the guard divides are bounded as a whole, and split at the guard where that is not
    good enough. An ``Enclosable``.
    """

    function: Enclosable
    region: Region
    table: bool

    @property
    def inputs(self) -> int:
        """D."""
        return self.function.inputs

    def __call__(self, x: Array) -> Array:
        """Values (n,) at x (n, d): 0 where the other side answers."""
        here = self.region.guard(x) == self.table
        values = np.zeros(len(x))
        if here.any():
            values[here] = self.function(x[here])
        return values

    def elsewhere(self, boxes: Boxes) -> Flags:
        """Which boxes lie wholly on the other side, and in one box of the guard, (n,)."""
        whole, some = self.region.guarded(boxes)
        return ~some if self.table else whole & self.region.inside_one(boxes)

    def enclose(self, boxes: Boxes) -> Enclosure:
        """The function's band, and nothing on the other side."""
        here = np.flatnonzero(~self.elsewhere(boxes))
        d, n = self.inputs, boxes.count
        if not len(here):
            none = np.zeros(n)
            rows = np.zeros((d, n))
            return Enclosure(none, rows, np.zeros((len(pairs(d)), n)), none, none, rows)
        band = self.function.enclose(boxes.take(here))
        blame = band.blame.copy()
        for at, cut in self._divided(boxes.take(here)):
            blame[cut[0], at] = FIRST

        def spread(rows: Array, shape: tuple[int, ...]) -> Array:
            whole = np.zeros(shape)
            whole[..., here] = rows
            return whole

        return Enclosure(
            spread(band.centre, (n,)),
            spread(band.slope, (d, n)),
            spread(band.curve, (len(pairs(d)), n)),
            spread(band.low, (n,)),
            spread(band.high, (n,)),
            spread(blame, (d, n)),
        )

    def cuts(self, boxes: Boxes) -> Array:
        """At the guard first; then where the function is best split."""
        own = self.function.cuts(boxes)
        cuts = np.full((self.inputs, boxes.count), np.nan) if own is None else own.copy()
        for at, (axis, place) in self._divided(boxes):
            cuts[axis, at] = place
        return cuts

    def _divided(self, boxes: Boxes) -> Iterator[tuple[int, tuple[int, float]]]:
        """The boxes that the guard divides, and where each is best split."""
        whole, some = self.region.guarded(boxes)
        # Guarded throughout, but by more than one box of the guard.
        apart = np.zeros_like(whole) if self.table else whole & ~self.region.inside_one(boxes)
        for at in np.flatnonzero((some & ~whole) | apart):
            cut = self.region.cut(boxes.low[:, at], boxes.high[:, at])
            if cut is not None:
                yield int(at), cut


def marked(splits: Sequence[Split], domain: Domain, side: OneSide) -> tuple[Split, ...]:
    """The tree with those leaves told apart that lie on the other side."""
    leaves, boxes = walked(splits, domain)
    marks = list(splits)
    for at in np.array(leaves)[side.elsewhere(boxes)]:
        marks[at] = ELSEWHERE
    return tuple(marks)


def walked(splits: Sequence[Split], domain: Domain) -> tuple[list[int], Boxes]:
    """Which entries of a tree in preorder are leaves, and their boxes in the same order."""
    whole = [v.discrete for v in domain.variables]
    leaves: list[int] = []
    lows: list[list[float]] = []
    highs: list[list[float]] = []
    stack = [(domain.low.tolist(), domain.high.tolist())]
    for at, entry in enumerate(splits):
        low, high = stack.pop()
        if isinstance(entry, int) and entry < 0:
            leaves.append(at)
            lows.append(low)
            highs.append(high)
            continue
        if isinstance(entry, int):
            axis, below = entry, low[entry] + (high[entry] - low[entry]) / 2
            above = below
        else:
            axis, below = entry
            above = below + 1 if whole[axis] else float(np.nextafter(below, np.inf))
        stack.append(([*low[:axis], above, *low[axis + 1 :]], high))
        stack.append((low, [*high[:axis], below, *high[axis + 1 :]]))
    return leaves, Boxes(np.array(lows).T, np.array(highs).T)
