"""``a*log(b*x) + c`` of any positive x: the exponent counted, the mantissa by a polynomial."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from distill.firmware.approximate import minimax
from distill.firmware.kernels.base import HALF_UNIT, Kernel
from distill.firmware.kernels.horner import WIDTHS, integer_horner
from distill.firmware.kernels.machine import (
    Singles,
    finest_fraction,
    float_bits,
    real,
    signed,
    to_real,
    uint32,
)

if TYPE_CHECKING:
    from distill.firmware.graph import Graph

_SMALLEST = 2.0**-126


@dataclass(frozen=True)
class Logarithm(Kernel):
    """``(polynomial(mantissa) << lift) + exponent*step + offset``, all modulo 2^32."""

    lift: int
    step: int
    offset: int

    STEM = "log"
    AROUND = (60.0, 16.0)

    def evaluate(self, x: Singles) -> Singles:
        """The values (n,) at x (n,), to the bit."""
        bits = float_bits(x)
        if self.horner.bits == 32:
            t = ((bits & 0x7FFFFF) << 9) - (1 << 31)
        else:
            t = ((bits & 0x7FFFFF) >> 7) - (1 << 15)
        y = (self.horner(t) << self.lift) + (bits >> 23) * self.step + self.offset
        return real(signed(y), self.horner.fraction + self.lift)

    def body(self) -> tuple[list[str], tuple[str, ...]]:
        """C statements from ``x`` to a return, and the helpers they call."""
        lines = ["const uint32_t bits = @_bits(x);"]
        if self.horner.bits == 32:
            lines.append("const int32_t t = (int32_t)((bits << 9) ^ 0x80000000u);")
        else:
            lines.append("const int16_t t = (int16_t)((bits >> 7) ^ 0x8000u);")
        lines += self.horner.text()
        y = f"((uint32_t)y << {self.lift})" if self.lift else "(uint32_t)y"
        total = f"{y} + (bits >> 23) * {uint32(self.step)} + {uint32(self.offset)}"
        lines.append(f"const uint32_t sum = {total};")
        fraction = self.horner.fraction + self.lift
        lines.append(f"return {to_real('(int32_t)sum', fraction, self.fpu)};")
        return lines, ("bits", *self.horner.helpers, *(() if self.fpu else ("scaled",)))


def fit_logarithm(
    meaning: Graph,
    factors: tuple[float, float, float],
    low: float,
    high: float,
    accuracy: float,
    fpu: bool,
    share: float,
) -> Logarithm | None:
    """The cheapest one within ``accuracy`` of ``meaning``, which is ``a*log(b*x) + c``."""
    a, b, c = factors
    if not low >= _SMALLEST or not b > 0:
        return None
    constant = c + a * math.log(b)
    polynomial = minimax(lambda t: a * np.log(1.5 + t), -0.5, 0.5, share * accuracy)
    if polynomial is None:
        return None
    coefficients = polynomial.shifted(0.0)
    exponents = [math.frexp(low)[1] - 1, math.frexp(high)[1]]
    size = abs(a) * max(1, *map(abs, exponents)) + abs(constant)
    room = finest_fraction(size)
    for bits in WIDTHS:
        slip = 2.0**-16 if bits == 16 else 0.0
        horner = integer_horner(coefficients, bits, 0.5, slip, room)
        if horner is None:
            continue
        lift = min(15, room - horner.fraction) if bits == 16 else 0
        unit = math.ldexp(1.0, -horner.fraction - lift)
        step = round(a * math.log(2) / unit)
        offset = round(constant / unit) - 127 * step
        rounding = unit / 2 * (1 + max(map(abs, exponents)))
        error = polynomial.error * 1.001 + horner.error + rounding
        if error + HALF_UNIT * size <= accuracy:
            return Logarithm(meaning, low, high, horner, fpu, error, HALF_UNIT, lift, step, offset)
    return None
