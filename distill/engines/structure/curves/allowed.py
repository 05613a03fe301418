"""Writing a formula with the operators that may be used."""

from __future__ import annotations

from collections.abc import Collection

from distill.errors import FormulaError
from distill.formula.tree import (
    Call,
    Node,
    Number,
    add,
    call,
    div,
    mul,
    number,
    postorder,
    rewrite,
    sub,
)

ALWAYS = frozenset(["add", "sub", "mul", "div", "neg", "inv", "square", "cube"])
"""Arithmetic, and what costs no more than it."""


def within(tree: Node, operators: Collection[str]) -> bool:
    """Whether the tree uses no other operators."""
    free = ALWAYS.union(operators)
    return all(n.operator in free for n in postorder(tree) if isinstance(n, Call))


def written(tree: Node, operators: Collection[str]) -> Node | None:
    """The same values with these operators only; None where there is no way known."""
    if within(tree, operators):
        return tree
    try:
        result = rewrite(tree, lambda n: _rewritten(n, operators))
    except FormulaError:
        return None
    return result if within(result, operators) else None


def _rewritten(node: Node, operators: Collection[str]) -> Node:
    if not isinstance(node, Call) or node.operator in ALWAYS or node.operator in operators:
        return node
    a = node.args[0]
    one = number(1.0)
    match node.operator:
        case "tanh" if "exp" in operators:
            return sub(one, div(number(2.0), add(call("exp", mul(number(2.0), a)), one)))
        case "sinh" | "cosh" if "exp" in operators:
            join = sub if node.operator == "sinh" else add
            return mul(number(0.5), join(call("exp", a), call("exp", call("neg", a))))
        case "tan" if {"sin", "cos"} <= set(operators):
            return div(call("sin", a), call("cos", a))
        case "cos" if "sin" in operators:
            return call("sin", add(a, number(1.5707963267948966)))
        case "sin" if "cos" in operators:
            return call("cos", sub(a, number(1.5707963267948966)))
        case "acos" if "asin" in operators:
            return sub(number(1.5707963267948966), call("asin", a))
        case "asin" if "atan" in operators and "sqrt" in operators:
            return call("atan", div(a, call("sqrt", sub(one, call("square", a)))))
        case "abs" if "sqrt" in operators:
            return call("sqrt", call("square", a))
        case "abs" if "max" in operators:
            return call("max", a, call("neg", a))
        case "min" | "max" if "abs" in operators:
            b = node.args[1]
            join = sub if node.operator == "min" else add
            return mul(number(0.5), join(add(a, b), call("abs", sub(a, b))))
        case "sqrt" if "pow" in operators:
            return call("pow", a, number(0.5))
        case "pow" if isinstance(node.args[1], Number):
            return _power(a, node.args[1].value, operators) or node
    return node


def _power(base: Node, exponent: float, operators: Collection[str]) -> Node | None:
    """Whole and half powers by products and a root, others by exp and log."""
    doubled = round(2 * exponent)
    if abs(2 * exponent - doubled) < 1e-12 and 0 < abs(doubled) <= 16:
        whole, half = divmod(abs(doubled), 2)
        if half and "sqrt" not in operators:
            return None
        factors = [base] * whole + ([call("sqrt", base)] if half else [])
        result = factors[0]
        for factor in factors[1:]:
            result = mul(result, factor)
        return result if exponent > 0 else div(number(1.0), result)
    if {"exp", "log"} <= set(operators):
        return call("exp", mul(number(exponent), call("log", base)))
    return None
