"""How far a teacher's answers are from the smooth function behind them: noise, rounding, steps.

Thresholds of a search follow from this figure: what is smaller cannot be told from the teacher's
own error. Each source is looked for by itself and the largest counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, sqrt
from typing import Literal

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.engines.oracle import Oracle
from distill.sampling.sample_set import SampleSet

Kind = Literal[
    "stated", "validation", "noise", "float32", "quantised", "rough", "smoothed", "exact"
]
"""Where an error comes from: the user's word; the teacher's own validation; answers that differ
from one time to the next; numbers of 32 bits; answers on an even grid, as from an ADC; values
along a line that are not smooth; a smooth model in the teacher's stead; nowhere."""

PEAK = 4.0
"""A validation error is the largest of many: it is about so many times their root mean square."""

EXACT = 1e-12
"""What is smaller than this part of the answers is the rounding of ordinary arithmetic."""

REPEATED = 64
"""Points that are asked a second time."""

LINES, POINTS = 16, 33
"""Short lines through the domain, and points on each."""

STEPS = (1e-3, 1e-4)
"""Distances of the points on a line, as parts of the domain. What is noise shows at both."""

ORDERS = range(3, 9)
"""Orders of differences: those of a smooth function vanish with the order, those of noise grow."""

LOW_BITS = 0xFF
"""The last of the 23 bits of a float32; all zero in numbers that are simpler than that."""

LEVELS = 16
"""Answers with fewer values than this are classes or leaves, not a measurement in steps."""


@dataclass(frozen=True, slots=True)
class ErrorEstimate:
    """A root mean square error in the unit of the output, and where it comes from."""

    value: float
    kind: Kind


def estimate_error(
    oracle: Oracle, sample: SampleSet, stated: float | None = None, seed: int = 0
) -> ErrorEstimate:
    """The teacher's own error, asking it some 1,100 times (fewer where few questions are left).

    Parameters
    ----------
    oracle : the teacher; its ``error`` is neither read nor changed.
    sample : answers that it gave before.
    stated : what the user says it is; nothing is asked then.
    """
    if stated is not None:
        return ErrorEstimate(stated, "stated")
    size = _rms(sample.y)
    found: dict[Kind, float] = {"noise": _repeated(oracle, sample)}
    # The validation error is of the first output, in its unit.
    if oracle.teacher.validation_error is not None and oracle.output == 0:
        found["validation"] = oracle.teacher.validation_error / PEAK
    lines = _along_lines(oracle, seed)
    found["rough"] = _roughness(lines)
    found["quantised"] = _grid_step(sample.y, lines) / sqrt(12)
    if _is_float32(sample.y):
        found["float32"] = max(size * 2.0**-24, found["rough"])
    # A source that explains as much as the mere roughness of the values is the better word for it.
    explained = [kind for kind in found if kind != "rough" and found[kind] >= 0.3 * found["rough"]]
    if any(found[kind] > 0 for kind in explained):
        found["rough"] = 0.0
    kind = max(found, key=lambda kind: found[kind])
    return ErrorEstimate(found[kind], kind) if found[kind] > EXACT * size else _EXACTLY


_EXACTLY = ErrorEstimate(0.0, "exact")


def _rms(values: Array) -> float:
    """The root mean square, also of values whose squares are no numbers any more."""
    largest = float(np.abs(values).max(initial=0.0))
    scale = largest if 0 < largest < np.inf else 1.0
    return float(np.sqrt(np.mean((values / scale) ** 2))) * scale


def _repeated(oracle: Oracle, sample: SampleSet) -> float:
    """The standard deviation between answers to the same question."""
    count = int(min(REPEATED, len(sample), oracle.left / 8))
    if count < 2:
        return 0.0
    rows = np.linspace(0, len(sample) - 1, count).astype(int)
    off = oracle(sample.x[rows]) - sample.y[rows]
    off = off[np.isfinite(off)]
    return _rms(off) / sqrt(2) if len(off) else 0.0


def _along_lines(oracle: Oracle, seed: int) -> Array:
    """Answers on straight lines, (step, line, point); lines that are not all finite left out."""
    nothing = np.empty((len(STEPS), 0, POINTS))
    fitting = int(min(LINES, oracle.left / (8 * POINTS * len(STEPS))))
    if oracle.domain.discrete or not fitting:
        return nothing
    x = np.concatenate([_lines(oracle.domain, step, fitting, seed) for step in STEPS])
    y = oracle(x).reshape(len(STEPS), fitting, POINTS)
    return y[:, np.isfinite(y).all(axis=(0, 2))]


def _lines(domain: Domain, step: float, lines: int, seed: int) -> Array:
    """Points (lines * POINTS, d), evenly spaced in the domain's own scale."""
    rng = np.random.default_rng([seed, lines])
    # Whole numbers stay where they are: between them there is nothing.
    free = np.array([not v.discrete for v in domain.variables])
    direction = rng.standard_normal((lines, len(domain))) * free
    direction /= np.abs(direction).max(axis=1, keepdims=True)
    reach = step * (POINTS - 1) / 2
    middle = np.where(free, rng.uniform(reach, 1 - reach, direction.shape), rng.random(len(domain)))
    along = step * (np.arange(POINTS) - (POINTS - 1) / 2)
    u = middle[:, None, :] + along[None, :, None] * direction[:, None, :]
    return domain.from_unit(u.reshape(-1, len(domain)))


def _roughness(lines: Array) -> float:
    """The standard deviation of what is not smooth in the values (step, line, point).

    The k-th differences of independent errors have the variance C(2k, k) (More and Wild 2011).
    Their median over a line does not see the few that a jump or a kink spoils.
    """
    if not lines.shape[1]:
        return 0.0
    levels = []
    for order in ORDERS:
        off = np.median(np.abs(np.diff(lines, order, axis=2)), axis=2)
        levels.append(off / (0.6745 * np.sqrt(comb(2 * order, order))))
    return float(np.median(np.min(levels, axis=(0, 1))))


def _is_float32(y: Array) -> bool:
    """Whether the answers use the whole precision of 32 bits and no more."""
    with np.errstate(over="ignore"):
        single = y.astype(np.float32)
    fine = (single.view(np.uint32) & LOW_BITS) != 0
    return bool((single.astype(float) == y).all() and fine.mean() > 0.5)


def _grid_step(y: Array, lines: Array) -> float:
    """The step of answers that lie on an even grid; 0 when they do not, or when a tree jumps.

    Of a smooth function in steps the answers along a short line change nearly everywhere, or by
    one step at a time; a tree with whole numbers in its leaves jumps seldom and over several.
    """
    values = np.unique(y)
    if len(values) < LEVELS or not lines.size:
        return 0.0
    step = float(np.diff(values).min())
    offsets = (np.append(y, lines.ravel()) - values[0]) / step
    if np.abs(offsets - np.round(offsets)).max() > 1e-3:
        return 0.0
    jumps = np.abs(np.diff(lines[-1], axis=1)) / step
    jumping = jumps > 0.5
    if jumping.mean() > 0.3:
        return step
    return step if jumping.any() and np.quantile(jumps[jumping], 0.9) < 1.5 else 0.0
