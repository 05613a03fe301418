"""Where a formula is off: residuals gathered into the cells of a grid over the domain.

Within a cell the residual of the largest size stands for all, so that a map never hides an error
that a point has found. Everything here is arithmetic; the drawing is in ``plots``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from distill.arrays import Array
from distill.domain import Domain, Variable

MOST_POINTS = 10_000
"""Plots are drawn from this many points; more cannot be told apart."""
MOST_CELLS = 64
PANELS_OF = 3
"""With more inputs the maps show the pairs of this many inputs."""


@dataclass(frozen=True, eq=False)
class Cells:
    """A grid over two inputs and the cell each point falls into.

    ``first`` and ``second`` are columns of the points; ``edges`` are in the inputs' own units.
    """

    first: int
    second: int
    edges: tuple[Array, Array]
    place: np.ndarray[tuple[int], np.dtype[np.intp]]

    @property
    def shape(self) -> tuple[int, int]:
        """Cells along the second and the first input: rows and columns of a map."""
        return len(self.edges[1]) - 1, len(self.edges[0]) - 1

    def largest(self, residual: Array) -> Array:
        """The signed residual of the largest size in each cell; NaN where no point lies.

        ``residual`` has shape (m,); its non-finite entries are left out. The result has
        ``shape``.
        """
        finite = np.flatnonzero(np.isfinite(residual))
        # Sorted by size, the last one written to a cell is the largest.
        order = finite[np.argsort(np.abs(residual[finite]), kind="stable")]
        grid = np.full(self.shape[0] * self.shape[1], np.nan)
        grid[self.place[order]] = residual[order]
        return grid.reshape(self.shape)


def thin(points: Array, truth: Array) -> tuple[Array, Array]:
    """At most MOST_POINTS of the points (m, d) with a finite truth (m,), evenly picked."""
    usable = np.flatnonzero(np.isfinite(truth))
    if len(usable) > MOST_POINTS:
        usable = usable[np.linspace(0, len(usable) - 1, MOST_POINTS).round().astype(int)]
    return points[usable], truth[usable]


def influence(points: Array, truth: Array, domain: Domain, slices: int = 16) -> Array:
    """How much each input alone explains of the truth: the first-order share of variance, (d,).

    Estimated by the variance of means in slices (the correlation ratio of Pearson 1905).
    """
    total = float(np.var(truth)) if len(truth) else 0.0
    if total == 0.0:
        return np.zeros(len(domain))
    unit = domain.to_unit(points).clip(0, 1)
    place = np.minimum((unit * slices).astype(int), slices - 1)
    shares = np.zeros(len(domain))
    for i in range(len(domain)):
        counts = np.bincount(place[:, i], minlength=slices)
        sums = np.bincount(place[:, i], weights=truth, minlength=slices)
        means = sums[counts > 0] / counts[counts > 0]
        spread = np.average((means - truth.mean()) ** 2, weights=counts[counts > 0])
        shares[i] = spread / total
    return shares


def panels(points: Array, truth: Array, domain: Domain, most: int = MOST_CELLS) -> list[Cells]:
    """The grids a residual map is drawn on: one for two inputs, three for more.

    ``most`` is how many cells a side they have at most.

    With more than two inputs these are the pairs of the three inputs that the teacher depends on
    most, the same for all candidates of a study, so that their maps can be compared.
    """
    if len(domain) < 2:
        return []
    ranked = np.argsort(-influence(points, truth, domain), kind="stable")[:PANELS_OF]
    chosen = sorted(int(i) for i in ranked)
    return [_cells(points, domain, a, b, most) for a, b in combinations(chosen, 2)]


def _cells(points: Array, domain: Domain, first: int, second: int, most: int) -> Cells:
    """A grid fine enough to show structure, coarse enough that few cells stay empty."""
    # Four points a cell leave 2 % of the cells empty when points fall at random.
    wanted = int(np.clip(np.sqrt(len(points) / 4), 4, most))
    edges, places = [], []
    for i in (first, second):
        edge = _edges(domain.variables[i], wanted)
        places.append(np.clip(np.searchsorted(edge, points[:, i], "right") - 1, 0, len(edge) - 2))
        edges.append(edge)
    return Cells(first, second, (edges[0], edges[1]), places[1] * (len(edges[0]) - 1) + places[0])


def _edges(variable: Variable, wanted: int) -> Array:
    if variable.discrete:
        values = variable.high - variable.low + 1
        count = int(min(wanted, values))
        return np.linspace(variable.low - 0.5, variable.high + 0.5, count + 1)
    return variable.from_unit(np.linspace(0, 1, wanted + 1))
