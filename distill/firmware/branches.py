"""Branches in C: which operation is printed in which, and their statements as text."""

from __future__ import annotations

from distill.firmware.graph import CONSTANT, INPUT, Graph

Block = tuple[int, int]
"""A branch: the number of its ``ifless`` and of the argument; ``TOP`` is the function's body."""

TOP: Block = (-1, -1)


def blocks(graph: Graph) -> list[Block]:
    """For each operation the innermost branch that holds all its uses; inputs are everywhere."""
    paths: list[tuple[Block, ...] | None] = [None] * len(graph.operations)
    for end in graph.ends:
        paths[end] = (TOP,)
    for at in reversed(range(len(graph.operations))):
        operation, path = graph.operations[at], paths[at]
        assert path is not None  # every operation is needed by a later one
        for i, arg in enumerate(operation.args):
            used = (*path, (at, i)) if operation.name == "ifless" and i >= 2 else path
            known = paths[arg]
            paths[arg] = used if known is None else _shared(known, used)
    return [
        TOP if operation.name in (INPUT, CONSTANT) or path is None else path[-1]
        for operation, path in zip(graph.operations, paths, strict=True)
    ]


def _shared(a: tuple[Block, ...], b: tuple[Block, ...]) -> tuple[Block, ...]:
    """The blocks around both."""
    count = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None)
    return a[: min(len(a), len(b)) if count is None else count]


def indented(statements: list[str], text: str, variable: str) -> list[str]:
    """The statements of a branch, the last of which assigns its result."""
    assigned = [] if text == variable else [f"{variable} = {text};"]
    return [f"    {line}" for line in (*statements, *assigned)]


def otherwise(statements: list[str], text: str, variable: str) -> list[str]:
    """The other branch; one that is a condition itself continues the chain."""
    if text == variable and statements[0].startswith("if ("):
        return [f"}} else {statements[0]}", *statements[1:]]
    return ["} else {", *indented(statements, text, variable), "}"]
