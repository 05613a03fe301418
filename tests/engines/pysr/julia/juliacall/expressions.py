"""Julia's expressions: read, evaluated, counted and printed as SymbolicRegression.jl prints them.

A tree is a number, the name of a variable, or a tuple of an operator's name and its arguments.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from juliacall.values import JuliaError

Tree: TypeAlias = float | str | tuple[Any, ...]
Call: TypeAlias = Callable[..., Any]

# With a number of arguments and what it does; None where nothing here is ever evaluated.
OPERATORS: dict[str, tuple[int, Call | None]] = {
    **dict.fromkeys(("+", "plus"), (2, np.add)),
    **dict.fromkeys(("-", "sub"), (2, lambda x, *y: np.subtract(x, *y) if y else np.negative(x))),
    **dict.fromkeys(("*", "mult"), (2, np.multiply)),
    **dict.fromkeys(("/", "div"), (2, np.divide)),
    **dict.fromkeys(("^", "pow", "safe_pow"), (2, np.power)),
    **dict.fromkeys(("log", "safe_log"), (1, np.log)),
    **dict.fromkeys(("log2", "safe_log2"), (1, np.log2)),
    **dict.fromkeys(("log10", "safe_log10"), (1, np.log10)),
    **dict.fromkeys(("log1p", "safe_log1p"), (1, np.log1p)),
    **dict.fromkeys(("sqrt", "safe_sqrt"), (1, np.sqrt)),
    **dict.fromkeys(("asin", "safe_asin"), (1, np.arcsin)),
    **dict.fromkeys(("acos", "safe_acos"), (1, np.arccos)),
    **dict.fromkeys(("acosh", "safe_acosh"), (1, np.arccosh)),
    **dict.fromkeys(("atanh", "safe_atanh"), (1, np.arctanh)),
    **dict.fromkeys((">", "greater"), (2, np.greater)),
    **dict.fromkeys(("<", "less"), (2, np.less)),
    **dict.fromkeys((">=", "greater_equal"), (2, np.greater_equal)),
    **dict.fromkeys(("<=", "less_equal"), (2, np.less_equal)),
    "max": (2, np.maximum),
    "min": (2, np.minimum),
    "mod": (2, np.mod),
    "cond": (2, lambda x, y: np.where(x > 0, y, 0.0)),
    "logical_or": (2, None),
    "logical_and": (2, None),
    "neg": (1, np.negative),
    "square": (1, np.square),
    "cube": (1, lambda x: x * x * x),
    "inv": (1, np.reciprocal),
    "relu": (1, lambda x: np.maximum(x, 0.0)),
    "cbrt": (1, np.cbrt),
    "exp": (1, np.exp),
    "abs": (1, np.abs),
    "sin": (1, np.sin),
    "cos": (1, np.cos),
    "tan": (1, np.tan),
    "atan": (1, lambda y, *x: np.arctan2(y, *x) if x else np.arctan(y)),
    "sinh": (1, np.sinh),
    "cosh": (1, np.cosh),
    "tanh": (1, np.tanh),
    "asinh": (1, np.arcsinh),
    "sign": (1, np.sign),
    "floor": (1, np.floor),
    "ceil": (1, np.ceil),
    "round": (1, np.round),
    "exp2": (1, np.exp2),
    "expm1": (1, np.expm1),
    "atanh_clip": (1, None),
    "gamma": (1, None),
    "erf": (1, None),
    "erfc": (1, None),
}

# Operators that the backend replaces by ones that answer NaN out of their domain, and how both
# are printed.
SAFE = {
    name.removeprefix("safe_").replace("pow", "^"): name
    for name in OPERATORS
    if name.startswith("safe_")
} | {"pow": "safe_pow", "plus": "+", "sub": "-", "mult": "*"}
PRINTED = {safe: name for name, safe in SAFE.items() if safe.startswith("safe_")} | {
    "safe_pow": "^"
}

_PYTHON: dict[type, str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "^",
}


def read(text: str) -> Tree:
    """Read one Julia expression of numbers, names, `#1`, calls, `c[1]` and arithmetic."""
    python = re.sub(r"\b(\d+\.?\d*)f([+-]?\d+)", r"\1e\2", text)
    python = python.replace("^", "**").replace("#", "_")
    try:
        return _tree(ast.parse(python.strip(), mode="eval").body)
    except SyntaxError as error:
        raise JuliaError(f"the stand-in cannot read the expression `{text}`") from error


def _tree(node: ast.expr) -> Tree:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id=name):
            return re.sub(r"^_(?=\d)", "#", name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _tree(operand)
            return -inner if isinstance(inner, float) else ("-", inner)
        case ast.BinOp(left, op, right) if type(op) in _PYTHON:
            return (_PYTHON[type(op)], _tree(left), _tree(right))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return (name, *map(_tree, arguments))
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int() as index)):
            return f"{name}[{index}]"
    raise JuliaError(f"the stand-in cannot read `{ast.unparse(node)}`")


def evaluate(tree: Tree, values: Mapping[str, Any], functions: Mapping[str, Call] = {}) -> Any:
    """Return the tree's values at those of its variables; NaN where there are none."""
    if isinstance(tree, float):
        return tree
    if isinstance(tree, str):
        if tree not in values:
            raise JuliaError(f"UndefVarError: `{tree}` not defined")
        return values[tree]
    name, *arguments = tree
    call = functions.get(name) or OPERATORS.get(name, (0, None))[1]
    if call is None:
        raise JuliaError(f"UndefVarError: `{name}` not defined")
    with np.errstate(all="ignore"):
        return call(*(evaluate(argument, values, functions) for argument in arguments))


def operators_of(tree: Tree) -> set[tuple[str, int]]:
    """Return every operator in the tree with its number of arguments."""
    if not isinstance(tree, tuple):
        return set()
    name, *arguments = tree
    return {(name, len(arguments))}.union(*map(operators_of, arguments))


def complexity(tree: Tree, of_operators: Mapping[str, float], of_constants: float = 1) -> int:
    """Return the rounded sum over the nodes; what is not listed counts 1."""

    def count(node: Tree) -> float:
        if isinstance(node, tuple):
            name, *arguments = node
            return of_operators.get(name, 1) + sum(map(count, arguments))
        return of_constants if isinstance(node, float) else 1

    return round(count(tree))


def show(tree: Tree) -> str:
    """Print as `string_tree` does with `pretty=false`."""
    text = _show(tree)
    return text[1:-1] if isinstance(tree, tuple) and text.startswith("(") else text


def _show(tree: Tree) -> str:
    if isinstance(tree, float):
        return number(tree)
    if isinstance(tree, str):
        return tree
    name, *arguments = tree
    name = PRINTED.get(name, name)
    if len(arguments) == 2 and name[0] in "+-*/^":
        return f"({_show(arguments[0])} {name} {_show(arguments[1])})"
    return f"{name}({', '.join(map(show, arguments))})"


def number(value: float) -> str:
    """Print a Float64 as Julia's `string` does: the shortest text that reads back."""
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else ("Inf" if value > 0 else "-Inf")
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return repr(float(value))
    mantissa, exponent = np.format_float_scientific(value, trim="0").split("e")
    return f"{mantissa}e{int(exponent)}"
