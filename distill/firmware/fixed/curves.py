"""Functions of one value as polynomials: whole subexpressions, and what range reduction leaves.

A polynomial costs a multiplication and an addition a degree, far less than the division or the
functions it stands for, when the range of its argument is narrow. It is found by Remez's algorithm
(:mod:`distill.firmware.approximate`), whose error is measured on 8,193 points and taken 5 % larger;
:mod:`distill.firmware.proof.fixed` proves that it is no larger anywhere. Everything else in its
error is bounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from numpy.polynomial import polynomial

from distill.arrays import Array
from distill.firmware.approximate import Polynomial, minimax
from distill.firmware.fixed.steps import WORD
from distill.firmware.fixed.values import Builder, DoesNotFit, Piece, Value
from distill.firmware.graph import Graph
from distill.firmware.intervals import Interval

MAX_DEGREE = 12
"""Longer polynomials lose to range reduction, and their coefficients to rounding."""

_MEASURED = 1.05
_FLOATS = 2e-14
"""What float64 may lose in the values of a polynomial and its slopes, relative to its terms."""

_NODES = 128

_GIVEN_UP = 3
"""Bits that a level of Horner's scheme gives up at most to keep the next product in 32."""


@dataclass(eq=False)
class Curve:
    """A function of one real number on [low, high] with the polynomials found for it so far.

    ``graph`` is the function in operations, None where a proof has other means to bound it.
    """

    function: Callable[[Array], Array]
    low: float
    high: float
    graph: Graph | None = None
    _ladder: list[Polynomial] = field(default_factory=list)
    _exhausted: bool = False

    def polynomial(self, accuracy: float) -> Polynomial | None:
        """The polynomial of the lowest degree within ``accuracy``, None if none is."""
        while not self._exhausted and (
            not self._ladder or self._ladder[-1].error * _MEASURED > accuracy
        ):
            # Each rung is the next degree that does better than the last.
            wanted = self._ladder[-1].error * 0.9 if self._ladder else math.inf
            found = minimax(
                self.function,
                self.low,
                self.high,
                wanted,
                max_degree=MAX_DEGREE,
                min_degree=self._ladder[-1].degree + 1 if self._ladder else 0,
            )
            if found is None:
                self._exhausted = True
            else:
                self._ladder.append(found)
        for rung in self._ladder:
            if rung.error * _MEASURED <= accuracy:
                return rung
        return None

    def degree(self, accuracy: float) -> int | None:
        """The degree that ``accuracy`` needs, None if none reaches it."""
        found = self.polynomial(accuracy)
        return None if found is None else found.degree


def apply_curve(builder: Builder, curve: Curve, a: Value, precision: int, exact: Interval) -> Value:
    """The curve at ``a``, its own error at most 2^-precision besides what a's error makes of it.

    A quarter of that goes to the rounding of the result, 0.35 to the polynomial, a fifth to the
    rounding of the argument, a fifth to the roundings inside Horner's scheme.
    """
    unit = math.ldexp(1.0, -precision)
    found = curve.polynomial(0.35 * unit)
    if found is None:
        raise DoesNotFit
    if found.degree == 0:
        constant = builder.constant(found.coefficients[0], precision + 1)
        allowed = _allowed(builder, curve, found, found.coefficients, found.middle)
        error = constant.error + allowed
        return Value(constant.step, constant.fraction, *exact, error)
    least, most = a.held
    slope = _largest(polynomial.polyder(found.shifted(0.0)), *_around(least, most, found))
    if not slope < STEEPEST:
        raise DoesNotFit
    t, center = _argument(builder, a, slope, 0.2 * unit, found)
    coefficients = found.shifted(center)
    result, rounding = _horner(builder, t, coefficients, precision + 1, 0.2 * unit)
    steep = _slopes(coefficients, t)
    allowed = _allowed(builder, curve, found, coefficients, center)
    error = steep * t.error + rounding + allowed
    # Bounds of the exact value are tighter than those of the polynomial, its error included.
    return Value(result.step, result.fraction, *exact, error)


def _allowed(
    builder: Builder,
    curve: Curve,
    found: Polynomial,
    coefficients: tuple[float, ...],
    center: float,
) -> float:
    """What the polynomial's error is taken to be, float64's roundings included; it is noted."""
    reach = max(abs(found.low - center), abs(found.high - center))
    terms = float(polynomial.polyval(reach, np.abs(coefficients)))
    allowed = found.error * _MEASURED + _FLOATS * terms
    builder.pieces.append(Piece(curve, coefficients, center, allowed))
    return allowed


def _around(least: float, most: float, found: Polynomial) -> tuple[float, float]:
    return min(least, found.low), max(most, found.high)


STEEPEST, MOST_BITS = 1e200, 1000
"""Arguments held so loosely that their polynomial is steeper, or their powers have more bits, fit
no format; a search tries some."""


def _argument(
    builder: Builder, a: Value, slope: float, allowed: float, found: Polynomial
) -> tuple[Value, float]:
    """The argument as the distance from a center, as coarse as its slope allows."""
    half_step = allowed / max(slope, 1e-30)
    fraction = min(a.fraction, math.ceil(-math.log2(2 * half_step)))
    middle = round(math.ldexp(found.middle, a.fraction))
    if builder.whole_bytes:
        fraction = a.fraction - _whole_bytes(a.fraction - fraction, a.fraction)
    centred = abs(found.middle) > found.half / 8 and (fraction < a.fraction or found.degree > 1)
    minus = middle if centred else 0
    return builder.coarser(a, fraction, minus), math.ldexp(minus, -a.fraction)


def _horner(
    builder: Builder, t: Value, coefficients: tuple[float, ...], precision: int, allowed: float
) -> tuple[Value, float]:
    """Horner's scheme at t as held, and the bound of its roundings.

    Each level is rounded as coarsely as its share of ``allowed`` lets it; half a unit hides in the
    coefficient that is added anyway.
    """
    degree = len(coefficients) - 1
    least, most = t.held
    reach = max(abs(least), abs(most), 1e-300)
    if degree * math.log2(reach) > MOST_BITS:
        raise DoesNotFit
    inner = [0] * (degree + 1)
    for level in range(1, degree + 1):
        share = allowed / degree / max(reach**level, 1e-300)
        inner[level] = math.ceil(-math.log2(2 * share))
    inner[0] = precision
    held = Value(t.step, t.fraction, np.array([least]), np.array([most]), np.zeros(1))
    acc = builder.constant(coefficients[-1], inner[degree])
    error = float(acc.error[0])
    ends = (np.array([coefficients[-1] - error]), np.array([coefficients[-1] + error]))
    acc = Value(acc.step, acc.fraction, *ends, np.zeros(1))
    for level in range(degree - 1, -1, -1):
        fraction = acc.fraction + t.fraction
        middle, spread = _extent(np.array(coefficients[level:]), least, most)
        wanted = inner[level]
        # How fine this level may be for the next product, or the result, to fit into a word.
        largest = (abs(middle) + spread) * (reach if level else 1)
        size = math.ceil(math.log2(max(largest, 1e-300)))
        room = WORD - 1 - size - (t.fraction if level else 0)
        if level and room < wanted <= room + _GIVEN_UP:
            wanted = room
        if builder.whole_bytes:
            wanted = fraction - _whole_bytes(fraction - wanted, fraction - room)
        rounding = math.ldexp(0.5, -fraction)
        if fraction > wanted:
            rounding += math.ldexp(0.5, -wanted)
        error = error * reach + rounding
        exact = (np.array([middle - spread - error]), np.array([middle + spread + error]))
        made = builder.multiply(acc, held, wanted, exact, plus=coefficients[level])
        acc = Value(made.step, made.fraction, *exact, np.zeros(1))
    return acc, error


def _whole_bytes(shift: int, least: int) -> int:
    """A shift by whole bytes instead: a few bits coarser, or finer where ``least`` allows it."""
    up = -(-shift // 8) * 8
    if shift <= 0 or up - shift <= _GIVEN_UP:
        return max(shift, 0) and up
    return up - 8 if up - 8 >= least else shift


def _nodes(low: float, high: float) -> Array:
    angles = np.cos((np.arange(_NODES) + 0.5) * np.pi / _NODES)
    return np.asarray((low + high) / 2 + (high - low) / 2 * angles)


def _slack(degree: int) -> float:
    """How much larger a polynomial is than on the Chebyshev nodes (Ehlich and Zeller 1964)."""
    return 1 / math.cos(degree * math.pi / (2 * _NODES))


def _extent(coefficients: Array, low: float, high: float) -> tuple[float, float]:
    """Middle and half width of the values of a polynomial on [low, high]; a bound."""
    values = polynomial.polyval(_nodes(low, high), coefficients)
    middle = float(values.max() + values.min()) / 2
    spread = float(np.abs(values - middle).max()) * _slack(len(coefficients) - 1)
    return middle, spread * (1 + 1e-12) + 1e-15 * abs(middle)


def _largest(coefficients: npt.ArrayLike, low: float, high: float) -> float:
    """The largest magnitude of a polynomial on [low, high]; a bound."""
    values = np.abs(polynomial.polyval(_nodes(low, high), np.asarray(coefficients)))
    return float(values.max()) * _slack(np.size(coefficients) - 1)


def _slopes(coefficients: tuple[float, ...], t: Value) -> Array:
    """The largest slope (m,) of the polynomial on every box, errors of the argument included."""
    first = polynomial.polyder(np.array(coefficients))
    second = polynomial.polyder(first)
    middle, half = (t.low + t.high) / 2, (t.high - t.low) / 2 + t.error
    bend = _largest(second, *t.held) if len(second) else 0.0
    return np.asarray(np.abs(polynomial.polyval(middle, first)) + half * bend)
