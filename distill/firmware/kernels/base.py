"""What every kernel is: a function of one float32, with its error against what it stands for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from distill.arrays import Array
from distill.firmware.comments import wrapped
from distill.firmware.kernels.horner import Horner
from distill.firmware.kernels.machine import HELPERS, NEEDS, Singles
from distill.formula.text import to_text
from distill.formula.tree import Node, call, number, symbol

if TYPE_CHECKING:
    from distill.firmware.graph import Graph

HALF_UNIT = 2.0**-24
"""The relative error of rounding to float32."""


@dataclass(frozen=True, slots=True)
class Words:
    """What integers cost on a chip, in the unit of its operators' costs.

    Attributes
    ----------
    fpu : whether the chip multiplies floats in one instruction.
    step16, step32 : a step of a polynomial in words of that width: a product and a sum.
    around : what surrounds a polynomial, as a multiple of what it takes on MIPS32.
    division : a division of floats.
    """

    fpu: bool
    step16: float
    step32: float
    around: float
    division: float


@dataclass(frozen=True)
class Kernel(ABC):
    """A function of one variable in integers.

    Attributes
    ----------
    meaning : the graph of one input it stands for.
    low, high : the arguments it is made for; for others its value is not defined.
    horner : the polynomial inside.
    fpu : whether its C multiplies floats by powers of two, or adds to their exponents: the
        results are the same.
    error, relative : it is within ``error + relative*|value|`` of its meaning.
    """

    meaning: Graph
    low: float
    high: float
    horner: Horner
    fpu: bool
    error: float
    relative: float

    STEM: ClassVar[str] = "curve"
    AROUND: ClassVar[tuple[float, float]] = (65.0, 12.0)
    """Instructions around the polynomial on MIPS32, without and with a floating-point unit."""
    PRODUCTS: ClassVar[int] = 0
    """Products of 32-bit words around it."""
    SQUARES: ClassVar[int] = 0
    """Products of words of its own width around it."""
    DIVISIONS: ClassVar[int] = 0
    """Divisions of floats."""

    @abstractmethod
    def evaluate(self, x: Singles) -> Singles:
        """The values (n,) at x (n,), to the bit."""

    @abstractmethod
    def body(self) -> tuple[list[str], tuple[str, ...]]:
        """C statements from the parameter ``x`` to a return, and the helpers they call."""

    def cost(self, words: Words) -> float:
        """What one call takes, roughly: what decides between kernels and operators."""
        step = words.step16 if self.horner.bits == 16 else words.step32
        return (
            self.AROUND[words.fpu] * words.around
            + self.PRODUCTS * words.step32
            + (self.SQUARES + len(self.horner.coefficients) - 1) * step
            + self.DIVISIONS * words.division
        )

    def exact(self, x: Array) -> Array:
        """What it stands for, (n,) at x (n,), in float64."""
        return self.meaning.evaluate(x[:, None], "double")

    def bound(self, value: Array) -> Array:
        """A bound (n,) of its error where what it stands for is ``value`` (n,)."""
        return self.error + self.relative * np.abs(value)

    def text(self, name: str, function: str) -> str:
        """C of the static function ``name``; its helpers are called after ``function``."""
        lines = "\n".join(f"    {line}" for line in self.body()[0])
        body = f"static float {name}(float x)\n{{\n{lines}\n}}\n".replace("@", function)
        return f"{self._comment()}\n{body}"

    def _comment(self) -> str:
        """What the function stands for, where, and how nearly."""
        within = [f"{self.error:.2g}"] if self.error else []
        within += [f"{self.relative:.2g} of it"] if self.relative else []
        words = (
            f"{readable(self.meaning)} for x from {self.low:.6g} to {self.high:.6g}, "
            f"within {' and '.join(within)}."
        )
        return "/* " + "\n * ".join(wrapped(words, 92, "")) + " */"


def readable(graph: Graph) -> str:
    """A graph of one input as a person writes it."""
    nodes: list[Node] = []
    for operation in graph.operations:
        if operation.args:
            nodes.append(call(operation.name, *(nodes[a] for a in operation.args)))
        else:
            nodes.append(symbol("x") if operation.name == "input" else number(operation.value))
    return to_text(nodes[-1], digits=5)


def helper_text(kernels: list[Kernel], function: str) -> str:
    """C of all the helpers that kernels call, each once."""
    wanted = {helper for kernel in kernels for helper in kernel.body()[1]}
    wanted |= {need for helper in wanted for need in NEEDS.get(helper, ())}
    return "\n".join(text.format(name=function) for h, text in HELPERS.items() if h in wanted)
