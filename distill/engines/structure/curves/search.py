"""The stages of a search for a curve's formula, each in many views of the curve.

A stage ends early when a formula explains more digits than its constants could by chance.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from distill.engines.structure.curves import exponentials, plan, rational, whole
from distill.engines.structure.curves.allowed import written
from distill.engines.structure.curves.atoms import Atom, Dictionary, Sum, Target
from distill.engines.structure.curves.families import (
    HYPERBOLIC,
    LINEAR,
    MANY,
    ONE,
    PEAKS,
    Family,
    modulated,
    nice_products,
)
from distill.engines.structure.curves.finish import Judge
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
from distill.engines.structure.curves.proposals import Proposal, ready, simplicity
from distill.engines.structure.curves.shorten import coarser, shortened
from distill.engines.structure.curves.views import View, seen, view
from distill.engines.structure.piece import Fit, weighted_error
from distill.formula.program import compile_tree
from distill.formula.tree import Node, Number, complexity, constants

LINE: Sum = (Atom(LINEAR[0], ()),)
INVERSE: Sum = (Atom(LINEAR[4], ()),)
CUBIC: Sum = tuple(Atom(f, ()) for f in LINEAR[:3])

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

PROMISING = 100.0
"""Whole formulas within so many times the wanted error are finished."""

PRUNED = 1.2
"""How much worse a sum may become where terms go."""

SHORTENED = 2
COARSENED = (0, 6, 12)
"""So many parts go from the best formula, for each effort."""


@dataclass
class Search:
    """What is found so far, and how it goes on."""

    judge: Judge
    deadline: float | None
    fits: list[Fit] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)
    tried: set[Node] = field(default_factory=set)
    shortened: set[Node] = field(default_factory=set)
    dictionaries: dict[tuple[int, bytes], Dictionary] = field(default_factory=dict)
    certain: bool = False
    weighed: int = 0

    @property
    def over(self) -> bool:
        """Whether there is nothing more to find, or no time."""
        return self.certain or (self.deadline is not None and time.monotonic() > self.deadline)

    @property
    def done(self) -> bool:
        """Whether a formula is found that is hardly a coincidence, or the time is over."""
        return self.over or self._reached(1.0, PLAUSIBLE)

    def digits(self, error: float) -> float:
        """How many digits of the curve are explained with such an error."""
        train = self.judge.train
        size = float(np.std(train.y / train.s))
        return float(np.log10(max(size, 1e-300) / max(error, MOST_DIGITS * size, 1e-300)))

    def simple(self, *, shorten: bool = True) -> None:
        """The first stage: forms people know, one at a time."""
        train = self.judge.train
        self.fits += self.judge.finished(Number(float(np.median(train.y))))
        flat = np.ptp(train.y) <= NEGLIGIBLE * float(np.abs(train.y).max())
        if flat or len(train.x) < LEAST_POINTS:
            self.certain = True
        if self.done:
            return
        self._first()
        if not self.over:
            self._waves(("x",), ("identity",))
        self._settle(4 if shorten else 2)
        if shorten:
            self._shorten()

    def offered(self, trees: Iterable[Node]) -> None:
        """Whole formulas from elsewhere."""
        limit = PROMISING * self.judge.target
        for tree in trees:
            if self.done:
                break
            allowed = written(tree, self.judge.operators)
            if allowed is not None and (self.judge.error(allowed) <= limit or constants(allowed)):
                self._finish([ready(allowed)])
        self._shorten()

    def deep(self, effort: int, seed: int) -> None:
        """The other stages, as many as the effort allows."""
        looks = plan.DEEP if effort >= 2 else plan.DEEP[: plan.FEW]
        stages: list[Callable[[], None]] = [
            lambda: self._waves(("x", "log"), ("identity", "inverse", "log")),
            self._second,
            lambda: self._each(looks, self._linear),
            lambda: self._products(looks),
            lambda: self._each(looks[: len(looks) // 3], self._deep),
        ]
        for stage in stages if effort >= 1 else ():
            if self.done:
                break
            stage()
            self._settle(6)
        if effort >= 2 and not self.done:
            self._whole(seed)
            self._settle(8)
        self._shorten()
        if not self.done:
            self._coarsen(COARSENED[effort])

    # Stages

    def _first(self) -> None:
        for look in plan.FIRST:
            target = self._seen(look)
            if target is None:
                continue
            self._quick(look, target, 10 if look.plain else 3)
            dictionary = self._dictionary(LINEAR, target)
            for size in (2, 3) if look.plain or look.link.name == "log" else (2,):
                for one in subsets(dictionary, target, size, 4):
                    self._offer_sum(look, target, one)
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

    def _waves(self, coordinates: Iterable[str], links: Iterable[str]) -> None:
        for coordinate in coordinates:
            for link in links:
                look = view(0, link, coordinate)
                target = self._seen(look, len(self.judge.train.x))
                if target is not None:
                    for atoms in exponentials.sums(target.u, target.v):
                        self._offer_sum(look, target, refined(atoms, target))
                if self._looked():
                    return

    def _each(self, looks: Iterable[View], work: Callable[[View, Target], None]) -> None:
        """Do the work on what each look shows, until enough is found."""
        for look in looks:
            target = self._seen(look)
            if target is not None:
                work(look, target)
            if self._looked():
                return

    def _products(self, looks: Iterable[View]) -> None:
        for look in looks:
            target = self._seen(look)
            if target is None:
                continue
            dictionary = self._dictionary(nice_products(), target)
            found = [*singles(dictionary, target, 4), *pairs(dictionary, target, 6)]
            if look.plain:
                found += [*pairs(dictionary, target, 6, CUBIC)]
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
                self.proposals.append(ready(tree, error))

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
                self._offer_tree(look, tree, found.error, found.parameters)
        bases: tuple[Sum, ...] = ((), LINE, INVERSE) if look.plain else ((),)
        sets = ((*LINEAR, *ONE), HYPERBOLIC, MANY) if look.plain else ((*LINEAR, *ONE), HYPERBOLIC)
        for families in sets:
            for base in bases:
                count = most // 2 if base or families is HYPERBOLIC else most
                for one in singles(self._dictionary(families, target), target, count, base):
                    self._offer_sum(look, target, one)

    def _linear(self, look: View, target: Target) -> None:
        """Sums of forms without parameters: nothing to refine, so the beam can be wide."""
        dictionary = self._dictionary(LINEAR, target)
        for size in (2, 3, 4) if look.plain else (2, 3):
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
        peaks = self._dictionary(PEAKS, target)
        for base in ((), LINE):
            level += cross_pairs(small, large, target, 8, base)
            level += pairs(peaks, target, 4, base)
        level += [*singles(large, target, 6, CUBIC), *singles(peaks, target, 4, CUBIC)]
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
        if found.error <= HIT * self.judge.target:
            limit = max(self.judge.target, PRUNED * found.error)
            self._offer(look, pruned(found, target, limit))
        self._offer(look, found)

    def _offer(self, look: View, found: Found) -> None:
        if np.isfinite(found.error):
            self.proposals.append(
                Proposal(
                    lambda: look.tree(found.tree(look.argument)), found.error, found.parameters
                )
            )

    def _offer_tree(self, look: View, inner: Node, error: float, parameters: int) -> None:
        if np.isfinite(error):
            self.proposals.append(Proposal(lambda: look.tree(inner), error, parameters))

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
            self._finish(sorted(sure, key=simplicity)[:SURE])
            self.certain = self._reached(SURPRISE, 2.0)
        return self.over

    def _settle(self, most: int) -> None:
        """Finish the simplest proposals that may reach the target, and the best of the others."""
        hits = [p for p in self.proposals if p.error <= HIT * self.judge.target]
        hits.sort(key=simplicity)
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
            if p.tree is not None and p.tree not in self.tried:
                self.tried.add(p.tree)
                self.fits += self.judge.finished(p.tree)

    def _shorten(self) -> None:
        """The simplest formulas that reach the target, made shorter."""
        reached = [f for f in self.fits if f.error <= self.judge.target]
        for fit in sorted(reached, key=lambda f: (complexity(f.tree), f.error))[:SHORTENED]:
            if fit.tree not in self.shortened:
                self.shortened.add(fit.tree)
                shorter = shortened(fit, self.judge)
                self.shortened.add(shorter.tree)
                if shorter is not fit:
                    self.fits += [shorter, *self.judge.finished(shorter.tree)]

    def _coarsen(self, most: int) -> None:
        """Of the best formula, what is left without some of its parts."""
        if most and self.fits:
            best = min(self.fits, key=lambda f: f.error)
            self.fits += coarser(best.tree, self.judge, most)

    def _reached(self, rate: float, more: float) -> bool:
        """Whether a formula that reaches the target has too few constants for a coincidence."""
        return any(
            f.error <= self.judge.target
            and self.digits(f.error) > rate * len(constants(f.tree)) + more
            for f in self.fits
        )
