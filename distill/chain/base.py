"""What every step of a chain is: a map from vectors to vectors, the same in Python and in C."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from distill.arrays import Array
from distill.formula.tree import Node

Real = Literal["float32", "double"]
"""The arithmetic that a chain is computed in."""


class Step(Protocol):
    """One step: takes ``inputs`` numbers, gives ``outputs`` numbers.

    Steps are frozen dataclasses of arrays and plain values. What they hold is exact, in float64;
    in float32 their constants are rounded once, thresholds so that decisions stay right.
    """

    @property
    def inputs(self) -> int:
        """How many numbers it takes."""
        ...

    @property
    def outputs(self) -> int:
        """How many numbers it gives."""
        ...

    @property
    def stored(self) -> int:
        """How many constants it holds."""
        ...

    @property
    def operations(self) -> int:
        """How many operations one call takes, comparisons and function calls counted as one."""
        ...

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, outputs) at x (n, inputs), every operation rounded to ``real``.

        The order of operations is that of the C, so that without a function of the C library both
        agree to the bit. Values are handed over as float64 whatever ``real`` is.
        """
        ...

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """How many nodes :meth:`expand` would give for each output, from those of each input.

        Found by counting, never by building. The trees may be smaller where equal parts meet.

        Raises
        ------
        FormulaError : where the step has no formula.
        """
        ...

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """The answers as trees over the trees of the inputs.

        Raises
        ------
        FormulaError : where the step has no formula, or one that is too large to be read.
        """
        ...
