"""Which fits are worth telling: a front of complexity against error."""

from __future__ import annotations

import numpy as np

from distill.engines.structure.piece import Fit
from distill.formula.tree import Node, Number, complexity, rewrite

MOST = 10
OTHERS = 3
SHORT = 7
"""Formulas of so many nodes are always told, if their error is near the wanted one."""

NEAR = 5.0


def skeleton(tree: Node) -> Node:
    """The tree with all constants alike: equal for formulas of the same form."""
    return rewrite(tree, lambda n: Number(1.0) if isinstance(n, Number) else n)


def front(fits: list[Fit], target: float) -> list[Fit]:
    """The Pareto front up to the simplest that reaches the target, and other forms that do."""
    ordered = sorted(fits, key=lambda f: (complexity(f.tree), f.error))
    reached = [f for f in ordered if f.error <= target]
    best = np.inf
    kept: list[Fit] = []
    for fit in ordered:
        if fit.error < 0.9 * best:
            if fit.error <= target:
                break
            kept.append(fit)
            best = fit.error
    return _thinned(kept, target, MOST - min(len(reached), OTHERS)) + _forms(reached)


def _thinned(kept: list[Fit], target: float, most: int) -> list[Fit]:
    """Not more than ``most``: the short ones that are nearly right, others evenly."""
    if len(kept) <= most:
        return kept
    good = [f for f in kept if complexity(f.tree) <= SHORT and f.error <= NEAR * target]
    rest = [f for f in kept if f not in good]
    count = max(1, most - len(good))
    places = np.unique(np.linspace(0, len(rest) - 1, min(count, len(rest))).round().astype(int))
    chosen = [*good, *(rest[i] for i in places)]
    return [f for f in kept if f in chosen]


def _forms(reached: list[Fit]) -> list[Fit]:
    """The simplest of each of a few forms."""
    seen: set[Node] = set()
    last: list[Fit] = []
    for fit in reached:
        if skeleton(fit.tree) not in seen and len(last) < OTHERS:
            seen.add(skeleton(fit.tree))
            last.append(fit)
    return last
