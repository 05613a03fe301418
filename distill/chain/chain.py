"""Steps in a row."""

from __future__ import annotations

from dataclasses import dataclass

from distill.arrays import Array
from distill.chain.base import Real, Step


@dataclass(frozen=True, eq=False)
class Chain:
    """Steps in a row: what one gives the next takes.

    ``inputs`` is the number of inputs (a chain without steps hands them through).
    """

    inputs: int
    steps: tuple[Step, ...]

    @property
    def outputs(self) -> int:
        """How many numbers the last step gives."""
        return self.steps[-1].outputs if self.steps else self.inputs

    def evaluate(self, x: Array, real: Real = "double") -> Array:
        """Answers (n, outputs) at x (n, inputs), computed as the C computes them in ``real``."""
        for step in self.steps:
            x = step.evaluate(x, real)
        return x
