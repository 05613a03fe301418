"""The structure engine: find the structure by asking, search only what is left.

It looks at the teacher at growing levels of error: first as an exact function, or with the error
that its answers are known to carry, then with the tolerance, so that what is nearly true helps as
well. Operon works on the whole function beside it, with the pieces that were found.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from distill.arrays import Array
from distill.engines.base import Budget, Candidate, Problem
from distill.engines.findings import Finding
from distill.engines.news import News
from distill.engines.operon import Operon, OperonOptions
from distill.engines.oracle import Oracle, OutOfQuestions
from distill.engines.structure.moves import Level
from distill.engines.structure.piece import Fit, Piece, Values
from distill.engines.structure.search import EFFORTS, Quest, Search, explained
from distill.formula import Formula
from distill.formula.tree import Symbol, substitute

EXACT = Level(1e-12, 10.0, 1e-12, 1e-12, 1e-6, power=5.0, exact=True)
"""Of an exact teacher's answers, as parts of their size."""

SMALL_PART = 0.01
"""Of the typical answer: errors of smaller answers are not asked to be smaller still."""

ROUGH_LEVELS = (0.3, 1.0, 2.5)
"""Of the teacher's own error: it is smaller inside the box than near its faces."""

EDGE = 0.04
"""Of each range: so far from the faces an approximate teacher is looked at."""

ALLOWED = 1.3
"""A formula is found when it is off by so many times the teacher's own error."""

COARSE = 0.2
"""Of the tolerance: what is nearly true within it is worth knowing too."""


@dataclass(frozen=True, slots=True)
class StructureOptions:
    """How the structure engine searches."""

    efforts: int = EFFORTS  # how often unsolved pieces are visited again, each time with more
    operon: bool = True  # whether Operon searches the whole function as well


@dataclass(frozen=True)
class Structure:
    """The engine."""

    options: StructureOptions = StructureOptions()

    @property
    def name(self) -> str:
        """``structure``."""
        return "structure"

    def search(self, problem: Problem) -> Iterator[Candidate]:
        """Candidates as pieces come together, then those of the search over the whole function."""
        budget = problem.budget
        deadline = None if budget.seconds is None else time.monotonic() + budget.seconds
        news = News(problem.sample)
        solved = False
        if problem.oracle is not None:
            for candidate in self._structured(problem, problem.oracle, deadline):
                if news.better(candidate.formula):
                    yield candidate
        if self.options.operon:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if left is None or left > 0.5:
                rest = replace(problem, budget=Budget(left, budget.evaluations))
                for candidate in Operon(OperonOptions()).search(rest):
                    if news.better(candidate.formula):
                        yield replace(candidate, engine=self.name)
        del solved

    def _structured(
        self, problem: Problem, oracle: Oracle, deadline: float | None
    ) -> Iterator[Candidate]:
        names = problem.sample.domain.names
        learned: Finding | None = None
        for number, level in enumerate(_levels(problem, oracle)):
            piece = whole(oracle, level, problem.sample.y)
            root = Quest(piece, (number,))
            everywhere = replace(piece, low=oracle.domain.low, high=oracle.domain.high)
            search = Search(level, problem.operators, problem.seed, deadline, everywhere)
            told: list[Fit] = []
            try:
                for _ in search.run(root, self.options.efforts):
                    for fit in root.fits:
                        if fit not in told:
                            told.append(fit)
                            tree = substitute(
                                fit.tree, {f"v{i}": Symbol(n) for i, n in enumerate(names)}
                            )
                            yield Candidate(
                                Formula(tree, problem.sample.domain), self.name, "structure"
                            )
                    problem.explain(explained(root, level))
            except OutOfQuestions:
                return
            # The most exact level at which anything was found says most.
            now = explained(root, level)
            learned = (
                now if learned is None or not learned.parts or now.state == "solved" else learned
            )
            problem.explain(learned)
            if any(f.error <= level.final for f in root.fits):
                return


def _levels(problem: Problem, oracle: Oracle) -> Iterator[Level]:
    """From the most exact to what the tolerance allows."""
    if oracle.error == 0.0:
        yield EXACT
    else:
        for factor in ROUGH_LEVELS:
            yield _rough(oracle.error * factor, ALLOWED * oracle.error)
    coarse = problem.tolerance * COARSE
    if coarse > 3 * oracle.error and math.isfinite(coarse):
        yield _rough(coarse, ALLOWED * coarse)


def _rough(bar: float, final: float) -> Level:
    return Level(bar, 1.5, 1.5 * bar, final, 100.0 * bar, power=4.0, exact=False)


def whole(oracle: Oracle, level: Level, typical: Array) -> Piece:
    """The teacher as a piece. Where all is exact, error bars are parts of the answers' size."""
    domain = oracle.domain
    scale = SMALL_PART * float(np.median(np.abs(typical))) or 1.0

    def ask(x: Array) -> Values:
        y = oracle(x)
        return Values(y, np.abs(y) + scale if level.exact else np.ones_like(y))

    symbols = tuple(Symbol(name) for name in domain.names)
    local = tuple(Symbol(f"v{i}") for i in range(len(domain)))
    whole_numbers = tuple(v.discrete for v in domain.variables)
    edge = 0.0 if level.exact else EDGE * (domain.high - domain.low)
    low = np.where(whole_numbers, domain.low, domain.low + edge)
    high = np.where(whole_numbers, domain.high, domain.high - edge)
    return Piece(ask, low, high, symbols, local, whole_numbers)
