"""A formula that is right, made shorter: parts that do nothing go, identities are used."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from distill.engines.structure.curves.finish import Judge
from distill.engines.structure.curves.shorter import edits, rewritings
from distill.engines.structure.piece import Fit
from distill.formula.tree import Node, complexity, constants

ROUNDS = 4
MOST_TRIED = 80
KEPT = 3
LONGER = 3
"""A step may make a formula so much longer, for the next one to make it shorter."""

MOST_EDITS = 60
SHORTEST = 4
WORSE = 1.3
"""How much larger the error of a shorter formula may be."""

ROUNDING = 1e-13
"""Errors below this part of the answers are all alike."""

POLISHABLE, HOPEFUL = 1e4, 0.02
"""Candidates further off are not worth a polish: in units of the allowed error, of the answers."""

ITERATIONS = 8


def shortened(fit: Fit, judge: Judge) -> Fit:
    """The shortest formula about as good as ``fit``, as far as rewriting finds one."""
    size = float(np.sqrt(np.mean((judge.test.y / judge.test.s) ** 2)))
    limit = min(judge.target, max(WORSE * fit.error, ROUNDING * size))
    best, layer = fit, [fit.tree]
    asked, seen = set[Node](), {fit.tree}
    for _ in range(ROUNDS):
        found: dict[Node, Fit] = {}
        for tree in layer:
            for other in itertools.islice(_candidates(tree), MOST_TRIED):
                if other in asked:
                    continue
                asked.add(other)
                good = _checked(other, judge, limit, min(POLISHABLE * limit, HOPEFUL * size))
                if good is not None and good.tree not in seen:
                    seen.add(good.tree)
                    found[good.tree] = good
        near = [f for f in found.values() if complexity(f.tree) <= complexity(best.tree) + LONGER]
        ordered = sorted(near, key=_length)[:KEPT]
        if not ordered:
            break
        if _length(ordered[0]) < _length(best):
            best = ordered[0]
        layer = [f.tree for f in ordered]
    return best if complexity(best.tree) < complexity(fit.tree) else fit


def _candidates(tree: Node) -> Iterator[Node]:
    yield from rewritings(tree)
    yield from edits(tree)


def _checked(tree: Node, judge: Judge, limit: float, hopeful: float) -> Fit | None:
    error = judge.error(tree)
    if error > limit:
        if not (error <= hopeful and constants(tree)):
            return None
        tree = judge.polished(tree, ITERATIONS)
    tidied = judge.tidy(tree)
    if tidied is None:
        return None
    error = judge.error(tidied)
    return Fit(tidied, error) if error <= limit else None


def _length(fit: Fit) -> tuple[int, int]:
    written = sum(len(f"{abs(v):.9g}") for v in constants(fit.tree))
    return complexity(fit.tree), written


def coarser(tree: Node, judge: Judge, most: int) -> list[Fit]:
    """What is left of a formula when parts go one after the other, each time the least missed.

    Short formulas that are nearly right, for whom a long one is too long.
    """
    found: list[Fit] = []
    for _ in range(most):
        best: Fit | None = None
        for other in itertools.islice(dict.fromkeys(edits(tree)), MOST_EDITS):
            polished = judge.polished(other, 8)
            error = judge.error(polished)
            if np.isfinite(error) and (best is None or error < best.error):
                best = Fit(polished, error)
        if best is None:
            break
        tree = judge.polished(best.tree)
        found.append(Fit(tree, judge.error(tree)))
        if complexity(tree) <= SHORTEST:
            break
    return found
