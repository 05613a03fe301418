"""Any smooth function on a bounded range: one polynomial in fixed point."""

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
    fixed,
    largest_scale,
    real,
    signed,
    to_fixed,
    to_real,
    uint32,
)

if TYPE_CHECKING:
    from distill.firmware.graph import Graph


@dataclass(frozen=True)
class Curve(Kernel):
    """``t = (fixed(x, scale) - middle) << shift``, then the polynomial."""

    scale: int
    middle: int
    shift: int

    def evaluate(self, x: Singles) -> Singles:
        """The values (n,) at x (n,), to the bit."""
        t = signed((fixed(x, self.scale) - self.middle) << self.shift)
        return real(self.horner(t), self.horner.fraction)

    def body(self) -> tuple[list[str], tuple[str, ...]]:
        """C statements from ``x`` to a return, and the helpers they call."""
        moved = f"(uint32_t){to_fixed(self.scale, self.fpu)}"
        if self.middle:
            moved = f"{moved} - {uint32(self.middle)}"
        if self.shift:
            moved = f"({moved}) << {self.shift}"
        kind = f"int{self.horner.bits}_t"
        lines = [
            f"const {kind} t = ({kind})({moved});",
            *self.horner.text(),
            f"return {to_real('y', self.horner.fraction, self.fpu)};",
        ]
        return lines, (*self.horner.helpers, *(() if self.fpu else ("bits", "float", "scaled")))


def fit_curve(
    meaning: Graph, low: float, high: float, accuracy: float, fpu: bool, share: float
) -> Curve | None:
    """The curve of fewest steps within ``accuracy`` of ``meaning`` on [low, high], if there is one.

    The error is bounded for every argument between: that of the polynomial is looked for on a
    dense grid, what the integers add is counted.
    """

    def function(x: np.ndarray) -> np.ndarray:
        return meaning.evaluate(np.asarray(x)[:, None], "double")

    half = (high - low) / 2
    if not 1e-30 < half < 1e30:  # narrower ones are no floats' ranges, and scale to infinity
        return None
    polynomial = minimax(function, low, high, share * accuracy)
    if polynomial is None:
        return None
    stretch = math.floor(math.log2(0.499 / half))
    size = float(np.abs(function(np.linspace(low, high, 4097))).max())
    for bits in WIDTHS:
        scale = min(largest_scale(max(abs(low), abs(high))), stretch + bits)
        middle = round(math.ldexp((low + high) / 2, scale))
        shift = stretch + bits - scale
        if shift > 31:
            return None
        coefficients = [
            math.ldexp(c, -stretch * k)
            for k, c in enumerate(polynomial.shifted(math.ldexp(middle, -scale)))
        ]
        horner = integer_horner(coefficients, bits, 0.5, math.ldexp(1.0, stretch - scale))
        if horner is None:
            continue
        error = polynomial.error * 1.001 + horner.error
        if error + HALF_UNIT * size <= accuracy:
            return Curve(meaning, low, high, horner, fpu, error, HALF_UNIT, scale, middle, shift)
    return None
