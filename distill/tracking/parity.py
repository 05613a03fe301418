"""The parity plot: a formula's values over the teacher's."""

from __future__ import annotations

import numpy as np

from distill.arrays import Array
from distill.tracking.canvas import BLUE, GREY, Caption, Sheet, blank, unit_of
from distill.tracking.record import CandidateRecord, StudyRecord

FEW_DOTS = 400
"""So many places of a parity plot at most are drawn as areas that say how many points there are."""

_BEYOND = (0.0, 0.25, 0.5, 1.0, 2.0)
"""How far a parity plot goes beyond the teacher's answers, in their range: few axes for all."""


class Parity:
    """Formula over teacher; the closer to the diagonal, the better."""

    def __init__(self, record: StudyRecord, truth: Array) -> None:
        self._truth, self._record = truth, record
        figure = blank(4.6, 4.4)
        self._axes = figure.add_axes((0.16, 0.13, 0.80, 0.77))
        name, unit = record.output_name, unit_of(record.output_unit)
        self._axes.set_xlabel(f"{name} by the teacher{unit}")
        self._axes.set_ylabel(f"{name} by the formula{unit}")
        low, high = (float(truth.min()), float(truth.max())) if len(truth) else (0.0, 1.0)
        pad = 0.04 * (high - low) or 1.0
        self._limits = (low - pad, high + pad)
        self._axes.plot(self._limits, self._limits, color=GREY, lw=1)
        self._dots = self._axes.plot([], [], ".", color=BLUE, ms=2.5, alpha=0.5)[0]
        self._areas = self._axes.scatter([], [], color=BLUE, alpha=0.5, lw=0)
        self._title = Caption(0.56, 0.91)
        self._axes.set(xlim=self._limits, ylim=self._limits)
        self._axes.grid(alpha=0.25)
        self._sheet = Sheet(figure, [self._dots, self._areas], [self._title])
        # No more places than there are answers of the teacher: most need not be counted.
        self._few = min(FEW_DOTS, len(truth) // 2)
        self._countable = len(np.unique(truth)) <= self._few

    def draw(self, candidate: CandidateRecord, value: Array) -> bytes:
        """The plot as PNG; ``value`` (n,) at the points of the truth."""
        places, counts = self._counted(value)
        # Of classes and whole numbers many points lie on one another.
        dots = places is None
        self._dots.set_data(self._truth if dots else [], value if dots else [])
        self._areas.set_offsets(np.empty((0, 2)) if places is None else places)
        self._areas.set_sizes(12 + 600 * counts / max(len(value), 1))
        limits = self._reach(value[np.isfinite(value)])
        self._axes.set_ylim(*limits)
        errors = candidate.score.teacher
        label = self._record.label(candidate)
        self._title.text = f"{label}: RMSE {errors.rmse:.3g}, R² {errors.r2:.6f}"
        return self._sheet.png(limits)

    def _counted(self, value: Array) -> tuple[Array | None, Array]:
        """The places (n, 2) and how many points are at each; None where they are too many."""
        if self._countable:
            pairs = np.column_stack([self._truth, value])
            places, counts = np.unique(pairs, axis=0, return_counts=True)
            if len(places) <= self._few:
                return places, counts.astype(float)
        return None, np.empty(0)

    def _reach(self, finite: Array) -> tuple[float, float]:
        """The limits of the axis of the formula: of one far off not all is shown."""
        low, high = self._limits
        spread = high - low
        below = (low - finite.min(initial=low)) / spread
        above = (finite.max(initial=high) - high) / spread
        down, up = (next((b for b in _BEYOND if x <= b), _BEYOND[-1]) for x in (below, above))
        return low - down * spread, high + up * spread
