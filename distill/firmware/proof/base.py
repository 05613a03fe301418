"""What is claimed of the C's arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass

from distill.firmware.rounding import FUNCTION_ULPS
from distill.formula import Formula

IEEE = (
    "the chip's or the compiler's floating point rounds to the nearest as IEEE 754 says; "
    "products may be fused with sums, and numbers too small to be normal may become zero"
)
LIBRARY = f"each mathematical function of the C library is within {FUNCTION_ULPS:g} ulp"
INTEGERS = "integers of 32 and 64 bits as C99 has them"
NUMPY = "NumPy's functions are within 4 ulp, on the machine that proved it"


@dataclass(frozen=True)
class RoundingClaim:
    """How far the C's formula is from what it means in real numbers.

    Attributes
    ----------
    bound : of |C - meant| in the output's unit, at every input as the C's caller gives it;
        infinite where nothing could be proven.
    says : the claim for people; where the bound is infinite, why.
    rests_on : what has to be true for it.
    meant : the formula as the C has it, in real numbers: rewritten by the passes, equal to the
        formula but for the rounding of constants that were computed beforehand. What is proven of
        a formula's error has to be proven of this one.
    """

    bound: float
    says: str
    rests_on: tuple[str, ...]
    meant: Formula


def float_door(largest: int, fraction: int) -> float:
    """What an integer of ``fraction`` bits, at most so large, may lose when it becomes a float32.

    Half a unit of the largest, nothing below 2^24.
    """
    if largest <= 2**24:
        return 0.0
    return math.ldexp(0.5, largest.bit_length() - 24 - fraction)
