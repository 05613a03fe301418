"""Which points no other point beats, and where their curve bends most. Everything is minimised."""

from __future__ import annotations

import math
from collections.abc import Sequence

SMALLEST = 1e-300
"""Errors below this count as this: a tenth of the smallest float64 would be zero."""


def front(points: Sequence[tuple[float, ...]]) -> list[int]:
    """Indices of the points that no other point dominates, in the order given.

    A point dominates another when it is nowhere larger and somewhere smaller. Of equal points
    only the first is taken. Points with a NaN are never taken.

    >>> front([(1, 0.9), (3, 0.2), (3, 0.5), (7, 0.2), (9, 0.1), (3, 0.2)])
    [0, 1, 4]
    >>> front([])
    []
    """
    known = [i for i, point in enumerate(points) if not any(map(math.isnan, point))]
    taken: list[int] = []
    # Sorted like words in a dictionary, a point is dominated or repeated only by an earlier one.
    for i in sorted(known, key=lambda i: (tuple(points[i]), i)):
        if not any(
            all(a <= b for a, b in zip(points[j], points[i], strict=True)) for j in reversed(taken)
        ):
            taken.append(i)
    return sorted(taken)


def knee(points: Sequence[tuple[float, float]]) -> int | None:
    """Index of the point of the front of (cost, error) at which it bends most.

    The point furthest below the straight line from the cheapest to the most accurate one, cost
    and logarithm of the error both scaled to [0, 1] (Satopaa et al. 2011); the most accurate one
    where no point lies below that line. Points that are not finite are left out; None when no
    point remains.

    >>> knee([(1, 1.0), (3, 0.1), (5, 0.09), (20, 0.08)])
    1
    >>> knee([(1, 1.0), (5, 0.9), (7, 0.0)])
    2
    >>> knee([]) is None
    True
    """
    finite = [i for i, point in enumerate(points) if all(map(math.isfinite, point))]
    curve = [finite[i] for i in front([points[i] for i in finite])]
    if not curve:
        return None
    curve.sort(key=lambda i: points[i][0])
    positive = [points[i][1] for i in curve if points[i][1] > 0]
    # An error of zero has no logarithm; it stands a decade below the smallest other one.
    floor = max(min(positive, default=1.0) / 10, SMALLEST)
    across = _scaled([points[i][0] for i in curve])
    down = _scaled([math.log(max(points[i][1], floor)) for i in curve])
    below = [1 - a - d for a, d in zip(across, down, strict=True)]
    deepest = max(below)
    if deepest <= 1e-12:
        return curve[-1]
    return curve[below.index(deepest)]


def _scaled(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    return [(v - low) / (high - low) if high > low else 0.0 for v in values]
