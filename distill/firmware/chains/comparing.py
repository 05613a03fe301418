"""How a tree's splits compare an input with a cut: as floats, as their order, as integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.firmware.chains.writer import Writer, smallest

_ORDER = """\
/* An integer that is as far up as the float; NaN lies above all. */
static int32_t $function(float value)
{
    union {
        float real;
        uint32_t bits;
    } same;
    same.real = value;
    const uint32_t size = same.bits & 0x7fffffffu;
    if (size > 0x7f800000u) {
        return $nan;
    }
    return (same.bits >> 31) != 0u ? -(int32_t)size : (int32_t)size;
}
"""
"""On a chip without a floating-point unit a tenth of what a comparison of floats takes."""

_NAN = "0x7fffffff"


@dataclass(frozen=True)
class Comparing:
    """Writes comparisons of inputs with cuts; ``ordered`` compares floats by their order.

    Cuts are integers in fixed point and where ``ordered``, else real numbers.
    """

    writer: Writer
    ordered: bool

    @property
    def whole(self) -> bool:
        """Whether cuts are integers."""
        return self.ordered or self.writer.arithmetic == "fixed"

    def array(self, cuts: npt.NDArray[Any]) -> str:
        """The name of a const array of cuts."""
        if self.ordered:
            note = "Up to where an input goes the first way: floats, as integers in their order."
            return self.writer.whole("cuts", cuts, note, signed=True)[0]
        note = "Up to where an input goes the first way."
        if self.whole:
            return self.writer.whole("cuts", cuts, note, signed=True)[0]
        return self.writer.numbers("cuts", cuts, note)

    def bytes_per_cut(self, cuts: npt.NDArray[Any]) -> int:
        """Bytes of one cut in an array."""
        if not self.whole:
            return self.writer.bytes_per_number
        return smallest(cuts, signed=True).itemsize

    def literal(self, cut: float) -> str:
        """A cut in an expression."""
        if not self.whole:
            return self.writer.number(cut)
        text = str(int(cut))
        if self.ordered:
            bits = abs(int(cut))
            real = np.uint32(bits).view(np.float32)
            return f"{text} /* {'-' if int(cut) < 0 else ''}{real!s} */"
        return text

    def below(self, x: str, cut: str, *, missing: bool) -> str:
        """The condition that input ``x`` goes the first way; ``missing``: NaN does, too."""
        if not self.ordered:
            return f"!({x} > {cut})" if missing else f"{x} <= {cut}"
        key = f"{self.writer.function('key', _ORDER, nan=_NAN)}({x})"
        return f"({key} <= {cut} || {key} == {_NAN})" if missing else f"{key} <= {cut}"

    def beyond(self, x: str, cut: str, *, missing: bool) -> str:
        """The contrary of :meth:`below`: input ``x`` goes the second way."""
        if not self.ordered:
            return f"{x} > {cut}" if missing else f"!({x} <= {cut})"
        key = f"{self.writer.function('key', _ORDER, nan=_NAN)}({x})"
        return f"{key} > {cut} && {key} != {_NAN}" if missing else f"{key} > {cut}"
