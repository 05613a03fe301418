"""Which rows of the sample PySR sees, and how much each of them weighs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.formula import Formula
from distill.sampling.sample_set import SampleSet

WORST = 4
"""One row in so many is one where the best known formula is worst."""

CAP = 10.0
"""Errors above so many tolerances weigh no more: a pole must not be all that a search sees."""

Index = np.ndarray[tuple[int], np.dtype[np.intp]]


@dataclass(frozen=True, slots=True)
class Rows:
    """Points x (n, d), answers y (n,), and weights (n,) of mean 1; None where all weigh the same.

    ``index`` (n,) says which rows of the sample they are, in rising order.
    """

    x: Array
    y: Array
    weights: Array | None
    index: Index


def chosen(
    sample: SampleSet,
    known: Sequence[Formula],
    most: int,
    emphasis: float,
    tolerance: float,
    seed: int,
) -> Rows:
    """At most ``most`` rows: the extremes of y, where the best known formula is worst, and others.

    With ``emphasis`` rows weigh the more the further the best known formula is off: least squares
    with such weights tend to the smallest largest error (Lawson 1961). Equal arguments give equal
    rows.
    """
    off = _residual(sample, known)
    index = _index(sample.y, off, most, seed)
    weights = None
    if off is not None and emphasis > 0:
        # Divided by the tolerance first, so that an infinite error is capped, too.
        weights = 1.0 + emphasis * np.minimum(off[index] / tolerance, CAP)
        weights /= weights.mean()
    return Rows(sample.x[index], sample.y[index], weights, index)


def _residual(sample: SampleSet, known: Sequence[Formula]) -> Array | None:
    """How far the best known formula is off, shape (n,), infinite where it has no value.

    The best is the one that lacks the fewest values; of equal ones that with the least RMS error.
    """
    if not known:
        return None
    with np.errstate(all="ignore"):
        off = np.abs(np.stack([formula(sample.x) for formula in known]) - sample.y)
        lacking = ~np.isfinite(off)
        squares = np.sum(np.where(lacking, 0.0, off) ** 2, axis=1)
    best = int(np.lexsort((squares, lacking.sum(axis=1)))[0])
    return np.where(lacking[best], np.inf, off[best])


def _index(y: Array, off: Array | None, most: int, seed: int) -> Index:
    if len(y) <= most:
        return np.arange(len(y))
    kept = [int(np.argmin(y)), int(np.argmax(y))]
    if off is not None:
        kept += np.argsort(-off, kind="stable")[: most // WORST].tolist()
    kept = list(dict.fromkeys(kept))[:most]
    others = np.setdiff1d(np.arange(len(y)), kept)
    rng = np.random.default_rng([seed, 7])
    drawn = rng.choice(others, most - len(kept), replace=False)
    return np.sort(np.concatenate([np.array(kept, dtype=np.intp), drawn]))
