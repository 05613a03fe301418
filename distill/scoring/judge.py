"""Judging many formulas against the same truth.

Every formula is compared at the fresh points and on the border, for which the teacher has been
asked once. From the worst of these points a search climbs, but only for formulas on the front of
(complexity, largest error), until all that are left on the front have been searched: an error can
only grow by searching, so a formula that is beaten before stays beaten by one that was searched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np

from distill.arrays import Array
from distill.chain.expression import Expression
from distill.extremum import Extremum, improve
from distill.formula import Formula
from distill.scoring.errors import measure_errors, with_worst
from distill.scoring.pareto import front
from distill.scoring.score import Errors, Score
from distill.scoring.truth import Truth


def judge(
    formulas: Sequence[Expression],
    truth: Truth,
    *,
    reference: Truth | None = None,
    starts: int = 48,
    seed: int = 0,
    always: Collection[int] = (),
    tell: Callable[[float], None] | None = None,
) -> list[Score]:
    """Score every formula, in the order given.

    Parameters
    ----------
    truth : the teacher's, from :func:`~distill.scoring.truth.ask_teacher` or, for a table,
        :func:`~distill.scoring.truth.held_out`; the largest error is over its rows alone then.
    reference : the truth that the teacher learned, where it is known; compared, not searched.
    starts : from how many points the search for the worst one climbs.
    always : indices of formulas that are searched even off the front.
    tell : is told how much is done, from 0 to 1.
    """
    errors: list[Errors] = []
    against: list[Errors | None] = []
    for i, formula in enumerate(formulas):
        errors.append(compare(formula, truth))
        against.append(compare(formula, reference) if reference else None)
        if tell:
            tell(0.5 * (i + 1) / len(formulas))
    searched: set[int] = set()
    while truth.answer is not None:
        best = front([(f.complexity, e.max_error) for f, e in zip(formulas, errors, strict=True)])
        wanted = sorted({*best, *always} - searched)
        if not wanted:
            break
        for left, i in zip(range(len(wanted), 0, -1), wanted, strict=True):
            worst = search(formulas[i], truth, starts=starts, seed=seed)
            errors[i] = with_worst(errors[i], worst, searched=True)
            searched.add(i)
            if tell:
                tell(0.5 + 0.5 * len(searched) / (len(searched) + left - 1))
    return [Score(e, a) for e, a in zip(errors, against, strict=True)]


def compare(formula: Expression, truth: Truth) -> Errors:
    """The errors at the points of ``truth``, the border counting for the largest one only."""
    errors = measure_errors(formula(truth.x), truth.y, truth.x)
    if truth.complete:
        return replace(errors, searched=True)
    if not len(truth.border_x):
        return errors
    sizes = _sizes(formula(truth.border_x), truth.border_y)
    at = int(sizes.argmax())
    return with_worst(errors, Extremum(truth.border_x[at], float(sizes[at])), searched=False)


def search(formula: Expression, truth: Truth, *, starts: int = 48, seed: int = 0) -> Extremum:
    """Climb from the worst of the points of ``truth``, which must have an answer, to worse ones.

    Where the truth is not finite there is no error.
    """
    answer, slope = truth.answer, truth.slope
    assert answer is not None

    def difference(x: Array) -> Array:
        known = answer(x)
        with np.errstate(over="ignore"):
            return np.where(np.isfinite(known), formula(x) - known, 0.0)

    def gradient(x: Array) -> Array:
        assert slope is not None
        assert isinstance(formula, Formula)
        return formula.gradient(x) - slope(x)

    x = np.vstack([truth.x, truth.border_x])
    y = np.concatenate([truth.y, truth.border_y])
    return improve(
        difference,
        truth.domain,
        x,
        _sizes(formula(x), y),
        starts=starts,
        seed=seed,
        gradient=gradient if slope and isinstance(formula, Formula) else None,
    )


def _sizes(values: Array, truth: Array) -> Array:
    """Absolute errors, infinite where the value is not finite."""
    with np.errstate(over="ignore"):
        size = np.abs(values - truth)
    return np.where(np.isfinite(size), size, np.inf)
