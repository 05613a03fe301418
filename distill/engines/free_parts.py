"""The free parts of a skeleton as functions known by their values, before any formula for them.

The parts are written in Chebyshev polynomials of several variables, and all coefficients are found
together, with the free constants, by damped least squares from several starts, at first of a low
degree. What the form leaves open (``f(x)*g(y)`` says nothing of the factor between them) is left
where the smallest steps lead.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import chebyshev

from distill.arrays import Array
from distill.domain import Domain
from distill.engines.oracle import ROUNDING, Oracle
from distill.engines.skeleton import Part, Skeleton
from distill.engines.structure.piece import Values
from distill.formula.program import Program, compile_tree

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


def box_of(part: Part, domain: Domain) -> tuple[Array, Array]:
    """The smallest box with the variables of all uses of a part."""
    columns = np.array([[domain.names.index(name) for name in use] for use in part.uses])
    return domain.low[columns].min(axis=0), domain.high[columns].max(axis=0)


@dataclass(frozen=True)
class _Basis:
    """Chebyshev polynomials over a box; a logarithmic variable is one in all uses."""

    low: Array
    high: Array
    logarithmic: tuple[bool, ...]
    degrees: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, part: Part, domain: Domain, degree: int) -> _Basis:
        low, high = box_of(part, domain)
        scales = {v.name: v.scale == "log" for v in domain.variables}
        logs = tuple(all(scales[use[i]] for use in part.uses) for i in range(len(part.names)))
        total = itertools.product(range(degree + 1), repeat=len(part.names))
        return cls(low, high, logs, tuple(sorted((d for d in total if sum(d) <= degree), key=sum)))

    def unit(self, points: Array) -> Array:
        """The points in the cube [-1, 1]."""
        columns = []
        for i, logarithmic in enumerate(self.logarithmic):
            u, low, high = points[:, i], self.low[i], self.high[i]
            if logarithmic:
                u, low, high = np.log(u), np.log(low), np.log(high)
            columns.append(2.0 * (u - low) / (high - low) - 1.0)
        return np.column_stack(columns)

    def __call__(self, points: Array) -> Array:
        """The polynomials' values, (n, number of them)."""
        top = max(map(max, self.degrees))
        each = [chebyshev.chebvander(column, top) for column in self.unit(points).T]
        result = np.ones((len(points), len(self.degrees)))
        for i, table in enumerate(each):
            result *= table[:, [degree[i] for degree in self.degrees]]
        return result


@dataclass(frozen=True)
class _System:
    """A skeleton with a basis for each part, on the points x (n, d) with the answers y (n,)."""

    skeleton: Skeleton
    program: Program
    bases: tuple[_Basis, ...]
    x: Array
    y: Array
    designs: tuple[tuple[Array, ...], ...]  # of each use of each part

    @classmethod
    def of(cls, skeleton: Skeleton, bases: tuple[_Basis, ...], x: Array, y: Array) -> _System:
        program = compile_tree(skeleton.tree, skeleton.columns)
        names = skeleton.domain.names
        designs = tuple(
            tuple(basis(x[:, [names.index(name) for name in use]]) for use in part.uses)
            for part, basis in zip(skeleton.parts, bases, strict=True)
        )
        return cls(skeleton, program, bases, x, y, designs)

    def rows(self, count: int) -> _System:
        """The same on the first points only."""
        designs = tuple(tuple(d[:count] for d in part) for part in self.designs)
        return replace(self, x=self.x[:count], y=self.y[:count], designs=designs)

    @property
    def sizes(self) -> list[int]:
        """How many unknowns each part has; the constants come after all of them."""
        return [len(basis.degrees) for basis in self.bases]

    def parts(self, theta: Array) -> tuple[list[Array], Array]:
        """The coefficients of each part, and the constants."""
        ends = np.cumsum(self.sizes).tolist()
        split = np.split(theta, ends)
        return split[:-1], split[-1]

    def _columns(self, theta: Array) -> Array:
        coefficients, constants = self.parts(theta)
        uses = [
            design @ c
            for part, c in zip(self.designs, coefficients, strict=True)
            for design in part
        ]
        fixed = [np.full(len(self.x), c) for c in constants]
        return np.column_stack([self.x, *uses, *fixed])

    def off(self, theta: Array) -> Array:
        return self.program(self._columns(theta)) - self.y

    def slopes(self, theta: Array) -> tuple[Array, Array]:
        """The errors (n,) and their derivatives by all unknowns."""
        values, gradient = self.program.by_inputs(self._columns(theta))
        at = self.x.shape[1]
        blocks = []
        for part in self.designs:
            block = np.zeros_like(part[0])
            for design in part:
                block += gradient[:, at, None] * design
                at += 1
            blocks.append(block)
        return values - self.y, np.hstack([*blocks, gradient[:, at:]])

    def rms(self, theta: Array) -> float:
        off = self.off(theta)
        with np.errstate(all="ignore"):
            value = float(np.sqrt(np.mean(off * off)))
        return value if np.isfinite(value) else np.inf

    def solve(self, theta: Array, iterations: int) -> Array:
        """Levenberg and Marquardt's method from theta, on scaled columns."""
        with np.errstate(all="ignore"):
            return self._solve(theta, iterations)

    def _solve(self, theta: Array, iterations: int) -> Array:
        from scipy.linalg import lstsq

        off, jacobian = self.slopes(theta)
        cost = float(off @ off)
        damping = 1e-2
        for _ in range(iterations):
            if not (np.isfinite(cost) and np.isfinite(jacobian).all()) or cost == 0.0:
                break
            scale = np.linalg.norm(jacobian, axis=0)
            scale[scale == 0.0] = 1.0
            weight = np.sqrt(damping) * np.eye(len(scale))
            matrix = np.vstack([jacobian / scale, weight])
            right = np.concatenate([-off, np.zeros(len(scale))])
            step = lstsq(matrix, right, lapack_driver="gelsy", check_finite=False)[0] / scale
            new = self.off(theta + step)
            new_cost = float(new @ new)
            if np.isfinite(new_cost) and new_cost < cost:
                settled = cost - new_cost < 1e-6 * cost
                theta, cost = theta + step, new_cost
                damping = max(damping * 0.1, 1e-15)
                if settled:
                    break
                off, jacobian = self.slopes(theta)
            else:
                damping *= 10.0
                if damping > 1e6:
                    break
        return theta


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
        check = _System.of(skeleton, system.bases, *checking)
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


def _system(skeleton: Skeleton, level: int, x: Array, y: Array) -> _System:
    bases = (_Basis.of(part, skeleton.domain, _degree(part, level)) for part in skeleton.parts)
    return _System.of(skeleton, tuple(bases), x, y)


def _embedded(coarse: _System, fine: _System, theta: Array) -> Array:
    """The same functions in the larger bases."""
    coefficients, constants = coarse.parts(theta)
    pieces = []
    for old, new, values in zip(coarse.bases, fine.bases, coefficients, strict=True):
        places = {degree: i for i, degree in enumerate(new.degrees)}
        wider = np.zeros(len(new.degrees))
        wider[[places[degree] for degree in old.degrees]] = values
        pieces.append(wider)
    return np.concatenate([*pieces, constants])


def _starts(system: _System, rng: np.random.Generator) -> list[Array]:
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


def _known(system: _System, theta: Array, i: int, coefficients: Array, spread: float) -> KnownPart:
    """A part as a function, its sensitivity that of the answers nearby."""
    from scipy.spatial import cKDTree

    part, basis = system.skeleton.parts[i], system.bases[i]
    names = system.skeleton.domain.names
    gradient = system.program.by_inputs(system._columns(theta))[1]
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
