"""Walking a tree of boxes: its leaves cover the domain, whatever the tree says.

An entry of a tree in preorder is -1, a leaf; -2, a leaf on the other side of the guard; k, a split
along axis k in the middle, which both parts hold; or [k, c], a split at c, after which the next
float64 number (of whole numbers the next one) begins. Between c and that lies no input.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from distill.arrays import Array
from distill.checking.fields import damaged, number
from distill.checking.leaf import Box
from distill.domain import Domain

LEAF = -1
ELSEWHERE = -2

Split = int | tuple[int, float]


def read_splits(data: object, inputs: int, where: str) -> tuple[Split, ...]:
    """Read a tree; whether it is one shows when it is walked.

    Raises
    ------
    CertificateError : for entries that are none.
    """
    if not isinstance(data, list) or not data:
        raise damaged(where, "`splits` is not a list of entries")
    found: list[Split] = []
    for entry in data:
        if isinstance(entry, int) and not isinstance(entry, bool) and -2 <= entry < inputs:
            found.append(entry)
            continue
        if not isinstance(entry, list) or len(entry) != 2:
            raise damaged(where, f"`{str(entry)[:40]}` is no entry of a tree of boxes")
        axis, cut = entry
        if isinstance(axis, bool) or not isinstance(axis, int) or not 0 <= axis < inputs:
            raise damaged(where, f"`{str(entry)[:40]}` splits along no input")
        found.append((axis, number(cut, where)))
    return tuple(found)


def leaves(splits: Sequence[Split], domain: Domain, where: str) -> Iterator[tuple[Box, bool]]:
    """The leaves in order, and whether each is said to lie on the other side of the guard.

    Raises
    ------
    CertificateError : when the tree ends early, is too long, or splits where nothing is to split.
    """
    discrete = [variable.discrete for variable in domain.variables]
    waiting: list[Box] = [(tuple(domain.low.tolist()), tuple(domain.high.tolist()))]
    for at, entry in enumerate(splits):
        if not waiting:
            raise damaged(where, f"the tree of boxes ends after {at} of {len(splits)} entries")
        low, high = waiting.pop()
        if isinstance(entry, int) and entry < 0:
            yield (low, high), entry == ELSEWHERE
            continue
        if isinstance(entry, int):
            axis = entry
            left = right = low[axis] + (high[axis] - low[axis]) / 2
            if discrete[axis]:
                raise damaged(where, f"entry {at} halves whole numbers without saying where")
        else:
            axis, left = entry
            if discrete[axis] and not left.is_integer():
                raise damaged(where, f"entry {at} splits whole numbers between two of them")
            right = left + 1 if discrete[axis] else math.nextafter(left, math.inf)
        if not (low[axis] <= left and right <= high[axis]):
            raise damaged(where, f"entry {at} splits a box outside of it")
        waiting.append(((*low[:axis], right, *low[axis + 1 :]), high))
        waiting.append((low, (*high[:axis], left, *high[axis + 1 :])))
    if waiting:
        raise damaged(where, f"the tree of boxes ends early: {len(waiting)} boxes are not in it")


@dataclass(frozen=True, eq=False)
class Guard:
    """Where the table answers: boxes low, high (m, d), faces included.

    Nearer to a face than ``margin`` (d,) either side may answer, because the C rounds on the way
    to its decision; the faces of the domain are none. Sums with the margin are those of float64.
    """

    domain: Domain
    low: Array
    high: Array
    margin: Array

    @cached_property
    def _discrete(self) -> list[bool]:
        return [variable.discrete for variable in self.domain.variables]

    def surely_outside(self, box: Box) -> bool:
        """Whether the formula alone answers on the whole box."""
        low, high, m = np.array(box[0]), np.array(box[1]), self.margin
        behind = np.where(m > 0, low >= self.high + m, low > self.high)
        return bool((behind | (high < self.low - m)).any(axis=1).all())

    def surely_inside(self, box: Box) -> bool:
        """Whether the table alone answers on the whole box: with its margin, guard covers it."""
        low, high = np.array(box[0]), np.array(box[1])
        for i, m in enumerate(self.margin.tolist()):
            if not m:
                continue
            faces = np.concatenate([self.low[:, i], self.high[:, i]])
            below, above = faces[faces + m <= low[i]], faces[faces - m > high[i]]
            low[i] = max(low[i] - m, below.max(initial=self.domain.low[i]))
            high[i] = min(high[i] + m, above.min(initial=self.domain.high[i]))
        near = ((self.low <= high) & (self.high >= low)).all(axis=1)
        left = [(low.tolist(), high.tolist())]
        for guard_low, guard_high in zip(
            self.low[near].tolist(), self.high[near].tolist(), strict=True
        ):
            left = [part for piece in left for part in self._without(piece, guard_low, guard_high)]
            if not left:
                return True
        return False

    def _without(
        self, box: tuple[list[float], list[float]], low: list[float], high: list[float]
    ) -> list[tuple[list[float], list[float]]]:
        """What is left of a box outside another, as boxes; no input lies between two neighbours."""
        box_low, box_high = list(box[0]), list(box[1])
        if any(b < x or y < a for a, b, x, y in zip(box_low, box_high, low, high, strict=True)):
            return [box]
        left = []
        for i, discrete in enumerate(self._discrete):
            before = low[i] - 1 if discrete else math.nextafter(low[i], -math.inf)
            behind = high[i] + 1 if discrete else math.nextafter(high[i], math.inf)
            if box_low[i] <= before:
                left.append((list(box_low), [*box_high[:i], before, *box_high[i + 1 :]]))
                box_low[i] = low[i]
            if box_high[i] >= behind:
                left.append(([*box_low[:i], behind, *box_low[i + 1 :]], list(box_high)))
                box_high[i] = high[i]
        return left
