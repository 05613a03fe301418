"""The free parts of a skeleton as functions known by their values, before any formula for them.

The parts are written in Chebyshev polynomials of several variables, and all coefficients are found
together, with the free constants, by damped least squares from several starts, at first of a low
degree. What the form leaves open (``f(x)*g(y)`` says nothing of the factor between them) is left
where the smallest steps lead.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.engines.oracle import ROUNDING, Oracle
from distill.engines.part_bases import Basis, System
from distill.engines.skeleton import Part, Skeleton
from distill.engines.structure.piece import Values

DEGREES = {
    1: (2, 4, 6, 9, 13, 18, 25, 35),
    2: (2, 3, 5, 7, 9, 12, 15, 18),
    3: (1, 2, 3, 4, 6, 8, 10),
}
MANY_DEGREES = (1, 2, 3, 4)
"""Total degrees tried one after another, by the number of variables; more variables, fewer."""

STARTS, DRAWS, KEPT = 16, 256, 6
"""Of the coarsest fit: so many of the best draws, and so many of any, are improved; the best
of the results go on."""

ALL_LEVELS = 2
"""Several results are followed through so many degrees; the best alone after that."""

START_ROWS = 200
ITERATIONS = 40
ROWS_FOR_EACH = 3
"""Degrees end where there would be fewer answers than this for each coefficient."""

WORTHWHILE, PATIENCE = 0.8, 2
"""A higher degree should leave at most this part of the error; so many may fail to."""

ENOUGH = 3.0
"""A fit this close to the teacher's own error needs no higher degree."""

NEIGHBOURS = 16
"""The sensitivity of a part is that of so many answers nearby."""

Ask = Callable[[Array], Values]


@dataclass(frozen=True)
class KnownPart:
    """A free part as a function of points (n, k) in the box [low, high]; NaN outside of it.

    ``direct`` says that its values come straight from the answers, and not from a smooth fit.
    """

    part: Part
    ask: Ask
    low: Array
    high: Array
    direct: bool = False


def _degree(part: Part, level: int) -> int:
    ladder = DEGREES.get(len(part.names), MANY_DEGREES)
    return ladder[min(level, len(ladder) - 1)]


def determine(
    skeleton: Skeleton,
    fitting: tuple[Array, Array],
    checking: tuple[Array, Array],
    error: float,
    seed: int,
    deadline: float = math.inf,
) -> tuple[tuple[KnownPart, ...], Array, float]:
    """All free parts together: as functions, the constants (k,), and the error left.

    Parameters
    ----------
    fitting, checking : points (n, d) with finite answers (n,); the degree is chosen, and the error
        measured, on the latter.
    error : the teacher's own, at which a fit is good enough.
    deadline : no higher degree is tried after this time on the monotonic clock.
    """
    x, y = fitting
    system = _system(skeleton, 0, x, y)
    pool = _starts(system.rows(START_ROWS), np.random.default_rng(seed))
    best, best_error, worse = (system, pool[0]), np.inf, 0
    for level in range(max(map(len, DEGREES.values()))):
        if level:
            finer = _system(skeleton, level, x, y)
            if finer.sizes == system.sizes or ROWS_FOR_EACH * sum(finer.sizes) > len(y):
                break
            pool = [_embedded(system, finer, theta) for theta in pool]
            system = finer
        pool = [system.solve(theta, ITERATIONS) for theta in pool]
        check = System.of(skeleton, system.bases, *checking)
        errors = [check.rms(theta) for theta in pool]
        leader = int(np.argmin(errors))
        worse = 0 if errors[leader] < WORTHWHILE * best_error else worse + 1
        if errors[leader] < best_error:
            best, best_error = (system, pool[leader]), errors[leader]
        if best_error <= ENOUGH * error or worse > PATIENCE or time.monotonic() >= deadline:
            break
        # Where the form can be met in several ways the first steps tell them apart.
        pool = pool if level < ALL_LEVELS else [pool[leader]]
    system, theta = best
    coefficients, constants = system.parts(theta)
    spread = max(1.0, best_error / error) if error > 0 else 1.0
    known = tuple(
        _known(system, theta, i, coefficients[i], spread) for i in range(len(skeleton.parts))
    )
    return known, constants, best_error


def _system(skeleton: Skeleton, level: int, x: Array, y: Array) -> System:
    bases = (Basis.of(part, skeleton.domain, _degree(part, level)) for part in skeleton.parts)
    return System.of(skeleton, tuple(bases), x, y)


def _embedded(coarse: System, fine: System, theta: Array) -> Array:
    """The same functions in the larger bases."""
    coefficients, constants = coarse.parts(theta)
    pieces = []
    for old, new, values in zip(coarse.bases, fine.bases, coefficients, strict=True):
        places = {degree: i for i, degree in enumerate(new.degrees)}
        wider = np.zeros(len(new.degrees))
        wider[[places[degree] for degree in old.degrees]] = values
        pieces.append(wider)
    return np.concatenate([*pieces, constants])


def _starts(system: System, rng: np.random.Generator) -> list[Array]:
    """The best few of many draws: parts of any size, from nearly constant to crossing zero."""
    draws = []
    for _ in range(DRAWS):
        pieces = []
        for basis in system.bases:
            size = 10.0 ** rng.uniform(-1.0, 1.0)
            bent = rng.standard_normal(len(basis.degrees)) * size * 10.0 ** rng.uniform(-1.0, 0.5)
            bent[0] = size * rng.choice([1.0, 1.0, -1.0])
            pieces.append(bent)
        count = len(system.skeleton.constants)
        constants = 10.0 ** rng.uniform(-1.0, 1.0, count) * rng.choice([1.0, 1.0, -1.0], count)
        draws.append(np.concatenate([*pieces, constants]))
    # Those that begin close are not always those that end close.
    draws = sorted(draws, key=system.rms)[:STARTS] + draws[:STARTS]
    improved = [system.solve(theta, ITERATIONS) for theta in draws]
    improved.sort(key=system.rms)
    return improved[:KEPT]


def _known(system: System, theta: Array, i: int, coefficients: Array, spread: float) -> KnownPart:
    """A part as a function, its sensitivity that of the answers nearby."""
    from scipy.spatial import cKDTree

    part, basis = system.skeleton.parts[i], system.bases[i]
    names = system.skeleton.domain.names
    gradient = system.program.by_inputs(system.columns(theta))[1]
    at = system.skeleton.columns.index(part.symbol(part.names))
    points, slopes = [], []
    for j, use in enumerate(part.uses):
        points.append(basis.unit(system.x[:, [names.index(name) for name in use]]))
        slopes.append(gradient[:, at + j] ** 2)
    near, squares = cKDTree(np.vstack(points)), np.concatenate(slopes)
    floor = 1e-24 * float(np.max(squares, initial=0.0)) or 1.0

    def ask(u: Array) -> Values:
        unit = basis.unit(u)
        rows = near.query(unit, k=min(NEIGHBOURS, len(squares)))[1].reshape(len(u), -1)
        s = spread / np.sqrt(squares[rows].mean(axis=1) + floor)
        inside = (np.abs(unit) <= 1.0 + 1e-9).all(axis=1)
        return Values(np.where(inside, basis(u) @ coefficients, np.nan), s)

    return KnownPart(part, ask, basis.low, basis.high)


def answer_error(oracle: Oracle | None, y: Array) -> float:
    """How far answers of the size of y are off, rounding included."""
    size = float(np.sqrt(np.mean(y * y))) if len(y) else 0.0
    return max(0.0 if oracle is None else oracle.error, ROUNDING * size)
