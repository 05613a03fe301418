"""Designs: where a teacher is asked. Equal seeds give equal points to the bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.domain import Domain, Variable, unit_points
from distill.errors import SampleError

DATA = "data"
"""The design that takes the rows of a table; every other one asks."""


@dataclass(frozen=True, slots=True)
class Design:
    """A way to lay out points: ``points(domain, n, seed)`` has shape (about n, d)."""

    name: str
    description: str
    points: Callable[[Domain, int, int], Array]


def sobol(domain: Domain, n: int, seed: int) -> Array:
    """The border, then a scrambled Sobol sequence (Owen 1998), shape (n, d)."""
    return _with_border(domain, n, seed, lambda inside: domain.sample(inside, seed))


def lhs(domain: Domain, n: int, seed: int) -> Array:
    """The border, then a Latin hypercube (McKay, Beckman and Conover 1979), shape (n, d)."""
    from scipy.stats import qmc

    def inside(count: int) -> Array:
        rng = np.random.default_rng([seed, 2])
        return domain.from_unit(qmc.LatinHypercube(len(domain), rng=rng).random(count))

    return _with_border(domain, n, seed, inside)


def grid(domain: Domain, n: int, seed: int) -> Array:
    """Every combination of evenly spaced levels, ends included; at most n points.

    Levels are even in the variable's scale and as many for each variable as n allows, but never
    more than a discrete variable has values. ``seed`` has no effect.

    Raises
    ------
    SampleError : when n is smaller than the 2^d corners.
    """
    if n < 2 ** len(domain):
        raise SampleError(
            f"a grid over {len(domain)} inputs has {2 ** len(domain)} points at least, {n} wanted.",
            where="config key `sampling.points`",
            hint="raise it, or use the design sobol.",
        )
    most = [v.high - v.low + 1 if v.discrete else float("inf") for v in domain.variables]
    counts = [2] * len(domain)
    growing = True
    while growing:
        growing = False
        for i in sorted(range(len(counts)), key=counts.__getitem__):
            total = float(np.prod([float(c) for c in counts]))
            if counts[i] < most[i] and total / counts[i] * (counts[i] + 1) <= n:
                counts[i] += 1
                growing = True
                break
    return _combinations([_levels(v, c) for v, c in zip(domain.variables, counts, strict=True)])


def exhaustive(domain: Domain, n: int, seed: int) -> Array:
    """Every point of a domain of whole numbers, at most n. ``seed`` has no effect.

    Raises
    ------
    SampleError : for a continuous variable, or more than n points.
    """
    for variable in domain.variables:
        if not variable.discrete:
            raise SampleError(
                f"`{variable.name}` is continuous and has no last point to be asked.",
                where="config key `sampling.design`",
                hint="use sobol or grid, or make the variable integer or boolean.",
            )
    counts = [int(v.high - v.low) + 1 for v in domain.variables]
    total = 1
    for count in counts:
        total *= count
    if total > n:
        raise SampleError(
            f"the domain has {total:,} points, more than the {n:,} that may be asked.",
            where="config key `sampling.points`",
            hint="raise it if the teacher is quick enough, or use the design sobol.",
        )
    return _combinations([np.arange(v.low, v.high + 1) for v in domain.variables])


DESIGNS = {
    design.name: design
    for design in (
        Design("sobol", "scrambled Sobol points, even coverage with few points", sobol),
        Design("lhs", "Latin hypercube, each input covered evenly on its own", lhs),
        Design("grid", "every combination of evenly spaced levels", grid),
        Design("exhaustive", "every point of a domain of whole numbers", exhaustive),
    )
}


def border(domain: Domain, n: int, seed: int) -> Array:
    """The corners (4096 at most), the centres of the faces, and points anywhere on them.

    About n points, shape (m, d), but never fewer than the corners; where n allows, every face gets
    its centre and then equally many points.
    """
    corners = domain.corners()
    d = len(domain)
    left = n - len(corners)
    if d == 1 or left < 2 * d:
        return corners
    inside = np.vstack([np.full((2 * d, d), 0.5), _unit_points(d, left - 2 * d, seed)])
    points = domain.from_unit(inside)
    face = np.arange(len(points)) % (2 * d)
    side = np.where(face < d, domain.low[face % d], domain.high[face % d])
    points[np.arange(len(points)), face % d] = side
    return np.vstack([corners, points])


def _with_border(domain: Domain, n: int, seed: int, inside: Callable[[int], Array]) -> Array:
    """Corners, an eighth of the points on faces, and at least half of n inside.

    n points in all; more only where the corners alone are more than half of n.
    """
    corners = len(domain.corners())
    edge = border(domain, corners + min(n // 8, max(0, n // 2 - corners)), seed)
    points = np.vstack([edge, inside(max(n - len(edge), n // 2, 1))])
    if any(v.discrete for v in domain.variables):  # whole numbers meet each other
        points = points[np.sort(np.unique(points, axis=0, return_index=True)[1])]
    return points


def _unit_points(d: int, n: int, seed: int) -> Array:
    if n < 1:
        return np.empty((0, d))
    return unit_points(d, n, np.random.default_rng([seed, 1]))


def _levels(variable: Variable, count: int) -> Array:
    if variable.discrete:
        return np.round(np.linspace(variable.low, variable.high, count))
    levels = variable.from_unit(np.linspace(0.0, 1.0, count))
    levels[[0, -1]] = variable.low, variable.high
    return levels


def _combinations(axes: list[Array]) -> Array:
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
