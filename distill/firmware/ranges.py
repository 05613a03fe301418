"""How large every operation's value can get over a domain: interval arithmetic over many boxes.

The domain is cut into boxes; on each of them every operation gets a lower and an upper bound by
interval arithmetic (Moore, Kearfott, Cloud: Introduction to Interval Analysis, 2009), rounded
outwards, so that the hull over the boxes holds every value that occurs. Many boxes make it tight.

A bound is infinite where a pole, or the edge beyond which a function has no value, may lie inside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.domain import Domain, Variable
from distill.errors import ExportError
from distill.firmware.graph import CONSTANT, INPUT, Graph, Operation
from distill.firmware.intervals import Interval, apply
from distill.formula.operators import OPERATORS


@dataclass(frozen=True)
class Boxes:
    """Boxes that cover a domain: lower and upper corners, each (m, d)."""

    low: Array
    high: Array

    def __len__(self) -> int:
        return len(self.low)


def cover(domain: Domain, pieces: int = 4096, columns: frozenset[int] | None = None) -> Boxes:
    """Cut the box into about ``pieces`` boxes; only ``columns`` are cut (None: all of them).

    Whole-number variables are cut between their values, others by their scale.
    """
    cut = range(len(domain)) if columns is None else sorted(columns)
    parts = max(1, int(pieces ** (1 / max(1, len(cut))) + 1e-9))
    lows, highs = [], []
    for i, variable in enumerate(domain.variables):
        low, high = _parts(variable, parts if i in cut else 1)
        lows.append(low)
        highs.append(high)
    return Boxes(_product(lows), _product(highs))


def split(
    boxes: Boxes, domain: Domain, which: npt.NDArray[np.bool_], columns: frozenset[int]
) -> Boxes:
    """The boxes with ``which`` (m,) of them halved along the widest of ``columns``."""
    used = sorted(columns)
    if not used:
        return boxes
    low, high = boxes.low[which], boxes.high[which]
    width = ((high - low) / (domain.high - domain.low))[:, used]
    rows, at = np.arange(len(low)), np.array(used)[np.argmax(width, axis=1)]
    discrete = np.array([v.discrete for v in domain.variables])[at]
    middle = (low[rows, at] + high[rows, at]) / 2
    below, above = high.copy(), low.copy()
    below[rows, at] = np.where(discrete, np.floor(middle), middle)
    above[rows, at] = np.where(discrete, np.floor(middle) + 1, middle)
    possible = above[rows, at] <= high[rows, at]
    return Boxes(
        np.concatenate([boxes.low[~which], low, above[possible]]),
        np.concatenate([boxes.high[~which], below, high[possible]]),
    )


def operation_ranges(graph: Graph, domain: Domain, pieces: int = 4096) -> tuple[Array, Array]:
    """Bounds (n_ops,) below and above the value of every operation at every point of the domain.

    They hold wherever the operation has a value; :func:`require_finite` tells where it has none.

    Raises
    ------
    ExportError : for an operator without interval arithmetic.
    """
    bounds = box_ranges(graph, cover(domain, pieces, used_columns(graph)))
    return (
        np.array([float(low.min()) for low, _ in bounds]),
        np.array([float(high.max()) for _, high in bounds]),
    )


def used_columns(graph: Graph) -> frozenset[int]:
    """The columns of the inputs that a graph reads."""
    return frozenset(o.column for o in graph.operations if o.name == INPUT)


def box_ranges(graph: Graph, boxes: Boxes) -> list[Interval]:
    """Bounds of every operation on every box.

    Raises
    ------
    ExportError : for an operator without interval arithmetic.
    """
    bounds: list[Interval] = []
    with np.errstate(all="ignore"):
        for operation in graph.operations:
            if operation.name == INPUT:
                column = operation.column
                bounds.append((boxes.low[:, column], boxes.high[:, column]))
            elif operation.name == CONSTANT:
                value = np.full(len(boxes), operation.value)
                bounds.append((value, value))
            else:
                bounds.append(_apply(operation, bounds))
    return bounds


def require_finite(graph: Graph, domain: Domain, boxes: Boxes, bounds: list[Interval]) -> None:
    """Refuse a formula of which an operation may be infinite or undefined in the domain.

    Raises
    ------
    ExportError : names the first such operation and the inputs around which it happens.
    """
    for at, (low, high) in enumerate(bounds):
        bad = ~(np.isfinite(low) & np.isfinite(high))
        if not bad.any():
            continue
        box = int(np.argmax(bad))
        place = ", ".join(
            f"{v.name} in [{boxes.low[box, i]:.6g}, {boxes.high[box, i]:.6g}]"
            for i, v in enumerate(domain.variables)
        )
        raise ExportError(
            f"`{describe(graph, at)}` has no finite bound: a pole, or arguments for which it has "
            "no value, lie in the domain.",
            where=f"around {place}",
            hint="narrow the domain, choose another formula, or use arithmetic: float32.",
        )


def describe(graph: Graph, at: int, depth: int = 3) -> str:
    """A short text of an operation, as it would be written; deep arguments become dots."""
    operation = graph.operations[at]
    if operation.name == INPUT:
        return graph.inputs[operation.column]
    if operation.name == CONSTANT:
        return f"{operation.value:.6g}"
    if depth == 0:
        return "..."
    args = [describe(graph, a, depth - 1) for a in operation.args]
    if operation.kernel is not None:
        return f"{operation.kernel.STEM}({args[0]})"
    symbol = OPERATORS[operation.name].symbol
    if symbol and len(args) == 2:
        return f"({args[0]} {symbol} {args[1]})"
    return f"{operation.name}({', '.join(args)})"


def _parts(variable: Variable, parts: int) -> tuple[Array, Array]:
    """Lower and upper ends of the parts of one variable's range."""
    if variable.discrete:
        count = int(variable.high - variable.low) + 1
        parts = min(parts, count)
        edges = variable.low + np.floor(np.arange(parts + 1) * count / parts)
        return edges[:-1], edges[1:] - 1
    edges = variable.from_unit(np.arange(parts + 1) / parts)
    edges[0], edges[-1] = variable.low, variable.high
    return edges[:-1], edges[1:]


def _product(columns: list[Array]) -> Array:
    """All combinations, the last column running fastest; np.meshgrid ends at 64 columns."""
    counts = [len(column) for column in columns]
    return np.column_stack(
        [
            np.tile(np.repeat(column, math.prod(counts[i + 1 :])), math.prod(counts[:i]))
            for i, column in enumerate(columns)
        ]
    )


def _apply(operation: Operation, bounds: list[Interval]) -> Interval:
    name, args = operation.name, operation.args
    if name == "mul" and args[0] == args[1]:
        return apply("square", bounds[args[0]])
    return apply(name, *(bounds[a] for a in args))
