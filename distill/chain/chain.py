"""Steps in a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from distill.arrays import Array
from distill.chain.base import Real, Step
from distill.chain.terms import refuse_growth
from distill.errors import FormulaError
from distill.formula.tree import Node


@dataclass(frozen=True, eq=False)
class Chain:
    """Steps in a row: what one gives the next takes.

    ``inputs`` is the number of inputs (a chain without steps hands them through).

    Raises
    ------
    FormulaError : when a step takes another number of inputs than the one before gives.
    """

    inputs: int
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        if not isinstance(self.inputs, int) or self.inputs < 1:
            raise FormulaError(f"a chain cannot take {self.inputs!r} inputs.", where="chain")
        given, before = self.inputs, "the chain"
        for number, step in enumerate(self.steps, 1):
            name = type(step).__name__
            if step.inputs != given:
                raise FormulaError(
                    f"step {number} of a chain, `{name}`, takes {step.inputs} numbers; {before} "
                    f"gives {given}.",
                    where="chain",
                    hint="put a step between that gives as many as the next one takes.",
                )
            given, before = step.outputs, f"`{name}` before it"

    @property
    def outputs(self) -> int:
        """How many numbers the last step gives."""
        return self.steps[-1].outputs if self.steps else self.inputs

    @property
    def stored(self) -> int:
        """How many constants its steps hold."""
        return sum(step.stored for step in self.steps)

    @property
    def operations(self) -> int:
        """How many operations one call takes."""
        return sum(step.operations for step in self.steps)

    def evaluate(self, x: Array, real: Real = "double") -> Array:
        """Answers (n, outputs) at x (n, inputs), computed as the C computes them in ``real``."""
        for step in self.steps:
            x = step.evaluate(x, real)
        return x

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """How many nodes :meth:`expand` would give for each output, at most; nothing is built."""
        counts = list(sizes)
        for step in self.steps:
            counts = step.growth(counts)
        return counts

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """The answers as trees over the trees of the inputs.

        Raises
        ------
        FormulaError : where a step has no formula, or one that is too large.
        """
        nodes = list(x)
        for step in self.steps:
            refuse_growth(step, nodes)
            nodes = step.expand(nodes)
        return nodes
