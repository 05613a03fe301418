"""Printing a tree as a sympy expression over real symbols; no text is parsed on the way."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import sympy

from distill.errors import FormulaError
from distill.formula.operators import OPERATORS
from distill.formula.tree import Call, Node, Number, Symbol

MAX_DEGREE = 1024
"""With steeper powers whole numbers become floats: sympy would compute (2x)^(2^30) exactly."""


def _ifless(a: sympy.Expr, b: sympy.Expr, then: sympy.Expr, otherwise: sympy.Expr) -> sympy.Expr:
    try:
        # evaluate=False: sympy would merge the conditions of nested ones, at a cost that grows fast
        return sympy.Piecewise((then, sympy.Lt(a, b)), (otherwise, True), evaluate=False)
    except TypeError:  # one of them, or a piece of one, is never real: a NaN of ours
        pieces = sympy.piecewise_fold(sympy.Tuple(a, b), evaluate=False)
    if not isinstance(pieces, sympy.Piecewise):
        return otherwise  # a NaN is not less
    return sympy.Piecewise(
        *((_ifless(x, y, then, otherwise), where) for (x, y), where in pieces.args), evaluate=False
    )


def _or_nan(kind: Callable[..., sympy.Expr]) -> Callable[..., sympy.Expr]:
    def apply(a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
        # One of them is never real: a NaN of ours, which stays. Angles of complex numbers are worse
        # than refused: what stands around them is asked without an end whether it is real.
        if a.is_extended_real is False or b.is_extended_real is False:
            return sympy.nan
        try:
            return kind(a, b)
        except (TypeError, ValueError):
            return sympy.nan

    return apply


_TABLE: dict[str, Callable[..., sympy.Expr]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "pow": sympy.Pow,
    "square": lambda a: a**2,
    "cube": lambda a: a**3,
    "inv": lambda a: 1 / a,
    "sqrt": sympy.sqrt,
    # sympy's own cube root of a negative number is complex.
    "cbrt": lambda a: sympy.sign(a) * sympy.Abs(a) ** sympy.Rational(1, 3),
    "exp": sympy.exp,
    "log": sympy.log,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "asin": sympy.asin,
    "acos": sympy.acos,
    "atan": sympy.atan,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "abs": sympy.Abs,
    "atan2": _or_nan(sympy.atan2),
    "min": _or_nan(sympy.Min),
    "max": _or_nan(sympy.Max),
    "ifless": _ifless,
}


def to_sympy(tree: Node) -> sympy.Expr:
    """The tree over real symbols, constants exact: Integer where whole, Float otherwise.

    Parts without variables become the float64 number they are. Outside the formula's real domain
    (the square root of a negative number) sympy's value is complex where ours is NaN.

    Raises
    ------
    FormulaError : for an operator that sympy has no meaning for.
    """
    return _print(tree, _degree(tree) <= MAX_DEGREE)[0]


def _print(node: Node, whole: bool) -> tuple[sympy.Expr, float | None]:
    """The expression, and its value where it has no variables."""
    if isinstance(node, Number):
        return _number(node.value, whole), node.value
    if isinstance(node, Symbol):
        return sympy.Symbol(node.name, real=True), None
    if node.operator not in _TABLE:
        raise FormulaError(
            f"sympy has no meaning for `{node.operator}`.",
            where="distill.formula.to_sympy",
            hint="leave the operator out, or add it to the table there.",
        )
    args = [_print(a, whole) for a in node.args]
    values = [value for _, value in args if value is not None]
    if len(values) == len(args):
        with np.errstate(all="ignore"):
            value = float(OPERATORS[node.operator].value(*map(np.float64, values)))
        return _number(value, whole), value
    return _TABLE[node.operator](*(expression for expression, _ in args)), None


def _number(value: float, whole: bool) -> sympy.Expr:
    if math.isnan(value):
        return sympy.nan
    if math.isinf(value):
        return sympy.oo if value > 0 else -sympy.oo
    if whole and value.is_integer() and abs(value) < 2**53:
        return sympy.Integer(int(value))
    return sympy.Float(value, 17)


def _degree(node: Node) -> float:
    """The largest product of the constant exponents that stand above each other."""
    if not isinstance(node, Call):
        return 1.0
    own = {"square": 2.0, "cube": 3.0}.get(node.operator, 1.0)
    if node.operator == "pow" and isinstance(node.args[1], Number):
        own = max(1.0, abs(node.args[1].value))
    return own * max(map(_degree, node.args))
