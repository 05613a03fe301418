"""Sums of exponentials, waves and damped waves from even samples: the matrix pencil.

Hua and Sarkar (1990): the eigenvalues of a pencil of Hankel matrices are exp(rate * step). In even
samples of log x the same finds sums of powers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.engines.structure.curves.atoms import Atom, Sum
from distill.engines.structure.curves.families import DAMPED, GROWTH, LINEAR, WAVE

MOST_RATES = 6
TRENDS: tuple[tuple[Sum, int], ...] = (
    ((), MOST_RATES),
    ((Atom(LINEAR[0], ()),), 4),
    ((Atom(LINEAR[0], ()), Atom(LINEAR[1], ())), 3),
)
"""Polynomials below waves, and how many rates are looked for on them."""

NEGLIGIBLE = 1e-6
"""Real or imaginary parts below this part of the rate are zero."""


def even(u: Array) -> bool:
    """Whether the samples are evenly spaced."""
    steps = np.diff(u)
    return bool(len(u) > 8 and np.ptp(steps) <= 1e-6 * np.abs(steps).max())


def rates(v: Array, step: float, count: int) -> npt.NDArray[np.complex128]:
    """The complex rates of a sum of ``count`` exponentials through even samples v (n,).

    NaN where the samples span too much to be decomposed.
    """
    n = len(v)
    rows = np.lib.stride_tricks.sliding_window_view(v, n // 2 + 1)
    try:
        right = np.linalg.svd(rows, full_matrices=False)[2][:count].T
        poles = np.linalg.eigvals(np.linalg.pinv(right[:-1]) @ right[1:])
    except np.linalg.LinAlgError:  # samples beside a pole span too many decades
        return np.full(count, np.nan, dtype=complex)
    with np.errstate(all="ignore"):
        return np.asarray(np.log(poles.astype(complex)) / step)


def sums(u: Array, v: Array) -> Iterator[Sum]:
    """Sums of one to six exponentials and waves that could be behind even samples.

    Also a few of them on a straight line or a parabola, which differences take away.
    """
    if not even(u):
        return
    step = float(u[-1] - u[0]) / (len(u) - 1)
    slow = abs(1.0 / float(u[-1] - u[0]))
    for trend, most in TRENDS:
        rest = np.diff(v, n=len(trend) + 1) if trend else v
        for count in range(1, most + 1):
            found = rates(rest, step, count)
            if not np.isfinite(found).all():
                continue
            atoms = tuple(_atoms(found, slow))
            if atoms:
                yield (*trend, *atoms)


def _atoms(found: npt.NDArray[np.complex128], slow: float) -> Iterator[Atom]:
    for rate in found:
        size = max(abs(rate), slow)
        if abs(rate) < 1e-3 * slow:  # the constant
            continue
        if abs(rate.imag) <= NEGLIGIBLE * size:
            yield Atom(GROWTH, (float(rate.real),))
        elif rate.imag > 0:
            # A phase of its own each: the refinement turns it.
            if abs(rate.real) <= 1e-3 * size:
                yield from (Atom(WAVE, (float(rate.imag), p)) for p in (0.0,))
            else:
                yield Atom(DAMPED, (float(rate.real), float(rate.imag), 0.0))
