"""Which candidates of a round are worth refining, and refining them in the time there is."""

from __future__ import annotations

import time

import numpy as np

from distill.engines.base import Candidate
from distill.engines.refine import refine, unique
from distill.fitting.keeping import Gate, max_error
from distill.fitting.rounds import Rounds
from distill.fitting.telling import Telling
from distill.sampling.sample_set import SampleSet
from distill.scoring.pareto import front

POLISHED = 16
"""Candidates of a round's front whose constants are fitted for the smallest worst error."""


def best(
    candidates: list[Candidate], sample: SampleSet, tolerance: float, count: int
) -> list[Candidate]:
    """Front after front of error against complexity until ``count`` are taken, simplest first.

    Of a front that does not fit whole, those whose errors are nearest to the tolerance are taken.
    """
    left = [(c, c.formula.complexity, max_error(c, sample)) for c in unique(candidates, sample.x)]
    left = [row for row in left if np.isfinite(row[2])]
    taken: list[tuple[Candidate, int, float]] = []
    while left and len(taken) < count:
        layer = set(front([(row[1], row[2]) for row in left]))
        nearest = sorted(
            (row for i, row in enumerate(left) if i in layer),
            key=lambda row: _distance(row[2], tolerance),
        )
        taken += nearest[: count - len(taken)]
        left = [row for i, row in enumerate(left) if i not in layer]
    return [row[0] for row in sorted(taken, key=lambda row: (row[1], row[2]))]


def _distance(error: float, tolerance: float) -> float:
    return float(abs(np.log((error + 1e-300) / tolerance)))


def refined(
    candidates: list[Candidate],
    state: Rounds,
    tolerance: float,
    news: Telling,
    seconds: float | None,
    gate: Gate,
) -> list[Candidate]:
    """The candidates and their relatives with better constants, in so many seconds.

    When these are over the rest stays as it is; what is nearest to the tolerance comes first.
    Formulas of a given form stay as they are: their constants are fitted where the form is known.
    """
    if gate.rules.skeleton is not None:
        return candidates
    result: list[Candidate] = []
    sample = state.sample
    deadline = None if seconds is None else time.monotonic() + seconds
    order = sorted(candidates, key=lambda c: _distance(max_error(c, sample), tolerance))
    for number, candidate in enumerate(order):
        if deadline is not None and number and time.monotonic() > deadline:
            result += order[number:]
            break
        news.work.progress.advance(
            news.fraction, f"fitting constants of candidate {number + 1} of {len(candidates)}"
        )
        share = None
        if deadline is not None:
            share = max(0.0, deadline - time.monotonic()) / (len(candidates) - number)
        better = refine(
            candidate, sample, tolerance=tolerance, minimax=True, snap=True, seconds=share
        )
        better = gate.lets(better, sample)
        for each in better:
            news.found(each, sample)
        result += [candidate, *better]
    return result
