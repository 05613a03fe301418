"""Range reduction by the highest bit: roots, logarithms and quotients.

A positive value is shifted until its highest bit is the top one; what is left lies in a narrow
range, where a short polynomial holds (J.-M. Muller: Elementary Functions, 2016, chapter 11).
"""

from __future__ import annotations

import math

import numpy as np

from distill.arrays import Array
from distill.firmware.fixed.arithmetic import (
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
    with_top_bit,
)
from distill.firmware.fixed.curves import Curve, apply_curve
from distill.firmware.fixed.formats import LARGEST
from distill.firmware.fixed.steps import WORD, Step
from distill.firmware.fixed.values import Builder, DoesNotFit, Value
from distill.firmware.intervals import Interval

LOG = Curve(np.log, 0.5, 1.0)


RECIPROCAL = Curve(lambda a: 1 / a, 0.5, 1.0)


ROOTS = {
    (2, fraction): Curve(np.sqrt, math.ldexp(1, 29 - fraction), math.ldexp(1, 31 - fraction))
    for fraction in (30, 31)
} | {
    (3, fraction): Curve(np.cbrt, math.ldexp(1, 28 - fraction), math.ldexp(1, 31 - fraction))
    for fraction in (29, 30, 31)
}


def normalised(builder: Builder, a: Value, step: int = 1) -> tuple[Value, Value]:
    """A positive value shifted until its highest bit is the top one, and by how many bits.

    The shift is a multiple of ``step``. The first is read with fraction 31: in [2^-step, 1).
    """
    low, high = builder.bounds(a)
    if low <= 0:
        raise DoesNotFit
    few, many = WORD - high.bit_length(), WORD - low.bit_length()
    zeros = exactly(builder, Step("zeros", (a.step,)), 0, (few, many))
    if step == 2:
        zeros = exactly(builder, Step("mask", (zeros.step,), 30), 0, (few & 30, many & 30))
    elif step == 3:
        # 11/32 is near enough to a third for every count below 32.
        eleven, three = builder.constant(11, 0), builder.constant(3, 0)
        third = exactly(
            builder, Step("mac", (zeros.step, eleven.step), 0, 5), 0, (few // 3, many // 3)
        )
        word = (few // 3 * 3, many // 3 * 3)
        zeros = exactly(builder, Step("mac", (third.step, three.step)), 0, word)
    word = (1 << (WORD - step), LARGEST)
    return exactly(builder, Step("left", (a.step, zeros.step)), WORD, word), zeros


def _root(builder: Builder, a: Value, precision: int, degree: int) -> Value:
    """The root of ``degree`` 2 or 3 of a value that is held positive, by its own error only."""
    a = with_top_bit(builder, known(a))
    m, zeros = normalised(builder, a, degree)
    # m is read with the fraction that makes the exponent of what is left a multiple of degree.
    fraction = WORD - (WORD - a.fraction) % degree
    m = builder.scaled(m, WORD - fraction)
    exponent = (fraction - a.fraction) // degree
    curve = ROOTS[degree, fraction]
    whole = spread(builder, curve.low ** (1 / degree), curve.high ** (1 / degree))
    root = apply_curve(builder, curve, m, precision + 1 + exponent, whole)
    few, many = builder.bounds(zeros)
    if degree == 2:
        step = Step("shift", (zeros.step,), 0, 1)
        shift = exactly(builder, step, 0, (few // 2, many // 2))
    else:
        eleven = builder.constant(11, 0)
        step = Step("mac", (zeros.step, eleven.step), 0, 5)
        shift = exactly(builder, step, 0, (few // 3, many // 3))
    result = right(builder, root, shift, root.fraction - exponent)
    error = math.ldexp(float(root.error.max()), exponent) + math.ldexp(1.0, -result.fraction)
    return Value(
        result.step, result.fraction, result.low, result.high, np.full(builder.boxes, error)
    )


def root_of_error(low: Array, error: Array, degree: int) -> Array:
    """How far the roots of values at most ``error`` apart are, the exact one at least ``low``."""
    safe = np.maximum(low - error, 0.0)
    with np.errstate(all="ignore"):
        slope = error * safe ** (1 / degree - 1) / degree
    return np.where(error > 0, np.fmin(slope, (2 * error) ** (1 / degree)), 0.0)


def sqrt(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """The square root; what rounding makes negative counts as zero."""
    a, moved = positive(builder, args[0])
    root = _root(builder, a, precision, 2)
    inner = root_of_error(np.maximum(a.low, 0.0), a.error + moved, 2)
    return holding(root, exact, root.error + inner)


def cbrt(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """The cube root, of either sign."""
    (a,) = args
    if builder.bounds(a)[0] >= 0:
        size, moved = positive(builder, a)
    else:
        nearest = np.maximum(np.maximum(a.low, -a.high), 0.0)
        size, moved = positive(builder, builder.simple("abs", (a,), (nearest, a.largest), a.error))
    root = _root(builder, size, precision, 3)
    inner = 2 * root_of_error(np.maximum(size.low, 0.0), a.error + moved, 3)
    return signed(builder, a, root, exact, root.error + inner)


def log(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """The natural logarithm: of the leading bits, and ln 2 for every place they stand higher."""
    (a,) = args
    m, zeros = normalised(builder, a)
    part = apply_curve(builder, LOG, m, precision + 2, spread(builder, -math.log(2), 0.0))
    factor = builder.constant(-math.log(2), precision + 7)
    few, many = builder.bounds(zeros)
    places = WORD - a.fraction
    ends = ((places - many) * math.log(2) - 1e-9, (places - few) * math.log(2) + 1e-9)
    whole = builder.multiply(
        zeros, factor, precision + 2, spread(builder, *ends), plus=places * math.log(2)
    )
    both = add(builder, (whole, part), precision + 1, spread(builder, ends[0] - 0.7, ends[1]))
    with np.errstate(all="ignore"):
        inner = np.where(a.low > a.error, a.error / (a.low - a.error), np.inf)
    inner = np.where(a.error == 0, 0.0, inner)
    if not np.isfinite(inner).all():
        raise DoesNotFit
    return holding(both, exact, both.error + inner)


def reciprocal(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """One over the value."""
    return quotient(builder, (builder.constant(1.0, 0), args[0]), precision, exact)


def quotient(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """The quotient: 32 by 32 bits where the divisor may be that coarse, else by its reciprocal.

    Raises DoesNotFit where the errors of the divisor may make it zero.
    """
    a, b = args
    nearest = np.maximum(np.maximum(b.low, -b.high), 0.0)
    if (nearest <= b.error).any():
        raise DoesNotFit("its divisor is too near zero for its error")
    size = np.maximum(np.abs(exact[0]), np.abs(exact[1]))
    inner = (a.error + size * b.error) / (nearest - b.error)
    top = with_top_bit(builder, a)
    fraction = top.fraction - precision - 1
    coarse = builder.coarser(b, fraction)
    with np.errstate(all="ignore"):
        left_over = (size + inner) * (coarse.error - b.error) / (nearest - coarse.error)
    rounded = float(np.where(nearest > coarse.error, left_over, np.inf).max())
    words = builder.bounds(coarse)
    if not (words[0] <= 0 <= words[1]) and rounded <= math.ldexp(0.5, -precision):
        ends = [math.trunc(p / q) for p in builder.bounds(top) for q in words]
        made = top.fraction - coarse.fraction
        error = inner + rounded + math.ldexp(1.0, -made)
        step = Step("divide", (top.step, coarse.step))
        return builder.make(step, made, exact, error, word=(min(ends), max(ends)))
    return _by_reciprocal(builder, a, b, precision, exact, inner)


def _by_reciprocal(
    builder: Builder, a: Value, b: Value, precision: int, exact: Interval, inner: Array
) -> Value:
    """|a| times the reciprocal of |b| brought to [1/2, 1), shifted back."""
    n, d = magnitude(builder, a), with_top_bit(builder, magnitude(builder, b))
    m, zeros = normalised(builder, d)
    few, many = builder.bounds(zeros)
    # 1/d = (1/m) 2^(zeros + d.fraction - 31); the product is shifted right by many - zeros.
    exponent = many + d.fraction - WORD
    fraction = precision + 2 + exponent
    largest = float(n.largest.max())
    inverse = apply_curve(
        builder, RECIPROCAL, m, fraction + bits_of(largest), spread(builder, 1.0, 2.0)
    )
    product = builder.multiply(n, inverse, fraction, spread(builder, 0.0, 2 * largest))
    top = builder.constant(many, 0)
    down = exactly(builder, Step("sub", (top.step, zeros.step)), 0, (0, many - few))
    result = right(builder, product, down, product.fraction - exponent)
    own = math.ldexp(float(product.error.max()), exponent) + math.ldexp(1.0, -result.fraction)
    # What is held: the errors of a and b move it, too.
    held = float(np.abs(exact).max() + np.max(own + inner))
    size = holding(result, spread(builder, 0.0, held), np.zeros(1))
    wide = spread(builder, -float(size.high.max()), float(size.high.max()))
    turned = signed(builder, b, size, wide, size.error)
    return signed(builder, a, turned, exact, own + inner)
