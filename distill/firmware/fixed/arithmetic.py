"""Sums, products and choices of values, and what the other operators share.

Each operator takes its arguments, a precision and the bounds of its exact result. ``precision`` is
how many fraction bits the result must be good to: what an operator adds to the errors of its
arguments stays near 2^-precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from distill.arrays import Array
from distill.firmware.fixed.formats import LARGEST
from distill.firmware.fixed.steps import WORD, Step
from distill.firmware.fixed.values import Builder, DoesNotFit, Value
from distill.firmware.intervals import Interval

Apply = Callable[[Builder, tuple[Value, ...], int, Interval], Value]


def bits_of(size: float) -> int:
    """The least n with size <= 2^n."""
    return math.ceil(math.log2(size)) if size > 0 else -60


def known(a: Value) -> Value:
    """The value as it is held, without error: what a function does to it is added later."""
    return Value(a.step, a.fraction, a.low - a.error, a.high + a.error, np.zeros_like(a.error))


def holding(a: Value, exact: Interval, error: Array) -> Value:
    """The step of ``a`` for another exact value."""
    if not np.isfinite(error).all():
        raise DoesNotFit("its error has no bound")
    return Value(a.step, a.fraction, *exact, error)


def spread(builder: Builder, low: float, high: float) -> Interval:
    """The same bounds on every box."""
    return np.full(builder.boxes, low), np.full(builder.boxes, high)


def exactly(builder: Builder, step: Step, fraction: int, word: tuple[int, int]) -> Value:
    """A value that is what its step makes it, without error."""
    exact = spread(builder, math.ldexp(word[0], -fraction), math.ldexp(word[1], -fraction))
    return builder.make(step, fraction, exact, np.zeros(builder.boxes), word=word)


def add(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """The sum, exact at the coarser of both formats."""
    a, b = builder.aligned(args[0], args[1], precision + 1)
    return builder.simple("add", (a, b), exact, a.error + b.error)


def subtract(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """The difference."""
    a, b = builder.aligned(args[0], args[1], precision + 1)
    return builder.simple("sub", (a, b), exact, a.error + b.error)


def negate(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """The negative."""
    return builder.simple("neg", args, exact, args[0].error)


def absolute(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """The magnitude."""
    if builder.bounds(args[0])[0] >= 0:
        return args[0]
    return builder.simple("abs", args, exact, args[0].error)


def least(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """The smaller one."""
    a, b = builder.aligned(args[0], args[1], precision + 1)
    return builder.simple("min", (a, b), exact, np.maximum(a.error, b.error))


def most(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """The larger one."""
    a, b = builder.aligned(args[0], args[1], precision + 1)
    return builder.simple("max", (a, b), exact, np.maximum(a.error, b.error))


def multiply(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """The product, rounded to the nearest."""
    return builder.multiply(args[0], args[1], precision + 1, exact)


def square(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """The second power."""
    return multiply(builder, (args[0], args[0]), precision, exact)


def cube(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """The third power."""
    (a,) = args
    largest = float(a.largest.max())
    squared = multiply(builder, (a, a), precision + 1 + bits_of(largest), _squares(a))
    return builder.multiply(squared, a, precision + 2, exact)


def _squares(a: Value) -> Interval:
    nearest = np.maximum(np.maximum(a.low, -a.high), 0.0)
    return nearest * nearest * (1 - 1e-15), a.largest * a.largest * (1 + 1e-15)


def choose(
    builder: Builder, a: Value, b: Value, then: Value, other: Value, exact: Interval, error: Array
) -> Value:
    """``a < b ? then : other`` of values of matching formats."""
    words = [builder.bounds(then), builder.bounds(other)]
    step = Step("ifless", (a.step, b.step, then.step, other.step))
    word = min(w[0] for w in words), max(w[1] for w in words)
    return builder.make(step, then.fraction, exact, error, word=word)


def ifless(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """The branch that the comparison of the held values names; the comparison itself is exact.

    Where the errors of the compared values leave the branch open, their difference is an error.
    """
    a, b = args[:2]
    then, other = builder.aligned(args[2], args[3], precision + 1)
    doubt = a.error + b.error
    open_ = (a.low - b.high < doubt) & (b.low - a.high <= doubt) & (doubt > 0)
    apart = np.maximum(then.high - other.low, other.high - then.low)
    error = np.maximum(then.error, other.error) + np.where(open_, np.maximum(apart, 0.0), 0.0)
    return choose(builder, *comparable(builder, a, b), then, other, exact, error)


def comparable(builder: Builder, a: Value, b: Value) -> tuple[Value, Value]:
    """Values to compare instead of a < b, of one format; the answer is the same for all of them.

    With a finer than b by n bits: a < b * 2^n, for whole numbers, is floor(a / 2^n) < b; with b
    finer, a * 2^n < b is a < ceil(b / 2^n). A constant is rounded to a's format beforehand.
    """
    if a.fraction == b.fraction:
        return a, b
    up = a.fraction < b.fraction
    fine = b if up else a
    shift = abs(a.fraction - b.fraction)
    constant = (1 << shift) - 1 if up else 0
    low, high = builder.bounds(fine)
    if shift > WORD - 1 or high + constant > LARGEST:
        raise DoesNotFit
    coarse = exactly(
        builder, Step("shift", (fine.step,), constant, shift), fine.fraction - shift,
        ((low + constant) >> shift, (high + constant) >> shift),
    )  # fmt: skip
    return (a, coarse) if up else (coarse, b)


def signed(builder: Builder, sign: Value, a: Value, exact: Interval, error: Array) -> Value:
    """``sign < 0 ? -a : a``."""
    if builder.bounds(sign)[0] >= 0:
        return holding(a, exact, error)
    negative = builder.simple("neg", (a,), (-a.high, -a.low), a.error)
    zero = builder.constant(0.0, sign.fraction)
    return choose(builder, sign, zero, negative, a, exact, error)


def magnitude(builder: Builder, a: Value) -> Value:
    """|a| as held, without error."""
    sure = known(a)
    if builder.bounds(a)[0] >= 0:
        return sure
    nearest = np.maximum(np.maximum(sure.low, -sure.high), 0.0)
    return builder.simple("abs", (sure,), (nearest, sure.largest), sure.error)


def right(builder: Builder, a: Value, n: Value, fraction: int) -> Value:
    """``a >> n`` of a value that is never negative, read at ``fraction``."""
    low, high = builder.bounds(a)
    few, many = builder.bounds(n)
    if low < 0:
        raise DoesNotFit
    if many > WORD:
        limit = builder.constant(WORD, 0)
        n = exactly(builder, Step("min", (n.step, limit.step)), 0, (min(few, WORD), WORD))
        few, many = builder.bounds(n)
    return exactly(builder, Step("right", (a.step, n.step)), fraction, (low >> many, high >> few))


def positive(builder: Builder, a: Value) -> tuple[Value, Array]:
    """At least one unit, and by how much that moves a value that is never negative."""
    low, high = builder.bounds(a)
    if low > 0:
        return a, np.zeros(builder.boxes)
    one = builder.constant(math.ldexp(1.0, -a.fraction), a.fraction)
    step = Step("max", (a.step, one.step))
    raised = builder.make(
        step, a.fraction, (np.maximum(a.low, one.low), np.maximum(a.high, one.low)), a.error,
        word=(1, max(high, 1)),
    )  # fmt: skip
    return raised, one.low


def with_top_bit(builder: Builder, a: Value) -> Value:
    """As fine as a word allows."""
    high = max(map(abs, builder.bounds(a)))
    return builder.finer(a, a.fraction + WORD - max(high, 1).bit_length())
