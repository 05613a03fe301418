"""The figures of candidates, as PNG bytes.

matplotlib's object interface with the Agg canvas; no global state. Of a study's figures all that
candidates share is drawn once (:mod:`distill.tracking.canvas`), so that hundreds take seconds.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from distill.arrays import Array
from distill.domain import Variable
from distill.tracking.canvas import BLUE, GREY, Caption, Sheet, blank, nice, unit_of
from distill.tracking.parity import Parity
from distill.tracking.places import place
from distill.tracking.record import CandidateRecord, StudyRecord
from distill.tracking.residuals import panels, thin

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_RED = "#c8321e"
_MAP = "RdBu_r"


class CandidatePlots:
    """Draws the parity plot and the residual map of one candidate of a study after another."""

    def __init__(self, record: StudyRecord) -> None:
        self._record = record
        self._points, self._truth = thin(record.points, record.truth)
        self._one_at_a_time = Lock()
        self._parity = Parity(record, self._truth)
        self._residuals: _Curve | _Maps = (
            _Curve(record, self._points)
            if len(record.domain) == 1
            else _Maps(record, self._points, self._truth)
        )

    def draw(self, candidate: CandidateRecord) -> dict[str, bytes]:
        """``parity.png`` and ``residuals.png`` of a candidate; threads wait for one another."""
        with self._one_at_a_time:
            value = candidate.formula(self._points)
            return {
                "parity.png": self._parity.draw(candidate, value),
                "residuals.png": self._residuals.draw(candidate, value - self._truth),
            }


class _Curve:
    """One input: the residual over it, with the tolerance as a band."""

    def __init__(self, record: StudyRecord, points: Array) -> None:
        self._record, self._unit = record, record.domain.to_unit(record.points)
        self._order = np.argsort(points[:, 0], kind="stable")
        self._x = points[self._order, 0]
        variable = record.domain.variables[0]
        figure = blank(6.4, 4.4)
        self._axes = figure.add_axes((0.13, 0.13, 0.83, 0.77))
        _scale_axis(self._axes, "x", variable)
        self._axes.set_xlabel(variable.name + unit_of(variable.unit))
        self._axes.set_ylabel(f"formula - teacher{unit_of(record.output_unit)}")
        self._axes.axhspan(-record.tolerance, record.tolerance, color="#2e9e5b", alpha=0.12, lw=0)
        self._axes.axhline(0, color=GREY, lw=1)
        style = "." if variable.discrete else "-"
        self._line = self._axes.plot([], [], style, color=BLUE, lw=1.2)[0]
        self._worst = self._axes.plot([], [], "x", color=_RED, ms=10, mew=2)[0]
        self._title = Caption(0.545, 0.91, size=9)
        self._axes.grid(alpha=0.25)
        self._sheet = Sheet(figure, [self._line, self._worst], [self._title])

    def draw(self, candidate: CandidateRecord, residual: Array) -> bytes:
        self._line.set_data(self._x, residual[self._order])
        worst = _signed_worst(candidate, self._record, self._unit)
        if worst is None:
            self._worst.set_data([], [])
        else:
            self._worst.set_data([worst[0][0]], [worst[1]])
        finite = np.abs(residual[np.isfinite(residual)])
        size = max(candidate.score.max_error if worst else 0.0, finite.max(initial=0.0))
        height = nice(1.1 * max(size, self._record.tolerance))
        self._axes.set_ylim(-height, height)
        self._title.text = _worst_title(candidate, self._record)
        return self._sheet.png(height)


class _Maps:
    """Two inputs: one map. More: maps of pairs, each cell the largest over all other inputs."""

    def __init__(self, record: StudyRecord, points: Array, truth: Array) -> None:
        from matplotlib.colors import Normalize
        from matplotlib.patheffects import withStroke

        # White on black, so that it shows on every colour; whole also on a border of the domain.
        halo = withStroke(linewidth=4.5, foreground="black")
        ring: dict[str, Any] = {"mfc": "none", "mec": "white", "ms": 12, "mew": 2}
        ring |= {"clip_on": False, "zorder": 5, "path_effects": [halo]}
        self._record, self._unit = record, record.domain.to_unit(record.points)
        self._cells = panels(points, truth, record.domain)
        count = len(self._cells)
        width = 5.6 if count == 1 else 4.0 * count + 0.8
        figure = blank(width, 4.4)
        self._norm = Normalize(-1, 1)
        self._meshes, self._marks, self._voids = [], [], []
        frames: list[Artist] = []
        left, right, gap = 0.75 / width, 1 - 1.15 / width, 0.8 / width
        each = (right - left - gap * (count - 1)) / count
        for i, cells in enumerate(self._cells):
            axes = figure.add_axes((left + i * (each + gap), 0.13, each, 0.75))
            first, second = (record.domain.variables[k] for k in (cells.first, cells.second))
            empty = np.zeros(cells.shape)
            mesh = axes.pcolormesh(*cells.edges, empty, cmap=_MAP, norm=self._norm)
            self._meshes.append(mesh)
            self._marks.append(axes.plot([], [], "o", **ring)[0])
            self._voids.append(axes.plot([], [], "x", color="black", ms=4, mew=1)[0])
            for axis, variable in (("x", first), ("y", second)):
                _scale_axis(axes, axis, variable)
            axes.set_xlabel(first.name + unit_of(first.unit))
            axes.set_ylabel(second.name + unit_of(second.unit))
            axes.set_facecolor("#e8e8e8")
            frames += axes.spines.values()
        self._ends = _colour_bar(figure, width, record)
        self._title = Caption(0.5, 0.91, size=9)
        self._points = points
        moving = [*self._meshes, *frames, *self._voids, *self._marks]
        self._sheet = Sheet(figure, moving, [*self._ends.values(), self._title])

    def draw(self, candidate: CandidateRecord, residual: Array) -> bytes:
        worst = _signed_worst(candidate, self._record, self._unit)
        grids = [cells.largest(residual) for cells in self._cells]
        size = max(np.nanmax(np.abs(g), initial=0.0) for g in grids)
        limit = max(size, candidate.score.max_error if worst else 0.0) or 1.0
        self._norm.vmin, self._norm.vmax = -limit, limit
        void = ~np.isfinite(residual)
        for cells, grid, mesh, mark, crosses in zip(
            self._cells, grids, self._meshes, self._marks, self._voids, strict=True
        ):
            mesh.set_array(grid)
            at = [] if worst is None else [worst[0]]
            mark.set_data([p[cells.first] for p in at], [p[cells.second] for p in at])
            crosses.set_data(self._points[void, cells.first], self._points[void, cells.second])
        for share, end in self._ends.items():
            end.text = f"{share * limit:.3g}"
        self._title.text = _worst_title(candidate, self._record)
        return self._sheet.png()


def _colour_bar(figure: Figure, width: float, record: StudyRecord) -> dict[float, Caption]:
    """The bar of all maps, from -1 to 1; the captions at its ends say how much that is."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    left, low, high = 1 - 1.0 / width, 0.13, 0.88
    bar = figure.add_axes((left, low, 0.16 / width, high - low))
    colours = ScalarMappable(Normalize(-1, 1), _MAP)
    figure.colorbar(colours, cax=bar, ticks=(-1, -0.5, 0, 0.5, 1), format="")
    bar.set_ylabel(f"formula - teacher{unit_of(record.output_unit)}", fontsize=9, labelpad=38)
    beside = left + 0.24 / width
    figure.text(beside, (low + high) / 2, "0", va="center")
    return {end: Caption(beside, y, anchor="lm") for end, y in ((-1.0, low), (1.0, high))}


def _scale_axis(axes: Axes, axis: str, variable: Variable) -> None:
    pad = 0.5 if variable.discrete else 0.0
    limits = (variable.low - pad, variable.high + pad)
    scale = variable.scale if limits[0] > 0 else "linear"
    axes.set(**{f"{axis}scale": scale, f"{axis}lim": limits})


def _signed_worst(
    candidate: CandidateRecord, record: StudyRecord, unit: Array
) -> tuple[tuple[float, ...], float] | None:
    """The worst point found and the residual there; None where there is no error, or no finite one.

    The sign comes from the nearest point that was asked, since only the size is recorded; ``unit``
    are these points in the unit cube.
    """
    errors = candidate.score.teacher
    if len(errors.max_error_at) != len(record.domain) or not 0 < errors.max_error < np.inf:
        return None
    at = np.array([errors.max_error_at])
    distance = np.abs(unit - record.domain.to_unit(at)).max(axis=1)
    nearest = int(np.argmin(distance))
    difference = candidate.formula(record.points[[nearest]])[0] - record.truth[nearest]
    return errors.max_error_at, float(np.copysign(errors.max_error, difference))


def _worst_title(candidate: CandidateRecord, record: StudyRecord) -> str:
    errors = candidate.score.teacher
    if not np.isfinite(errors.max_error):
        return f"no finite value at {errors.non_finite} of {errors.points} points (crosses)"
    if errors.max_error == 0:
        return f"{record.label(candidate)}: no error at any of {errors.points:,} points"
    verdict = "within" if candidate.within_tolerance else "beyond"
    size = f"{errors.max_error:.4g} {record.output_unit}".rstrip()
    return (
        f"{record.label(candidate)}: largest error {size}, "
        f"{verdict} the tolerance {record.tolerance:g}\n"
        f"at {place(record.domain, errors.max_error_at)} (circle)"
    )
