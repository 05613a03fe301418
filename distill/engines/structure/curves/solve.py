"""A formula for a curve: the door of this package.

Curves of the world have forms people know. They are tried in stages of rising cost, each in many
views of the curve (:mod:`.views`): polynomials, ratios, single forms of the library; then sums of
them, products and waves; then skeletons and a whole search. A stage ends early when a formula
explains more digits than its constants could by chance.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

import numpy as np

from distill.engines.structure.curves import exponentials, plan, rational, whole
from distill.engines.structure.curves.allowed import written
from distill.engines.structure.curves.atoms import Atom, Dictionary, Sum, Target
from distill.engines.structure.curves.families import (
    LINEAR,
    MANY,
    ONE,
    Family,
    modulated,
    nice_products,
)
from distill.engines.structure.curves.finish import Judge, front
from distill.engines.structure.curves.points import fresh, grid
from distill.engines.structure.curves.projection import (
    Found,
    cross_pairs,
    grown,
    pairs,
    pruned,
    refined,
    singles,
    straight,
    subsets,
)
from distill.engines.structure.curves.views import View, seen, view
from distill.engines.structure.piece import Curve, Fit, weighted_error
from distill.errors import FormulaError
from distill.formula.program import compile_tree
from distill.formula.tree import Node, Number, complexity, constants

QUESTIONS = ((129, 64), (193, 96), (257, 128))
"""Points to fit on and to judge by, for each effort."""

LINE: Sum = (Atom(LINEAR[0], ()),)

SEARCH_ROWS = 65
LEAST_POINTS = 16
HIT = 3.0
"""Proposals within so many times the wanted error are polished in the hope of reaching it."""

SURPRISE = 1.5
"""A form with so many digits for each constant, and two more, is no coincidence."""

PLAUSIBLE = 0.9
"""A stage was the last one when a formula has a digit for each constant, and this part more."""

MOST_DIGITS = 1e-15
SURE = 4
"""So many forms of one view that are no coincidence are compared by their simplicity."""

NEGLIGIBLE = 1e-12
"""A spread below this part of the size is none."""


@dataclass(frozen=True)
class Proposal:
    """A formula on the way, its error as its technique sees it, and its number of constants."""

    tree: Node
    error: float
    parameters: int


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
    effort : 0, 1 or 2: about 0.3, 2 and 10 seconds.
    deadline : on the clock of ``time.monotonic``; what there is by then is returned.

    Returns
    -------
    A front of complexity against error, up to the simplest formula that reaches the target,
    followed by up to two that reach it in other forms. Empty for a curve without answers.
    """
    effort = min(max(effort, 0), len(QUESTIONS) - 1)
    asked, judged = QUESTIONS[effort]
    train, test = grid(curve, asked), fresh(curve, judged, seed)
    if not len(train.x) or not len(test.x):
        return []
    search = _Search(Judge(train, test, target, operators), deadline)
    with np.errstate(all="ignore"):
        search.run(effort, seed)
    return front(search.fits, target)


@dataclass
class _Search:
    judge: Judge
    deadline: float | None
    fits: list[Fit] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)
    tried: set[Node] = field(default_factory=set)
    dictionaries: dict[tuple[int, bytes], Dictionary] = field(default_factory=dict)
    certain: bool = False
    weighed: int = 0

    @property
    def over(self) -> bool:
        return self.certain or (self.deadline is not None and time.monotonic() > self.deadline)

    def digits(self, error: float) -> float:
        """How many digits of the curve are explained with such an error."""
        train = self.judge.train
        size = float(np.std(train.y / train.s))
        return float(np.log10(max(size, 1e-300) / max(error, MOST_DIGITS * size, 1e-300)))

    def run(self, effort: int, seed: int) -> None:
        train = self.judge.train
        middle = float(np.median(train.y))
        self._finish([_constant(middle)])
        flat = np.ptp(train.y) <= NEGLIGIBLE * float(np.abs(train.y).max())
        if flat or len(train.x) < LEAST_POINTS or self._reached(1.0, PLAUSIBLE):
            return
        stages: list[Callable[[], None]] = [self._first]
        if effort >= 1:
            deep = plan.DEEP if effort >= 2 else plan.DEEP[: plan.FEW]
            stages += [
                self._waves,
                self._second,
                lambda: self._linear_sums(deep),
                lambda: self._products(deep),
                lambda: self._sums(deep[: len(deep) // 2]),
            ]
        for number, stage in enumerate(stages):
            stage()
            self._settle(4 if number == 0 else 6)
            if self.over or self._reached(1.0, PLAUSIBLE):
                return
        if effort >= 2:
            self._whole(seed)
            self._settle(8)

    # Stages

    def _first(self) -> None:
        for look in plan.FIRST:
            target = self._seen(look)
            if target is None:
                continue
            self._quick(look, target, 10 if look.plain else 3)
            if self._looked():
                return

    def _second(self) -> None:
        for look in plan.second():
            target = self._seen(look)
            if target is None:
                continue
            self._quick(look, target, 2)
            if self._looked():
                return

    def _waves(self) -> None:
        for coordinate in ("x", "log"):
            for link in ("identity", "inverse", "log"):
                look = view(0, link, coordinate)
                target = self._seen(look, len(self.judge.train.x))
                if target is not None:
                    for atoms in exponentials.sums(target.u, target.v):
                        self._offer_sum(look, target, refined(atoms, target))
                if self._looked():
                    return

    def _linear_sums(self, looks: Iterable[View]) -> None:
        for look in looks:
            target = self._seen(look)
            if target is not None:
                self._linear(look, target)
            if self._looked():
                return

    def _sums(self, looks: Iterable[View]) -> None:
        for look in looks:
            target = self._seen(look)
            if target is not None:
                self._deep(look, target)
            if self._looked():
                return

    def _products(self, looks: Iterable[View]) -> None:
        for look in looks:
            target = self._seen(look)
            if target is None:
                continue
            dictionary = self._dictionary(nice_products(), target)
            found = [*singles(dictionary, target, 4), *pairs(dictionary, target, 6)]
            for one in [*found, *grown(found, dictionary, target, 4, 3)]:
                self._offer_sum(look, target, one)
            if self._looked():
                return

    def _whole(self, seed: int) -> None:
        train = self.judge.train
        judge = self.judge
        for tree in whole.formulas(train, judge.operators, judge.target, seed, self.deadline):
            if written(tree, judge.operators) is not None:
                error = weighted_error(compile_tree(tree, ("x",))(train.x[:, None]), train.values)
                self.proposals.append(Proposal(tree, error, len(constants(tree))))

    # Parts

    def _quick(self, look: View, target: Target, most: int) -> None:
        limit = self.judge.target
        ratios = rational.glance(target, limit)
        if look.plain:
            ratios = itertools.chain(
                rational.polynomials(target, limit), rational.ratios(target, limit)
            )
        for found in ratios:
            for tree in found.trees(look.argument):
                self._offer(look, tree, found.error, found.parameters)
        bases: tuple[Sum, ...] = ((), LINE) if look.plain else ((),)
        for families in ((*LINEAR, *ONE), MANY) if look.plain else ((*LINEAR, *ONE),):
            for base in bases:
                for one in singles(self._dictionary(families, target), target, most, base):
                    self._offer_sum(look, target, one)

    def _linear(self, look: View, target: Target) -> None:
        """Sums of forms without parameters: nothing to refine, so the beam can be wide."""
        dictionary = self._dictionary(LINEAR, target)
        for size in (2, 3, 4):
            level = list(subsets(dictionary, target, size, 8))
            for one in level:
                self._offer_sum(look, target, one)
        for one in grown(level, dictionary, target, 8, 4)[:6]:
            self._offer_sum(look, target, one)

    def _deep(self, look: View, target: Target) -> None:
        small = self._dictionary((*LINEAR, *ONE), target)
        large = self._dictionary((*LINEAR, *ONE, *MANY, *modulated()), target)
        level = [*singles(large, target, 8), *pairs(small, target, 6)]
        level += straight(self._dictionary(ONE, target), target, 8)
        for base in ((), LINE):
            level += cross_pairs(small, large, target, 8, base)
        for _ in range(2):
            for one in level:
                self._offer_sum(look, target, one)
            if self.over:
                return
            level = grown(level, large, target, 3, 4)
        for one in level:
            self._offer_sum(look, target, one)

    def _seen(self, look: View, rows: int = SEARCH_ROWS) -> Target | None:
        if written(look.tree(look.argument), self.judge.operators) is None:
            return None
        return seen(self.judge.train.thinned(rows), look, self.judge.target)

    def _dictionary(self, families: Iterable[Family], target: Target) -> Dictionary:
        families = tuple(families)
        key = (hash(tuple(f.name for f in families)), target.u.tobytes())
        if key not in self.dictionaries:
            usable = [f for f in families if written(f.tree, self.judge.operators) is not None]
            self.dictionaries[key] = Dictionary.of(usable, target.u)
        return self.dictionaries[key]

    # What is found

    def _offer_sum(self, look: View, target: Target, found: Found) -> None:
        limit = max(self.judge.target, 1.02 * found.error)
        for one in (found, pruned(found, target, limit)):
            self._offer(look, one.tree(look.argument), one.error, one.parameters)

    def _offer(self, look: View, inner: Node, error: float, parameters: int) -> None:
        if not np.isfinite(error):
            return
        try:
            tree = look.tree(inner)
        except FormulaError:  # nested too deep
            return
        proposal = Proposal(tree, error, parameters)
        self.proposals.append(proposal)

    def _looked(self) -> bool:
        """After each view: whether the search is over, by a formula that is no coincidence."""
        sure = [
            p
            for p in self.proposals[self.weighed :]
            if p.error <= HIT * self.judge.target
            and self.digits(p.error) > SURPRISE * p.parameters + 2
        ]
        self.weighed = len(self.proposals)
        if sure:
            self._finish(sorted(sure, key=_simplicity)[:SURE])
            self.certain = self._reached(SURPRISE, 2.0)
        return self.over

    def _settle(self, most: int) -> None:
        """Finish the simplest proposals that may reach the target, and the best of the others."""
        hits = [p for p in self.proposals if p.error <= HIT * self.judge.target]
        hits.sort(key=_simplicity)
        best: dict[int, Proposal] = {}
        for p in self.proposals:
            if p.parameters not in best or p.error < best[p.parameters].error:
                best[p.parameters] = p
        rest, least = [], np.inf
        for count in sorted(best):
            if best[count].error < 0.7 * least:
                least = best[count].error
                rest.append(best[count])
        self._finish(hits[:most])
        # The last of them may only have been refined too little to be a hit.
        self._finish(dict.fromkeys([*rest[:3], *rest[-3:]]))

    def _finish(self, proposals: Iterable[Proposal]) -> None:
        for p in proposals:
            if p.tree not in self.tried:
                self.tried.add(p.tree)
                self.fits += self.judge.finished(p.tree)

    def _reached(self, rate: float, more: float) -> bool:
        """Whether a formula that reaches the target has too few constants for a coincidence."""
        return any(
            f.error <= self.judge.target
            and self.digits(f.error) > rate * len(constants(f.tree)) + more
            for f in self.fits
        )


def _simplicity(p: Proposal) -> tuple[int, int, float]:
    return p.parameters, complexity(p.tree), p.error


def _constant(value: float) -> Proposal:
    return Proposal(Number(value), np.inf, 1)
