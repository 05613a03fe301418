"""Curves with kinks: each side alone is simple, ``min`` and ``max`` join them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np

from distill.engines.structure.curves.points import Points
from distill.engines.structure.piece import Curve, Fit
from distill.formula.tree import Node, Number, Symbol, call, complexity

Solve = Callable[[Curve], list[Fit]]

MOST_KINKS = 2
SHARP = 6.0
"""The slope changes so many times more at a kink than beside it."""

LEAST_CHANGE = 0.02
"""And by at least this part of the largest slope."""

BESIDE = 2
"""So many points away from it, a side begins."""

LEAST_SIDE = 8
FORMS = 2
NEAR = 5.0
"""A side is solved by errors up to so many times the wanted one."""


def kinks(points: Points) -> list[int]:
    """Where the slope jumps: indices into the points, ascending, at most two."""
    n = len(points.x)
    if n < 4 * LEAST_SIDE:
        return []
    slope = np.diff(points.y) / np.diff(points.x)
    change = np.abs(np.diff(slope))
    # A kink between two points shows at both.
    both = change[:-1] + change[1:]
    around = np.full(len(both), np.inf)
    inner = slice(3, len(both) - 4)
    around[inner] = [
        max(*change[i - 3 : i], *change[i + 2 : i + 5]) for i in range(len(both))[inner]
    ]
    sharp = (both > SHARP * around) & (both > LEAST_CHANGE * np.abs(slope).max())
    found: list[int] = []
    for i in np.argsort(-both, kind="stable").tolist():
        if sharp[i] and all(abs(i + 1 - k) >= LEAST_SIDE for k in found):
            found.append(i + 1)
    places = sorted(found[:MOST_KINKS])
    ends = [0, *places, n - 1]
    return places if all(np.diff(ends) >= LEAST_SIDE) and len(found) <= MOST_KINKS else []


def joined(
    curve: Curve, points: Points, target: float, operators: Collection[str], solve: Solve
) -> Iterator[Node]:
    """Formulas from the forms of the sides; none where there is no kink."""
    places = kinks(points)
    if not places:
        return
    ends = [-BESIDE, *places, len(points.x) - 1 + BESIDE]
    sides: list[list[Node]] = []
    for start, end in itertools.pairwise(ends):
        low, high = points.x[start + BESIDE + (start >= 0)], points.x[end - BESIDE]
        fits = solve(Curve(curve.ask, float(low), float(high)))
        good = [f for f in fits if f.error <= NEAR * target]
        if not good:
            return
        sides.append([f.tree for f in sorted(good, key=lambda f: complexity(f.tree))[:FORMS]])
    for forms in itertools.product(*sides):
        yield from _pairs(forms)
        if "ifless" in operators:
            yield _steps(forms, [float(points.x[k]) for k in places])


def _pairs(forms: Sequence[Node]) -> Iterator[Node]:
    if len(forms) == 1:
        yield forms[0]
        return
    for operator in ("max", "min"):
        for rest in _pairs(forms[1:]):
            yield call(operator, forms[0], rest)
    if len(forms) > 2:
        for operator in ("max", "min"):
            for rest in _pairs(forms[:-1]):
                yield call(operator, rest, forms[-1])


def _steps(forms: Sequence[Node], places: Sequence[float]) -> Node:
    result = forms[-1]
    for form, place in zip(reversed(forms[:-1]), reversed(places), strict=True):
        result = call("ifless", Symbol("x"), Number(place), form, result)
    return result
