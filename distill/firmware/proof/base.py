"""What is claimed of the C's arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from distill.formula import Formula


@dataclass(frozen=True)
class RoundingClaim:
    """How far the C's formula is from the formula in real numbers.

    Attributes
    ----------
    bound : of |C - formula| in the output's unit, at every input as the C's caller gives it;
        infinite where nothing could be proven.
    says : the claim for people; where the bound is infinite, why.
    rests_on : what has to be true for it.
    meant : the formula as the C has it, in real numbers: rewritten by the passes, equal to the
        formula but for the rounding of constants that were computed beforehand.
    rewriting : the part of the bound that stands for |meant - formula|, which was measured; a
        proof that begins at ``meant`` does without it.
    """

    bound: float
    says: str
    rests_on: tuple[str, ...]
    meant: Formula
    rewriting: float
