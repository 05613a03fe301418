"""The formula before and after it was rewritten for C: read back, and compared in many digits.

The passes keep a formula's values in real numbers; only constants that they compute from others
are rounded to float64. What that makes of the values is measured in balls of 40 digits
(F. Johansson, Arb, IEEE Transactions on Computers 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.firmware.graph import CONSTANT, INPUT, Graph, build_graph
from distill.formula import Formula
from distill.formula.tree import Node, call, number, symbol

POINTS = 96
_DIGITS = 40
_SAFETY = 16.0
"""How much larger than at the points the difference is taken to be."""


def read_back(graph: Graph, domain: Domain) -> Formula:
    """A graph as a formula, kernels being what they stand for."""
    nodes: list[Node] = []
    for operation in graph.operations:
        if operation.name == INPUT:
            nodes.append(symbol(graph.inputs[operation.column]))
        elif operation.name == CONSTANT:
            nodes.append(number(operation.value))
        elif operation.kernel is not None:
            nodes.append(_meaning(operation.kernel.meaning, nodes[operation.args[0]]))
        else:
            nodes.append(call(operation.name, *(nodes[a] for a in operation.args)))
    return Formula(nodes[-1], domain)


def _meaning(graph: Graph, argument: Node) -> Node:
    """A graph of one input at an argument."""
    nodes: list[Node] = []
    for operation in graph.operations:
        if operation.name == INPUT:
            nodes.append(argument)
        elif operation.name == CONSTANT:
            nodes.append(number(operation.value))
        else:
            nodes.append(call(operation.name, *(nodes[a] for a in operation.args)))
    return nodes[-1]


def rewriting_gap(formula: Formula, graph: Graph) -> float:
    """How far the graph may be from the formula in real numbers: measured, with a margin.

    Points at which either has no value say nothing.
    """
    domain = formula.domain
    points = np.vstack([domain.sample(POINTS, seed=5), domain.corners()[:POINTS]])
    gaps = _gaps(build_graph(formula), graph, points)
    return _SAFETY * max(gaps, default=0.0)


def _gaps(one: Graph, other: Graph, points: Array) -> list[float]:
    """Upper bounds of the differences at the points, where both have values."""
    from flint import ctx

    before, ctx.dps = ctx.dps, _DIGITS
    try:
        gaps = []
        for row in points:
            point = [float(x) for x in row]
            a, b = exact_value(one, point), exact_value(other, point)
            if a is not None and b is not None:
                gaps.append(float(abs(a - b).upper()))
    finally:
        ctx.dps = before
    return [gap for gap in gaps if np.isfinite(gap)]


def exact_value(graph: Graph, point: Sequence[Any]) -> Any | None:
    """The value at one point, of floats or balls (d,), as a ball in the precision that is set.

    None where it has none.
    """
    from flint import arb

    values: list[Any] = []
    for operation in graph.operations:
        if operation.name == INPUT:
            values.append(arb(point[operation.column]))
        elif operation.name == CONSTANT:
            values.append(arb(operation.value))
        elif operation.kernel is not None:
            value = exact_value(operation.kernel.meaning, [values[operation.args[0]]])
            if value is None:
                return None
            values.append(value)
        else:
            value = _OPERATORS[operation.name](*(values[a] for a in operation.args))
            if value is None or not value.is_finite():
                return None
            values.append(value)
    return values[-1]


def _pow(a: Any, b: Any) -> Any:
    exponent = float(b)
    if exponent.is_integer() and b == exponent:
        return a ** int(exponent)
    return a**b


def _choice(a: Any, b: Any, then: Any, other: Any) -> Any | None:
    if a < b:
        return then
    return other if a >= b else None


def _cbrt(a: Any) -> Any:
    return -((-a).root(3)) if a < 0 else a.root(3)


_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b, "neg": lambda a: -a, "pow": _pow, "square": lambda a: a * a,
    "cube": lambda a: a * a * a, "inv": lambda a: 1 / a, "sqrt": lambda a: a.sqrt(), "cbrt": _cbrt,
    "exp": lambda a: a.exp(), "log": lambda a: a.log(), "sin": lambda a: a.sin(),
    "cos": lambda a: a.cos(), "tan": lambda a: a.tan(), "asin": lambda a: a.asin(),
    "acos": lambda a: a.acos(), "atan": lambda a: a.atan(), "sinh": lambda a: a.sinh(),
    "cosh": lambda a: a.cosh(), "tanh": lambda a: a.tanh(), "abs": abs,
    "atan2": lambda y, x: type(y).atan2(y, x), "min": lambda a, b: a.min(b),
    "max": lambda a, b: a.max(b), "ifless": _choice,
}  # fmt: skip
"""Each operator on balls."""
