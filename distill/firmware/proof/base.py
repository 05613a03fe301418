"""What is claimed of the C's arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from distill.formula import Formula


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
