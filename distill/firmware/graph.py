"""The operation graph: a formula's operations in the order a machine does them, each once.

Equal subexpressions become one operation when the graph is built (hash-consing), so passes never
blow up a tree and printers know which values are used again. Operations hold no number format:
one that needs formats (fixed point) keeps a tuple parallel to ``Graph.operations``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.errors import ExportError
from distill.formula import Formula
from distill.formula.operators import value_in_c
from distill.formula.tree import Node, Number, Symbol

if TYPE_CHECKING:
    from distill.firmware.kernels.base import Kernel

Arithmetic = Literal["float32", "double", "fixed"]
"""What the generated C computes in: ``float``, ``double``, or integers of at most 32 bits between
a ``float`` or an integer at its door."""

INPUT, CONSTANT, KERNEL = "input", "constant", "kernel"

LIBRARY = frozenset([
    "pow", "cbrt", "exp", "log", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh",
    "tanh", "atan2",
])  # fmt: skip
"""Operators that C libraries compute, each with its own last places; a square root is exact."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An input (by column), a constant, or an operator applied to earlier operations.

    A kernel is a function of our own, of one argument.
    """

    name: str
    args: tuple[int, ...] = ()
    value: float = 0.0
    column: int = -1
    kernel: Kernel | None = None


@dataclass(frozen=True)
class Graph:
    """Operations in an order in which arguments come first; the last one is the result.

    ``inputs`` names the columns. Every operation is needed by the result and occurs once. A graph
    of several results has their numbers in ``results`` (:func:`join`); passes come before that.
    """

    operations: tuple[Operation, ...]
    inputs: tuple[str, ...]
    results: tuple[int, ...] = ()

    @cached_property
    def uses(self) -> tuple[int, ...]:
        """How often each operation is an argument of another one, or one of several results."""
        counts = [0] * len(self.operations)
        for result in self.results:
            counts[result] += 1
        for operation in self.operations:
            for arg in operation.args:
                counts[arg] += 1
        return tuple(counts)

    @property
    def ends(self) -> tuple[int, ...]:
        """The numbers of the results, one or several."""
        return self.results or (len(self.operations) - 1,)

    @cached_property
    def uses_libm(self) -> bool:
        """Whether its C calls functions of which no two C libraries give the same bits."""
        return any(operation.name in LIBRARY for operation in self.operations)

    def evaluate(self, x: Array, arithmetic: Arithmetic = "double") -> Array:
        """The result at x (n, d), shape (n,), every operation rounded to ``arithmetic``.

        In float32 this equals the C to the bit where :attr:`uses_libm` is false; elsewhere up to
        the last places of the library's functions. In double a kernel is what it stands for.
        """
        return self.evaluate_all(x, arithmetic)[-1]

    def evaluate_all(self, x: Array, arithmetic: Arithmetic = "double") -> list[Array]:
        """The value (n,) of every operation at x (n, d), as float64."""
        real = dtype(arithmetic)
        columns = x.astype(real)
        values: list[npt.NDArray[np.floating]] = []
        with np.errstate(all="ignore"):
            for operation in self.operations:
                if operation.name == INPUT:
                    values.append(columns[:, operation.column])
                elif operation.name == CONSTANT:
                    values.append(np.full(len(x), operation.value, dtype=real))
                elif operation.kernel is not None:
                    argument = values[operation.args[0]]
                    values.append(_kernel_value(operation.kernel, argument))
                else:
                    args = [values[i] for i in operation.args]
                    meaning = value_in_c(operation.name)
                    values.append(np.asarray(meaning(*args), dtype=real))
        return [value.astype(float) for value in values]


def _kernel_value(kernel: Kernel, argument: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    if argument.dtype == np.float32:
        return kernel.evaluate(argument.astype(np.float32))
    return kernel.exact(argument.astype(np.float64))


def dtype(arithmetic: Arithmetic) -> type[np.floating]:
    """The NumPy type of an arithmetic's real numbers; fixed point meets floats at its door."""
    return np.float64 if arithmetic == "double" else np.float32


class Builder:
    """Collects operations, giving equal ones the same number."""

    def __init__(self, inputs: tuple[str, ...]) -> None:
        self._inputs = inputs
        self._operations: list[Operation] = []
        self._places: dict[Operation, int] = {}
        self._used_once: dict[int, bool] = {}

    def __getitem__(self, at: int) -> Operation:
        return self._operations[at]

    def add(self, operation: Operation) -> int:
        """The number of ``operation``."""
        if operation not in self._places:
            self._places[operation] = len(self._operations)
            self._operations.append(operation)
        return self._places[operation]

    def constant(self, value: float) -> int:
        """The number of a constant."""
        return self.add(Operation(CONSTANT, value=value + 0.0))

    def call(self, operator: str, *args: int) -> int:
        """The number of an operator applied to operations."""
        return self.add(Operation(operator, args))

    def value_of(self, at: int) -> float | None:
        """The value of a constant, None for anything else."""
        operation = self._operations[at]
        return operation.value if operation.name == CONSTANT else None

    def used_once(self, at: int) -> bool:
        """Whether one operation at most needs ``at``: changing it does not compute it twice."""
        return self._used_once.get(at, False)

    def note_uses(self, at: int, uses: int) -> None:
        """Remember that ``at`` stands for an operation that had so many uses."""
        self._used_once[at] = uses <= 1 and at not in self._used_once

    def finish(self, result: int) -> Graph:
        """The graph of what ``result`` needs, in the order it is needed."""
        return replace(self.finish_all((result,)), results=())

    def finish_all(self, results: tuple[int, ...]) -> Graph:
        """The graph of what several results need, in the order it is needed."""
        order: dict[int, int] = {}
        stack = [(result, False) for result in reversed(results)]
        while stack:
            at, ready = stack.pop()
            if at in order:
                continue
            if ready:
                order[at] = len(order)
            else:
                stack.append((at, True))
                stack.extend((arg, False) for arg in reversed(self._operations[at].args))
        kept = (self._operations[at] for at in order)
        return Graph(
            tuple(replace(o, args=tuple(order[a] for a in o.args)) for o in kept),
            self._inputs,
            tuple(order[result] for result in results),
        )


def join(graphs: Sequence[Graph]) -> Graph:
    """One graph of several over the same inputs: what they have in common is computed once.

    Every result is put together by the very operations of its own graph.
    """
    builder = Builder(graphs[0].inputs)
    results = []
    for graph in graphs:
        places: list[int] = []
        for operation in graph.operations:
            args = tuple(places[a] for a in operation.args)
            places.append(builder.add(replace(operation, args=args)))
        results.append(places[-1])
    return builder.finish_all(tuple(results))


def build_graph(formula: Formula) -> Graph:
    """The graph of a formula, operator by operator, nothing simplified."""
    inputs = formula.domain.names
    builder = Builder(inputs)
    places: dict[Node, int] = {}

    def place(node: Node) -> int:
        if node not in places:
            if isinstance(node, Number):
                places[node] = builder.constant(node.value)
            elif isinstance(node, Symbol):
                places[node] = builder.add(Operation(INPUT, column=inputs.index(node.name)))
            else:
                places[node] = builder.call(node.operator, *map(place, node.args))
        return places[node]

    return builder.finish(place(formula.tree))


Rule = Callable[[Builder, tuple[int, ...]], int | None]
"""Gets a builder and the arguments of an operator; answers with a replacement, or None."""

KNOWN = frozenset([
    "add", "sub", "mul", "div", "neg", "pow", "square", "cube", "inv", "sqrt", "cbrt", "exp", "log",
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "abs", "atan2", "min",
    "max", "ifless",
])  # fmt: skip
"""The operators the passes were written for. A new operator is added here once it has been
checked against every pass; until then every pass refuses it."""


def rewrite(graph: Graph, rules: Mapping[str, Rule], name: str) -> Graph:
    """Build the graph again, each operator by its rule where it has one; ``name`` is the pass.

    Raises
    ------
    ExportError : when the graph holds an operator that is not in :data:`KNOWN`.
    """
    builder = Builder(graph.inputs)
    places: list[int] = []
    for operation, uses in zip(graph.operations, graph.uses, strict=True):
        if operation.name in (INPUT, CONSTANT):
            places.append(builder.add(operation))
            continue
        if operation.name not in KNOWN:
            raise ExportError(
                f"the pass `{name}` does not know the operator `{operation.name}`.",
                hint=f"known operators: {', '.join(sorted(KNOWN))}.",
            )
        args = tuple(places[a] for a in operation.args)
        rule = rules.get(operation.name)
        replaced = rule(builder, args) if rule else None
        places.append(builder.call(operation.name, *args) if replaced is None else replaced)
        builder.note_uses(places[-1], uses)
    return builder.finish(places[-1])
