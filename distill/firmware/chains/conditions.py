"""A tree as nested conditions."""

from __future__ import annotations

from collections.abc import Callable

from distill.firmware.chains.comparing import Comparing
from distill.firmware.chains.forest import Forest

DEEPEST = 60
"""Conditions that stand in each other: C promises 127 blocks."""


def deepest(forest: Forest) -> int:
    """How many conditions stand in each other, at most."""
    found = [0] * forest.splits
    for split in reversed(range(forest.splits)):
        # What follows on the second way stands behind the condition, not in it.
        first, second = (
            0 if at < forest.rows else found[at - forest.rows]
            for at in forest.follows[split].tolist()
        )
        found[split] = max(first + 1, second)
    return max(found, default=0)


def written(forest: Forest) -> int:
    """How many conditions the trees have, written out one by one."""
    found = [0] * forest.splits

    def count(ats: list[int]) -> int:
        return sum(found[at - forest.rows] for at in ats if at >= forest.rows)

    for split in reversed(range(forest.splits)):
        found[split] = 1 + count(forest.follows[split].tolist())
    return count(forest.roots.tolist())


def conditions(
    forest: Forest, root: int, comparing: Comparing, answer: Callable[[int], str]
) -> list[str]:
    """The statements of one tree, which return ``answer(row)`` of the leaf's row."""
    lines: list[str] = []
    # What is left to write, the next at the end: a node or a closing brace, and how far in.
    left: list[tuple[int | None, int]] = [(root, 0)]
    while left:
        at, level = left.pop()
        indent = "    " * level
        if at is None:
            lines.append(indent + "}")
        elif at < forest.rows:
            lines.append(f"{indent}return {answer(at)};")
        else:
            split = at - forest.rows
            x, cut = f"x[{forest.column[split]}]", comparing.literal(float(forest.cut[split]))
            below = comparing.below(x, cut, missing=bool(forest.missing[split]))
            lines.append(f"{indent}if ({below}) {{")
            first, second = forest.follows[split].tolist()
            left += [(second, level), (None, level), (first, level + 1)]
    return lines
