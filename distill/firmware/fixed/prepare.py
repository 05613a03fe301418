"""The graph that fixed point starts from: branches that the domain decides are taken at once."""

from __future__ import annotations

import math

from distill.domain import Domain
from distill.firmware.graph import CONSTANT, INPUT, Builder, Graph, build_graph
from distill.firmware.passes.constants import fold_constants
from distill.firmware.passes.powers import powers_to_products
from distill.firmware.ranges import operation_ranges
from distill.formula import Formula


def prepare(formula: Formula, domain: Domain) -> Graph:
    """The graph of a formula, powers as products, choices that always fall alike left out.

    Logarithms of a positive multiple lose the factor: ``log(x / 100)`` is ``log(x) - log(100)``,
    and adding costs less than scaling.
    """
    graph = fold_constants(powers_to_products(fold_constants(build_graph(formula))))
    return fold_constants(_split_logarithms(_decide(graph, domain)))


def _decide(graph: Graph, domain: Domain) -> Graph:
    """Without min, max, abs and ifless whose outcome their arguments' ranges decide."""
    low, high = operation_ranges(graph, domain)
    builder, places = Builder(graph.inputs), list[int]()
    for operation in graph.operations:
        args = tuple(places[a] for a in operation.args)
        taken = None
        if operation.name in ("min", "max", "ifless"):
            a, b = operation.args[:2]
            below, above = high[a] < low[b], low[a] >= high[b]
            first, second = args[2:] if operation.name == "ifless" else args
            if operation.name == "max":
                first, second = second, first
            taken = first if below else second if above else None
        elif operation.name == "abs" and low[operation.args[0]] >= 0:
            taken = args[0]
        elif operation.name == "abs" and high[operation.args[0]] <= 0:
            taken = builder.call("neg", args[0])
        places.append(_copy(builder, graph, len(places), args) if taken is None else taken)
    return builder.finish(places[-1])


def _split_logarithms(graph: Graph) -> Graph:
    """Without constant factors inside logarithms."""
    builder, places = Builder(graph.inputs), list[int]()
    for at, operation in enumerate(graph.operations):
        args = tuple(places[a] for a in operation.args)
        split = None
        if operation.name == "log" and builder[args[0]].name in ("mul", "div"):
            inner = builder[args[0]]
            values = [builder.value_of(a) for a in inner.args]
            for i, value in enumerate(values):
                if value is None or value <= 0 or (inner.name == "div" and i == 0):
                    continue
                logarithm = builder.call("log", inner.args[1 - i])
                sign = -1 if inner.name == "div" else 1
                split = builder.call("add", logarithm, builder.constant(sign * math.log(value)))
                break
        places.append(_copy(builder, graph, at, args) if split is None else split)
    return builder.finish(places[-1])


def _copy(builder: Builder, graph: Graph, at: int, args: tuple[int, ...]) -> int:
    operation = graph.operations[at]
    if operation.name in (INPUT, CONSTANT):
        return builder.add(operation)
    return builder.call(operation.name, *args)
