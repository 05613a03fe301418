"""The figures of a study and its candidates, as PNG bytes.

matplotlib's object interface with the Agg canvas; no global state. The axes of a study's figures
are laid out once and only the data is exchanged from candidate to candidate, so that a hundred
candidates take seconds.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from distill.arrays import Array
from distill.domain import Variable
from distill.tracking.places import place
from distill.tracking.record import PUBLISHED, CandidateRecord, StudyRecord
from distill.tracking.residuals import panels, thin

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 90
DECADES = 100.0
"""From this ratio on costs are drawn on a logarithmic axis."""

FEW_DOTS = 400
"""So many places of a parity plot at most are drawn as areas that say how many points there are."""

_BLUE, _RED, _GREY = "#1f6fb4", "#c8321e", "#8a8f98"
_MAP = "RdBu_r"


class CandidatePlots:
    """Draws the parity plot and the residual map of one candidate of a study after another."""

    def __init__(self, record: StudyRecord) -> None:
        self._record = record
        self._points, self._truth = thin(record.points, record.truth)
        self._parity = _Parity(record, self._truth)
        self._residuals: _Curve | _Maps = (
            _Curve(record, self._points)
            if len(record.domain) == 1
            else _Maps(record, self._points, self._truth)
        )

    def draw(self, candidate: CandidateRecord) -> dict[str, bytes]:
        """``parity.png`` and ``residuals.png`` of a candidate."""
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
    figure = _figure(7.0, 4.4)
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
         {"marker": "o", "color": _BLUE, "ms": 6}),
        ("published", lambda c: c.engine == PUBLISHED,
         {"marker": "D", "color": "#7a4fb3", "ms": 7}),
        ("chosen", lambda c: c.chosen,
         {"marker": "*", "color": "#f2a900", "ms": 17, "mec": "black", "mew": 0.8}),
    )  # fmt: skip
    front = sorted((x, y) for c, x, y in rows if c.on_front and c.engine != PUBLISHED)
    if front:
        axes.plot(*zip(*front, strict=True), color=_BLUE, lw=1, alpha=0.5, zorder=1)
    for label, belongs, style in groups:
        places = [(x, y) for c, x, y in rows if belongs(c)]
        if places:
            axes.plot(*zip(*places, strict=True), ls="", label=label, **style)
    axes.axhline(
        record.tolerance, color=_RED, lw=1, ls="--", label=f"tolerance {record.tolerance:g}"
    )
    for c, x, y in rows:
        if c.on_front or c.chosen or c.engine == PUBLISHED:
            label = record.label(c) + ("" if c.score.max_error else " (no error)")
            axes.annotate(label, (x, y), (4, 4), textcoords="offset points", fontsize=7)
    axes.set_yscale("log")
    if rows and max(x for _, x, _ in rows) > DECADES * max(min(x for _, x, _ in rows), 1.0):
        axes.set_xscale("log")  # a closed form would push all formulas into one corner
        axes.margins(x=0.08)
    axes.set_xlabel("complexity (nodes)" if target is None else f"instructions a call on {target}")
    axes.set_ylabel(f"largest error against the teacher{_unit(record.output_unit)}")
    axes.set_title(f"{record.teacher_name}: accuracy against cost", fontsize=11)
    axes.grid(which="major", alpha=0.25)
    axes.legend(fontsize=8, framealpha=0.9)
    return figure


def to_png(figure: Figure, dpi: int = DPI) -> bytes:
    """The figure as PNG bytes."""
    buffer = io.BytesIO()
    # Fast compression: half the time of a figure goes into the default level.
    figure.savefig(buffer, format="png", dpi=dpi, pil_kwargs={"compress_level": 3})
    return buffer.getvalue()


def front_images(record: StudyRecord) -> dict[str, bytes]:
    """``front.png`` over complexity and, where costs are known, ``front_instructions.png``."""
    images = {"front.png": to_png(front_figure(record))}
    if any(c.figure(record.target, "instructions") is not None for c in record.candidates):
        images["front_instructions.png"] = to_png(front_figure(record, record.target))
    return images


class _Parity:
    """Formula over teacher; the closer to the diagonal, the better."""

    def __init__(self, record: StudyRecord, truth: Array) -> None:
        self._truth, self._record = truth, record
        self._figure = _figure(4.6, 4.4)
        self._axes = self._figure.add_axes((0.16, 0.13, 0.80, 0.77))
        name, unit = record.output_name, _unit(record.output_unit)
        self._axes.set_xlabel(f"{name} by the teacher{unit}")
        self._axes.set_ylabel(f"{name} by the formula{unit}")
        low, high = (float(truth.min()), float(truth.max())) if len(truth) else (0.0, 1.0)
        pad = 0.04 * (high - low) or 1.0
        self._limits = (low - pad, high + pad)
        self._axes.plot(self._limits, self._limits, color=_GREY, lw=1)
        self._dots = self._axes.plot([], [], ".", color=_BLUE, ms=2.5, alpha=0.5)[0]
        self._areas = self._axes.scatter([], [], color=_BLUE, alpha=0.5, lw=0)
        self._axes.set(xlim=self._limits, ylim=self._limits)
        self._axes.grid(alpha=0.25)

    def draw(self, candidate: CandidateRecord, value: Array) -> bytes:
        places, counts = np.unique(
            np.column_stack([self._truth, value]), axis=0, return_counts=True
        )
        if len(places) > min(FEW_DOTS, len(value) // 2):
            places, counts = places[:0], counts[:0]
            self._dots.set_data(self._truth, value)
        else:  # of classes and whole numbers many points lie on one another
            self._dots.set_data([], [])
        self._areas.set_offsets(places)
        self._areas.set_sizes(12 + 600 * counts / max(len(value), 1))
        # A formula far off would otherwise be drawn outside the frame.
        finite = value[np.isfinite(value)]
        low, high = self._limits
        if len(finite):
            spread = high - low
            low = max(min(low, float(finite.min())), low - 2 * spread)
            high = min(max(high, float(finite.max())), high + 2 * spread)
        self._axes.set_ylim(low, high)
        errors = candidate.score.teacher
        self._axes.set_title(
            f"{self._record.label(candidate)}: RMSE {errors.rmse:.3g}, R² {errors.r2:.6f}",
            fontsize=10,
        )
        return to_png(self._figure)


class _Curve:
    """One input: the residual over it, with the tolerance as a band."""

    def __init__(self, record: StudyRecord, points: Array) -> None:
        self._record = record
        self._order = np.argsort(points[:, 0], kind="stable")
        self._x = points[self._order, 0]
        variable = record.domain.variables[0]
        self._figure = _figure(6.4, 4.4)
        self._axes = self._figure.add_axes((0.13, 0.13, 0.83, 0.77))
        _scale_axis(self._axes, "x", variable)
        self._axes.set_xlabel(variable.name + _unit(variable.unit))
        self._axes.set_ylabel(f"formula - teacher{_unit(record.output_unit)}")
        self._axes.axhspan(-record.tolerance, record.tolerance, color="#2e9e5b", alpha=0.12, lw=0)
        self._axes.axhline(0, color=_GREY, lw=1)
        style = "." if variable.discrete else "-"
        self._line = self._axes.plot([], [], style, color=_BLUE, lw=1.2)[0]
        self._worst = self._axes.plot([], [], "x", color=_RED, ms=10, mew=2)[0]
        self._axes.grid(alpha=0.25)

    def draw(self, candidate: CandidateRecord, residual: Array) -> bytes:
        self._line.set_data(self._x, residual[self._order])
        worst = _signed_worst(candidate, self._record)
        if worst is None:
            self._worst.set_data([], [])
        else:
            self._worst.set_data([worst[0][0]], [worst[1]])
        finite = np.abs(residual[np.isfinite(residual)])
        size = max(candidate.score.max_error if worst else 0.0, finite.max(initial=0.0))
        height = 1.15 * max(size, self._record.tolerance)
        self._axes.set_ylim(-height, height)
        self._axes.set_title(_worst_title(candidate, self._record), fontsize=9)
        return to_png(self._figure)


class _Maps:
    """Two inputs: one map. More: maps of pairs, each cell the largest over all other inputs."""

    def __init__(self, record: StudyRecord, points: Array, truth: Array) -> None:
        from matplotlib.colors import Normalize
        from matplotlib.patheffects import withStroke

        # White on black, so that it shows on every colour; whole also on a border of the domain.
        halo = withStroke(linewidth=4.5, foreground="black")
        ring: dict[str, Any] = {"mfc": "none", "mec": "white", "ms": 12, "mew": 2}
        ring |= {"clip_on": False, "zorder": 5, "path_effects": [halo]}
        self._record = record
        self._cells = panels(points, truth, record.domain)
        count = len(self._cells)
        width = 5.6 if count == 1 else 4.0 * count + 0.8
        self._figure = _figure(width, 4.4)
        self._norm = Normalize(-1, 1)
        self._meshes, self._marks, self._voids = [], [], []
        left, right, gap = 0.75 / width, 1 - 1.15 / width, 0.8 / width
        each = (right - left - gap * (count - 1)) / count
        for i, cells in enumerate(self._cells):
            axes = self._figure.add_axes((left + i * (each + gap), 0.13, each, 0.75))
            first, second = (record.domain.variables[k] for k in (cells.first, cells.second))
            empty = np.zeros(cells.shape)
            mesh = axes.pcolormesh(*cells.edges, empty, cmap=_MAP, norm=self._norm)
            self._meshes.append(mesh)
            self._marks.append(axes.plot([], [], "o", **ring)[0])
            self._voids.append(axes.plot([], [], "x", color="black", ms=4, mew=1)[0])
            for axis, variable in (("x", first), ("y", second)):
                _scale_axis(axes, axis, variable)
            axes.set_xlabel(first.name + _unit(first.unit))
            axes.set_ylabel(second.name + _unit(second.unit))
            axes.set_facecolor("#e8e8e8")
        bar = self._figure.add_axes((1 - 1.0 / width, 0.13, 0.16 / width, 0.75))
        self._figure.colorbar(self._meshes[0], cax=bar)
        bar.set_ylabel(f"formula - teacher{_unit(record.output_unit)}", fontsize=9)
        self._title = self._figure.text(0.5, 0.925, "", fontsize=9, ha="center")
        self._points = points

    def draw(self, candidate: CandidateRecord, residual: Array) -> bytes:
        worst = _signed_worst(candidate, self._record)
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
        self._title.set_text(_worst_title(candidate, self._record))
        return to_png(self._figure)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def _unit(unit: str) -> str:
    return f" [{unit}]" if unit else ""


def _scale_axis(axes: Axes, axis: str, variable: Variable) -> None:
    pad = 0.5 if variable.discrete else 0.0
    limits = (variable.low - pad, variable.high + pad)
    scale = variable.scale if limits[0] > 0 else "linear"
    axes.set(**{f"{axis}scale": scale, f"{axis}lim": limits})


def _signed_worst(
    candidate: CandidateRecord, record: StudyRecord
) -> tuple[tuple[float, ...], float] | None:
    """The worst point found and the residual there; None where there is no error, or no finite one.

    The sign comes from the nearest point that was asked, since only the size is recorded.
    """
    errors = candidate.score.teacher
    if len(errors.max_error_at) != len(record.domain) or not 0 < errors.max_error < np.inf:
        return None
    at = np.array([errors.max_error_at])
    distance = np.abs(record.domain.to_unit(record.points) - record.domain.to_unit(at)).max(axis=1)
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
