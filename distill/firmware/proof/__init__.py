"""Proofs: how far the C's arithmetic can be from the formula, over whole boxes of the domain.

:func:`rounding_claim` is the door; floats, own functions and integers have a file each.
"""

from distill.firmware.proof.base import RoundingClaim
from distill.firmware.proof.claim import rounding_claim

__all__ = ["RoundingClaim", "rounding_claim"]
