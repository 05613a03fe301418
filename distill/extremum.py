"""Where two functions differ most over a domain: many starts, improved together.

A space-filling design with corners, edges and faces finds promising places; the best ones, spread
apart, climb by a compass search (Kolda, Lewis and Torczon 2003) whose trial points are asked in
one call per round; where the difference has a gradient the best of them end with L-BFGS-B (Byrd
et al. 1995). The result is a lower bound of the true maximum: what was found, not what is proven.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distill.arrays import Array, affordable
from distill.domain import Domain

MIN_STEP = 2.0**-20
"""The climb ends at steps this small, in the unit cube."""

MAX_ROUNDS = 200
"""The climb ends after so many rounds in any case."""

WIDE = 64
"""From so many inputs on a round draws the directions that it takes and no whole bases."""

BORDER = 2**21
"""Numbers that points on edges and faces hold at most: of wide domains there are fewer."""

DIRECTIONS = 8
"""At most so many directions of each of the two bases are tried in a round, drawn anew each time:
few are enough (Gratton et al. 2015), and the cost of a round does not grow with the inputs."""

POLISHED = 4
"""How many of the climbed points are polished with the gradient."""

CELLS = 4096
"""From so many of the best cells of a grid the starts are chosen."""

EXHAUSTIVE = 65_536
"""Domains of whole numbers with at most so many points are searched completely."""


@dataclass(frozen=True, slots=True)
class Extremum:
    """The point x (d,) with the largest |difference| found, and that value.

    The value is infinite when the difference is not finite at x.
    """

    x: Array
    value: float


def largest(
    difference: Callable[[Array], Array],
    domain: Domain,
    *,
    points: int = 8192,
    starts: int = 32,
    seed: int = 0,
    also: Array | None = None,
    gradient: Callable[[Array], Array] | None = None,
) -> Extremum:
    """Search the domain for the largest absolute difference.

    Parameters
    ----------
    difference : maps points (n, d) to signed differences (n,); may be non-finite, which counts as
        infinite and ends the search.
    points : size of the Sobol design; corners, edges and faces come on top.
    starts : how many of the best places climb.
    seed : equal seeds give equal results.
    also : more points (m, d) to begin with, in the domain.
    gradient : derivatives (n, d) of the signed difference by x, where it has any.
    """
    pool = every_point(domain)
    if pool is not None:
        return _best(pool, _magnitude(difference, pool))
    pool = np.vstack([border_points(domain, points // 2, seed), domain.sample(points, seed)])
    if also is not None and len(also):
        pool = np.vstack([domain.clip(also), pool])
    values = _magnitude(difference, pool)
    return improve(difference, domain, pool, values, starts=starts, seed=seed, gradient=gradient)


def improve(
    difference: Callable[[Array], Array],
    domain: Domain,
    x: Array,
    values: Array,
    *,
    starts: int = 32,
    seed: int = 0,
    gradient: Callable[[Array], Array] | None = None,
) -> Extremum:
    """Climb from the best of the points x (n, d) with their known |difference|, ``values`` (n,).

    The other parameters are those of :func:`largest`.
    """
    if np.isinf(values.max()):
        return _best(x, values)
    chosen = _spread(domain.to_unit(x), values, starts)
    x, values = _climb(difference, domain, x[chosen], values[chosen], seed, gradient)
    if gradient is not None and np.isfinite(values.max()):
        highest = x[np.argsort(-values, kind="stable")[:POLISHED]]
        polished = np.array([_polish(difference, gradient, domain, start) for start in highest])
        x = np.vstack([x, polished])
        values = np.append(values, _magnitude(difference, polished))
    return _best(x, values)


def border_points(domain: Domain, points: int, seed: int) -> Array:
    """The corners and ``points`` points on edges and faces, equally many for each dimension.

    Fewer points where there are many hundreds of inputs.
    """
    points = affordable(points, len(domain), BORDER)
    u = domain.to_unit(domain.sample(max(1, points), seed))[:points]
    rng = np.random.default_rng([seed, len(domain)])
    snapped = rng.random(u.shape) < rng.random((len(u), 1))
    snapped[np.arange(len(u)), rng.integers(len(domain), size=len(u))] = True
    return np.vstack([domain.corners(), domain.from_unit(np.where(snapped, np.round(u), u))])


def every_point(domain: Domain) -> Array | None:
    """All points of a domain of whole numbers, (n, d); None when it has more than EXHAUSTIVE."""
    if not domain.discrete or np.prod(domain.high - domain.low + 1) > EXHAUSTIVE:
        return None
    axes = [np.arange(v.low, v.high + 1) for v in domain.variables]
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)


def _magnitude(difference: Callable[[Array], Array], x: Array) -> Array:
    with np.errstate(all="ignore"):
        size = np.abs(np.asarray(difference(x), dtype=float))
    return np.where(np.isfinite(size), size, np.inf)


def _best(x: Array, values: Array) -> Extremum:
    at = int(np.argmax(values))
    return Extremum(x[at].copy(), float(values[at]))


def _spread(u: Array, values: Array, starts: int) -> list[int]:
    """Indices of the largest values that keep a distance from each other, largest first."""
    distance = 0.25 * starts ** (-1 / u.shape[1])
    order = np.argsort(-values, kind="stable")
    # Only the best of each cell of a grid, so that the pairs below stay few for many points.
    cells = (u[:, :8] / distance).astype(np.int64) @ (int(1 / distance) + 2) ** np.arange(
        min(8, u.shape[1])
    )
    left = order[np.sort(np.unique(cells[order], return_index=True)[1])[:CELLS]]
    chosen: list[int] = []
    while len(left) and len(chosen) < starts:
        chosen.append(int(left[0]))
        left = left[_far(u, left, distance)]
    return chosen


def _far(u: Array, rows: npt.NDArray[np.int64], distance: float) -> npt.NDArray[np.bool_]:
    """Which of the rows of u (n, d) are farther than ``distance`` from the first of them."""
    first = u[rows[0]]
    # A few coordinates tell of almost all points; the others are looked at where these do not.
    far = np.asarray(np.abs(u[:, :WIDE][rows] - first[:WIDE]).max(axis=1) > distance)
    near = np.flatnonzero(~far)
    far[near] = np.abs(u[rows[near]] - first).max(axis=1) > distance
    return far


def _climb(
    difference: Callable[[Array], Array],
    domain: Domain,
    x: Array,
    values: Array,
    seed: int,
    gradient: Callable[[Array], Array] | None,
) -> tuple[Array, Array]:
    """Compass search from every row of x at once; axes, a turned basis, and uphill if known."""
    x, values = x.copy(), values.copy()
    n, d = x.shape
    rng = np.random.default_rng([seed, d, 1])
    grain = np.array([1 / (v.high - v.low + 1) if v.discrete else 0.0 for v in domain.variables])
    step = np.full(n, 0.25 * n ** (-1 / d))
    for _ in range(MAX_ROUNDS):
        active = np.flatnonzero(step >= MIN_STEP)
        if not len(active):
            break
        compass = _compass(rng, d)
        directions = np.broadcast_to(compass, (len(active), *compass.shape))
        if gradient is not None:
            uphill = _uphill(difference, gradient, domain, x[active])
            directions = np.concatenate([directions, uphill[:, None], 4 * uphill[:, None]], axis=1)
        moves = directions * step[active, None, None]
        # A discrete variable moves by whole steps: at least to the next value along its own axis.
        axis = moves[:, : len(compass) // 2]
        np.copyto(axis, np.sign(axis) * np.maximum(np.abs(axis), grain))
        u = np.clip(domain.to_unit(x[active])[:, None, :] + moves, 0.0, 1.0)
        trials = domain.from_unit(u.reshape(-1, d))
        found = _magnitude(difference, trials).reshape(len(active), -1)
        best = found.argmax(axis=1)
        size = found[np.arange(len(active)), best]
        better = size > values[active]
        x[active[better]] = trials.reshape(len(active), -1, d)[better, best[better]]
        values[active[better]] = size[better]
        if np.isinf(size.max()):
            break
        step[active] = np.minimum(step[active] * np.where(better, 1.5, 0.5), 0.5)
    return x, values


def _compass(rng: np.random.Generator, d: int) -> Array:
    """Directions (m, d) of a round: some of the axes, and as many of a turned basis."""
    if d < WIDE:
        turned = np.linalg.qr(rng.standard_normal((d, d)))[0]
        bases = [np.vstack([basis, -basis]) for basis in (np.eye(d), turned)]
        return np.vstack([rng.permutation(basis)[:DIRECTIONS] for basis in bases])
    turned = np.linalg.qr(rng.standard_normal((d, DIRECTIONS)))[0].T
    axes = np.zeros((DIRECTIONS, d))
    axes[np.arange(DIRECTIONS), rng.integers(d, size=DIRECTIONS)] = 1.0
    signs = rng.choice([-1.0, 1.0], size=(2 * DIRECTIONS, 1))
    compass: Array = signs * np.vstack([axes, turned])
    return compass


def _slopes(domain: Domain, x: Array) -> Array:
    """Derivatives (n, d) of x by its unit coordinates; 0 for discrete variables."""
    columns = []
    for i, v in enumerate(domain.variables):
        if v.discrete:
            columns.append(np.zeros(len(x)))
        elif v.scale == "log":
            columns.append(x[:, i] * np.log(v.high / v.low))
        else:
            columns.append(np.full(len(x), v.high - v.low))
    return np.column_stack(columns)


def _uphill(
    difference: Callable[[Array], Array],
    gradient: Callable[[Array], Array],
    domain: Domain,
    x: Array,
) -> Array:
    """Directions (n, d) of length one in the unit cube in which |difference| grows fastest."""
    with np.errstate(all="ignore"):
        slope = np.sign(difference(x))[:, None] * gradient(x) * _slopes(domain, x)
    slope = np.where(np.isfinite(slope), slope, 0.0)
    u = domain.to_unit(x)
    slope = np.where(((u <= 0) & (slope < 0)) | ((u >= 1) & (slope > 0)), 0.0, slope)
    length = np.linalg.norm(slope, axis=1, keepdims=True)
    return np.asarray(slope / np.where(length > 0, length, 1.0))


def _polish(
    difference: Callable[[Array], Array],
    gradient: Callable[[Array], Array],
    domain: Domain,
    x: Array,
) -> Array:
    """L-BFGS-B from one point x (d,) in the unit cube, discrete variables held."""
    from scipy.optimize import minimize

    at = domain.to_unit(x[None, :])[0]
    size = float(np.asarray(difference(x[None, :]))[0])
    scale = (1.0 if size >= 0 else -1.0) / (abs(size) or 1.0)
    bounds = [
        (u, u) if v.discrete else (0.0, 1.0) for u, v in zip(at, domain.variables, strict=True)
    ]

    def falling(u: Array) -> tuple[float, Array]:
        point = domain.from_unit(u[None, :])
        with np.errstate(all="ignore"):
            value = -scale * np.asarray(difference(point))[0]
            slope = -scale * (np.asarray(gradient(point)) * _slopes(domain, point))[0]
        if not (np.isfinite(value) and np.isfinite(slope).all()):
            return 0.0, np.zeros_like(u)  # the line search turns back; the climb judges such points
        return float(value), slope

    found = minimize(falling, at, jac=True, method="L-BFGS-B", bounds=bounds)
    end: Array = domain.from_unit(np.clip(found.x, 0.0, 1.0)[None, :])[0]
    return end
