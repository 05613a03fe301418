"""The cheapest table that stays within a tolerance of the truth, also between its breakpoints.

Every axis is measured alone, on lines through the domain, with every layout it may have: even
cells, cells of powers of two, placed ones; linear or cubic; few or many. The error of a grid is at
most about the sum of the errors along its axes, so that all grids can be ordered without being
built. The cheapest that promise to be good enough are built, and checked as the C reads them:
values fitted to the truth (:mod:`distill.firmware.table_fit`), rounded, at corners, edges and
points inside. The winner is searched for its worst point. One beyond the tolerance joins the
points that are checked, and the next table has its turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import ExportError
from distill.extremum import border_points, largest
from distill.firmware.axes import Axis, Even, Whole
from distill.firmware.fixed.formats import QFormat
from distill.firmware.graph import Arithmetic
from distill.firmware.grids import breakpoints, finite_truth, grid_points, with_middles
from distill.firmware.lookup import HIGHEST, Table
from distill.firmware.table_axes import (
    Choices,
    Lines,
    Option,
    Stored,
    options,
    spread_points,
)
from distill.firmware.table_cost import instructions
from distill.firmware.table_fit import Basis, fit_values, seen_inputs
from distill.firmware.table_storing import holds_values, store

KEPT = 0.99
"""The part of the tolerance that errors may reach where they are looked for."""

CHECK_POINTS = 4096
CLOUD = 256
LATTICE_POINTS = 80_000
MIDDLE_POINTS = 100_000
MAX_LATTICE = 8192
MAX_VALUES = 500_000
MAX_GRIDS = 2_000_000
ROUNDS = 24
TRIES = 48

Truth = Callable[[Array], Array]
Prefer = Literal["bytes", "instructions"]

_SIZES: dict[Stored, int] = {"uint8": 1, "uint16": 2, "uint32": 4, "float32": 4}


@dataclass(frozen=True)
class _Grid:
    """A table that may be built: its axes, type of values, and what is expected of it."""

    axes: tuple[Axis, ...]
    stored: Stored
    price: float
    error: float


class Search:
    """Everything one search asks of the truth, each point once where it can."""

    def __init__(
        self,
        truth: Truth,
        domain: Domain,
        tolerance: float,
        arithmetic: Arithmetic,
        prefer: Prefer,
        choices: Choices,
        output: QFormat | None,
    ) -> None:
        self.domain, self.tolerance = domain, tolerance
        self.arithmetic: Arithmetic = arithmetic
        self.prefer, self.choices, self.output = prefer, choices, output
        self.given = truth
        border = border_points(domain, CHECK_POINTS // 2, seed=0)
        self.x = np.vstack([border, domain.sample(CHECK_POINTS, seed=0)])
        self.y = self.truth(self.x)
        if not holds_values(output, self.y):
            raise ExportError(
                f"values up to {np.abs(self.y).max():g} do not fit the output format {output}.",
                hint="use an output format of fewer fraction bits.",
            )
        if "linear" in self.choices.interpolations and not holds_values(output, 2 * self.y):
            # A spline's coefficients lie beyond its values: there is no room for them.
            self.choices = replace(self.choices, interpolations=("linear",))
        self.lines = [Lines.through(self.truth, domain, i, arithmetic) for i in range(len(domain))]
        # What each input does when it is held.
        self.flat = np.array(
            [line.error(Axis(line.domain.variables[line.axis], arithmetic)) for line in self.lines]
        )
        self.bases: dict[tuple[Axis, bool], Basis] = {}

    def truth(self, x: Array) -> Array:
        """The truth at x (n, d), which must be finite."""
        return finite_truth(self.given, self.domain, x)

    @cached_property
    def matters(self) -> list[int]:
        """The inputs that change the truth by more than a thousandth of the tolerance."""
        return [i for i in range(len(self.domain)) if self.flat[i] > self.tolerance / 1000]

    @cached_property
    def options(self) -> list[list[Option]]:
        """The layouts of each axis that are worth having."""

        def cost(axis: Axis) -> float:
            return (
                0.0 if self.prefer == "bytes" else instructions((axis,), "uint16", self.arithmetic)
            )

        enough = self.tolerance / 16
        found = []
        for i, line in enumerate(self.lines):
            if i not in self.matters:
                found.append([Option(Axis(line.domain.variables[i], self.arithmetic), 0.0)])
            else:
                found.append(options(line, self.choices, enough, cost))
        return found

    @cached_property
    def lattice(self) -> tuple[list[Array], list[Array], Array]:
        """Inputs (n,) of every axis, how the C sees them, and the truth on their grid."""
        wanted = []
        for i, found in enumerate(self.options):
            share = self.tolerance / max(2, 2 * len(self.matters))
            good = [o.axis.values for o in found if o.error <= share]
            values = min(good, default=max(o.axis.values for o in found))
            wanted.append(4.0 * values + 9 if i in self.matters else 1.0)
        counts = np.array(wanted)
        free = counts > 1
        for _ in range(20):
            room = (LATTICE_POINTS / counts.prod()) ** (1 / max(1, free.sum()))
            counts = np.where(free, np.clip(counts * room, 5, MAX_LATTICE), 1)
        axes = [
            spread_points(line, int(count))
            if i in self.matters
            else Axis(line.domain.variables[i], self.arithmetic).breakpoints()
            for i, (line, count) in enumerate(zip(self.lines, counts, strict=True))
        ]
        seen = [seen_inputs(self.domain, i, x, self.arithmetic) for i, x in enumerate(axes)]
        y = self.truth(grid_points(axes)).reshape([len(x) for x in axes])
        return axes, seen, y

    def too_many_inputs(self) -> bool:
        """Whether even the coarsest lattice over the inputs that matter is too large."""
        points = 1.0
        for i in self.matters:
            variable = self.domain.variables[i]
            points *= min(5.0, variable.high - variable.low + 1) if variable.discrete else 5.0
        return points > LATTICE_POINTS

    def best(self, max_bytes: float) -> Table | None:
        """The cheapest table that is good enough; one of more bytes rather than none."""
        if self.too_many_inputs():
            return None
        grids = sorted(self.grids(max_bytes), key=lambda grid: (grid.price, grid.error))
        found, at = self._first(grid for grid in grids if grid.error <= self.tolerance)
        if found is None:
            near = sorted(
                (g for g in grids if g.error <= 4 * self.tolerance), key=lambda g: g.error
            )
            found, at = self._first(iter(near[:TRIES]))
        for _ in range(ROUNDS):
            if found is None or at is None:
                return found
            # Expectations are cautious: what is cheaper may do, too; the likeliest first.
            cheaper = [g for g in grids if g.price < at.price and g.error <= 2 * self.tolerance]
            cheaper.sort(key=lambda g: g.error)
            better, where = self._first(iter(cheaper[:TRIES]))
            if better is None:
                return found
            found, at = better, where
        return found

    def _first(self, grids: Iterator[_Grid]) -> tuple[Table | None, _Grid | None]:
        """The first of these tables that is good enough wherever it is looked at."""
        for grid in grids:
            table = self.build(grid)
            if table is not None and self.holds(table):
                return table, grid
        return None, None

    def holds(self, table: Table) -> bool:
        """Whether nothing beyond the tolerance is found; what is found is checked from now on."""
        if float(np.abs(table(self.x) - self.y).max()) > KEPT * self.tolerance:
            return False
        worst, x = self.worst(table)
        if worst > KEPT * self.tolerance:
            self.x = np.vstack([self.x, x])
            self.y = np.append(self.y, self.truth(x))
        return worst <= KEPT * self.tolerance

    def grids(self, max_bytes: float) -> list[_Grid]:
        """All grids of the axes' layouts that may be good enough, with their expected error."""
        _, seen, _ = self.lattice
        per_axis = [
            [o for o in found if _judged(o.axis, len(x))]
            for found, x in zip(self.options, seen, strict=True)
        ]
        most = max(4, int(MAX_GRIDS ** (1 / max(1, len(self.matters)))))
        per_axis = [_thinned(found, most) for found in per_axis]
        values = _outer(np.multiply, [[o.axis.values for o in found] for found in per_axis])
        own = _outer(np.add, [[o.axis.bytes for o in found] for found in per_axis])
        error = _outer(np.add, [[o.error for o in found] for found in per_axis])
        spread = float(self.y.max() - self.y.min())
        grids = []
        for stored in self.choices.values:
            if stored == "float32" and self.arithmetic == "fixed":
                continue
            rounding = 0.0 if stored == "float32" else 0.5 * spread / HIGHEST[stored]
            size = values * _SIZES[stored] + own
            fits = (error + rounding <= 4 * self.tolerance) & (values <= MAX_VALUES)
            fits &= size <= max_bytes if self.prefer == "instructions" else np.isfinite(size)
            at = np.argwhere(fits)
            for index in at[np.argsort(size[fits], kind="stable")][:20_000]:
                axes = tuple(found[k].axis for found, k in zip(per_axis, index, strict=True))
                if stored == "float32" and not all(_mixes_floats(axis) for axis in axes):
                    continue
                bytes_, cost = (
                    float(size[tuple(index)]),
                    instructions(axes, stored, self.arithmetic),
                )
                price = bytes_ + 1e-4 * cost if self.prefer == "bytes" else cost + 1e-4 * bytes_
                grids.append(_Grid(axes, stored, price, float(error[tuple(index)]) + rounding))
        return grids

    def build(self, grid: _Grid) -> Table | None:
        """The table of a grid; None when its values alone already miss the tolerance."""
        _, seen, y = self.lattice
        real = grid.stored == "float32"
        for axis, inputs in zip(grid.axes, seen, strict=True):
            if (axis, real) not in self.bases:
                self.bases[axis, real] = Basis.of(axis, inputs, real)
        values, error = fit_values([self.bases[axis, real] for axis in grid.axes], y)
        if error > self.tolerance or not holds_values(self.output, values):
            return None
        return store(
            self.domain, grid.axes, values.ravel(), grid.stored, self.arithmetic, self.output
        )

    def worst(self, table: Table) -> tuple[float, Array]:
        """The largest error found anywhere, and points (n, d) to check from now on."""

        def difference(x: Array) -> Array:
            return np.asarray(table(x) - self.truth(x))

        axes = [
            with_middles(axis, variable)
            for axis, variable in zip(breakpoints(table.axes), self.domain.variables, strict=True)
        ]
        if np.prod([float(len(axis)) for axis in axes]) <= MIDDLE_POINTS:
            lattice = grid_points(axes)
        else:
            rng = np.random.default_rng(0)
            lattice = np.column_stack([rng.choice(axis, MIDDLE_POINTS) for axis in axes])
        errors = np.abs(difference(lattice))
        high = lattice[np.argsort(-errors, kind="stable")[:64]]
        if errors.max() > KEPT * self.tolerance:
            return float(errors.max()), high
        found = largest(difference, self.domain, seed=0, also=high)
        # Rounding makes the error rough: no climb finds its tips, many points near them do.
        cloud = self._near(np.vstack([found.x[None, :], high]))
        near = np.abs(difference(cloud))
        tips = cloud[np.argsort(-near, kind="stable")[:64]]
        worst = max(float(errors.max()), found.value, float(near.max()))
        return worst, np.vstack([high, found.x[None, :], tips])

    def _near(self, x: Array) -> Array:
        """Points around each of the points x, nearer and nearer."""
        rng = np.random.default_rng(0)
        u = np.repeat(self.domain.to_unit(x), CLOUD, axis=0)
        size = 2.0 ** rng.uniform(-16, -5, (len(u), 1))
        moved = np.clip(u + size * rng.uniform(-1, 1, u.shape), 0.0, 1.0)
        return np.asarray(self.domain.from_unit(moved))


def _judged(axis: Axis, points: int) -> bool:
    """Whether a lattice of so many points along an axis tells its values apart."""
    return axis.values <= (points if axis.order == 1 else 0.7 * points)


def _mixes_floats(axis: Axis) -> bool:
    return isinstance(axis, Even | Whole) or axis.values == 1


def _thinned(found: list[Option], most: int) -> list[Option]:
    """At most so many layouts, spread over their errors."""
    if len(found) <= most:
        return found
    ordered = sorted(found, key=lambda option: option.error)
    return [ordered[round(k)] for k in np.linspace(0, len(ordered) - 1, most)]


def _outer(join: np.ufunc, rows: Sequence[Sequence[float]]) -> Array:
    """All combinations of one number of every row."""
    result = np.array(rows[0], dtype=float)
    for row in rows[1:]:
        result = join.outer(result, np.array(row, dtype=float))
    return result
