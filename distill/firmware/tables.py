"""The smallest even table that stays within a tolerance of the truth, also between breakpoints.

The error of multilinear interpolation is at most the sum of the errors along each axis alone, and
the grid is smallest when the axes share it equally (Lagrange; the error falls with the square of
the count). So every axis is measured alone on lines through the domain, and one number, the error
allowed to each axis, is lowered until the table as the C reads it stays within the tolerance at
check points. Then breakpoints are taken away one by one. What is left is searched for its worst
point, which joins the check points, until nothing beyond the tolerance is found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.domain import Domain, Variable
from distill.errors import ExportError
from distill.extremum import border_points, largest
from distill.firmware.graph import Arithmetic
from distill.firmware.lookup import (
    LEVELS,
    Table,
    breakpoints,
    finite_truth,
    grid_points,
    make_table,
    with_middles,
)

__all__ = ["Table", "fit_table"]

CHECK_POINTS = 4096
LATTICE_POINTS = 100_000
LINES = 24
LINE_POINTS = 513
MAX_COUNT = 4097
MAX_VALUES = 2_000_000
MAX_INTERPOLATED = 10
ROUNDS = 12

Truth = Callable[[Array], Array]


def fit_table(
    truth: Truth,
    domain: Domain,
    tolerance: float,
    *,
    max_bytes: int,
    arithmetic: Arithmetic = "float32",
) -> Table:
    """The smallest even table found whose error, quantisation included, is within ``tolerance``.

    Parameters
    ----------
    truth : maps points (n, d) to values (n,), in the unit of ``tolerance``.
    tolerance : the largest |table - truth| allowed anywhere; searched for, not proven.
    max_bytes : the largest size of the values.

    Raises
    ------
    ExportError : when no table of ``max_bytes`` does it, saying what size would and what the
        largest that fits reaches; when the truth is not finite somewhere.
    """
    if not (tolerance > 0 and np.isfinite(tolerance)):
        raise ExportError(f"a table cannot meet the tolerance {tolerance:g}.", where="tolerance")
    search = _Search(truth, domain, tolerance, arithmetic)
    counts = search.feasible()
    if counts is None:
        raise _too_large(search, None, max_bytes)
    counts = search.shrink(counts)
    for _ in range(ROUNDS):
        worst, x = search.worst(counts)
        if worst <= tolerance:
            if search.bytes(counts) > max_bytes:
                raise _too_large(search, counts, max_bytes)
            return search.table(counts)
        search.add_checks(x)
        again = search.feasible(search.share)
        if again is None:
            break
        counts = search.shrink(again)
    raise _too_large(search, None, max_bytes)


def _too_large(search: _Search, counts: tuple[int, ...] | None, max_bytes: int) -> ExportError:
    if counts is None:
        needs = f"no even table of up to {MAX_VALUES:,} values stays within {search.tolerance:g}"
    else:
        shape = " x ".join(map(str, counts))
        needs = (
            f"a table within {search.tolerance:g} takes {search.bytes(counts):,} bytes ({shape}), "
            f"but {max_bytes:,} are allowed"
        )
    fitting = search.largest_within(max_bytes)
    if fitting is None:
        reaches = "no table fits that size at all"
    else:
        shape = " x ".join(map(str, fitting))
        reaches = (
            f"the best found that fits ({shape}, {search.bytes(fitting):,} bytes) "
            f"is off by {search.worst(fitting)[0]:.3g}"
        )
    return ExportError(
        f"{needs}; {reaches}.",
        where="export.table_bytes",
        hint="allow more bytes, a larger tolerance or a smaller domain.",
    )


@dataclass(frozen=True)
class _Curve:
    """The largest interpolation error along one axis alone, by number of breakpoints."""

    variable: Variable
    counts: Array
    errors: Array

    def needed(self, error: float) -> int | None:
        """The fewest breakpoints that stay within ``error``; None when none are known to."""
        enough = np.flatnonzero(self.errors <= error)
        if len(enough):
            return int(self.counts[enough[0]])
        if self.variable.discrete:
            return int(self.counts[-1])
        # Beyond the measured counts the error keeps falling at the rate of the last octave.
        order = float(np.log2(self.errors[-9] / self.errors[-1]))
        if order < 0.25:
            return None
        count = 1 + (self.counts[-1] - 1) * (self.errors[-1] / error) ** (1 / order)
        return int(np.ceil(count)) if count <= MAX_COUNT else None


# Eight counts an octave, after which the rate of fall is read.
_MEASURED = sorted({1, 2, *(1 + round(2 ** (k / 8)) for k in range(8, 49))})


class _Search:
    """Everything one search asks of the truth, each point once where it can."""

    def __init__(
        self, truth: Truth, domain: Domain, tolerance: float, arithmetic: Arithmetic
    ) -> None:
        self.truth, self.domain, self.tolerance = truth, domain, tolerance
        self.arithmetic: Arithmetic = arithmetic
        border = border_points(domain, CHECK_POINTS // 2, seed=0)
        self.x = np.vstack([border, domain.sample(CHECK_POINTS, seed=0)])
        self.y = finite_truth(truth, domain, self.x)
        self.curves = [self._curve(i) for i in range(len(domain))]
        self.share = tolerance
        spread = float(self.y.max() - self.y.min())
        axes = sum(not v.discrete for v in domain.variables)
        # Half a level from storing a value; along each axis half from mixing, one from the place.
        self.quantised = (0.5 + 1.5 * axes) * spread / LEVELS <= tolerance / 4

    def _curve(self, axis: int) -> _Curve:
        variable = self.domain.variables[axis]
        border = border_points(self.domain, LINES, seed=1)
        # Corners come first, edges and faces last.
        base = np.vstack([border[:LINES], border[-LINES:], self.domain.sample(LINES, seed=1)])
        along = np.linspace(variable.low, variable.high, LINE_POINTS)
        if variable.discrete:
            along = np.unique(along.round())
        x = np.repeat(base, len(along), axis=0)
        x[:, axis] = np.tile(along, len(base))
        lines = finite_truth(self.truth, self.domain, x).reshape(len(base), -1)
        flat = float(np.abs(lines - lines[:, len(along) // 2, None]).max())
        if variable.discrete:
            counts = np.array([1.0, variable.high - variable.low + 1])
            return _Curve(variable, counts, np.array([flat, 0.0]))
        u = np.linspace(0, 1, LINE_POINTS)
        errors = [flat]
        for count in _MEASURED[1:]:
            knots = _hats(u, np.linspace(0, 1, count))
            errors.append(float(np.abs(lines - lines @ knots.T).max()))
        return _Curve(variable, np.array(_MEASURED, dtype=float), np.array(errors))

    def feasible(self, share: float | None = None) -> tuple[int, ...] | None:
        """Counts within the tolerance at the check points, from a common error of every axis."""
        self.share = 2 * self.tolerance if share is None else share
        last: tuple[int, ...] | None = None
        while self.share > self.tolerance / 1000:
            counts = self.counts(self.share)
            if counts is None or float(np.prod(counts)) > MAX_VALUES:
                return None
            if counts != last and self.error(counts) <= self.tolerance:
                return counts
            last = counts
            self.share *= 0.93
        return None

    def counts(self, share: float) -> tuple[int, ...] | None:
        """Breakpoints an axis when each axis alone may be off by ``share``."""
        counts = []
        for curve in self.curves:
            count = curve.needed(share)
            if count is None:
                return None
            counts.append(count)
        interpolated = sum(
            count > 1 and not curve.variable.discrete
            for count, curve in zip(counts, self.curves, strict=True)
        )
        return tuple(counts) if interpolated <= MAX_INTERPOLATED else None

    def shrink(self, counts: tuple[int, ...]) -> tuple[int, ...]:
        """Take breakpoints away, by halving steps, while the check points stay satisfied."""
        for i in sorted(range(len(counts)), key=lambda i: counts[i]):
            step = 1 << max(0, counts[i] // 8).bit_length()
            while step and not self.domain.variables[i].discrete:
                fewer = (*counts[:i], counts[i] - step, *counts[i + 1 :])
                if fewer[i] >= 1 and self.error(fewer) <= self.tolerance:
                    counts = fewer
                else:
                    step //= 2
        return counts

    def table(self, counts: tuple[int, ...]) -> Table:
        """The table of these counts."""
        return make_table(
            self.truth, self.domain, counts, self.arithmetic, quantised=self.quantised
        )

    def bytes(self, counts: tuple[int, ...]) -> int:
        """The size of the values."""
        return int(np.prod(counts)) * (2 if self.quantised else 4)

    def error(self, counts: tuple[int, ...]) -> float:
        """The largest error at the check points."""
        return float(np.abs(self.table(counts)(self.x) - self.y).max())

    def worst(self, counts: tuple[int, ...]) -> tuple[float, Array]:
        """The largest error found anywhere, and points (n, d) to check from now on."""
        table = self.table(counts)

        def difference(x: Array) -> Array:
            return table(x) - finite_truth(self.truth, self.domain, x)

        axes = [
            with_middles(axis, variable)
            for axis, variable in zip(
                breakpoints(self.domain, counts), self.domain.variables, strict=True
            )
        ]
        if np.prod([float(len(axis)) for axis in axes]) <= LATTICE_POINTS:
            lattice = grid_points(axes)
        else:
            rng = np.random.default_rng(0)
            lattice = np.column_stack([rng.choice(axis, LATTICE_POINTS) for axis in axes])
        errors = np.abs(difference(lattice))
        high = lattice[np.argsort(-errors, kind="stable")[:64]]
        found = largest(difference, self.domain, seed=0, also=high)
        return max(float(errors.max()), found.value), np.vstack([high, found.x[None, :]])

    def add_checks(self, x: Array) -> None:
        """Check these points from now on."""
        self.x = np.vstack([self.x, x])
        self.y = np.append(self.y, finite_truth(self.truth, self.domain, x))

    def largest_within(self, max_bytes: int) -> tuple[int, ...] | None:
        """The counts of the finest table of at most ``max_bytes``."""
        share, fitting = 64 * float(np.max([curve.errors[0] for curve in self.curves])), None
        limit = min(max_bytes, 4 * MAX_VALUES)
        while (counts := self.counts(share)) is not None and self.bytes(counts) <= limit:
            fitting = counts
            share *= 0.93
            if share <= self.tolerance / 1000:
                break
        return fitting


def _hats(u: Array, knots: Array) -> Array:
    """The matrix (n, n) that interpolates values at u linearly from values at ``knots``."""
    step = len(u) - 1
    matrix = np.zeros((len(u), len(u)))
    at = np.clip(np.searchsorted(knots, u, side="right") - 1, 0, len(knots) - 2)
    weight = (u - knots[at]) / (knots[at + 1] - knots[at])
    for ends, part in ((knots[at], 1 - weight), (knots[at + 1], weight)):
        # A breakpoint between two fine points is itself interpolated.
        left = np.minimum((ends * step).astype(int), step - 1)
        rest = ends * step - left
        np.add.at(matrix, (np.arange(len(u)), left), part * (1 - rest))
        np.add.at(matrix, (np.arange(len(u)), left + 1), part * rest)
    return matrix
