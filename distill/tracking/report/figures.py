"""What the page draws of each candidate: parity, residual maps, slices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.domain import Variable
from distill.tracking.record import CandidateRecord, StudyRecord
from distill.tracking.report.packing import packed
from distill.tracking.residuals import MOST_CELLS, Cells, panels, thin
from distill.tracking.slices import STEPS, Slices, along, anchor

MOST_DOTS = 600
"""Points of a parity plot; more cannot be told apart."""

MOST_NUMBERS = 600_000
"""Numbers of all candidates together, 2.7 bytes each: with a thousand of them maps get coarser."""

LEAST_CELLS = 8
MOST_RECTANGLES = 3000
"""Guarded cells that are drawn; beyond these a map would be one colour anyway."""


class Figures:
    """Computes the figures of one candidate of a study after another.

    ``together`` is how many of them stand on one page.
    """

    def __init__(self, record: StudyRecord, together: int) -> None:
        self._record = record
        self._points, self._truth = thin(record.points, record.truth)
        share = MOST_NUMBERS / max(together, 1)
        cells = int(np.clip(math.sqrt(share / 4), LEAST_CELLS, MOST_CELLS))
        self._cells = panels(self._points, self._truth, record.domain, cells)
        count = min(len(self._truth), MOST_DOTS, max(int(share / 8), 50))
        self._dots = np.linspace(0, len(self._truth) - 1, count).round().astype(int)
        self._slices = record.slices or _unasked(record)
        self._rows = {(c.id, c.engine): k for k, c in enumerate(record.candidates)}

    def shared(self) -> dict[str, Any]:
        """What is the same for all candidates: axes, the teacher's answers, guarded cells."""
        record = self._record
        return {
            "variables": [_variable(v) for v in record.domain.variables],
            "dots": packed(self._truth[self._dots]),
            "panels": [
                {
                    "x": cells.first,
                    "y": cells.second,
                    "columns": cells.shape[1],
                    "rows": cells.shape[0],
                    "guard": self._guarded(cells),
                }
                for cells in self._cells
            ],
            "lines": [
                {"input": int(i), "x": packed(x)}
                for i, x in zip(self._slices.inputs, self._slices.along, strict=True)
            ],
        }

    def of(self, candidate: CandidateRecord) -> dict[str, Any]:
        """What is drawn of one candidate."""
        with np.errstate(all="ignore"):
            value = candidate.formula(self._points)
        residual = value - self._truth
        return {
            "parity": packed(value[self._dots]),
            "maps": [packed(cells.largest(residual)) for cells in self._cells],
            "slices": self._lines(candidate),
            "worst": self._worst(candidate),
        }

    def _worst(self, candidate: CandidateRecord) -> list[float] | None:
        errors = candidate.score.teacher
        known = len(errors.max_error_at) == len(self._record.domain)
        return list(errors.max_error_at) if known and 0 < errors.max_error < math.inf else None

    def _lines(self, candidate: CandidateRecord) -> list[dict[str, Any]]:
        """Of each line the reference curve, and the others as differences from it.

        Differences keep their precision where curves lie closer together than 16 bits tell. The
        reference is the teacher, or the formula where the teacher's answers are not kept.
        """
        k = self._rows[candidate.id, candidate.engine]
        slices, lines = self._slices, []
        for s in range(len(slices.inputs)):
            known = ~np.isnan(slices.along[s])
            with np.errstate(all="ignore"):
                formula = np.where(known, candidate.formula(slices.points(k, s)), np.nan)
            teacher = np.where(known, slices.teacher[k, s], np.nan)
            asked = bool(np.isfinite(teacher).any())
            reference = teacher if asked else formula
            others = {"formula": formula, "c": slices.c[k, s], "table": slices.table[k, s]}
            lines.append(
                {
                    "reference": "teacher" if asked else "formula",
                    "values": packed(reference),
                    "off": {
                        name: packed(np.where(known, curve - reference, np.nan))
                        for name, curve in others.items()
                        if np.isfinite(curve).any() and (asked or name != "formula")
                    },
                    "at": float(slices.anchors[k, slices.inputs[s]]),
                }
            )
        return lines

    def _guarded(self, cells: Cells) -> list[list[float]]:
        """The guarded cells under a panel as rectangles: x from, x to, y from, y to."""
        guard = self._record.guard
        if guard is None:
            return []
        shadow = guard.shadow(cells.first, cells.second)
        x, y = guard.edges[cells.first], guard.edges[cells.second]
        found: list[list[float]] = []
        for row in range(shadow.shape[1]):
            column = np.concatenate([[0], shadow[:, row].astype(int), [0]])
            starts, ends = np.flatnonzero(np.diff(column) > 0), np.flatnonzero(np.diff(column) < 0)
            found += [
                [float(x[a]), float(x[b]), float(y[row]), float(y[row + 1])]
                for a, b in zip(starts, ends, strict=True)
            ]
        return found[:MOST_RECTANGLES]


def _unasked(record: StudyRecord) -> Slices:
    """Lines of a record that was written without: only the formula can be drawn along them."""
    domain = record.domain
    inputs = np.arange(min(len(domain), 6))
    lines = np.array([along(domain.variables[i]) for i in inputs])
    anchors = [anchor(domain, c.score.teacher.max_error_at) for c in record.candidates]
    unknown: Array = np.full((len(anchors), len(inputs), STEPS), np.nan)
    return Slices(inputs, lines, np.array(anchors), unknown, unknown, unknown)


def _variable(variable: Variable) -> dict[str, Any]:
    pad = 0.5 if variable.discrete else 0.0
    low, high = variable.low - pad, variable.high + pad
    return {
        "name": variable.name,
        "unit": variable.unit,
        "low": low,
        "high": high,
        "log": variable.scale == "log" and low > 0,
        "discrete": variable.discrete,
    }
