"""Julia's own grammar (tree-sitter's), and a reader of what it says about numbers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import tree_sitter_julia
from hypothesis import strategies as st
from tree_sitter import Language, Node, Parser

from distill.formula import tree as formula
from distill.formula.operators import OPERATORS

NAMES = ("a", "b")

INFIX = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "^": np.power,
         "<": np.less}  # fmt: skip
FUNCTIONS = {
    **{name: row.value for name, row in OPERATORS.items()},
    "atan": lambda y, x=1.0: np.arctan2(y, x),
    "safe_pow": np.power,
    "safe_log": np.log,
    "safe_sqrt": np.sqrt,
    "safe_asin": np.arcsin,
    "safe_acos": np.arccos,
    "oftype": lambda x, value: value,
    "ifelse": np.where,
    "isfinite": np.isfinite,
    "NaN": np.nan,
}


TAME = st.floats(-10, 10)


def trees(operators, constants=TAME):
    """Trees of the given operators over a and b."""

    def grow(smaller):
        return st.sampled_from(sorted(operators)).flatmap(
            lambda name: st.tuples(*[smaller] * OPERATORS[name].arity).map(
                lambda args: formula.Call(name, args)
            )
        )

    atoms = constants.map(formula.Number) | st.sampled_from(NAMES).map(formula.Symbol)
    return st.recursive(atoms, grow, max_leaves=10)


def points() -> dict[str, np.ndarray]:
    """Values of a and b, of all signs and sizes."""
    a, b = np.random.default_rng(0).normal(size=(2, 40)) * np.repeat([0.5, 30.0], 20)
    return {"a": a, "b": b}


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_julia.language()))


def read(text: str) -> Node:
    """The one expression that the text is; an AssertionError where it is no Julia."""
    root = _parser().parse(text.encode()).root_node
    assert not root.has_error, f"no Julia: {text}"
    assert root.child_count == 1, f"no single expression: {text}"
    return root.children[0]


def value(text: str, known: Mapping[str, Any]) -> Any:
    """What a Julia expression is for the given variables and functions."""
    with np.errstate(all="ignore"):
        return _value(read(text), {**FUNCTIONS, **known})


def called(definition: str, *args: Any) -> Any:
    """What the function of a Julia definition `name(x, y) = ...` returns."""
    head, _, body = read(definition).named_children
    arguments = [_text(name) for name in head.named_children[1].named_children]
    known = dict(zip(arguments, args, strict=True))
    with np.errstate(all="ignore"):
        return _value(body, {**FUNCTIONS, **known})


def _value(node: Node, known: Mapping[str, Any]) -> Any:
    inner = node.named_children
    match node.type:
        case "parenthesized_expression":
            return _value(inner[0], known)
        case "float_literal":
            return np.float64(_text(node))
        case "integer_literal":
            return int(_text(node))
        case "identifier":
            return known[_text(node)]
        case "unary_expression":
            assert _text(inner[0]) == "-"
            return -_value(inner[1], known)
        case "binary_expression":
            left, sign, right = inner
            return INFIX[_text(sign)](_value(left, known), _value(right, known))
        case "call_expression":
            args = [_value(arg, known) for arg in inner[1].named_children]
            return _value(inner[0], known)(*args)
        case "arrow_function_expression":
            return lambda v: _value(inner[1], {**known, _text(inner[0]): v})
        case "ternary_expression":
            return np.where(*(_value(part, known) for part in inner))
        case "index_expression":
            (index,) = inner[1].named_children
            return _value(inner[0], known)[int(_text(index)) - 1]
    raise AssertionError(f"{node.type} is not expected in `{_text(node)}`")


def _text(node: Node) -> str:
    assert node.text is not None
    return node.text.decode()
