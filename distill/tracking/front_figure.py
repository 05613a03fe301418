"""The figure of the Pareto front of a study, over complexity or over cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from distill.tracking.canvas import BLUE, blank, to_png, unit_of
from distill.tracking.record import PUBLISHED, CandidateRecord, StudyRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DECADES = 100.0
"""From this ratio on costs are drawn on a logarithmic axis."""

MOST_NAMES = 40
"""Points of a front that bear a name; more would cover one another."""


@dataclass(frozen=True, slots=True)
class _Point:
    """A candidate where it stands in the figure."""

    candidate: CandidateRecord
    x: float
    y: float

    @property
    def published(self) -> bool:
        return self.candidate.engine == PUBLISHED

    @property
    def on_front(self) -> bool:
        return self.candidate.on_front and not self.published


_GROUPS: Sequence[tuple[str, Callable[[_Point], bool], dict[str, Any]]] = (
    ("other candidates", lambda p: not p.published and not p.on_front,
     {"marker": "o", "color": "#c3c8d0", "ms": 5}),
    ("Pareto front", lambda p: p.on_front, {"marker": "o", "color": BLUE, "ms": 6}),
    ("published", lambda p: p.published, {"marker": "D", "color": "#7a4fb3", "ms": 7}),
    ("chosen", lambda p: p.candidate.chosen,
     {"marker": "*", "color": "#f2a900", "ms": 17, "mec": "black", "mew": 0.8}),
)  # fmt: skip
"""Name in the legend, who belongs to it, and how it is drawn; later ones lie above."""


def front_figure(record: StudyRecord, target: str | None = None) -> Figure:
    """The Pareto front: largest error over complexity, or over instructions on ``target``.

    The tolerance is a line; the chosen candidate and published formulas are marked. A candidate
    without any error stands below all others, since zero has no place on a logarithmic axis.
    """
    figure = blank(7.0, 4.4)
    axes = figure.add_axes((0.11, 0.13, 0.86, 0.77))
    points = _points(record, target)
    _draw(axes, points)
    axes.axhline(
        record.tolerance, color="#c8321e", lw=1, ls="--", label=f"tolerance {record.tolerance:g}"
    )
    _name(axes, points, record)
    _scale(axes, [point.x for point in points])
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


def _points(record: StudyRecord, target: str | None) -> list[_Point]:
    """The candidates that have a place: those of finite errors whose cost is known."""
    known = [c.score.max_error for c in record.candidates if 0 < c.score.max_error < np.inf]
    zero = 0.1 * min([record.tolerance, *known])
    points = []
    for c in record.candidates:
        x = c.formula.complexity if target is None else c.figure(target, "instructions")
        if x is not None and np.isfinite(c.score.max_error):
            points.append(_Point(c, float(x), c.score.max_error or zero))
    return points


def _draw(axes: Axes, points: Sequence[_Point]) -> None:
    front = sorted((p.x, p.y) for p in points if p.on_front)
    if front:
        axes.plot(*zip(*front, strict=True), color=BLUE, lw=1, alpha=0.5, zorder=1)
    for label, belongs, style in _GROUPS:
        places = [(p.x, p.y) for p in points if belongs(p)]
        if places:
            axes.plot(*zip(*places, strict=True), ls="", label=label, **style)


def _name(axes: Axes, points: Sequence[_Point], record: StudyRecord) -> None:
    chosen = [p for p in points if p.candidate.chosen]
    others = [p for p in points if (p.on_front or p.published) and not p.candidate.chosen]
    every = max(1, math.ceil(len(others) / MOST_NAMES))
    for p in others[::every] + chosen:
        label = record.label(p.candidate) + ("" if p.candidate.score.max_error else " (no error)")
        axes.annotate(label, (p.x, p.y), (4, 4), textcoords="offset points", fontsize=7)


def _scale(axes: Axes, x: Sequence[float]) -> None:
    axes.set_yscale("log")
    if x and max(x) > DECADES * max(min(x), 1.0):
        axes.set_xscale("log")  # a closed form would push all formulas into one corner
        axes.margins(x=0.08)
