"""Which operators a formula may use, and which come free with others."""

from __future__ import annotations

from collections.abc import Collection

from distill.formula.tree import Call, Node, Number, postorder

FREE = {"neg": "sub", "square": "mul", "cube": "mul", "inv": "div"}
"""Another operator says the same."""

LARGEST_POWER = 8.0


def usable(tree: Node, operators: Collection[str]) -> bool:
    """Whether the tree keeps to the operators; small whole powers are products."""
    return all(_allowed(n, operators) for n in postorder(tree) if isinstance(n, Call))


def _allowed(node: Call, operators: Collection[str]) -> bool:
    if node.operator in operators or FREE.get(node.operator, "") in operators:
        return True
    if node.operator == "pow" and isinstance(node.args[1], Number):
        p = node.args[1].value
        needed = {"mul"} | ({"div"} if p < 0 else set()) | ({"sqrt"} if p % 1 else set())
        return abs(p) <= LARGEST_POWER and (2 * p) % 1 == 0 and needed <= set(operators)
    return False
