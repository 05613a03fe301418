"""Pieces that are not taken apart: constants, curves, and what is left to a search."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing

import numpy as np

from distill.domain import Domain, Variable
from distill.engines.base import Budget, Problem
from distill.engines.child import EngineError
from distill.engines.closable import closable
from distill.engines.operon import Operon, OperonOptions
from distill.engines.structure.assemble import Judge, improved, pareto, tidy
from distill.engines.structure.curves.solve import solve_curve
from distill.engines.structure.moves import Level
from distill.engines.structure.piece import Curve, Fit, Piece
from distill.engines.structure.whole_numbers import along_whole
from distill.errors import ConfigError
from distill.formula.tree import Number, substitute
from distill.sampling.sample_set import SampleSet

SEARCHED = (0, 150_000, 1_000_000)
"""Evaluated formulas by effort, where a search has to do."""

CURVE_SEARCHED = (0, 0, 400_000)
"""The same within the solver of curves."""

POINTS = 400
KEPT = 6


def constant(piece: Piece, level: Level, rng: np.random.Generator) -> Fit | None:
    """The number that the piece is everywhere; None where it is none."""
    values = piece(piece.draw(rng, 60))
    fine = np.isfinite(values.y)
    if not fine.any():
        return None
    weight = (values.s[fine].min() / values.s[fine]) ** 2
    mean = float(np.sum(weight * values.y[fine]) / np.sum(weight))
    off = (values.y[fine] - mean) / values.s[fine]
    error = float(np.sqrt(np.mean(off * off)))
    return Fit(Number(mean), error) if error <= max(level.limit, level.target) else None


def curve(
    piece: Piece,
    level: Level,
    operators: Mapping[str, float],
    seed: int,
    effort: int,
    deadline: float | None,
) -> list[Fit]:
    """Formulas for a piece of one variable."""
    if piece.whole[0]:
        return along_whole(piece, level, operators, seed, effort, deadline)
    one = Curve(lambda x: piece(x[:, None]), float(piece.low[0]), float(piece.high[0]))
    fits = solve_curve(
        one, target=level.target, operators=operators, seed=seed, effort=effort, deadline=deadline
    )
    return [Fit(substitute(f.tree, {"x": piece.symbol(0)}), f.error) for f in fits]


def searched(
    piece: Piece,
    level: Level,
    operators: Mapping[str, float],
    seed: int,
    effort: int,
    deadline: float | None,
) -> list[Fit]:
    """Formulas for a piece of several variables, by genetic programming over all of them."""
    if not SEARCHED[effort]:
        return []
    rng = np.random.default_rng(seed)
    x = piece.draw(rng, POINTS)
    y = piece(x).y
    fine = np.isfinite(y)
    if fine.sum() < 20 or np.ptp(y[fine]) == 0.0:
        return []
    low, high = piece.low.tolist(), piece.high.tolist()
    domain = Domain(tuple(
        Variable(name, *ends) for name, *ends in zip(piece.names, low, high, strict=True)
    ))  # fmt: skip
    left = None if deadline is None else max(0.1, deadline - time.monotonic())
    problem = Problem(
        sample=SampleSet(domain, x[fine], y[fine], x[~fine]),
        tolerance=level.target,
        operators=operators,
        max_complexity=40,
        budget=Budget(seconds=left, evaluations=SEARCHED[effort]),
        seed=seed,
    )
    judge = Judge(piece, rng)
    fits: list[Fit] = []
    try:
        with closing(closable(Operon(OperonOptions(threads=1)).search(problem))) as search:
            for candidate in search:
                fits.append(tidy(candidate.written.tree, judge))
                if fits[-1].error < level.target:
                    break
    except (EngineError, ConfigError):
        return []
    return [better for fit in pareto(fits, KEPT) for better in improved(fit, judge, level)]
