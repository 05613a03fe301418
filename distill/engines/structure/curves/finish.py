"""From a proposal to a fit: simplified, polished under the error bars, snapped, judged afresh."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from distill.arrays import Array
from distill.engines import polish
from distill.engines.snap import simple_values
from distill.engines.structure.curves.allowed import within, written
from distill.engines.structure.curves.points import Points
from distill.engines.structure.piece import Fit, weighted_error
from distill.errors import FormulaError
from distill.formula.program import compile_tree
from distill.formula.simplify import simplify
from distill.formula.tree import Call, Node, Number, Symbol, complexity, constants, div, rewrite

NAMES = ("x", "error bar")
POLISHED_ROWS = 160
SNAPPED_ROWS = 60
EQUAL = 3e-6
"""Constants this close to each other, as a part of their size, are tried as one."""

NEARNESS = (1e-2, 1e-3, 1e-4)
"""How near all constants at once are to simple values, as a part of their size."""

ROUNDING = 1e-14
"""Errors below this part of the answers are all alike."""

SLACK = 1.15
"""How much worse simple constants may be where the target is not reached anyway."""

PERIODS = {"sin": math.tau, "cos": math.tau, "tan": math.pi}

UNCHANGING = 1e-12
"""A part of a formula that varies by less than this part of its size is a constant."""


@dataclass(frozen=True)
class Judge:
    """What proposals are measured by: points to fit on, points to judge by, the wanted error."""

    train: Points
    test: Points
    target: float
    operators: Collection[str]

    def error(self, tree: Node) -> float:
        """The weighted error on the points it was not fitted on."""
        values = compile_tree(tree, ("x",))(self.test.x[:, None])
        return weighted_error(values, self.test.values)

    def finished(self, proposal: Node) -> list[Fit]:
        """The proposal polished, and snapped where that differs."""
        tree = self.tidy(proposal)
        if tree is None or not len(self.test.x):
            return []
        raw = Fit(tree, self.error(tree))
        smooth = self.polished(tree)
        best = min(raw, Fit(smooth, self.error(smooth)), key=lambda f: f.error)
        if not np.isfinite(best.error):
            return []
        limit = self.target if best.error <= self.target else SLACK * best.error
        equal = self._equalised(self._without_constant_parts(best.tree), limit)
        found = [best]
        for tree in dict.fromkeys((equal, self._snapped(equal, limit))):
            tidied = self.tidy(tree)
            if tidied is not None and tidied != best.tree:
                found.append(Fit(tidied, self.error(tidied)))
        return self._worth_keeping(found, limit)

    def _worth_keeping(self, found: list[Fit], limit: float) -> list[Fit]:
        """The simplest one alone, unless its simpler constants cost accuracy."""
        last = found[-1]
        rounding = ROUNDING * float(np.sqrt(np.mean((self.test.y / self.test.s) ** 2)))
        cheap = last.error <= max(2.0 * found[0].error, rounding) and last.error <= limit
        if cheap and complexity(last.tree) <= complexity(found[0].tree):
            return [last]
        return [f for f in found if np.isfinite(f.error)]

    def tidy(self, tree: Node) -> Node | None:
        """Simplified, in the operators that may be used."""
        try:
            turned = rewrite(tree, _turned)
            simpler = written(simplify(turned, ("x",), seconds=None), self.operators)
        except FormulaError:
            simpler = None
        if simpler is not None and within(simpler, self.operators):
            return simpler
        return written(tree, self.operators)

    def _fit(self, tree: Node, rows: int) -> polish.Fit:
        """A fit in which every row counts by its error bar."""
        p = self.train.thinned(rows)
        table = np.column_stack([p.x, p.s])
        return polish.Fit.of(div(tree, Symbol(NAMES[1])), NAMES, table, p.y / p.s)

    def polished(self, tree: Node, iterations: int = 40) -> Node:
        """With the constants that fit best near its own."""
        if not constants(tree):
            return tree
        return _inner(polish.least_squares(self._fit(tree, POLISHED_ROWS), iterations))

    def _without_constant_parts(self, tree: Node) -> Node:
        """With parts that do not vary on the points replaced by their value."""

        def rule(node: Node) -> Node:
            if not isinstance(node, Call) or node == tree:
                return node
            values = compile_tree(node, ("x",))(self.train.x[:, None])
            size = float(np.abs(values).max())
            if not np.isfinite(size) or np.ptp(values) > UNCHANGING * size:
                return node
            return Number(float(np.mean(values)))

        return rewrite(tree, rule)

    def _equalised(self, tree: Node, limit: float) -> Node:
        """With constants that nearly agree made equal, so that like terms can meet."""
        values = constants(tree)
        representative: list[float] = []
        changed = False
        for value in values:
            near = [r for r in representative if abs(abs(r) - abs(value)) <= EQUAL * abs(value)]
            if near and abs(near[0]) != abs(value):
                representative.append(float(np.copysign(near[0], value)))
                changed = True
            else:
                representative.append(value)
        if not changed:
            return tree
        feed = iter(representative)
        merged = rewrite(tree, lambda n: Number(next(feed)) if isinstance(n, Number) else n)
        tidied = self.tidy(merged)
        if tidied is None:
            return tree
        smooth = self.polished(tidied)
        return smooth if self.error(smooth) <= limit else tree

    def _snapped(self, tree: Node, limit: float) -> Node:
        """With constants as simple as the error allows, the least important one first.

        How far moving one constant and refitting the others raises the error is predicted by the
        linearised fit, so that only promising values are tried.
        """
        fit = self._fit(tree, SNAPPED_ROWS)
        if fit.rms() > limit:
            return tree
        results = [_one_by_one(fit, list(range(len(fit.theta))), limit)]
        for near in NEARNESS:
            together = _together(fit, near)
            if together.rms() <= limit:
                rest = [i for i, v in enumerate(together.theta) if float(f"{v:.4g}") != v]
                results.append(_one_by_one(together, rest, limit))
                break
        for result in sorted(results, key=_written_length):
            if self.error(_inner(result)) <= limit:
                return _inner(result)
        return tree


def _written_length(fit: polish.Fit) -> int:
    """How long the constants are when written down; zero is not written at all."""
    return sum(len(f"{abs(v):.15g}") for v in fit.theta if v)


def _one_by_one(fit: polish.Fit, free: list[int], limit: float) -> polish.Fit:
    """The constants in ``free`` made simple in turn, those that still wait refitted."""
    while free:
        current = replace(fit, free=np.array(free))
        off, jacobian = current.slopes()
        weight = np.abs(current.theta[free]) * np.linalg.norm(jacobian, axis=0)
        at = int(np.argmin(np.nan_to_num(weight, nan=np.inf)))
        chosen = free.pop(at)
        stiffness = _stiffness(jacobian, at)
        rms = float(np.sqrt(np.mean(off * off)))
        for value in (0.0, *simple_values(float(fit.theta[chosen]))):
            move = value - fit.theta[chosen]
            if np.hypot(rms, abs(move) * stiffness) > 3.0 * limit:
                continue
            theta = current.theta.copy()
            theta[chosen] = value
            trial = replace(fit, theta=theta, free=np.array(free, dtype=int))
            if free and trial.rms() > 0.5 * limit:
                trial = polish.least_squares(trial, 6)
            if trial.rms() <= limit:
                fit = trial
                break
    return fit


def _together(fit: polish.Fit, near: float) -> polish.Fit:
    """All constants that are this near to a simple value at that value, the others refitted.

    Constants that err together look right only when all of them are put right at once.
    """
    theta, free = fit.theta.copy(), []
    for i, value in enumerate(fit.theta.tolist()):
        simple = [v for v in simple_values(value) if abs(v - value) <= near * abs(value)]
        if simple:
            theta[i] = simple[0]
        else:
            free.append(i)
    moved = replace(fit, theta=theta, free=np.array(free, dtype=int))
    return polish.least_squares(moved, 6) if free else moved


def _turned(node: Node) -> Node:
    """Shifts inside sine, cosine and tangent within half a period."""
    if not (isinstance(node, Call) and node.operator in PERIODS):
        return node
    period = PERIODS[node.operator]
    inner = node.args[0]
    if not (isinstance(inner, Call) and inner.operator in ("add", "sub")):
        return node
    left, right = inner.args
    if isinstance(right, Number):
        right = Number(math.remainder(right.value, period))
    elif isinstance(left, Number):
        left = Number(math.remainder(left.value, period))
    return Call(node.operator, (Call(inner.operator, (left, right)),))


def _stiffness(jacobian: Array, at: int) -> float:
    """How much the error grows with constant ``at`` while the others follow."""
    column = jacobian[:, at]
    others = np.delete(jacobian, at, axis=1)
    if not np.isfinite(jacobian).all():
        return 0.0
    if others.shape[1]:
        scale = np.linalg.norm(others, axis=0)
        others = others[:, scale > 0] / scale[scale > 0]
        column = column - others @ np.linalg.lstsq(others, column, rcond=1e-10)[0]
    return float(np.sqrt(np.mean(column * column)))


def _inner(fit: polish.Fit) -> Node:
    solved = fit.solved
    assert isinstance(solved, Call)
    return solved.args[0]
