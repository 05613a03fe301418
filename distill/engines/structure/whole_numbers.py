"""Pieces of one variable that takes whole values only: nothing is asked between them.

Two values make a straight line. More are looked at as polynomials, then through a smooth curve that
goes through them, whose formulas are fitted to the values themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from distill.arrays import Array
from distill.engines import polish
from distill.engines.structure.assemble import Judge, improved, pareto, tidy
from distill.engines.structure.curves.solve import solve_curve
from distill.engines.structure.moves import Level
from distill.engines.structure.piece import Curve, Fit, Piece, Values
from distill.formula.tree import Node, Number, add, mul, substitute

MOST_VALUES = 400
"""Of more values so many, evenly spread, are asked."""

DEGREES = 4
CLOSER = 0.5
"""Of what a curve through every second value misses: so close a formula must come to the curve."""

ENOUGH = 5
"""Fewer values say nothing about a curve."""


def along_whole(
    piece: Piece,
    level: Level,
    operators: Mapping[str, float],
    seed: int,
    effort: int,
    deadline: float | None,
) -> list[Fit]:
    """Formulas for a piece of one whole variable, simplest first."""
    from scipy.interpolate import CubicSpline

    low, high = float(piece.low[0]), float(piece.high[0])
    n = np.unique(np.round(np.linspace(low, high, int(min(high - low + 1, MOST_VALUES)))))
    values = piece(n[:, None])
    fine = np.isfinite(values.y)
    n, values = n[fine], Values(values.y[fine], values.s[fine])
    if len(n) < 2:
        return []
    judge = Judge(piece, np.random.default_rng(seed))
    degrees = range(1, min(DEGREES, len(n) - 1) + 1)
    trees = [_polynomial(piece, n, values, degree) for degree in degrees]
    fits = [better for tree in trees for better in improved(tidy(tree, judge), judge, level)]
    if len(n) >= ENOUGH and not any(fit.error <= level.target for fit in fits):
        smooth = CubicSpline(n, values.y)
        # The smooth curve misses the one behind the values by less than every second one does.
        rest = np.arange(len(n)) % 2 == 1
        missed = CubicSpline(n[~rest], values.y[~rest])(n[rest]) - values.y[rest]
        off = float(np.sqrt(np.mean((missed / values.s[rest]) ** 2)))
        target = max(level.target, CLOSER * off)
        one = Curve(lambda x: Values(smooth(x), np.interp(x, n, values.s)), low, high)
        for found in solve_curve(
            one, target=target, operators=operators, seed=seed, effort=effort, deadline=deadline
        ):
            fits += _fitted(substitute(found.tree, {"x": piece.symbol(0)}), judge, level)
    return pareto(fits, DEGREES + 2)


def _fitted(tree: Node, judge: Judge, level: Level) -> list[Fit]:
    problem = judge.fit(tree)
    if problem is None:
        return [tidy(tree, judge)]
    return improved(tidy(polish.least_squares(problem).solved, judge), judge, level)


def _polynomial(piece: Piece, n: Array, values: Values, degree: int) -> Node:
    """The polynomial of least squares, as a sum of powers."""
    shape = np.polynomial.Polynomial.fit(n, values.y, degree, w=1 / values.s).convert()
    coefficients = shape.coef.tolist()
    view = piece.symbol(0)
    tree: Node = Number(float(coefficients[-1]))
    for coefficient in coefficients[-2::-1]:
        tree = add(Number(float(coefficient)), mul(tree, view))
    return tree
