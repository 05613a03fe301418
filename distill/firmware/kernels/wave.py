"""``a*sin(b*x + p) + c`` over many turns: they fall away by overflow, a quarter is a polynomial."""

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
    high,
    largest_scale,
    real,
    signed,
    to_fixed,
    to_real,
    uint32,
)

if TYPE_CHECKING:
    from distill.firmware.graph import Graph

_QUARTER = 1 << 30


@dataclass(frozen=True)
class Wave(Kernel):
    """``phase = (high(fixed(x, scale), factor) << shift) + start`` in turns of 2^32."""

    scale: int
    factor: int
    shift: int
    start: int
    offset: int

    STEM = "sin"
    AROUND = (55.0, 18.0)
    PRODUCTS = 1
    SQUARES = 2

    def evaluate(self, x: Singles) -> Singles:
        """The values (n,) at x (n,), to the bit."""
        turns = high(fixed(x, self.scale), self.factor, 32)
        phase = ((turns << self.shift) + self.start) % WORD
        falling = (phase >= _QUARTER) & (phase < 3 * _QUARTER)
        s = signed(np.where(falling, WORD // 2 - phase, phase))
        bits = self.horner.bits
        s = s >> (32 - bits)
        y = high(self.horner(high(s, s, bits) << 2), s, bits) + self.offset
        return real(y, self.horner.fraction)

    def body(self) -> tuple[list[str], tuple[str, ...]]:
        """C statements from ``x`` to a return, and the helpers they call."""
        bits = self.horner.bits
        turns = f"(uint32_t)@_high32({to_fixed(self.scale, self.fpu)}, INT32_C({self.factor}))"
        if self.shift:
            turns = f"({turns} << {self.shift})"
        start = f" + {uint32(self.start)}" if self.start else ""
        kind = f"int{bits}_t"
        cut = "(int16_t)(phase >> 16)" if bits == 16 else "(int32_t)phase"
        square = f"(uint32_t)@_high{bits}(s, s) << 2"
        result = f"@_high{bits}(y, s)"
        if self.offset:
            result = f"({result} + INT32_C({self.offset}))"
        lines = [
            f"const uint32_t turns = {turns}{start};",
            "const uint32_t falling = (turns ^ (turns << 1)) >> 31;",
            "const uint32_t phase = falling != 0u ? 0x80000000u - turns : turns;",
            f"const {kind} s = {cut};",
            f"const {kind} t = ({kind})({square});",
            *self.horner.text(),
            f"return {to_real(result, self.horner.fraction, self.fpu)};",
        ]
        helpers = ("high32", f"high{bits}")
        return lines, helpers if self.fpu else (*helpers, "bits", "float", "scaled")


def fit_wave(
    meaning: Graph,
    factors: tuple[float, float, float, float],
    low: float,
    high: float,
    accuracy: float,
    fpu: bool,
    share: float,
) -> Wave | None:
    """The cheapest one within ``accuracy`` of ``meaning``, which is ``a*sin(b*x + p) + c``."""
    a, b, p, c = factors
    frequency = b / (2 * math.pi)
    magnitude = max(abs(low), abs(high))
    if not (a and frequency and magnitude):
        return None
    scale = largest_scale(magnitude)
    # Both the factor and the product with the largest argument fit an int32.
    fraction = min(
        finest_fraction(abs(frequency)) + scale - 32,
        finest_fraction(abs(frequency) * magnitude),
        32,
    )
    if not 0 < fraction <= 32:
        return None
    factor = round(math.ldexp(frequency, fraction + 32 - scale))
    start = round((p / (2 * math.pi) % 1) * WORD + math.ldexp(0.5, 32 - fraction)) % WORD
    polynomial = minimax(
        lambda v: 2 * np.pi * a * np.sinc(np.sqrt(v)),
        0.0,
        0.25,
        share * accuracy,
        weight=lambda v: np.sqrt(v) / 2,
    )
    if polynomial is None:
        return None
    size = abs(a) + abs(c)
    room = finest_fraction(size)
    for bits in WIDTHS:
        horner = integer_horner(polynomial.shifted(0.0), bits, 0.25, math.ldexp(4.0, -bits), room)
        if horner is None:
            continue
        unit = math.ldexp(1.0, -horner.fraction)
        slip = 2.0 * math.ldexp(1.0, -fraction) + math.ldexp(1.0, -bits)
        error = polynomial.error * 1.001 + horner.error / 4 + 1.5 * unit
        error += 2 * math.pi * abs(a) * slip
        offset = round(c / unit + 0.5)
        if error + HALF_UNIT * size <= accuracy:
            return Wave(
                meaning, low, high, horner, fpu, error, HALF_UNIT,
                scale, factor, 32 - fraction, start, offset,
            )  # fmt: skip
    return None
