"""What is done to every engine's candidates: fit the constants, drop what does little, round.

    simplify -> least squares -> smaller formulas while near the tolerance
             -> smallest largest error -> simple constants, fewer digits

No step reads a clock unless ``seconds`` is given, so the same candidate and sample always give the
same result.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from distill.arrays import Array
from distill.engines import polish
from distill.engines.base import Candidate
from distill.engines.polish import NEGLIGIBLE, Fit, least_squares
from distill.engines.prune import smaller
from distill.engines.snap import rounded, snapped
from distill.formula import Formula
from distill.formula.simplify import simplify_formula
from distill.sampling.sample_set import SampleSet

SNAP_FACTOR = 1.02
"""A simpler constant may cost this factor in error."""

MOST_DROPPED = 12
"""So many times a formula is made smaller."""

SAME = 1e-9
"""Values this close, as a part of the largest, are the same."""

HOLE = 1e300
PROBES = 8
"""Rows compared first; most formulas already differ there."""

NEAR = 4.0
"""Fitting for the largest error seldom gains more than this factor over least squares."""

MOST_CONSTANTS = 40
"""Formulas with more constants are simplified only."""


def refine(
    candidate: Candidate,
    sample: SampleSet,
    *,
    tolerance: float,
    minimax: bool = True,
    snap: bool = True,
    seconds: float | None = None,
) -> list[Candidate]:
    """Better and simpler relatives of a candidate, the fitted candidate itself first.

    Parameters
    ----------
    tolerance : the wanted largest absolute error; formulas are made smaller while they are near it.
    minimax : fit for the smallest largest error instead of the least squares.
    snap : also propose simple constants, kept beside the exact ones.
    seconds : no new step begins after so many seconds; None for no limit (reproducible).
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    formula = simplify_formula(candidate.written, sample.x, seconds=None)
    names = sample.domain.names
    fit = Fit.of(formula.tree, names, sample.x, sample.y)
    if not np.isfinite(fit.worst()) or len(fit.theta) > MOST_CONSTANTS:
        return [_as(candidate, formula, "simplified")]
    found: list[Candidate] = []
    for dropped, best in enumerate(_shrinking(fit, names, tolerance, minimax, deadline)):
        how = "minimax" if minimax else "least squares"
        steps = [(how, best)]
        if snap and not _over(deadline):
            steps.append(_simple(best, minimax))
        for what, each in steps:
            solved = Formula(each.solved, sample.domain)
            origin = f"{dropped} parts dropped, {what}" if dropped else what
            tidy = simplify_formula(solved, sample.x, seconds=None)
            found.append(_as(candidate, tidy, origin))
    return unique(found, sample.x)


def _shrinking(
    fit: Fit, names: Sequence[str], tolerance: float, worst_counts: bool, deadline: float | None
) -> Iterator[Fit]:
    """The fitted formula, then ever smaller ones while these stay within the tolerance."""
    current = _fitted(least_squares(fit), worst_counts)
    yield current
    for _ in range(MOST_DROPPED):
        if current.worst() > tolerance or _over(deadline):
            return
        near = (trial for trial in smaller(current, names) if trial.worst() <= NEAR * tolerance)
        trials = (_fitted(trial, worst_counts) for trial in near)
        within = next((trial for trial in trials if trial.worst() <= tolerance), None)
        if within is None:
            return
        current = within
        yield current


def _fitted(smooth: Fit, worst_counts: bool) -> Fit:
    return polish.minimax(smooth) if worst_counts else smooth


def _simple(best: Fit, worst_counts: bool) -> tuple[str, Fit]:
    """The fit with simple constants, or else with fewer digits, nearly as good."""
    floor = NEGLIGIBLE * float(np.max(np.abs(best.y), initial=0.0))
    smooth = least_squares(best) if worst_counts else best
    simple = snapped(smooth, max(SNAP_FACTOR * smooth.rms(), floor))
    limit = max(SNAP_FACTOR * best.worst(), floor)
    if simple.worst() <= limit:
        return "simple constants", simple
    return "fewer digits", rounded(best, limit)


def unique(candidates: Iterable[Candidate], x: Array) -> list[Candidate]:
    """The candidates without those whose values at x (n, d) equal those of a simpler one.

    Values are equal within 1e-9 of the largest; of two formulas of one complexity the one with
    the shorter text stays. The order is kept.
    """
    pool = list(candidates)
    kept: list[Candidate] = []
    values: list[Array] = []
    probes = np.empty((len(pool), min(PROBES, len(x))))
    for candidate in pool:
        # One value for whatever is not finite, so that equal holes count as equal.
        new = np.nan_to_num(candidate.formula(x), nan=HOLE, neginf=HOLE, posinf=HOLE)
        near = SAME * float(np.max(np.abs(new[np.abs(new) < HOLE]), initial=0.0))
        probe = new[: probes.shape[1]]
        alike = np.flatnonzero((np.abs(probes[: len(kept)] - probe) <= near).all(axis=1))
        place = next((int(i) for i in alike if np.abs(values[i] - new).max() <= near), None)
        if place is None:
            probes[len(kept)] = probe
            kept.append(candidate)
            values.append(new)
        else:
            kept[place] = min(kept[place], candidate, key=_length)
    return kept


def _length(candidate: Candidate) -> tuple[int, int]:
    return candidate.formula.complexity, len(candidate.formula.text)


def _as(candidate: Candidate, formula: Formula, how: str) -> Candidate:
    origin = f"{candidate.origin}; {how}".removeprefix("; ")
    return replace(candidate, formula=formula, origin=origin)


def _over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline
