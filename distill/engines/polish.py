"""Fitting the constants of a formula: least squares, then the smallest largest error.

Least squares is Levenberg-Marquardt on the singular values of the scaled Jacobian, with geodesic
acceleration (Transtrum and Sethna 2012) for the narrow bent valleys of formulas. The largest error
is minimised by sequential linear programming in a trust region (Osborne and Watson 1969;
Madsen 1975): the linear programme sees the worst rows only, others join when they get worse; a
constant moves by a limited part of itself. Both end by themselves: no clock decides the result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.formula.program import Program, compile_tree
from distill.formula.tree import Node, with_constants

Indices = npt.NDArray[np.intp]

WORKING_ROWS = 600
"""Fits run on so many rows; of the others the worst ones join."""

PROBE, MOST_BEND = 0.1, 0.4
"""How far ahead curvature is measured, and how large its correction may be; parts of the step."""

EXCHANGES = 4
JOINING = 60
FIRST_RADIUS, LAST_RADIUS = 0.5, 1e-4
"""Of the trust region: the largest move of a constant, as a part of its size."""

NEGLIGIBLE = 1e-11
"""Singular values and errors below this part of the largest are rounding."""


@dataclass(frozen=True)
class Fit:
    """A formula with its constants on the way, on the points x (n, d) with the answers y (n,).

    ``free`` says which constants may move; errors count ``weight`` (n,) times.
    """

    tree: Node
    program: Program
    x: Array
    y: Array
    theta: Array
    free: Indices
    weight: Array

    @classmethod
    def of(
        cls, tree: Node, names: Sequence[str], x: Array, y: Array, weight: Array | None = None
    ) -> Fit:
        """A fit of all constants, started from those of the tree; all rows count the same."""
        program = compile_tree(tree, names)
        free = np.arange(len(program.constants))
        w = np.ones(len(y)) if weight is None else weight
        return cls(tree, program, x, y, program.constants, free, w)

    @property
    def solved(self) -> Node:
        """The tree with the fitted constants."""
        return with_constants(self.tree, self.theta.tolist())

    def off(self, theta: Array | None = None) -> Array:
        """Signed errors at all points, (n,)."""
        return (self.program(self.x, self.theta if theta is None else theta) - self.y) * self.weight

    def worst(self) -> float:
        """The largest absolute error; infinite where the formula is not finite."""
        return _largest(self.off())

    def rms(self) -> float:
        """The root mean square error; infinite where the formula is not finite."""
        off = self.off()
        with np.errstate(all="ignore"):
            value = float(np.sqrt(np.mean(off * off)))
        return value if math.isfinite(value) else math.inf

    def rows(self, chosen: Indices) -> Fit:
        """The same fit on some of the points."""
        return replace(self, x=self.x[chosen], y=self.y[chosen], weight=self.weight[chosen])

    def slopes(self) -> tuple[Array, Array]:
        """Signed errors (n,) and their derivatives by the free constants (n, k)."""
        values, jacobian = self.program.by_constants(self.x, self.theta)
        return (values - self.y) * self.weight, jacobian[:, self.free] * self.weight[:, None]

    def moved(self, step: Array) -> Fit:
        """The fit with the free constants moved by ``step`` (k,)."""
        theta = self.theta.copy()
        theta[self.free] += step
        return replace(self, theta=theta)


def _largest(off: Array) -> float:
    worst = float(np.max(np.abs(off), initial=0.0))
    return worst if math.isfinite(worst) else math.inf


@dataclass(frozen=True, slots=True)
class _Directions:
    """A Jacobian as ``across @ diag(sizes) @ along.T / scale``, without negligible directions."""

    across: Array
    sizes: Array
    along: Array
    scale: Array

    def solve(self, right: Array, damping: float) -> Array:
        """The damped least-squares solution of ``jacobian @ u = right``."""
        s = self.sizes
        return self.along @ (s / (s * s + damping) * (self.across.T @ right))

    def length(self, step: Array) -> float:
        """How long a step is in units of the Jacobian's columns."""
        with np.errstate(all="ignore"):
            return float(np.linalg.norm(step * self.scale))

    @classmethod
    def of(cls, jacobian: Array) -> _Directions | None:
        if not np.isfinite(jacobian).all():
            return None
        scale = np.linalg.norm(jacobian, axis=0)
        scale[scale == 0.0] = 1.0
        across, sizes, along = np.linalg.svd(jacobian / scale, full_matrices=False)
        kept = sizes > NEGLIGIBLE * sizes.max(initial=0.0)
        return cls(across[:, kept], sizes[kept], (along[kept] / scale).T, scale)


def _bend(
    fit: Fit, off: Array, jacobian: Array, step: Array, directions: _Directions, damping: float
) -> Array:
    """What follows a curved valley: half the geodesic acceleration, zero where it is too large."""
    ahead = fit.moved(PROBE * step).off()
    with np.errstate(all="ignore"):
        curvature = 2.0 / PROBE * ((ahead - off) / PROBE - jacobian @ step)
    if not np.isfinite(curvature).all():
        return np.zeros_like(step)
    bend = -0.5 * directions.solve(curvature, damping)
    if directions.length(bend) > MOST_BEND * directions.length(step):
        return np.zeros_like(step)
    return bend


def working_rows(fit: Fit) -> Indices:
    """Indices of the rows to work on: drawn always the same way, with the worst ones."""
    n = len(fit.y)
    if n <= WORKING_ROWS:
        return np.arange(n)
    drawn = np.random.default_rng(0).permutation(n)[: WORKING_ROWS - JOINING]
    return np.union1d(drawn, _worst_rows(fit, JOINING))


def _worst_rows(fit: Fit, count: int) -> Indices:
    return np.argsort(-np.nan_to_num(np.abs(fit.off()), nan=np.inf), kind="stable")[:count]


def least_squares(fit: Fit, iterations: int = 40) -> Fit:
    """The fit with the least sum of squared errors near its constants, on the working rows."""
    working = fit.rows(working_rows(fit))
    off, jacobian = working.slopes()
    with np.errstate(over="ignore"):
        cost = float(off @ off)
    if not (math.isfinite(cost) and len(fit.free)):
        return fit
    damping = 1e-3
    size = working.y * working.weight
    exact = NEGLIGIBLE**2 * float(size @ size)
    directions = _Directions.of(jacobian)
    for _ in range(iterations):
        if directions is None or cost <= exact:
            break
        step = -directions.solve(off, damping)
        trial = working.moved(step + _bend(working, off, jacobian, step, directions, damping))
        new = trial.off()
        with np.errstate(all="ignore"):
            new_cost = float(new @ new)
        if math.isfinite(new_cost) and new_cost < cost:
            gain = (cost - new_cost) / cost
            working, off, cost = trial, new, new_cost
            damping = max(damping * 0.1, 1e-14)
            if gain < 1e-9:
                break
            off, jacobian = working.slopes()
            directions = _Directions.of(jacobian)
        else:
            damping *= 8.0
            if damping > 1e8:
                break
    return replace(fit, theta=working.theta)


def minimax(fit: Fit, iterations: int = 30) -> Fit:
    """The fit whose largest error over all rows is smallest near its constants."""
    best, rows = fit, working_rows(fit)
    for _ in range(EXCHANGES):
        current = replace(fit, theta=_minimax_on(best.rows(rows), iterations).theta)
        if current.worst() < best.worst():
            best = current
        joining = np.setdiff1d(_worst_rows(current, JOINING), rows)
        over = np.abs(current.off()[joining]) > 1.001 * current.rows(rows).worst()
        if not over.any():
            break
        rows = np.union1d(rows, joining[over])
    return best


def _minimax_on(fit: Fit, iterations: int) -> Fit:
    error = fit.worst()
    size = float(np.max(np.abs(fit.y * fit.weight), initial=0.0))
    if not (math.isfinite(error) and len(fit.free)):
        return fit
    off, jacobian = fit.slopes()
    radius = FIRST_RADIUS
    for _ in range(iterations):
        scale = np.abs(jacobian).max(axis=0)
        if error <= NEGLIGIBLE * size or radius < LAST_RADIUS or not np.isfinite(scale).all():
            break
        scale[scale == 0.0] = 1.0
        # A constant may move by a part of itself: that is where the formula is nearly linear.
        reach = radius * np.maximum(np.abs(fit.theta[fit.free]) * scale, error)
        step, predicted = _linear_programme(off, jacobian / scale, reach)
        if predicted > error * (1.0 - 1e-3):
            break
        trial = fit.moved(step / scale)
        reached = trial.worst()
        ratio = (error - reached) / (error - predicted)
        if ratio > 0.7:
            radius *= 2.0
        elif ratio < 0.3:
            radius *= 0.3
        if reached < error:
            settled = reached > error * (1.0 - 1e-3)
            fit, error = trial, reached
            if settled:
                break
            off, jacobian = fit.slopes()
    return fit


def _linear_programme(off: Array, slopes: Array, reach: Array) -> tuple[Array, float]:
    """Minimise max |off + slopes @ u| over |u| <= reach (k,); the step u and that maximum."""
    from scipy.optimize import linprog

    n, k = slopes.shape
    rows = np.argsort(-np.abs(off), kind="stable")[: min(n, 12 * (k + 1))]
    step, predicted = np.zeros(k), float(np.max(np.abs(off)))
    for _ in range(4):
        ones = np.ones((len(rows), 1))
        found = linprog(
            np.append(np.zeros(k), 1.0),
            A_ub=np.block([[slopes[rows], -ones], [-slopes[rows], -ones]]),
            b_ub=np.concatenate([-off[rows], off[rows]]),
            bounds=[*zip(-reach, reach, strict=True), (0.0, None)],
            method="highs-ds",
        )
        if found.x is None:
            break
        step = found.x[:-1]
        linear = np.abs(off + slopes @ step)
        predicted = float(linear.max())
        if predicted <= 1.001 * found.x[-1]:
            break
        worse = np.argsort(-linear, kind="stable")[:JOINING]
        rows = np.union1d(rows, worse)
    return step, predicted
