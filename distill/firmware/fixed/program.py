"""A formula in integers: the steps, the formats at both ends, and how far it can be off."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from distill.firmware.fixed.formats import Integers, QFormat
from distill.firmware.fixed.steps import Step, run

if TYPE_CHECKING:
    from distill.firmware.fixed.basis import Basis


@dataclass(frozen=True)
class FixedProgram:
    """A pure integer function of the inputs, bit-identical wherever it runs.

    Attributes
    ----------
    steps : the operations, arguments first; the last one is the result.
    fractions : the fraction bits of every step's value.
    inputs : the formats in which the inputs arrive, those of ``input_formats(domain)``.
    output : the format of the result.
    error_bound : the largest distance from the formula over the domain, the rounding of continuous
        inputs to their formats included. Interval arithmetic over boxes bounds all of it but the
        polynomials' own errors, which are the largest on 8,193 points and 5 % more; ``basis`` is
        what a proof of those needs. Comparisons take inputs as held.
    short_products : whether the C says where the operands of a product have 16 bits; no bit of the
        result depends on it.
    """

    steps: tuple[Step, ...]
    fractions: tuple[int, ...]
    inputs: tuple[QFormat, ...]
    output: QFormat
    error_bound: float
    short_products: bool = False
    basis: Basis | None = field(default=None, compare=False, repr=False)

    def evaluate(self, q: Integers, *, check: bool = False) -> Integers:
        """What the C returns, to the bit, at inputs q (n, d) from ``hold``; shape (n,).

        With ``check``, an AssertionError tells of a value outside the bounds it was planned with.
        """
        return run(self.steps, q, check=check)

    @property
    def wide_products(self) -> int:
        """How many products need 64 bits."""
        return sum(step.wide for step in self.steps)
