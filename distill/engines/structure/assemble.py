"""Putting the parts' formulas together: one tree, in normal form, its constants fitted together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from distill.engines import polish
from distill.engines.prune import smaller
from distill.engines.snap import RARE_UNITS, UNITS, snapped
from distill.engines.structure.moves import Level
from distill.engines.structure.piece import Fit, Piece, weighted_error
from distill.errors import FormulaError
from distill.formula import rational_form
from distill.formula.program import compile_tree
from distill.formula.simplify import simplify
from distill.formula.tree import Node, complexity, constants

MOST_NODES = 150
"""Larger trees are left alone: no person reads them."""

MOST_CONSTANTS = 40

DIGIT = 0.05
"""Of a node."""

LOOSE = 1.3
"""Formulas this much further off than wanted may still be the true ones with other constants."""

GATE = 1.08
"""Simple constants may cost this factor in error: a network's own error hides more than a true
constant moves, and a wrong one moves more."""


class Judge:
    """Fresh points of a piece, to fit and to judge formulas on."""

    def __init__(self, piece: Piece, rng: np.random.Generator, points: int = 300) -> None:
        self.names = piece.names
        self.x = piece.draw(rng, points)
        self.truth = piece(self.x)
        self.checked_x = piece.draw(rng, points)
        self.checked = piece(self.checked_x)

    def error(self, tree: Node) -> float:
        """The error on points no formula is fitted on."""
        return weighted_error(compile_tree(tree, self.names)(self.checked_x), self.checked)

    def fit(self, tree: Node) -> polish.Fit | None:
        """A least-squares problem for the tree's constants; None where there is nothing to fit."""
        if len(constants(tree)) > MOST_CONSTANTS:
            return None
        fine = np.isfinite(self.truth.y)
        x, y, weight = self.x[fine], self.truth.y[fine], 1 / self.truth.s[fine]
        if len(y) < 10:
            return None
        fit = polish.Fit.of(tree, self.names, x, y, weight / np.median(weight))
        return fit if np.isfinite(fit.rms()) else None


def tidy(tree: Node, judge: Judge) -> Fit:
    """The tree in its shortest form, with its error."""
    plain = Fit(tree, judge.error(tree))
    if complexity(tree) > MOST_NODES:
        return plain
    try:
        shorter = simplify(tree, seconds=None)
    except FormulaError:
        return plain
    fit = Fit(shorter, judge.error(shorter))
    return fit if fit.error <= max(1.5 * plain.error, 1e-12) else plain


def improved(fit: Fit, judge: Judge, level: Level, *, boldly: bool = False) -> list[Fit]:
    """The formula with its constants fitted together, then with simple ones where the error allows.

    ``boldly`` also takes simple constants while the whole stays within the teacher's own error,
    which fitted ones follow too closely.
    """
    if not fit.error < level.rough:
        return [fit]
    problem = judge.fit(fit.tree)
    if problem is None:
        return [fit]
    best = fit
    target = level.final if boldly else level.target
    if not level.exact or fit.error > target:
        fitted = polish.least_squares(problem)
        best = min(fit, tidy(fitted.solved, judge), key=lambda f: f.error)
        problem = judge.fit(best.tree) or problem
    if best.error > (GATE if level.exact else LOOSE) * target:
        return [best]
    floor = polish.NEGLIGIBLE * float(np.sqrt(np.mean((problem.y * problem.weight) ** 2)))
    limits = [max(GATE * problem.rms(), floor)]
    if boldly and not level.exact:
        limits.append(level.final * problem.rms() / best.error)
    result = [best]
    for limit in limits:
        simple = snapped(_without(problem, limit), limit)
        snap = tidy(simple.solved, judge)
        allowed = max(GATE * best.error, target if level.exact or boldly else 0.0)
        if snap.error <= allowed and all(snap.tree != f.tree for f in result):
            result.append(snap)
    return result


def _without(problem: polish.Fit, limit: float) -> polish.Fit:
    """The fit with all constants at 0 that may be, the others fitted again each time."""
    for i in range(len(problem.theta)):
        theta = problem.theta.copy()
        theta[i] = 0.0
        free = np.setdiff1d(problem.free, [i])
        trial = replace(problem, theta=theta, free=free)
        if len(free) and limit < trial.rms() < np.inf:
            trial = polish.least_squares(trial, 6)
        if trial.rms() <= limit:
            problem = trial
    return problem


def shortened(fit: Fit, judge: Judge, level: Level) -> Fit:
    """The formula without the parts it does not need, its ratios written the shortest way."""
    if fit.error <= level.final and complexity(fit.tree) <= MOST_NODES:
        ratios = tidy(rational_form.shortened(fit.tree), judge)
        if ratios.error <= max(fit.error, level.final):
            fit = ratios
    while fit.error <= level.final:
        problem = judge.fit(fit.tree)
        if problem is None:
            return fit
        trials = (tidy(trial.solved, judge) for trial in smaller(problem, judge.names))
        shorter = next((t for t in trials if t.error <= level.final), None)
        if shorter is None or complexity(shorter.tree) >= complexity(fit.tree):
            return fit
        fit = shorter
    return fit


def pareto(fits: list[Fit], most: int) -> list[Fit]:
    """The fits that no simpler one beats, simplest first; the most accurate ``most`` of them."""
    front: list[Fit] = []
    for fit in sorted(fits, key=lambda f: (length(f.tree), f.error)):
        if np.isfinite(fit.error) and (not front or fit.error < front[-1].error):
            front.append(fit)
    return front[-most:]


def length(tree: Node) -> float:
    """Nodes, and a little for every digit of a constant: of two formulas the rounder is shorter."""
    digits = sum(_digits(value) for value in constants(tree))
    return complexity(tree) + DIGIT * digits


def _digits(value: float) -> int:
    """Significant digits of the value, or of how many times pi or its kin it is."""
    shown = [f"{value / unit:.12g}" for unit in (*UNITS, *RARE_UNITS)]
    ways = [len(text.split("e")[0].strip("-").replace(".", "").strip("0")) for text in shown]
    return min(ways[0], 1 + min(ways[1:]))
