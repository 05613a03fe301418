"""What answers inside a function of arrays: its model in Python, its rounding, its C."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from distill.arrays import Array, affordable
from distill.chain.base import Real
from distill.chain.chain import Chain
from distill.domain import Domain
from distill.firmware.chains.code import ChainCode, chain_code
from distill.firmware.chains.integers import integer_trees
from distill.firmware.emit import array_function_text
from distill.firmware.fixed.emit import emit_fixed
from distill.firmware.fixed.formats import Integers, QFormat, input_formats
from distill.firmware.graph import Graph, dtype, join
from distill.firmware.holding import held
from distill.firmware.implementation import FixedImplementation, FloatImplementation
from distill.firmware.names import Names
from distill.firmware.table_code import CArray

SLACK = 4.0
"""How much further than between float32 and float64 rounding is expected to move a chain."""

PROBES = 1024
"""Points at which that is looked at."""


@dataclass(frozen=True)
class Code:
    """C of ``static void FUNCTION(const real *x, real *y)``, over held inputs, and what it needs.

    ``reads`` are the accessors of its arrays; ``stack`` says what its own arrays take there.
    """

    function: str
    text: str
    arrays: tuple[CArray, ...] = ()
    needs_math: bool = False
    stack: int = 0


class Content(Protocol):
    """What answers: formulas or a chain, in floats or in integers."""

    @property
    def exact(self) -> tuple[bool, ...]:
        """Of each output, whether the C answers with the model's very bits on every target."""
        ...

    @property
    def formats(self) -> tuple[QFormat, ...]:
        """The format of each output in fixed point; empty in floats."""
        ...

    def answers(self, x: Array) -> Array:
        """The answers (n, k) at held points (n, d); in fixed point both are integers."""
        ...

    def rounding(self, x: Array) -> Array:
        """How far (n, k) rounding may move the answers at held points, whatever the compiler."""
        ...

    def code(self, name: str) -> Code:
        """The C; every identifier begins with ``name``."""
        ...


@dataclass(frozen=True, eq=False)
class FloatFormulas:
    """One formula an output, in floats, lowered each by itself and joined in one function."""

    parts: tuple[FloatImplementation, ...]

    @property
    def exact(self) -> tuple[bool, ...]:
        """Whether no C library rounds as it likes."""
        return tuple(part.exact for part in self.parts)

    @property
    def formats(self) -> tuple[QFormat, ...]:
        """None."""
        return ()

    @cached_property
    def graph(self) -> Graph:
        """What all of them compute, each operation once."""
        return join([part.graph for part in self.parts])

    def answers(self, x: Array) -> Array:
        """The answers of each formula."""
        return np.column_stack([part.answers(x) for part in self.parts])

    def rounding(self, x: Array) -> Array:
        """The running error bound of each graph."""
        return np.column_stack([part.rounding(x) for part in self.parts])

    def code(self, name: str) -> Code:
        """One function, and the primitives it calls."""
        function = f"{name}_formulas"
        arithmetic = self.parts[0].arithmetic
        text = array_function_text(self.graph, function, arithmetic, Names(name))
        return Code(function, text, needs_math=True)


@dataclass(frozen=True, eq=False)
class FixedFormulas:
    """One formula an output, in integers: one static function each."""

    parts: tuple[FixedImplementation, ...]

    @property
    def exact(self) -> tuple[bool, ...]:
        """Integers have one answer."""
        return (True,) * len(self.parts)

    @property
    def formats(self) -> tuple[QFormat, ...]:
        """The formats of the programs' results."""
        return tuple(part.program.output for part in self.parts)

    def answers(self, x: Array) -> Array:
        """The integers of each program."""
        q: Integers = x.astype(np.int64)
        return np.column_stack([part.integers(q) for part in self.parts]).astype(float)

    def rounding(self, x: Array) -> Array:
        """Nothing."""
        return np.zeros((len(x), len(self.parts)))

    def code(self, name: str) -> Code:
        """The programs, and one function that calls them."""
        texts, lines = [], []
        for i, part in enumerate(self.parts):
            own = f"{name}_y{i}"
            names = Names(name)
            parameters = names.parameters(part.formula.domain.names)
            texts.append(emit_fixed(part.program, own, parameters, names))
            arguments = ", ".join(f"x[{j}]" for j in range(len(parameters)))
            lines.append(f"    y[{i}] = {own}_formula({arguments});")
        function = f"{name}_formulas"
        head = f"static void {function}(const int32_t *x, int32_t *y)\n{{\n"
        return Code(function, "\n".join([*texts, head + "\n".join(lines) + "\n}\n"]))


@dataclass(frozen=True, eq=False)
class FloatChain:
    """A chain in floats."""

    chain: Chain
    domain: Domain
    real: Real
    soft_float: bool = False

    @cached_property
    def _code(self) -> ChainCode:
        # What is exact does not depend on the name.
        return self._named("chain")

    def _named(self, name: str) -> ChainCode:
        return chain_code(self.chain, name, self.real, soft_float=self.soft_float)

    @property
    def exact(self) -> tuple[bool, ...]:
        """Whether no C library rounds as it likes."""
        return (self._code.exact,) * self.chain.outputs

    @property
    def formats(self) -> tuple[QFormat, ...]:
        """None."""
        return ()

    def answers(self, x: Array) -> Array:
        """The chain's answers in its arithmetic."""
        return self.chain.evaluate(x, self.real)

    def rounding(self, x: Array) -> Array:
        """An estimate: some times what float32 differs from float64 by over the domain.

        In double that is scaled by how much finer it is.
        """
        unit = float(np.finfo(dtype(self.real)).eps)
        return np.broadcast_to(self._moved * unit, (len(x), self.chain.outputs))

    @cached_property
    def _moved(self) -> Array:
        """How far (k,) rounding to units of 1 would move the answers."""
        points = affordable(PROBES, len(self.domain), 2**21)
        sample = np.vstack([self.domain.sample(points), self.domain.corners()])
        x = held(sample, self.domain, "float32")
        with np.errstate(all="ignore"):
            fine = self.chain.evaluate(x, "double")
            apart = np.abs(self.chain.evaluate(x, "float32") - fine)
        finite = np.where(np.isfinite(apart), apart, 0.0).max(axis=0)
        largest = np.where(np.isfinite(fine), np.abs(fine), 0.0).max(axis=0)
        moved: Array = SLACK * (finite / float(np.finfo(np.float32).eps) + largest)
        return moved

    def code(self, name: str) -> Code:
        """The chain's functions and arrays."""
        code = self._named(name)
        return Code(code.function, code.functions, code.arrays, code.needs_math, code.stack_bytes)


@dataclass(frozen=True, eq=False)
class FixedChain:
    """A chain of trees in integers."""

    chain: Chain
    domain: Domain

    @cached_property
    def _integers(self) -> tuple[Chain, QFormat]:
        return integer_trees(self.chain, input_formats(self.domain))

    @property
    def exact(self) -> tuple[bool, ...]:
        """Integers have one answer."""
        return (True,) * self.chain.outputs

    @property
    def formats(self) -> tuple[QFormat, ...]:
        """One format for all outputs."""
        return (self._integers[1],) * self.chain.outputs

    def answers(self, x: Array) -> Array:
        """The integers that the trees add up to."""
        return self._integers[0].evaluate(x, "double")

    def rounding(self, x: Array) -> Array:
        """Nothing."""
        return np.zeros((len(x), self.chain.outputs))

    def code(self, name: str) -> Code:
        """The chain's functions and arrays."""
        code = chain_code(self.chain, name, "fixed", formats=input_formats(self.domain))
        return Code(code.function, code.functions, code.arrays, code.needs_math, code.stack_bytes)
