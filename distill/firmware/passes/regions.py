"""Parts of a graph that are functions of one operation: where they begin, and what is in them."""

from __future__ import annotations

from dataclasses import replace

from distill.firmware.graph import CONSTANT, INPUT, Builder, Graph, Operation


def cuts(graph: Graph) -> list[frozenset[int]]:
    """For each operation those on which alone it depends, itself among them; none of constants."""
    found: list[frozenset[int] | None] = []
    for at, operation in enumerate(graph.operations):
        below = [c for a in operation.args if (c := found[a]) is not None]
        if operation.name == CONSTANT or (operation.args and not below):
            found.append(None)
        else:
            shared = frozenset.intersection(*below) if below else frozenset()
            found.append(shared | {at})
    return [frozenset() if c is None else c for c in found]


def users(graph: Graph) -> list[set[int]]:
    """For each operation those that have it as an argument."""
    found: list[set[int]] = [set() for _ in graph.operations]
    for at, operation in enumerate(graph.operations):
        for arg in operation.args:
            found[arg].add(at)
    return found


def _between(graph: Graph, at: int, argument: int) -> set[int]:
    """The operations from ``argument`` to ``at``, without the first, with the last."""
    found, stack = {at}, [at]
    while stack:
        for arg in graph.operations[stack.pop()].args:
            if arg != argument and arg not in found:
                found.add(arg)
                stack.append(arg)
    return found


def only_for(graph: Graph, needed_by: list[set[int]], at: int, argument: int) -> set[int]:
    """The operations that only ``at`` needs, down to ``argument``."""
    removed = {at}
    for i in sorted(_between(graph, at, argument) - {at}, reverse=True):
        if needed_by[i] <= removed:
            removed.add(i)
    return removed


def part(graph: Graph, at: int, argument: int) -> Graph:
    """The graph of one input from ``argument`` to ``at``."""
    builder = Builder(("x",))
    places = {argument: builder.add(Operation(INPUT, column=0))}
    for i in sorted(_between(graph, at, argument)):
        operation = graph.operations[i]
        args = tuple(places[a] for a in operation.args)
        places[i] = builder.add(replace(operation, args=args))
    return builder.finish(places[at])
