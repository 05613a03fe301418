"""``exp(a*x + c)``: whole powers of two become the exponent, the rest is a polynomial.

The float is put together from its bits, so that there is no conversion at the end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from distill.firmware.approximate import minimax
from distill.firmware.kernels.base import HALF_UNIT, Kernel
from distill.firmware.kernels.horner import WIDTHS, integer_horner
from distill.firmware.kernels.machine import (
    WORD,
    Singles,
    finest_fraction,
    fixed,
    from_bits,
    high,
    largest_scale,
    to_fixed,
    uint32,
)

if TYPE_CHECKING:
    from distill.firmware.graph import Graph

_FINEST = 24  # 8 bits of exponent before it


@dataclass(frozen=True)
class Exponential(Kernel):
    """``z = high(fixed(x, scale), factor) + bias``: the exponent and ``fraction`` bits below it."""

    scale: int
    factor: int
    bias: int
    fraction: int

    STEM = "exp"
    AROUND = (40.0, 16.0)
    PRODUCTS = 1

    def evaluate(self, x: Singles) -> Singles:
        """The values (n,) at x (n,), to the bit."""
        z = (high(fixed(x, self.scale), self.factor, 32) + self.bias) % WORD
        rest = (z << (32 - self.fraction)) % WORD
        if self.horner.bits == 32:
            mantissa = (self.horner(rest - (1 << 31)) + 32) >> 6
        else:
            mantissa = self.horner((rest >> 16) - (1 << 15)) << 10
        return from_bits(((z >> self.fraction) << 23) + mantissa)

    def body(self) -> tuple[list[str], tuple[str, ...]]:
        """C statements from ``x`` to a return, and the helpers they call."""
        product = f"@_high32({to_fixed(self.scale, self.fpu)}, INT32_C({self.factor}))"
        lines = [f"const uint32_t z = (uint32_t){product} + {uint32(self.bias)};"]
        shift = 32 - self.fraction
        if self.horner.bits == 32:
            lines.append(f"const int32_t t = (int32_t)((z << {shift}) ^ 0x80000000u);")
            mantissa = "(((uint32_t)y + 32u) >> 6)"
        else:
            moved = f"z >> {16 - shift}" if shift < 16 else f"z << {shift - 16}"
            moved = "z" if shift == 16 else moved
            lines.append(f"const int16_t t = (int16_t)(({moved}) ^ 0x8000u);")
            mantissa = "((uint32_t)y << 10)"
        lines += self.horner.text()
        lines.append(f"return @_float(((z >> {self.fraction}) << 23) + {mantissa});")
        helpers = ("float", "high32", *self.horner.helpers)
        return lines, helpers if self.fpu else (*helpers, "bits")


def fit_exponential(
    meaning: Graph,
    exponents: tuple[float, float],
    low: float,
    high: float,
    relative: float,
    fpu: bool,
    share: float,
) -> Exponential | None:
    """The cheapest one within ``relative`` of ``meaning``, which is ``exp(a*x + c)``.

    None where a value would not be a normal float32.
    """
    a, c = (e / math.log(2) for e in exponents)
    ends = sorted((a * low + c, a * high + c))
    magnitude = max(abs(low), abs(high))
    if not (a and magnitude and ends[0] > -125 and ends[1] < 126):
        return None
    scale = largest_scale(magnitude)
    fraction = min(_FINEST, scale + finest_fraction(abs(a)) - 32)
    if fraction < 16:
        return None
    factor = round(math.ldexp(a, fraction + 32 - scale))
    # The lowest power of the polynomial is 1, which adds 1 to the exponent; half a unit centres
    # the cut of the product.
    bias = round(math.ldexp(126 + c, fraction) + 0.5)
    phase = 2.0 * math.log(2) * math.ldexp(1.0, -fraction)
    polynomial = minimax(lambda t: np.exp2(0.5 + t), -0.5, 0.5, share * relative)
    if polynomial is None:
        return None
    for bits in WIDTHS:
        unit, slip = (13, 2.0**-16) if bits == 16 else (29, 0.0)
        horner = integer_horner(polynomial.shifted(0.0), bits, 0.5, slip, unit)
        if horner is None or horner.fraction != unit:
            continue
        error = polynomial.error * 1.001 + horner.error + phase + HALF_UNIT
        if error <= relative:
            return Exponential(
                meaning, low, high, horner, fpu, 0.0, error, scale, factor, bias, fraction
            )
    return None
