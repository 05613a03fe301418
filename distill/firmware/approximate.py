"""Polynomials that stand in for functions: of the lowest degree that is close enough.

Remez's exchange algorithm on a dense grid (E. Ya. Remez 1934; N. Brisebarre and S. Chevillard,
"Efficient polynomial L-infinity approximations", 2007, section 2). It works in the Chebyshev
basis, where it is well-conditioned; the answer is in powers, as Horner's scheme needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.polynomial import chebyshev, polynomial

from distill.arrays import Array

Function = Callable[..., Array]
"""From an array (n,) to its values (n,)."""

MAX_DEGREE = 16
_FIT_POINTS, _CHECK_POINTS = 1025, 8193
_EXCHANGES = 30
_HOPELESS = 1.05
"""Degrees are left once their error is this many times too large: the fit has fewer points than the
check, which might tell otherwise of one that is just too large."""


@dataclass(frozen=True)
class Polynomial:
    """A polynomial on [low, high].

    Attributes
    ----------
    coefficients : in powers of ``t = (x - middle) / half``, which runs from -1 to 1; lowest first.
    low, high : where it holds.
    error : the largest error found, in the measure it was asked in (absolute, relative, weighted).
    """

    coefficients: tuple[float, ...]
    low: float
    high: float
    error: float

    @property
    def degree(self) -> int:
        """The highest power."""
        return len(self.coefficients) - 1

    @property
    def middle(self) -> float:
        """The x at which t is 0."""
        return (self.low + self.high) / 2

    @property
    def half(self) -> float:
        """Half the width: x - middle where t is 1."""
        return (self.high - self.low) / 2

    @cached_property
    def in_x(self) -> tuple[float, ...]:
        """The coefficients in powers of x itself, lowest first.

        They cancel, and lose digits, where the range is narrow and far from zero.
        """
        return self.shifted(0.0)

    def shifted(self, center: float) -> tuple[float, ...]:
        """The coefficients in powers of ``x - center``, lowest first."""
        line = np.array([(center - self.middle) / self.half, 1 / self.half])
        result: Array = np.zeros(1)
        for c in reversed(self.coefficients):
            result = np.convolve(result, line)
            result[0] += c
        return tuple(float(c) for c in result[: self.degree + 1])

    def __call__(self, x: Array) -> Array:
        """Values at x, any shape, in float64."""
        t = (x - self.middle) / self.half
        value = np.zeros_like(t)
        for c in reversed(self.coefficients):
            value = value * t + c
        return value


def minimax(
    function: Function,
    low: float,
    high: float,
    accuracy: float,
    *,
    max_degree: int = MAX_DEGREE,
    relative: bool = False,
    weight: Function | None = None,
    min_degree: int = 0,
) -> Polynomial | None:
    """The polynomial of lowest degree within ``accuracy`` of ``function`` on [low, high].

    Parameters
    ----------
    function : maps an array (n,) to its values (n,).
    accuracy : the largest error allowed: absolute, or relative where ``relative`` is set.
    weight : what errors are multiplied by before they are compared, at each x; with ``relative``
        it is 1/|function|.
    min_degree : of lower ones it is known that they are not close enough.

    Returns
    -------
    The polynomial, or None where no degree up to ``max_degree`` is enough, or the function is not
    finite somewhere (or zero, where a relative error is asked).
    """
    if not low < high or not accuracy > 0:
        return None
    fit, check = _grid(_FIT_POINTS), _grid(_CHECK_POINTS)
    half = (high - low) / 2
    with np.errstate(all="ignore"):
        targets = [function(_points(t, low, high)) for t in (fit, check)]
        if relative:
            weights = [1 / np.abs(f) for f in targets]
        elif weight is not None:
            weights = [weight(_points(t, low, high)) for t in (fit, check)]
        else:
            weights = [np.ones_like(f) for f in targets]
    if not np.isfinite(half) or not all(np.isfinite(a).all() for a in (*targets, *weights)):
        return None
    for degree in range(min_degree, max_degree + 1):
        found = _remez(targets[0], weights[0], degree, accuracy)
        if found is None:
            return None
        in_chebyshev, error = found
        if error > _HOPELESS * accuracy:
            continue
        coefficients = chebyshev.cheb2poly(in_chebyshev)
        errors = weights[1] * (polynomial.polyval(check, coefficients) - targets[1])
        error = float(np.abs(errors).max())
        if error <= accuracy:
            return Polynomial(tuple(float(c) for c in coefficients), low, high, error)
    return None


@lru_cache
def _grid(n: int) -> Array:
    """Chebyshev points of [-1, 1], ends included: dense where errors of polynomials peak."""
    return np.asarray(-np.cos(np.linspace(0, np.pi, n)))


def _points(t: Array, low: float, high: float) -> Array:
    """The x of t; the ends are hit exactly, so that sqrt(0) stays finite."""
    x = np.clip((low + high) / 2 + t * ((high - low) / 2), low, high)
    x[0], x[-1] = low, high
    return x


@lru_cache
def _basis(degree: int) -> Array:
    """Chebyshev polynomials up to ``degree`` on the grid of the fit, shape (n, degree + 1)."""
    return np.asarray(chebyshev.chebvander(_grid(_FIT_POINTS), degree))


def _remez(
    target: Array, weight: Array, degree: int, accuracy: float
) -> tuple[Array, float] | None:
    """Chebyshev coefficients whose largest weighted error on the grid is the smallest found.

    That error comes with them. It ends early where no polynomial of the degree is within
    ``accuracy``.
    """
    basis = _basis(degree)
    rows = np.round(np.linspace(0, len(basis) - 1, degree + 2)).astype(np.intp)
    best: Array | None = None
    best_error = np.inf
    for _ in range(_EXCHANGES):
        # Errors that alternate in sign and have one size on the reference: the system of Remez.
        # A weight of zero would make its column infinite; such a point decides nothing.
        signs = (-1.0) ** np.arange(degree + 2) / np.maximum(weight[rows], 1e-30)
        try:
            solution = np.linalg.solve(np.column_stack([basis[rows], signs]), target[rows])
        except np.linalg.LinAlgError:
            break
        errors = weight * (basis @ solution[:-1] - target)
        largest = float(np.abs(errors).max())
        if largest < best_error:
            best, best_error = np.asarray(solution[:-1], dtype=float), largest
        if largest <= abs(solution[-1]) * (1 + 1e-6) + 1e-300:
            break
        # No polynomial's largest error is below what alternates (de la Vallee Poussin).
        if abs(solution[-1]) > _HOPELESS * accuracy:
            break
        exchanged = _extremes(errors, degree + 2)
        if exchanged is None or (exchanged == rows).all():
            break
        rows = exchanged
    return None if best is None else (best, best_error)


def _extremes(errors: Array, wanted: int) -> np.ndarray[tuple[int], np.dtype[np.intp]] | None:
    """Places of the largest errors of each run of one sign, ``wanted`` of them in order."""
    sign, size = np.sign(errors), np.abs(errors)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(sign)) + 1])
    lengths = np.diff(starts, append=len(errors))
    peaks = np.flatnonzero(size == np.repeat(np.maximum.reduceat(size, starts), lengths))
    runs = np.repeat(np.arange(len(starts)), lengths)[peaks]
    peaks = peaks[np.unique(runs, return_index=True)[1]]  # the first of each run
    peaks = peaks[sign[peaks] != 0]
    first, last = 0, len(peaks)
    while last - first > wanted:
        # The smaller end goes; neighbours keep alternating.
        if size[peaks[first]] < size[peaks[last - 1]]:
            first += 1
        else:
            last -= 1
    return peaks[first:last] if last - first == wanted else None
