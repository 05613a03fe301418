"""Printing a tree as text: exactly (read back by the parser to the bit) or for people."""

from __future__ import annotations

from distill.formula.operators import OPERATORS
from distill.formula.tree import Node, Number, Symbol


def to_text(tree: Node, digits: int | None = None) -> str:
    """The tree in the parser's grammar.

    Without ``digits`` constants carry every digit they need and ``parse(to_text(t)) == t``; with
    it they are rounded for reading.
    """
    return _print(tree, digits)[0]


def _print(node: Node, digits: int | None) -> tuple[str, int]:
    """The text and how tightly it binds (10 for atoms)."""
    if isinstance(node, Number):
        text = _number(node.value, digits)
        return text, 3 if text.startswith("-") else 10
    if isinstance(node, Symbol):
        return node.name, 10
    row = OPERATORS[node.operator]
    if not row.symbol:
        return f"{row.name}({', '.join(_print(a, digits)[0] for a in node.args)})", 10
    if row.name == "neg":
        inner, binds = _print(node.args[0], digits)
        # `-2` alone would be read back as a number
        keep = binds > 3 and not isinstance(node.args[0], Number)
        return (f"-{inner}" if keep else f"-({inner})"), row.precedence
    left, right = (_print(a, digits) for a in node.args)
    p = row.precedence
    if row.name == "pow":
        first = left[0] if left[1] > p else f"({left[0]})"
        second = right[0] if right[1] > p else f"({right[0]})"
        return f"{first}^{second}", p
    first = left[0] if left[1] >= p else f"({left[0]})"
    second = right[0] if right[1] > p else f"({right[0]})"
    return f"{first} {row.symbol} {second}" if p == 1 else f"{first}{row.symbol}{second}", p


def _number(value: float, digits: int | None) -> str:
    if digits is not None:
        return f"{value:.{digits}g}"
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)
