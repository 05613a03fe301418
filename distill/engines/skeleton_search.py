"""Formulas of a given form: each free part of a skeleton is found as a function, then solved.

Where the form leaves one part in one place open, its values follow from the answers exactly;
otherwise all parts are determined together. A formula is then sought for each, the few best of each
are put into the form, and all constants are fitted together. Numbers written in the skeleton stay.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.engines.base import Candidate, Problem
from distill.engines.findings import Finding, State
from distill.engines.free_parts import KnownPart, answer_error, determine
from distill.engines.inside_out import inside_out
from distill.engines.oracle import OutOfQuestions
from distill.engines.skeleton import Skeleton
from distill.engines.skeleton_fit import fitted_forms
from distill.engines.structure.piece import Fit, Values, weighted_error
from distill.formula.program import compile_tree
from distill.formula.simplify import simplify
from distill.formula.text import to_text
from distill.formula.tree import Node, Symbol, complexity, mul, number, total

SolvePiece = Callable[[KnownPart], list[Fit]]
"""Formulas for a part, over the variables of :attr:`Part.names`; errors are those of answers."""

POINTS, CHECKS = 1600, 400
"""The teacher is asked at so many points to determine the parts and to measure errors."""

PART_OF_QUESTIONS = 4
"""At most this part of the questions that are left."""

OF_EACH, COMBINATIONS = 5, 24
"""So many formulas of each part are combined, and so many combinations tried at most."""

EXACT = 30.0
"""Formulas off by less than this many times the teacher's own error leave nothing to seek."""


def search_skeleton(
    skeleton: Skeleton, problem: Problem, solve_piece: SolvePiece, engine: str = "structure"
) -> Iterator[Candidate]:
    """Candidates that have the skeleton's form, as they are found, the most promising first.

    The iterator ends by itself; with a budget in seconds it begins nothing new after them.

    Parameters
    ----------
    solve_piece : finds formulas for a part; may raise OutOfQuestions.
    engine : the name that candidates carry.
    """
    seconds = problem.budget.seconds
    deadline = math.inf if seconds is None else time.monotonic() + seconds
    data = _Data.of(problem)
    if not len(data.y):
        return
    best = math.inf
    for known, constants_, text, error in _routes(skeleton, problem, data, deadline):
        solutions = []
        for part in known:
            solutions.append(_solutions(part, solve_piece if time.monotonic() < deadline else None))
        findings = tuple(
            Finding(
                part.part.symbol(part.part.names),
                "a free part of the skeleton",
                "solved" if fits[0].error <= EXACT * data.error else "believed",
                fits[0].error,
                to_text(fits[0].tree, 5),
            )
            for part, fits in zip(known, solutions, strict=True)
        )
        formula = ""
        for candidate, off in _combined(skeleton, solutions, constants_, data, engine, deadline):
            if off < best:
                best, formula = off, candidate.formula.readable()
            if candidate.formula.complexity <= problem.max_complexity:
                yield candidate
        solved = best <= EXACT * data.error
        state: State = "solved" if solved else "believed" if error <= problem.tolerance else "open"
        problem.explain(Finding(skeleton.text, text, state, error, formula, findings))
        if solved or time.monotonic() >= deadline:
            return


@dataclass(frozen=True)
class _Data:
    """Points with finite answers, to fit on and to check on, and the teacher's own error."""

    x: Array
    y: Array
    check_x: Array
    check_y: Array
    error: float

    @classmethod
    def of(cls, problem: Problem) -> _Data:
        """From the teacher, where it may be asked; the sample's points always join."""
        x, y = problem.sample.x, problem.sample.y
        oracle = problem.oracle
        count = 0
        if oracle is not None:
            count = int(min(POINTS + CHECKS, oracle.left / PART_OF_QUESTIONS))
        if oracle is not None and count > len(y) // 4:
            more = _points(problem, count)
            answers = oracle(more)
            x, y = np.vstack([more, x]), np.append(answers, y)
        kept = np.isfinite(y)
        x, y = x[kept], y[kept]
        # Every fifth point is kept back, so that both kinds are spread alike.
        check = np.arange(len(y)) % 5 == 4
        error = answer_error(oracle, y)
        return cls(x[~check], y[~check], x[check], y[check], error)


def _points(problem: Problem, count: int) -> Array:
    """Points that crowd at the faces of the box, where polynomials need them."""
    domain = problem.sample.domain
    u = domain.to_unit(domain.sample(count, problem.seed + 1))
    crowded = np.where(
        np.arange(count)[:, None] % 2 == 0, 0.5 - 0.5 * np.cos(np.pi * np.clip(u, 0, 1)), u
    )
    return domain.from_unit(crowded)


def _routes(
    skeleton: Skeleton, problem: Problem, data: _Data, deadline: float
) -> Iterator[tuple[Sequence[KnownPart], Array, str, float]]:
    """Ways to know the parts: themselves, the constants, what to say of it, and the error left."""
    oracle = problem.oracle
    direct = None
    if oracle is not None:
        try:
            direct = inside_out(skeleton, oracle)
        except OutOfQuestions:
            direct = None
    if direct is not None:
        yield (direct,), np.empty(0), "turned inside out", data.error
    fitting, checking = (data.x, data.y), (data.check_x, data.check_y)
    known, constants_, error = determine(
        skeleton, fitting, checking, data.error, problem.seed, deadline
    )
    yield known, constants_, "its free parts determined together", error


def _solutions(known: KnownPart, solve_piece: SolvePiece | None) -> list[Fit]:
    """Formulas of a part, the most accurate first; polynomials of low degree always join."""
    found: list[Fit] = []
    try:
        found += _polynomials(known)
        if solve_piece is not None:
            # In the shortest form, so that no two constants say the same and none gets simple.
            solved = solve_piece(known)
            found += [Fit(simplify(fit.tree, seconds=None), fit.error) for fit in solved]
    except OutOfQuestions:
        pass
    found = [fit for fit in found if math.isfinite(fit.error)]
    found = found or [Fit(number(1.0), math.inf)]
    found.sort(key=lambda fit: (fit.error, complexity(fit.tree)))
    front: list[Fit] = []
    for fit in found:
        if not front or complexity(fit.tree) < complexity(front[-1].tree):
            front.append(fit)
    return front


def _polynomials(known: KnownPart) -> list[Fit]:
    """The best constant, linear and quadratic formula of a part."""
    rng = np.random.default_rng(0)
    count, names = len(known.low), known.part.names
    points = known.low + (known.high - known.low) * rng.random((60 + 20 * count * count, count))
    truth = known.ask(points)
    kept = np.isfinite(truth.y)
    points, truth = points[kept], Values(truth.y[kept], truth.s[kept])
    powers: list[tuple[Node, Array]] = [(number(1.0), np.ones(len(points)))]
    powers += [(Symbol(n), points[:, i]) for i, n in enumerate(names)]
    powers += [
        (mul(Symbol(names[i]), Symbol(names[j])), points[:, i] * points[:, j])
        for i in range(count)
        for j in range(i, count)
    ]
    fits = []
    for most in (1, 1 + count, len(powers)):
        if most >= len(points):
            break
        matrix = np.column_stack([column for _, column in powers[:most]]) / truth.s[:, None]
        scale = np.linalg.norm(matrix, axis=0)
        scale[scale == 0.0] = 1.0
        solved = np.linalg.lstsq(matrix / scale, truth.y / truth.s)[0] / scale
        if np.isfinite(solved).all():
            terms: list[Node] = [
                mul(number(float(c)), t) for c, (t, _) in zip(solved, powers, strict=False)
            ]
            tree = simplify(total(terms), seconds=None)
            fits.append(Fit(tree, weighted_error(compile_tree(tree, names)(points), truth)))
    return fits


def _combined(
    skeleton: Skeleton,
    solutions: list[list[Fit]],
    constants_: Array,
    data: _Data,
    engine: str,
    deadline: float,
) -> Iterator[tuple[Candidate, float]]:
    """Formulas with their error on points kept back."""
    choices = itertools.product(*(fits[:OF_EACH] for fits in solutions))
    ordered = sorted(choices, key=lambda fits: math.hypot(*(fit.error for fit in fits)))
    free = dict(zip(skeleton.constants, constants_.tolist(), strict=False))
    for fits in ordered[:COMBINATIONS]:
        if time.monotonic() >= deadline:
            return
        parts = {part.name: fit.tree for part, fit in zip(skeleton.parts, fits, strict=True)}
        fitting, checking = (data.x, data.y), (data.check_x, data.check_y)
        for formula, how, off in fitted_forms(skeleton, parts, free, fitting, checking):
            yield Candidate(formula, engine, f"skeleton {skeleton.text}; {how}"), off
