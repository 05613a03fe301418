"""Boxes that get smaller where a bound is worst, until smaller ones would hardly improve it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.firmware.ranges import Boxes, cover, split

Measure = Callable[[Boxes], Array]
"""A proven bound (m,) on each of m boxes."""

_CUT = 12
"""Of more inputs not even each is cut once to begin with."""

_ROUNDS = 48
_NEAR = 1.05
"""A bound so near the one of single points is left as it is."""


@dataclass(frozen=True)
class Settled:
    """Boxes and the bound (m,) on each of them."""

    boxes: Boxes
    bounds: Array

    @property
    def worst(self) -> float:
        """The bound on all of them."""
        return float(self.bounds.max(initial=0.0))

    @property
    def place(self) -> tuple[Array, Array]:
        """The corners (d,) of the worst box."""
        at = int(np.argmax(self.bounds))
        return self.boxes.low[at], self.boxes.high[at]


def begun(domain: Domain, pieces: int, columns: frozenset[int] | None) -> Boxes:
    """About so many boxes to begin with, cut along ``columns`` (None: all); one of many inputs."""
    count = len(domain) if columns is None else len(columns)
    if count > _CUT or pieces < 2:
        return Boxes(domain.low[None], domain.high[None])
    return cover(domain, pieces, columns)


def settle(
    measure: Measure, boxes: Boxes, domain: Domain, columns: frozenset[int], most: int
) -> Settled:
    """Split the worst boxes along ``columns``, up to ``most`` of them.

    A bound falls no further than that of single points, which is asked for at the middles of the
    boxes: it is what the method gives without any width.
    """
    settled = Settled(boxes, measure(boxes))
    floor, stuck = 0.0, 0
    # Every input has its turn to be halved, unless there are so many that none would help.
    patience = 8 if len(columns) <= _CUT else 2
    for _ in range(_ROUNDS):
        worst = settled.worst
        middles = _middles(settled, domain)
        floor = max(floor, float(np.max(measure(Boxes(middles, middles)), initial=0.0)))
        room = most - len(settled.boxes)
        if worst <= _NEAR * floor or room <= 0 or stuck >= patience or not columns:
            break
        chosen = settled.bounds > _NEAR * floor
        if chosen.sum() > room:
            order = np.argsort(-settled.bounds, kind="stable")[:room]
            chosen = np.zeros(len(chosen), dtype=bool)
            chosen[order] = True
        kept = Boxes(settled.boxes.low[~chosen], settled.boxes.high[~chosen])
        halves = split(
            Boxes(settled.boxes.low[chosen], settled.boxes.high[chosen]),
            domain, np.ones(int(chosen.sum()), dtype=bool), columns,
        )  # fmt: skip
        joined = Boxes(
            np.concatenate([kept.low, halves.low]), np.concatenate([kept.high, halves.high])
        )
        bounds = np.concatenate([settled.bounds[~chosen], measure(halves)])
        settled = Settled(joined, bounds)
        stuck = stuck + 1 if settled.worst > 0.99 * worst else 0
    return settled


def _middles(settled: Settled, domain: Domain) -> Array:
    """The middles (m, d) of the boxes with the largest bounds; whole for whole inputs."""
    order = np.argsort(-settled.bounds, kind="stable")[:256]
    low, high = settled.boxes.low[order], settled.boxes.high[order]
    discrete = np.array([v.discrete for v in domain.variables])
    middle = low + (high - low) / 2
    return np.where(discrete, np.floor(middle), middle)
