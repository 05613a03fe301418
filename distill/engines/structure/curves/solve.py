"""A formula for a curve: the door of this package.

Curves of the world have forms people know. They are tried in stages of rising cost
(:mod:`.search`): polynomials, ratios, single forms of the library; curves with kinks side by side
(:mod:`.kinks`), curves with many turns on a part of the interval first (:mod:`.zoom`); then sums
of forms, products and waves; then a whole search.
"""

from __future__ import annotations

import functools
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from distill.engines.structure.curves import kinks, zoom
from distill.engines.structure.curves.finish import Judge
from distill.engines.structure.curves.fronts import front
from distill.engines.structure.curves.points import Points, fresh, grid
from distill.engines.structure.curves.search import Search
from distill.engines.structure.piece import Curve, Fit
from distill.formula.tree import complexity

QUESTIONS = ((129, 64), (193, 96), (257, 128))
"""Points to fit on and to judge by, for each effort."""

PART_QUESTIONS = (97, 48)
"""The same on a part of the interval."""

PARTS = (2, 3, 5)
"""So many parts of an interval are looked at, for each effort."""

JOINS = 4
"""So many ways to join the sides of kinks are finished, the best ones."""

NEAR = 3.0
"""Errors within so many times the wanted one are alike before the polish."""

APPROXIMATE = 1e-7
"""With a larger wanted error, the ends of the interval count less: there teachers err most."""

ENDS, WEAKER = 0.04, 2.0
"""How far the ends reach, as a part of the interval, and how much larger error bars grow there."""


def solve_curve(
    curve: Curve,
    *,
    target: float,
    operators: Collection[str],
    seed: int,
    effort: int,
    deadline: float | None = None,
) -> list[Fit]:
    """Formulas for a curve, the simplest first.

    Parameters
    ----------
    target : the wanted error, in the unit in which ``Fit.error`` is.
    operators : what may be used; arithmetic and small powers always may.
    effort : 0, 1 or 2: about 0.3, 2 and 8 seconds.
    deadline : on the clock of ``time.monotonic``; what there is by then is returned.

    Returns
    -------
    A front of complexity against error, up to the simplest formula that reaches the target,
    followed by up to two that reach it in other forms. Empty for a curve without answers.
    """
    effort = min(max(effort, 0), len(QUESTIONS) - 1)
    train, test = _asked(curve, QUESTIONS[effort], seed)
    if not len(train.x) or not len(test.x):
        return []
    search = Search(Judge(_trusted(train, target), test, target, operators), deadline)

    def part(piece: Curve, *, shorten: bool = False) -> list[Fit]:
        """Fits of a part of the interval, with little effort."""
        seen, judged = _asked(piece, PART_QUESTIONS, seed)
        if not len(seen.x) or not len(judged.x):
            return []
        small = Search(Judge(seen, judged, target, operators), deadline)
        small.simple(shorten=shorten)
        return front(small.fits, target)

    with np.errstate(all="ignore"):
        search.simple()
        if not search.done:
            joins = list(kinks.joined(curve, train, target, operators, part))
            joins.sort(key=lambda t: (max(search.judge.error(t), NEAR * target), complexity(t)))
            search.offered(joins[:JOINS])
        if not search.done and not zoom.resolved(train):
            # The whole may hardly show what the part does: the part's formula is made short.
            clear = functools.partial(part, shorten=True)
            search.offered(zoom.zoomed(curve, train, target, clear, PARTS[effort]))
        search.deep(effort, seed)
    return front(search.fits, target)


def _asked(curve: Curve, counts: tuple[int, int], seed: int) -> tuple[Points, Points]:
    return grid(curve, counts[0]), fresh(curve, counts[1], seed)


def _trusted(points: Points, target: float) -> Points:
    """Error bars as an approximate teacher deserves them: longer near both ends."""
    if target <= APPROXIMATE or not len(points.x):
        return points
    place = np.linspace(0.0, 1.0, len(points.x))
    near = np.exp(-place / ENDS) + np.exp(-(1 - place) / ENDS)
    return replace(points, s=points.s * (1 + WEAKER * near))
