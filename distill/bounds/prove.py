"""Branch and bound: how large a function can be anywhere on a domain, proven.

The domain is split into boxes, those with the highest bound first. A box is left alone when its
bound is near enough to the largest value found anywhere (Moore, Kearfott and Cloud, Introduction to
Interval Analysis, 2009, chapter 11). Stopped at any time, the highest bound of all boxes holds.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.bounds.base import Enclosable
from distill.bounds.boxes import Boxes
from distill.bounds.deadline import Deadline
from distill.bounds.enclosure import Enclosure, joined, pairs
from distill.bounds.partition import Partition, Split
from distill.domain import Domain

FIRST = 1024
"""Points at which large values are looked for before anything is proven."""

BATCH = (256, 8192)
"""Boxes that are bounded at once: a quarter of those waiting, within these limits."""

STARVED = 16.0
"""How many times wider than another an input of a box may be, both as parts of the domain."""

CLIMBED = 256
"""Boxes of a batch whose highest places are tried for a larger value."""


@dataclass(frozen=True)
class Limits:
    """When to stop.

    Attributes
    ----------
    ratio : the bound over the largest value found that is good enough; above 1.
    below : a bound that is good enough whatever was found.
    floor : bounds below it are not worth splitting for: what rounding leaves, say.
    seconds : the time it may take; None for any. Proofs that end by it are not reproducible.
    boxes : how many boxes may be bounded.
    workers : how many processes bound them. Bounds differ in the last places with their number.
    """

    ratio: float = 1.1
    below: float | None = None
    floor: float = 0.0
    seconds: float | None = None
    boxes: int = 200_000
    workers: int = 1


@dataclass(frozen=True, eq=False)
class Bound:
    """What is proven and what was found.

    Attributes
    ----------
    bound : on the whole domain the size is at most this; infinite where nothing is proven.
    found : the largest size found, at ``at`` (d,).
    boxes : how many boxes were bounded.
    splits : the tree of boxes in preorder; see :class:`distill.bounds.partition.Partition`.
    worst : (m, d), the middles of the boxes with the highest bounds, highest first.
    """

    bound: float
    found: float
    at: Array
    boxes: int
    splits: tuple[Split, ...]
    worst: Array

    @property
    def ratio(self) -> float:
        """The bound over what was found; 1 where both are 0."""
        if self.bound == 0:
            return 1.0
        return self.bound / self.found if self.found > 0 else np.inf

    @property
    def proven(self) -> bool:
        """Whether there is a bound at all."""
        return bool(np.isfinite(self.bound))


Tell = Callable[[float, float, int], None]
"""Is told the bound, the largest size found, and how many boxes were bounded."""


def prove(
    function: Enclosable,
    domain: Domain,
    limits: Limits | None = None,
    *,
    found: Array | None = None,
    tell: Tell | None = None,
) -> Bound:
    """Bound |function| on the domain.

    Parameters
    ----------
    found : points (m, d) of the domain to begin with, such as the worst known.
    """
    from threadpoolctl import threadpool_limits

    limits = limits or Limits()
    search = _Search(function, domain)
    search.look(domain.sample(FIRST), domain.corners())
    if found is not None and len(found):
        search.look(domain.clip(found))
    partition = Partition(domain)
    deadline = Deadline.after(limits.seconds)
    # The matrices are small: more threads wait for each other longer than they work.
    with threadpool_limits(1, "blas"), _pool(limits.workers) as pool:
        while np.isfinite(search.found):
            wanted = max(limits.ratio * search.found, limits.below or 0.0, limits.floor)
            count = min(
                max(BATCH[0], min(BATCH[1], partition.waiting // 4)),
                limits.boxes - partition.bounded,
            )
            chosen = partition.highest(wanted, deadline.at_once(count))
            if not len(chosen):
                break
            boxes = partition.boxes(chosen)
            with deadline.bounding(len(chosen)):
                band = _enclosed(function, boxes, pool)
            low, high = band.range()
            partition.bound(chosen, np.maximum(-low, high))
            search.climb(boxes, band)
            cuts = function.cuts(boxes)
            partition.split(chosen, _scores(band, boxes, domain), cuts, wanted)
            if tell:
                tell(partition.highest_bound, search.found, partition.bounded)
            if deadline.over:
                break
    bound = partition.highest_bound if np.isfinite(search.found) else np.inf
    # A value found is rounded; the bound is not: what was found may be a rounding above it.
    return Bound(
        bound,
        search.found,
        search.at,
        partition.bounded,
        partition.splits(),
        partition.worst(64),
    )


def _pool(workers: int) -> AbstractContextManager[Any]:
    """Processes that stay for one proof; nothing for one worker."""
    if workers < 2:
        return nullcontext()
    from joblib import Parallel

    pool: AbstractContextManager[Any] = Parallel(n_jobs=workers)
    return pool


def _enclosed(function: Enclosable, boxes: Boxes, pool: Any) -> Enclosure:
    """The bands of the boxes, shared out among the processes where there are many."""
    if pool is None or boxes.count < 2 * BATCH[0]:
        return function.enclose(boxes)
    from joblib import delayed

    parts = np.array_split(np.arange(boxes.count), pool.n_jobs)
    return joined(pool(delayed(function.enclose)(boxes.take(part)) for part in parts))


def _scores(band: Enclosure, boxes: Boxes, domain: Domain) -> Array:
    """(d, n): how much is to be gained by splitting each axis."""
    scores = 3 * band.blame + 0.1 * np.abs(band.slope)
    for (i, j), c in zip(pairs(boxes.inputs), np.abs(band.curve), strict=True):
        scores[i] += c
        scores[j] += c
    known = np.isfinite(scores) & np.isfinite(band.low) & np.isfinite(band.high)
    scores = np.where(known, scores, 0.0)
    width = (boxes.high - boxes.low) / (domain.high - domain.low)[:, None]
    # Of functions that only their range is known of no input is to blame: no axis may be forgotten.
    plain = np.where(scores.any(axis=0), scores + 0.05 * scores.sum(axis=0) * width, width)
    # A wide input that a function is known of by its range alone leaves slopes to the others, which
    # are then to blame for all that comes of it. So none may become far wider than another.
    narrowest = np.where(width > 0, width, np.inf).min(axis=0)
    starved = width > STARVED * narrowest
    return np.where(starved.any(axis=0), np.where(starved, width, -0.5), plain)


class _Search:
    """The largest size found so far."""

    def __init__(self, function: Enclosable, domain: Domain) -> None:
        self.function, self.domain = function, domain
        self.found, self.at = 0.0, domain.low + (domain.high - domain.low) / 2

    def look(self, *points: Array) -> None:
        """Try points (m, d)."""
        for x in points:
            size = np.abs(self.function(x))
            size = np.where(np.isnan(size), np.inf, size)
            at = int(size.argmax())
            if size[at] > self.found:
                self.found, self.at = float(size[at]), x[at].copy()

    def climb(self, boxes: Boxes, band: Enclosure) -> None:
        """Try where the quadratics of the highest boxes are largest."""
        low, high = band.range()
        size = np.maximum(-low, high)
        best = np.argsort(-size, kind="stable")[:CLIMBED]
        best = best[size[best] > self.found]
        if not len(best):
            return
        e = band.highest(sign=np.where(high >= -low, 1.0, -1.0))[:, best]
        x = boxes.middle[:, best] + boxes.radius[:, best] * e
        x = np.clip(x, boxes.low[:, best], boxes.high[:, best])
        self.look(self.domain.clip(x.T))
