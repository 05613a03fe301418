"""Number formats of fixed point: a value is an integer of at most 32 bits times a power of two.

A variable's format follows from its bounds alone, so that a caller, a table, a guard and a formula
agree on what an input means.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.domain import Domain, Variable

Integers = npt.NDArray[np.int64]
"""Integers of fixed point, in 64 bits so that NumPy's products of two of them stay exact."""

LARGEST = 2**31 - 1
"""The largest magnitude held: -2^31 is left out, so that every negative exists."""

INPUT_BITS = 30
"""Magnitude bits of an input: the difference of two of one format still fits into 32 bits."""

LEAST_FRACTION, MOST_FRACTION = -24, 60
"""Fractions beyond these are not offered: the scale must be a normal float32."""


@dataclass(frozen=True, slots=True)
class QFormat:
    """``value = integer * 2**-fraction``; a negative fraction counts in steps larger than one."""

    fraction: int

    @property
    def step(self) -> float:
        """The value of one unit; exact."""
        return math.ldexp(1.0, -self.fraction)

    def __str__(self) -> str:
        """Such as ``Q24``, as the C's comments say it: 24 fraction bits."""
        return f"Q{self.fraction}"

    def integers(self, x: Array) -> Integers:
        """The nearest integers, halves away from zero, held at the ends of 32 bits; no NaN."""
        with np.errstate(over="ignore"):
            scaled = np.ldexp(np.asarray(x, dtype=float), self.fraction)
        whole = np.copysign(np.floor(np.abs(scaled) + 0.5), scaled)
        integers: Integers = np.clip(whole, -LARGEST, LARGEST).astype(np.int64)
        return integers

    def reals(self, q: Integers) -> Array:
        """The values of integers; exact in float64."""
        reals: Array = np.ldexp(q.astype(float), -self.fraction)
        return reals


def finest(low: float, high: float, bits: int) -> QFormat:
    """The format of the most fraction bits in which low and high stay below 2^bits."""
    largest = max(abs(low), abs(high))
    exponent = math.frexp(largest)[1] if largest > 0 else LEAST_FRACTION
    fraction = min(max(bits - exponent, LEAST_FRACTION), MOST_FRACTION)
    # Rounding may carry the largest magnitude to 2^bits itself.
    if QFormat(fraction).integers(np.array([largest]))[0] >= 2**bits:
        fraction -= 1
    return QFormat(fraction)


def input_format(variable: Variable) -> QFormat:
    """The format of an input: whole numbers as they are, others as fine as 30 bits allow."""
    if variable.discrete:
        return QFormat(0)
    return finest(variable.low, variable.high, INPUT_BITS)


def input_formats(domain: Domain) -> tuple[QFormat, ...]:
    """The format of every input, in the order of the domain."""
    return tuple(map(input_format, domain.variables))


def input_bounds(variable: Variable) -> tuple[int, int]:
    """The bounds of a variable as integers of its format."""
    low, high = input_format(variable).integers(np.array([variable.low, variable.high]))
    return int(low), int(high)


def hold(x: Array, domain: Domain) -> Integers:
    """Points (n, d), no NaN among them, as the integers (n, d) that fixed point computes with.

    They are rounded to each input's format and moved to the nearest bound.
    """
    columns = []
    for i, (variable, form) in enumerate(zip(domain.variables, input_formats(domain), strict=True)):
        low, high = input_bounds(variable)
        columns.append(np.clip(form.integers(x[:, i]), low, high))
    return np.column_stack(columns)
