"""``a*atan(x) + c`` of any x: beyond 1 by the reciprocal, below by an odd polynomial."""

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
    fixed,
    float_bits,
    high,
    real,
    to_fixed,
    to_real,
    uint32,
)

if TYPE_CHECKING:
    from distill.arrays import Array
    from distill.firmware.graph import Graph

_ONE = 0x3F800000
_SIZE = 0x7FFFFFFF


@dataclass(frozen=True)
class Arctangent(Kernel):
    """With s = x or 1/x in [-1, 1]: ``polynomial(s*s)*s``, from ``quarter`` where 1/x was.

    The variable of the polynomial is ``(s*s - 1/2)/2``: about the middle its terms stay small.
    """

    quarter: int
    offset: int

    STEM = "atan"
    AROUND = (55.0, 18.0)
    SQUARES = 2
    DIVISIONS = 1

    def evaluate(self, x: Singles) -> Singles:
        """The values (n,) at x (n,), to the bit."""
        bits = float_bits(x)
        beyond = (bits & _SIZE) > _ONE
        with np.errstate(divide="ignore"):
            ratio = np.where(beyond, np.float32(1) / x, x).astype(np.float32)
        width = self.horner.bits
        s = fixed(ratio, width - 2)
        t = (high(s, s, width) << 3) - (1 << (width - 2))
        y = high(self.horner(t), s, width)
        quarter = np.where(bits > _SIZE, -self.quarter, self.quarter)
        return real(np.where(beyond, quarter - y, y) + self.offset, self.horner.fraction)

    def body(self) -> tuple[list[str], tuple[str, ...]]:
        """C statements from ``x`` to a return, and the helpers they call."""
        bits = self.horner.bits
        kind = f"int{bits}_t"
        offset = f" + INT32_C({self.offset})" if self.offset else ""
        middle = uint32(1 << (bits - 2))
        up, down = f"INT32_C({self.quarter})", f"INT32_C({-self.quarter})"
        lines = [
            "const uint32_t bits = @_bits(x);",
            f"const uint32_t beyond = (bits & {_SIZE:#x}u) > {_ONE:#x}u;",
            "const float ratio = beyond != 0u ? 1.0f / x : x;",
            f"const {kind} s = ({kind}){to_fixed(bits - 2, self.fpu, 'ratio')};",
            f"const {kind} t = ({kind})(((uint32_t)@_high{bits}(s, s) << 3) - {middle});",
            *self.horner.text(),
            f"int32_t angle = @_high{bits}(y, s);",
            "if (beyond != 0u) {",
            f"    angle = (bits > {_SIZE:#x}u ? {down} : {up}) - angle;",
            "}",
            f"return {to_real(f'(angle{offset})', self.horner.fraction, self.fpu)};",
        ]
        return lines, ("bits", *self.horner.helpers, *(() if self.fpu else ("float", "scaled")))


def fit_arctangent(
    meaning: Graph, factor: float, constant: float, low: float, high: float, accuracy: float,
    fpu: bool, share: float) -> Arctangent | None:  # fmt: skip
    """The cheapest one within ``accuracy`` of ``meaning``, ``factor*atan(x) + constant``."""

    def ratio(t: Array) -> Array:
        return np.asarray(np.sqrt(np.maximum(0.5 + 2 * t, 1e-30)))

    def quotient(t: Array) -> Array:
        """What s/4 is multiplied by."""
        return np.asarray(4 * factor * np.arctan(ratio(t)) / ratio(t))

    polynomial = minimax(quotient, -0.25, 0.25, share * accuracy, weight=lambda t: ratio(t) / 4)
    if polynomial is None:
        return None
    size = abs(factor) * math.pi / 2 + abs(constant)
    room = finest_fraction(size)
    for bits in WIDTHS:
        slip = math.ldexp(4.0, -bits)  # of s, cut to an integer
        horner = integer_horner(polynomial.shifted(0.0), bits, 0.25, 4 * slip, room)
        if horner is None:
            continue
        unit = math.ldexp(1.0, -horner.fraction)
        error = polynomial.error * 1.001 + horner.error / 4 + 2 * unit
        error += abs(factor) * (slip + HALF_UNIT)
        quarter = round(factor * math.pi / 2 / unit)
        offset = round(constant / unit + 0.5)
        if error + HALF_UNIT * size <= accuracy:
            return Arctangent(meaning, low, high, horner, fpu, error, HALF_UNIT, quarter, offset)
    return None
