"""Which operations of a graph are computed, and which vanish into a polynomial of one value.

Where everything an operation depends on passes through one earlier value, the whole subexpression
between the two is a function of one number. A polynomial often replaces it, divisions and
logarithms included. The cheaper way is chosen by an estimate of instructions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.firmware.fixed.curves import Curve
from distill.firmware.fixed.estimates import Estimates
from distill.firmware.graph import CONSTANT, INPUT, Graph
from distill.firmware.intervals import Interval
from distill.firmware.passes.regions import part as region
from distill.formula.operators import OPERATORS

_STEPPED = frozenset(["abs", "min", "max", "ifless"])
"""Operators with kinks or jumps, which no polynomial follows."""

_PLAIN = frozenset(["add", "sub", "min", "max", "ifless"])
"""Operators whose arguments may be constants; others reach them as curves."""

_FURTHEST = 6
"""Arguments of a curve that are tried for each operation, the nearest first."""


@dataclass(frozen=True, eq=False)
class Node:
    """How one operation is computed: by its operator, or as a curve of an earlier one."""

    at: int
    args: tuple[int, ...]
    curve: Curve | None = None


def choose_nodes(
    graph: Graph, domain: Domain, bounds: list[Interval], accuracy: Array, estimates: Estimates
) -> list[Node]:
    """The operations to compute, arguments first; ``accuracy`` (n_ops,) is what each needs."""
    through = _passages(graph)
    costs: dict[int, float] = {}
    needs: dict[int, frozenset[int]] = {}
    chosen: dict[int, Node] = {}
    for at, operation in enumerate(graph.operations):
        if operation.name == CONSTANT:
            chosen[at] = Node(at, ())
            continue
        options = []
        variable = [a for a in operation.args if graph.operations[a].name != CONSTANT]
        if (
            operation.name == INPUT
            or operation.name in _PLAIN
            or len(variable) == len(operation.args)
        ):
            node = Node(at, operation.args)
            options.append((_operator_cost(operation.name, estimates), node))
        for source in sorted(through[at], reverse=True)[:_FURTHEST]:
            curve = _curve(graph, source, at, domain, bounds)
            degree = None if curve is None else curve.degree(0.35 * float(accuracy[at]))
            if degree is not None:
                options.append((_curve_cost(degree, estimates), Node(at, (source,), curve)))
        best = None
        for cost, node in options:
            below = frozenset[int]().union(*(needs[a] for a in node.args if a in needs))
            total = cost + sum(costs[a] for a in below)
            if best is None or total < best[0]:
                best = (total, cost, node, below | {at})
        if best is None:
            # Constants reach what has no curve as they are.
            node = Node(at, operation.args)
            below = frozenset[int]().union(*(needs[a] for a in variable))
            best = (0.0, _operator_cost(operation.name, estimates), node, below | {at})
        costs[at], chosen[at], needs[at] = best[1:]
    last = len(graph.operations) - 1
    return [chosen[at] for at in sorted(needs.get(last, {last}))]


def _passages(graph: Graph) -> list[frozenset[int]]:
    """For each operation the earlier ones that everything it depends on passes through."""
    above: list[frozenset[int]] = []
    for at, operation in enumerate(graph.operations):
        variable = [a for a in operation.args if graph.operations[a].name != CONSTANT]
        shared = frozenset.intersection(*(above[a] for a in variable)) if variable else frozenset()
        above.append(shared | {at})
    return [passages - {at} for at, passages in enumerate(above)]


def between(graph: Graph, source: int, at: int) -> list[int]:
    """The operations from ``source``, left out, up to ``at``, in order; constants included."""
    needed: set[int] = set()
    stack = [at]
    while stack:
        place = stack.pop()
        if place != source and place not in needed:
            needed.add(place)
            stack.extend(graph.operations[place].args)
    return sorted(needed)


def _curve(
    graph: Graph, source: int, at: int, domain: Domain, bounds: list[Interval]
) -> Curve | None:
    """The function from one operation to another, None where no polynomial may follow it."""
    part = between(graph, source, at)
    if any(graph.operations[p].name in _STEPPED for p in part):
        return None
    operation = graph.operations[source]
    if operation.name == INPUT:
        variable = domain.variables[operation.column]
        low, high = variable.low, variable.high
    else:
        low, high = float(bounds[source][0].min()), float(bounds[source][1].max())
    return Curve(function_between(graph, source, part), low, high, region(graph, at, source))


def function_between(graph: Graph, source: int, part: list[int]) -> Callable[[Array], Array]:
    """The last operation of ``part`` as a function of the values of ``source``."""

    def function(x: Array) -> Array:
        values: dict[int, Array] = {source: np.asarray(x, dtype=float)}
        with np.errstate(all="ignore"):
            for place in part:
                operation = graph.operations[place]
                if operation.name == CONSTANT:
                    values[place] = np.full(np.shape(x), operation.value)
                else:
                    args = (values[a] for a in operation.args)
                    values[place] = OPERATORS[operation.name].value(*args)
        return values[part[-1]]

    return function


def _curve_cost(degree: int, estimates: Estimates) -> float:
    level = estimates.multiply + 2 * estimates.simple + estimates.constant
    return 3 * estimates.simple + degree * level


def _operator_cost(name: str, estimates: Estimates) -> float:
    """Roughly what an operator's steps cost."""
    bit, level = estimates.zeros, _curve_cost(1, estimates)
    divide = min(estimates.divide, bit + 5 * level) + 4
    table = {
        INPUT: 1.0, "add": 2.0, "sub": 2.0, "neg": 1.0, "abs": 3.0, "min": 4.0, "max": 4.0,
        "ifless": 6.0, "mul": 4.0, "square": 4.0, "cube": 8.0, "div": divide, "inv": divide,
        "sqrt": bit + 5 * level, "cbrt": bit + 6 * level, "log": bit + 5 * level,
        "exp": 6 * level, "sin": 8 * level, "cos": 8 * level,
    }  # fmt: skip
    return table.get(name, bit + 14 * level)
