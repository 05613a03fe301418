"""Horner's scheme in integers: coefficients, error bound, model and C."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from distill.firmware.kernels.machine import Integers, high

Bits = Literal[16, 32]
WIDTHS: tuple[Bits, ...] = (16, 32)
"""The cheaper one first."""


@dataclass(frozen=True, slots=True)
class Horner:
    """A polynomial in ``t / 2^bits`` for integers t of that width.

    ``coefficients``, lowest first, and the result are in units of ``2^-fraction``; ``error``
    bounds how far the integers are from the real polynomial, in its own unit.
    """

    coefficients: tuple[int, ...]
    fraction: int
    bits: Bits
    error: float

    def __call__(self, t: Integers) -> Integers:
        """The integers of the result for integers t."""
        y = np.full_like(t, self.coefficients[-1])
        for c in reversed(self.coefficients[:-1]):
            y = high(y, t, self.bits) + c
        return y

    def text(self) -> list[str]:
        """C that computes ``y`` from ``t``, both of type ``int16_t`` or ``int32_t``."""
        kind, first = f"int{self.bits}_t", self.coefficients[-1]
        lines = [f"{kind} y = {first if self.bits == 16 else f'INT32_C({first})'};"]
        for c in reversed(self.coefficients[:-1]):
            sign, size = ("-", -c) if c < 0 else ("+", c)
            if c == 0:
                lines.append(f"y = @_high{self.bits}(y, t);")
            elif self.bits == 16:
                lines.append(f"y = (int16_t)(@_high16(y, t) {sign} {size});")
            else:
                lines.append(f"y = @_high32(y, t) {sign} INT32_C({size});")
        return lines

    @property
    def helpers(self) -> tuple[str, ...]:
        """The helpers that :meth:`text` calls."""
        return (f"high{self.bits}",)


def integer_horner(
    coefficients: Sequence[float], bits: Bits, largest: float, slip: float, fraction: int = 60
) -> Horner | None:
    """Real coefficients, lowest first, as the integers with the finest unit that cannot overflow.

    Parameters
    ----------
    largest : bound of |t / 2^bits|.
    slip : how far ``t / 2^bits`` is from the argument that is meant.
    fraction : the finest unit wanted, ``2^-fraction``.
    """
    if len(coefficients) == 1:
        coefficients = (*coefficients, 0.0)  # so that C reads every variable it defines
    sizes = [abs(coefficients[-1])]
    for c in reversed(coefficients[:-1]):
        sizes.append(abs(c) + sizes[-1] * largest)
    if max(sizes) > 2.0**-60:  # smaller ones fit 16 bits with the finest unit there is
        room = math.log2((2 ** (bits - 1) - 4) / max(sizes))
        fraction = min(fraction, math.floor(room))
    if not -60 < fraction <= 60:
        return None
    unit = 2.0**-fraction
    # Every product is cut down by up to one unit: half of one more centres that.
    whole = [round(c / unit + 0.5) for c in coefficients[:-1]]
    whole.append(round(coefficients[-1] / unit))
    error = unit / 2
    for size in sizes[:-1]:
        error = error * largest + (size + error) * slip + unit
    return Horner(tuple(whole), fraction, bits, error)
