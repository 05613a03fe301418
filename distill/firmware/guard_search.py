"""Finding the cells in which a formula must not answer.

A cell is guarded when the formula, in any of the models given for it, misses the tolerance or is
not finite at any point tried in it: its corners, points on its edges, its middle and others
inside. Its neighbours are guarded too, because a fault seen next to a border may cross it. Then
the rest of the domain is searched for its worst point, until nothing beyond the tolerance is found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from distill.arrays import Array, Flags
from distill.domain import Domain
from distill.errors import ExportError
from distill.extremum import largest
from distill.firmware.axes import Axis
from distill.firmware.fixed.formats import input_formats
from distill.firmware.graph import Arithmetic
from distill.firmware.grids import finite_truth
from distill.firmware.guard import Guard, bits_of_cell, seen

MAX_CELLS = 65_536
"""More cells than this (8 KiB of bits) are not worth their flash."""

SAMPLES = 400_000
"""Points tried over all cells together, at least."""

ROUNDS = 50


def find_guard(
    answers: Sequence[Callable[[Array], Array]],
    truth: Callable[[Array], Array],
    domain: Domain,
    tolerance: float,
    cells: int | Sequence[int] | None = None,
    *,
    arithmetic: Arithmetic = "float32",
    seed: int = 0,
) -> Guard:
    """The guard of a formula against the truth ((n, d) -> (n,)); empty when it may always answer.

    Parameters
    ----------
    answers : models of what the C's formula answers at points of the domain ((n, d) -> (n,)):
        in its own arithmetic, and where that leaves the last places open, in float64 too.
    cells : cells along each axis, or one number for all; by default 4096 in all, fewer along
        whole-number axes with few values. Fixed point takes the next power of two below.

    Raises
    ------
    ExportError : for more than 65,536 cells; when the truth is not finite somewhere.
    """
    counts = grid_counts(domain, arithmetic, cells)
    steps = np.array([form.step for form in input_formats(domain)])

    def difference(x: Array) -> Array:
        """The largest of the models' errors."""
        points = seen(x, domain, arithmetic)
        if arithmetic == "fixed":
            points = points * steps
        wanted = finite_truth(truth, domain, domain.clip(x))
        worst = answers[0](points) - wanted
        for answer in answers[1:]:
            error = answer(points) - wanted
            # What is not finite is kept: no comparison is true of NaN.
            worst = np.where(np.abs(worst) >= np.abs(error), worst, error)
        return np.asarray(worst)

    faults = _Faults(Guard(domain, np.zeros(counts, dtype=bool), arithmetic), difference, tolerance)
    faults.sample(seed)
    for _ in range(ROUNDS):
        faults.trace()
        guard = Guard(domain, _with_neighbours(faults.flags), arithmetic)

        def outside(x: Array, guard: Guard = guard) -> Array:
            return np.where(guard(x), 0.0, difference(x))

        worst = largest(outside, domain, seed=seed)
        if worst.value <= tolerance:
            return guard.compact()
        faults.try_points(worst.x[None, :])
    # Faults too scattered for a guard: nowhere may the formula answer.
    return Guard(domain, np.ones(counts, dtype=bool), arithmetic).compact()


def grid_counts(
    domain: Domain, arithmetic: Arithmetic, cells: int | Sequence[int] | None = None
) -> tuple[int, ...]:
    """The cells along each axis of the grid that :func:`find_guard` looks at.

    Raises
    ------
    ExportError : for more than 65,536 cells.
    """
    counts = _counts(domain, cells)
    if arithmetic != "fixed":
        return counts
    return tuple(
        (axis.span >> bits_of_cell(axis.span, n)) + 1
        for n, axis in zip(counts, (Axis(v, "fixed") for v in domain.variables), strict=True)
    )


def _counts(domain: Domain, cells: int | Sequence[int] | None) -> tuple[int, ...]:
    if cells is None:
        cells = max(2, math.floor(4096 ** (1 / len(domain)) + 1e-9))
    wanted = [cells] * len(domain) if isinstance(cells, int) else list(cells)
    if len(wanted) != len(domain) or min(wanted) < 1:
        raise ExportError(f"a guard over {len(domain)} variables needs as many cell counts >= 1.")
    counts = tuple(
        min(n, int(v.high - v.low) + 1) if v.discrete else n
        for n, v in zip(wanted, domain.variables, strict=True)
    )
    if math.prod(counts) > MAX_CELLS:
        raise ExportError(
            f"a guard of {math.prod(counts):,} cells is larger than {MAX_CELLS:,}.",
            hint="give fewer cells an axis.",
        )
    return counts


class _Faults:
    """The cells in which a fault was found, and one faulty point (d,) of each."""

    def __init__(self, grid: Guard, difference: Callable[[Array], Array], tolerance: float) -> None:
        self.grid, self.difference, self.tolerance = grid, difference, tolerance
        self.flags = grid.flags.copy()
        self.points = np.zeros((*grid.counts, len(grid.counts)))

    def try_points(self, x: Array) -> npt.NDArray[np.int64]:
        """Flag the cells of those points that are faults; the cells (m, d) that are new."""
        if len(x):  # a teacher need not know what to answer to no points
            x = x[~(np.abs(self.difference(x)) <= self.tolerance)]
        cells = self.grid.cells(seen(x, self.grid.domain, self.grid.arithmetic))
        new = ~self.flags[tuple(cells.T)]
        self.flags[tuple(cells.T)] = True
        self.points[tuple(cells.T)] = x
        fresh: npt.NDArray[np.int64] = np.unique(cells[new], axis=0)
        return fresh

    def sample(self, seed: int) -> None:
        """Try every cell's corners and middle, and points on its edges and inside."""
        rng = np.random.default_rng(seed)
        d, domain = len(self.grid.counts), self.grid.domain
        low, high = self.grid.box(np.indices(self.grid.counts).reshape(d, -1).T)
        places = [np.full(d, 0.5)]
        if d <= 6:
            places += [np.array(bits, dtype=float) for bits in np.ndindex(*[2] * d)]
        while len(places) * len(low) < SAMPLES and len(places) < 1024:
            place = rng.random(d)
            places.append(np.where(rng.random(d) < 0.25, np.round(place), place))
        for place in places:
            self.try_points(domain.clip(low + place * (high - low)))

    def trace(self) -> None:
        """Follow faults from cell to cell: a pole or a step often runs along an axis."""
        domain = self.grid.domain
        size = (domain.high - domain.low) / np.array(self.grid.counts)
        frontier = np.argwhere(self.flags).astype(np.int64)
        while len(frontier):
            known = self.points[tuple(frontier.T)]
            moves = np.vstack([np.diag(size), -np.diag(size)])
            x = domain.clip((known[:, None, :] + moves).reshape(-1, len(size)))
            cells = self.grid.cells(seen(x, domain, self.grid.arithmetic))
            frontier = self.try_points(x[~self.flags[tuple(cells.T)]])


def _with_neighbours(flags: Flags) -> Flags:
    """Guarded cells and those that touch them, also at a corner."""
    grown = flags
    for axis, count in enumerate(flags.shape):
        before, after = np.roll(grown, 1, axis), np.roll(grown, -1, axis)
        index = np.arange(count).reshape([-1 if i == axis else 1 for i in range(flags.ndim)])
        grown = grown | (before & (index > 0)) | (after & (index < count - 1))
    return grown
