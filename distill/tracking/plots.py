"""The figures of a study and its candidates, as PNG bytes.

matplotlib's object interface with the Agg canvas; no global state. Of a study's figures all that
candidates share is drawn once (:mod:`distill.tracking.canvas`), so that hundreds take seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from distill.arrays import Array
from distill.domain import Variable
from distill.tracking.canvas import BLUE, GREY, Caption, Sheet, blank, nice, to_png, unit_of
from distill.tracking.parity import Parity
from distill.tracking.places import place
from distill.tracking.record import PUBLISHED, CandidateRecord, StudyRecord
from distill.tracking.residuals import panels, thin

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CandidatePlots", "front_figure", "front_images", "to_png"]

DECADES = 100.0
"""From this ratio on costs are drawn on a logarithmic axis."""

MOST_NAMES = 40
"""Points of a front that bear a name; more would cover one another."""

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


def front_figure(record: StudyRecord, target: str | None = None) -> Figure:
    """The Pareto front: largest error over complexity, or over instructions on ``target``.

    The tolerance is a line; the chosen candidate and published formulas are marked. A candidate
    without any error stands below all others, since zero has no place on a logarithmic axis.
    """
    figure = blank(7.0, 4.4)
    axes = figure.add_axes((0.11, 0.13, 0.86, 0.77))
    known = [c.score.max_error for c in record.candidates if 0 < c.score.max_error < np.inf]
    zero = 0.1 * min([record.tolerance, *known])
    rows = []
    for c in record.candidates:
        x = c.formula.complexity if target is None else c.figure(target, "instructions")
        if x is not None and np.isfinite(c.score.max_error):
            rows.append((c, float(x), c.score.max_error or zero))
    groups: Sequence[tuple[str, Any, dict[str, Any]]] = (
        ("other candidates", lambda c: c.engine != PUBLISHED and not c.on_front,
         {"marker": "o", "color": "#c3c8d0", "ms": 5}),
        ("Pareto front", lambda c: c.engine != PUBLISHED and c.on_front,
         {"marker": "o", "color": BLUE, "ms": 6}),
        ("published", lambda c: c.engine == PUBLISHED,
         {"marker": "D", "color": "#7a4fb3", "ms": 7}),
        ("chosen", lambda c: c.chosen,
         {"marker": "*", "color": "#f2a900", "ms": 17, "mec": "black", "mew": 0.8}),
    )  # fmt: skip
    front = sorted((x, y) for c, x, y in rows if c.on_front and c.engine != PUBLISHED)
    if front:
        axes.plot(*zip(*front, strict=True), color=BLUE, lw=1, alpha=0.5, zorder=1)
    for label, belongs, style in groups:
        places = [(x, y) for c, x, y in rows if belongs(c)]
        if places:
            axes.plot(*zip(*places, strict=True), ls="", label=label, **style)
    axes.axhline(
        record.tolerance, color=_RED, lw=1, ls="--", label=f"tolerance {record.tolerance:g}"
    )
    others = [r for r in rows if (r[0].on_front or r[0].engine == PUBLISHED) and not r[0].chosen]
    every = max(1, math.ceil(len(others) / MOST_NAMES))
    for c, x, y in others[::every] + [r for r in rows if r[0].chosen]:
        label = record.label(c) + ("" if c.score.max_error else " (no error)")
        axes.annotate(label, (x, y), (4, 4), textcoords="offset points", fontsize=7)
    axes.set_yscale("log")
    if rows and max(x for _, x, _ in rows) > DECADES * max(min(x for _, x, _ in rows), 1.0):
        axes.set_xscale("log")  # a closed form would push all formulas into one corner
        axes.margins(x=0.08)
    axes.set_xlabel("complexity (nodes)" if target is None else f"instructions a call on {target}")
    axes.set_ylabel(f"largest error against the teacher{unit_of(record.output_unit)}")
    axes.set_title(f"{record.teacher_name}: accuracy against cost", fontsize=11)
    axes.grid(which="major", alpha=0.25)
    axes.legend(fontsize=8, framealpha=0.9)
    return figure


def front_images(record: StudyRecord) -> dict[str, bytes]:
    """``front.png`` over complexity and, where costs are known, ``front_instructions.png``."""
    images = {"front.png": to_png(front_figure(record))}
    if any(c.figure(record.target, "instructions") is not None for c in record.candidates):
        images["front_instructions.png"] = to_png(front_figure(record, record.target))
    return images


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
