"""Formulas for the free parts of a skeleton: each is a piece like any other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from distill.arrays import Array
from distill.engines.base import Problem
from distill.engines.constraints import Constraints
from distill.engines.free_parts import KnownPart, answer_error
from distill.engines.oracle import OutOfQuestions
from distill.engines.rules import Rules
from distill.engines.skeleton_search import SolvePiece
from distill.engines.structure.moves import Level
from distill.engines.structure.piece import Fit, Piece, Values
from distill.engines.structure.quests import Quest
from distill.engines.structure.search import OutOfTime, Search
from distill.formula.tree import Node, Symbol, substitute

RoughLevel = Callable[[float, float], Level]

NEAR = 3.0
"""A part is found when its formula is off by so many times what its values are off."""


def part_solver(
    problem: Problem, exact: Level, rough: RoughLevel, efforts: int, deadline: float | None
) -> SolvePiece:
    """What :func:`search_skeleton` asks for formulas of a part.

    ``exact`` is the level of exact answers, ``rough(bar, final)`` one of answers off by ``bar``.
    """
    y = problem.sample.y
    typical = float(np.median(np.abs(y))) if len(y) else 1.0
    own = 0.0 if problem.oracle is None else problem.oracle.error
    rounding = answer_error(None, y)

    def solve(known: KnownPart) -> list[Fit]:
        if known.direct and own == 0.0:
            # The level of exact answers counts errors as parts of the answers.
            return _solved(problem, known, exact, typical or 1.0, efforts, deadline)
        bar = max(own, rounding)
        return _solved(problem, known, rough(bar, NEAR * bar), 1.0, efforts, deadline)

    return solve


def _solved(
    problem: Problem,
    known: KnownPart,
    level: Level,
    unit: float,
    efforts: int,
    deadline: float | None,
) -> list[Fit]:
    piece = _piece(known, problem, unit)
    evaluations = problem.budget.evaluations
    # What a part measures is open, and it need not be monotone or bounded for the whole to be.
    rules = Rules(Constraints(operators_of=problem.rules.constraints.operators_of))
    search = Search(level, problem.operators, problem.seed, deadline, piece, evaluations, rules)
    quest = Quest(piece, (0,))
    try:
        for effort in range(efforts):
            for _ in search.run(quest, effort):
                pass
            if any(fit.error <= level.final for fit in quest.fits):
                break
    except (OutOfTime, OutOfQuestions):
        pass
    return [Fit(_named(fit.tree, known), fit.error * unit) for fit in quest.fits]


def _piece(known: KnownPart, problem: Problem, unit: float) -> Piece:
    """The part as a piece; its error bars count errors of the answers in ``unit``."""
    kinds = {v.name: v.discrete for v in problem.sample.domain.variables}
    uses = known.part.uses
    whole = tuple(all(kinds[use[i]] for use in uses) for i in range(len(known.part.names)))

    def ask(points: Array) -> Values:
        y, s = np.full(len(points), np.nan), np.ones(len(points))
        fine = np.isfinite(points).all(axis=1)
        if fine.any():
            values = known.ask(points[fine])
            y[fine], s[fine] = values.y, values.s * unit
        return Values(y, s)

    symbols = tuple(Symbol(name) for name in known.part.names)
    local = tuple(Symbol(f"v{i}") for i in range(len(symbols)))
    return Piece(ask, known.low, known.high, symbols, local, whole)


def _named(tree: Node, known: KnownPart) -> Node:
    """A tree over v0, v1, ... as one over the part's variables."""
    names: dict[str, Node] = {f"v{i}": Symbol(name) for i, name in enumerate(known.part.names)}
    return substitute(tree, names)
