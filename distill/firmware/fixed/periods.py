"""Range reduction by whole parts: exponentials, waves and what is made of them.

The whole part of x/ln 2 is a shift, the whole turns of an angle fall away; the fraction left goes
into a polynomial (J.-M. Muller: Elementary Functions, 2016, chapter 11).
"""

from __future__ import annotations

import math

import numpy as np

from distill.firmware.fixed.arithmetic import (
    Apply,
    add,
    bits_of,
    exactly,
    holding,
    known,
    magnitude,
    positive,
    right,
    signed,
    spread,
    subtract,
)
from distill.firmware.fixed.curves import Curve, apply_curve
from distill.firmware.fixed.leading import log, quotient
from distill.firmware.fixed.steps import WORD, Step
from distill.firmware.fixed.values import Builder, DoesNotFit, Value
from distill.firmware.intervals import Interval

POWER_OF_TWO = Curve(np.exp2, 0.0, 1.0)


TURN = Curve(lambda a: np.cos(2 * np.pi * a), 0.0, 0.5)


FALLING = Curve(lambda a: (1 - a) / (1 + a), 0.0, 1.0)


def _scaled_argument(
    builder: Builder, a: Value, factor: float, fraction: int, plus: float = 0.0
) -> Value:
    """``a * factor + plus`` at a fraction, good to about a unit of it."""
    # More bits than a word holds are of no use; the error of fewer is known.
    largest = float(a.largest.max())
    fraction = min(fraction, WORD - 1 - bits_of(largest * abs(factor) + abs(plus)))
    constant = builder.constant(factor, min(fraction + 2 + bits_of(largest), WORD - 1))
    ends = a.low * factor + plus, a.high * factor + plus
    scaled = builder.multiply(
        a, constant, fraction, (np.minimum(*ends), np.maximum(*ends)), plus=plus
    )
    if scaled.fraction < 1:
        raise DoesNotFit("its argument is too coarse")
    return scaled


def exp(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """The exponential: 2 to the fractional part of x/ln 2, shifted by its whole part."""
    (a,) = args
    highest = math.floor(a.held[1] / math.log(2)) + 1
    fraction = max(precision + 3 + highest, 2)
    u = _scaled_argument(builder, a, 1 / math.log(2), fraction)
    low, high = builder.bounds(u)
    fraction = u.fraction
    first, last = low >> fraction, high >> fraction
    whole = exactly(builder, Step("shift", (u.step,), 0, fraction), 0, (first, last))
    one = 1 << fraction
    part = exactly(builder, Step("mask", (u.step,), one - 1), fraction, (0, one - 1))
    power = apply_curve(
        builder, POWER_OF_TWO, part, max(precision + 1 + last, 1), spread(builder, 1.0, 2.0)
    )
    top = builder.constant(last, 0)
    down = exactly(builder, Step("sub", (top.step, whole.step)), 0, (0, last - first))
    result = right(builder, power, down, power.fraction - last)
    own = math.ldexp(float(power.error.max()), last) + math.ldexp(1.0, -result.fraction)
    inner = np.exp(a.high) * np.expm1(u.error * math.log(2))
    return holding(result, exact, own + inner)


def _wave(shift: float) -> Apply:
    """Cos of the argument and so many turns: by whole turns to half a turn either side of zero."""

    def apply(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
        (a,) = args
        fraction = precision + 5
        # Half a turn is added for the mask and taken away after it.
        u = _scaled_argument(builder, a, 0.5 / math.pi, fraction, plus=shift + 0.5)
        fraction, one = u.fraction, 1 << u.fraction
        part = exactly(builder, Step("mask", (u.step,), one - 1), fraction, (0, one - 1))
        half = builder.constant(0.5, fraction)
        low, high = -(one >> 1), (one >> 1) - 1
        turn = exactly(builder, Step("sub", (part.step, half.step)), fraction, (low, high))
        size = exactly(builder, Step("abs", (turn.step,)), fraction, (0, one >> 1))
        wave = apply_curve(builder, TURN, size, precision + 1, spread(builder, -1.0, 1.0))
        return holding(wave, exact, wave.error + 2 * math.pi * u.error)

    return apply


sin, cos = _wave(-0.25), _wave(0.0)


def tan(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """Sin over cos."""
    (a,) = args
    low, high = a.low - a.error, a.high + a.error
    steep = 1 + np.maximum(np.abs(np.tan(low)), np.abs(np.tan(high))) ** 2
    finer = precision + 2 + bits_of(float(steep.max()))
    sure = known(a)
    cosines = np.minimum(np.abs(np.cos(low)), np.abs(np.cos(high)))
    sign = np.sign(np.cos((low + high) / 2))
    if (np.floor(low / math.pi + 0.5) != np.floor(high / math.pi + 0.5)).any():
        raise DoesNotFit
    below = cos(builder, (sure,), finer, (np.where(sign > 0, cosines, -1.0),
                                           np.where(sign > 0, 1.0, -cosines)))  # fmt: skip
    above = sin(builder, (sure,), finer, spread(builder, -1.0, 1.0))
    # Of what is held: its error has moved it a little out of the bounds of the exact value.
    ends = np.tan(low), np.tan(high)
    wide = np.minimum(*ends) - 1e-12 * steep, np.maximum(*ends) + 1e-12 * steep
    result = quotient(builder, (above, below), precision + 1, wide)
    return holding(result, exact, result.error + steep * a.error)


def sinh(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """Half the difference of exp(x) and exp(-x)."""
    up, down = _both_exponentials(builder, args[0], precision)
    pair = (2 * exact[0], 2 * exact[1])
    return builder.scaled(subtract(builder, (up, down), precision, pair), -1)


def cosh(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """Half the sum of exp(x) and exp(-x)."""
    up, down = _both_exponentials(builder, args[0], precision)
    pair = (2 * exact[0], 2 * exact[1])
    return builder.scaled(add(builder, (up, down), precision, pair), -1)


def _both_exponentials(builder: Builder, a: Value, precision: int) -> tuple[Value, Value]:
    negative = builder.simple("neg", (a,), (-a.high, -a.low), a.error)
    return (
        exp(builder, (a,), precision, (np.exp(a.low), np.exp(a.high))),
        exp(builder, (negative,), precision, (np.exp(-a.high), np.exp(-a.low))),
    )


def tanh(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """(1 - e)/(1 + e) with e = exp(-2|x|), which no large x can make large."""
    (a,) = args
    size = magnitude(builder, a)
    falling = builder.simple("neg", (size,), (-size.high, -size.low), size.error)
    e = exp(
        builder, (builder.scaled(falling, 1),), precision + 3,
        (np.exp(-2 * size.high), np.exp(-2 * size.low)),
    )  # fmt: skip
    result = apply_curve(
        builder, FALLING, e, precision + 1, (np.tanh(size.low), np.tanh(size.high))
    )
    return signed(builder, a, result, exact, result.error + a.error)


def power(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """exp(b log a); a base of zero counts as one unit.

    Raises DoesNotFit for negative bases with exponents that may be whole: those have a power, and
    no logarithm.
    """
    a, b = args
    fractional = (b.low == b.high) & (b.low != np.floor(b.low))
    if ((a.low < 0) & ~fractional).any():
        raise DoesNotFit
    a, moved = positive(builder, a)
    sure = known(a)
    low = np.maximum(sure.low, math.ldexp(1.0, -a.fraction))
    logs = (np.log(low), np.log(np.maximum(sure.high, low)))
    largest = max(float(exact[1].max()), 1e-30)
    finer = precision + 2 + bits_of(largest)
    reach = float(b.largest.max())
    logarithm = log(builder, (sure,), finer + bits_of(reach), logs)
    corners = np.stack([p * q for p in logs for q in (b.low, b.high)])
    exponent = builder.multiply(logarithm, b, finer + 1, (corners.min(axis=0), corners.max(axis=0)))
    result = exp(builder, (exponent,), precision + 1, exact)
    doubt = a.error + moved
    with np.errstate(all="ignore"):
        ends = np.maximum(a.low - doubt, 0.0), a.high + doubt
        steep = np.stack([end ** (to - 1) for end in ends for to in (b.low, b.high)]).max(axis=0)
        inner = np.where(doubt > 0, b.largest * steep * doubt, 0.0)
        most = np.stack([end**to for end in ends for to in (b.low, b.high)]).max(axis=0)
        inner = np.where(np.isfinite(inner), inner, most)
    return holding(result, exact, result.error + inner)
