"""Points at which formulas are most wrong: they join the sample before the next search."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import NotDifferentiable
from distill.extremum import border_points, every_point, improve
from distill.formula import Formula
from distill.teachers.base import Teacher

POOL = 4096
"""Points at which the teacher is asked once for all formulas."""

STARTS = 16
"""Places from which the search for one formula's worst point climbs."""


def counterexamples(
    formulas: Sequence[Formula],
    teacher: Teacher,
    domain: Domain,
    *,
    n: int,
    seed: int,
    output: int = 0,
    seconds: float | None = None,
) -> Array:
    """At most n points of the domain, shape (m, d), where the formulas are most wrong.

    Each formula in turn gives its worst point, found by climbing, then its worst points of a common
    pool; every point keeps a distance from those already taken. Points at which the teacher has no
    finite answer are never taken; where only the formula is not finite, its error is infinite.
    Climbing asks the teacher ten thousands of times: after ``seconds`` the pool has to do.
    """
    until = None if seconds is None else time.monotonic() + seconds
    pool = every_point(domain)
    if pool is None:
        pool = np.vstack([border_points(domain, POOL // 4, seed), domain.sample(POOL, seed)])
    truth = teacher.predict(pool)[:, output]
    pool, truth = pool[np.isfinite(truth)], truth[np.isfinite(truth)]
    if not len(pool) or n < 1:
        return np.empty((0, len(domain)))
    slope = _slope(teacher, pool[:1], output)
    ranked = []
    for formula in formulas:
        errors = np.abs(formula(pool) - truth)
        errors = np.where(np.isnan(errors), np.inf, errors)
        ranking = pool[np.argsort(-errors, kind="stable")]
        if until is None or time.monotonic() < until:
            worst = _climbed(formula, teacher, output, domain, pool, errors, seed, slope)
            ranking = np.vstack([worst, ranking])
        ranked.append(ranking)
    return _spread(ranked, domain, n)


_Slope = Callable[[Array], Array]


def _slope(teacher: Teacher, x: Array, output: int) -> _Slope | None:
    try:
        teacher.gradient(x)
    except NotDifferentiable:
        return None
    return lambda points: teacher.gradient(points)[:, output]


def _climbed(
    formula: Formula,
    teacher: Teacher,
    output: int,
    domain: Domain,
    pool: Array,
    errors: Array,
    seed: int,
    slope: _Slope | None,
) -> Array:
    """The worst point (1, d) near the pool's worst ones, or none where the pool itself is best."""
    if domain.discrete or np.isinf(errors).any():
        return np.empty((0, len(domain)))

    def difference(x: Array) -> Array:
        truth = teacher.predict(x)[:, output]
        return np.where(np.isfinite(truth), formula(x) - truth, 0.0)

    def gradient(x: Array) -> Array:
        assert slope is not None
        return formula.gradient(x) - slope(x)

    found = improve(
        difference,
        domain,
        pool,
        errors,
        starts=STARTS,
        seed=seed,
        gradient=None if slope is None else gradient,
    )
    return found.x[None, :]


def _spread(ranked: Sequence[Array], domain: Domain, n: int) -> Array:
    """Each list's points in turn, worst first, none nearer to another than a share of the cube."""
    distance = 0.5 * n ** (-1 / len(domain))
    places = [domain.to_unit(points) for points in ranked]
    free = [np.ones(len(points), dtype=bool) for points in ranked]
    taken: list[Array] = []
    for turn in itertools.cycle(range(len(ranked))):
        if len(taken) == n or not any(left.any() for left in free):
            break
        if free[turn].any():
            at = int(np.argmax(free[turn]))
            taken.append(ranked[turn][at])
            for i, place in enumerate(places):
                free[i] &= np.abs(place - places[turn][at]).max(axis=1) > distance
    return np.array(taken).reshape(-1, len(domain))
