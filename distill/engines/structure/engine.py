"""The structure engine: find the structure by asking, search only what is left.

It looks at the teacher at several levels of error: as an exact function or with the error that its
answers are known to carry, then with the tolerance, so that what is nearly true helps as well.
Operon works on the whole function beside it, and then also with the pieces that were found.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from distill.arrays import Array
from distill.engines.base import Budget, Candidate, Problem
from distill.engines.beside import Beside
from distill.engines.child import EngineError
from distill.engines.closable import closable
from distill.engines.findings import Finding
from distill.engines.news import News
from distill.engines.operon import Operon, OperonOptions
from distill.engines.oracle import Oracle, OutOfQuestions
from distill.engines.skeleton_search import search_skeleton
from distill.engines.structure.free_part import part_solver
from distill.engines.structure.moves import Level
from distill.engines.structure.piece import Piece, Values
from distill.engines.structure.quests import Quest, explained, solved
from distill.engines.structure.search import EFFORTS, OutOfTime, Search
from distill.engines.surrogate import surrogate
from distill.formula import Formula
from distill.formula.tree import Node, Symbol, substitute

log = logging.getLogger(__name__)

EXACT = Level(2e-13, 5.0, 1e-12, 1e-12, 1e-6, power=5.0, exact=True)
"""Of an exact teacher's answers, as parts of their size."""

SMALL_PART = 0.01
"""Of the typical answer: errors of smaller answers are not asked to be smaller still."""

ROUGH_LEVELS = (1.0, 0.3, 2.5)
"""Of the teacher's own error: it is smaller inside the box than near its faces."""

EDGE = 0.04
"""Of each range: so far from the faces an approximate teacher is looked at."""

ALLOWED = 1.3
"""A formula is found when it is off by so many times the teacher's own error."""

COARSE = 0.2
"""Of the tolerance: what is nearly true within it is worth knowing too."""

AFTERWARDS = 0.2
"""Of the budget: so long simpler and cheaper formulas are searched once the teacher's is found."""

FEW_QUESTIONS = 5000
"""For each input; finding out a structure takes about so many."""

MOST_BLOCKS = 6
"""So many pieces are offered to the search over the whole function."""


Offer = Callable[[Sequence[Node]], None]
"""Is told the combined inputs and the formulas of solved pieces, for others to build on."""


@dataclass(frozen=True, slots=True)
class StructureOptions:
    """How the structure engine searches."""

    efforts: int = EFFORTS  # how often unsolved pieces are visited again, each time with more
    operon: bool = True  # whether Operon searches the whole function as well


@dataclass
class _Look:
    """The teacher looked at with one level of error.

    ``enough`` says that a formula within it is the teacher's own, and not only near to it; errors
    are in parts of ``unit``, which is in the unit of the answers.
    """

    level: Level
    root: Quest
    search: Search
    enough: bool
    unit: float

    @property
    def solved(self) -> bool:
        """Whether there is such a formula."""
        return solved(self.root, self.level)


@dataclass(frozen=True)
class Structure:
    """The engine."""

    options: StructureOptions = StructureOptions()

    @property
    def name(self) -> str:
        """``structure``."""
        return "structure"

    def search(self, problem: Problem, offer: Offer = lambda blocks: None) -> Iterator[Candidate]:
        """Candidates as pieces come together, and those of the search over the whole function.

        With a budget in seconds that search runs beside, with one in evaluations after the other,
        so that the same problem gives the same candidates. ``offer`` is told the pieces found so
        far, whenever there may be more.
        """
        seconds, started = problem.budget.seconds, time.monotonic()
        if problem.rules.skeleton is not None:
            until = None if seconds is None else started + seconds
            solve = part_solver(problem, EXACT, _rough, self.options.efforts, until)
            yield from search_skeleton(problem.rules.skeleton, problem, solve, self.name)
            return
        news = News(problem.sample, problem.rules)
        if seconds is None:
            yield from self._in_turn(problem, news, offer)
            return
        deadline = started + seconds
        with ExitStack() as stack:
            others: list[Beside] = []

            def beside(blocks: Sequence[Node], until: float) -> None:
                whole_problem = replace(problem, budget=Budget(seconds=until - time.monotonic()))
                engine = Operon(OperonOptions(threads=1))
                other = Beside(partial(engine.search, blocks=blocks), whole_problem)
                others.append(stack.enter_context(other))

            if self.options.operon:
                beside((), deadline)
            looks = list(self._looks(problem, deadline))
            for found in self._structured(problem, looks, news, offer):
                problem.tell(min(1.0, (time.monotonic() - started) / seconds))
                yield from found
                yield from _news(news, _drained(others))
            if any(look.enough and look.solved for look in looks):
                # What is left to find are simpler formulas that are nearly as good.
                now = time.monotonic()
                deadline = min(deadline, now + max(AFTERWARDS * seconds, now - started))
            blocks = _blocks(problem, looks)
            if self.options.operon and blocks and deadline - time.monotonic() > 1.0:
                beside(blocks, deadline)
            while time.monotonic() < deadline and not all(o.finished for o in others):
                time.sleep(0.02)
                problem.tell(min(1.0, (time.monotonic() - started) / seconds))
                yield from _news(news, _drained(others))
            yield from _news(news, _drained(others))

    def _in_turn(self, problem: Problem, news: News, offer: Offer) -> Iterator[Candidate]:
        evaluations = problem.budget.evaluations
        assert evaluations is not None
        looks = list(self._looks(problem, None))
        for found in self._structured(problem, looks, news, offer):
            problem.tell(min(1.0, _evaluated(looks) / evaluations))
            yield from found
        if not self.options.operon:
            return
        done = any(look.enough and look.solved for look in looks)
        left = max(1, evaluations - _evaluated(looks))
        budget = Budget(evaluations=max(1, round(AFTERWARDS * evaluations)) if done else left)
        blocks = _blocks(problem, looks)
        half = Budget(evaluations=max(1, (budget.evaluations or 1) // 2))
        for share, given in ((half, ()), (half, blocks)) if blocks else ((budget, ()),):
            search = closable(Operon().search(replace(problem, budget=share), blocks=given))
            with closing(search):
                for candidate in search:
                    yield from _news(news, [replace(candidate, engine=self.name)])

    def _looks(self, problem: Problem, deadline: float | None) -> Iterator[_Look]:
        oracle = _asked(problem)
        if oracle is None:
            return
        for number, (level, enough) in enumerate(_levels(problem, oracle)):
            piece = whole(oracle, level, problem.sample.y)
            domain = oracle.domain
            everywhere = replace(piece, low=domain.low, high=domain.high)
            search = Search(
                level,
                problem.operators,
                problem.seed,
                deadline,
                everywhere,
                problem.budget.evaluations,
                problem.rules,
            )
            unit = _typical(problem.sample.y) if level.exact else 1.0
            yield _Look(level, Quest(piece, (number,)), search, enough, unit)

    def _structured(
        self, problem: Problem, looks: list[_Look], news: News, offer: Offer
    ) -> Iterator[list[Candidate]]:
        """New candidates, effort after effort, at each level; empty lists on the way."""
        told: set[Node] = set()
        try:
            for effort in range(self.options.efforts):
                for look in looks:
                    for _ in look.search.run(look.root, effort):
                        yield self._new(problem, look, told, news)
                    problem.explain(_learned(looks))
                    offer(_blocks(problem, looks))
                    if look.enough and look.solved:
                        return
        except (OutOfQuestions, OutOfTime):
            problem.explain(_learned(looks))
            offer(_blocks(problem, looks))
            for look in looks:
                yield self._new(problem, look, told, news)

    def _new(self, problem: Problem, look: _Look, told: set[Node], news: News) -> list[Candidate]:
        new = [fit.tree for fit in look.root.fits if fit.tree not in told]
        told.update(new)
        domain = problem.sample.domain
        names: dict[str, Node] = {f"v{i}": Symbol(name) for i, name in enumerate(domain.names)}
        formulas = [Formula(substitute(tree, names), domain) for tree in new]
        formulas = [f for f in formulas if np.isfinite(f(problem.sample.x)).all()]
        for formula in formulas:
            news.better(formula)
        return [Candidate(formula, self.name, "pieces put together") for formula in formulas]


def _asked(problem: Problem) -> Oracle | None:
    """Whom to ask: the teacher, or where it answers seldom a smooth model of the sample."""
    oracle = problem.oracle
    if oracle is None or oracle.left >= FEW_QUESTIONS * len(oracle.domain):
        return oracle
    model = surrogate(problem.sample, problem.seed)
    if model is None:
        return oracle
    log.info(
        "the teacher may be asked %d more times: structure is looked for in a smooth model of "
        "its %d answers, good to %.2g",
        oracle.left,
        len(problem.sample),
        model.error,
    )
    return model


def _news(news: News, candidates: Sequence[Candidate]) -> Iterator[Candidate]:
    """Those that beat all before them. What the structure gave is not measured so: a rounder
    constant may cost a little error and be the true one.
    """
    return (candidate for candidate in candidates if news.better(candidate.written))


def _drained(others: list[Beside]) -> list[Candidate]:
    """What the searches beside found; one that failed only ends."""
    found: list[Candidate] = []
    for other in list(others):
        try:
            found += [replace(c, engine="structure") for c in other.drain()]
        except EngineError:
            others.remove(other)
    return found


def _learned(looks: list[_Look]) -> Finding:
    """What was found at the level that was solved, else at the first at which anything was."""
    findings = [explained(look.root, look.level, look.unit) for look in looks]
    for finding in findings:
        if finding.state == "solved":
            return finding
    return next((finding for finding in findings if finding.parts), findings[0])


def _evaluated(looks: Sequence[_Look]) -> int:
    return sum(look.search.evaluated for look in looks)


def _blocks(problem: Problem, looks: list[_Look]) -> tuple[Node, ...]:
    """Combined inputs and formulas of solved pieces, for others to build on."""
    names: dict[str, Node] = {
        f"v{i}": Symbol(name) for i, name in enumerate(problem.sample.domain.names)
    }
    blocks: dict[Node, None] = {}
    for look in looks:
        for tree in look.search.blocks(look.root):
            blocks.setdefault(substitute(tree, names))
    return tuple(blocks)[:MOST_BLOCKS]


def _levels(problem: Problem, oracle: Oracle) -> Iterator[tuple[Level, bool]]:
    """From the most exact to what the tolerance allows, and whether that is the teacher's own."""
    if oracle.error == 0.0:
        yield EXACT, True
    else:
        for factor in ROUGH_LEVELS:
            yield _rough(oracle.error * factor, ALLOWED * oracle.error), True
    coarse = problem.tolerance * COARSE
    if coarse > 3 * oracle.error and math.isfinite(coarse):
        yield _rough(coarse, ALLOWED * coarse), False


def _rough(bar: float, final: float) -> Level:
    return Level(bar, 1.5, 1.5 * bar, final, 100.0 * bar, power=4.0, exact=False)


def whole(oracle: Oracle, level: Level, typical: Array) -> Piece:
    """The teacher as a piece. Where all is exact, error bars are parts of the answers' size."""
    domain = oracle.domain
    scale = SMALL_PART * _typical(typical)

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


def _typical(answers: Array) -> float:
    """The median size of the answers; 1 where most are 0."""
    return float(np.median(np.abs(answers))) or 1.0
