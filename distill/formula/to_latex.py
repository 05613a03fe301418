r"""Printing a tree as LaTeX for people: ``\frac``, ``\sqrt``, powers, rounded constants."""

from __future__ import annotations

from collections.abc import Callable

from distill.errors import FormulaError
from distill.formula.tree import Node, Number, Symbol

_SUM, _PRODUCT, _ATOM = 1, 2, 10
_POWER = 4  # a power, fraction, root or function: stands in a product, not below an exponent

_Printed = tuple[str, int]
"""The LaTeX and how tightly it binds."""


def to_latex(tree: Node, digits: int = 5) -> str:
    """The tree as LaTeX without dollar signs, constants with ``digits`` significant digits.

    Raises
    ------
    FormulaError : for an operator without a notation in LaTeX.
    """
    return _print(tree, digits)[0]


def _print(node: Node, digits: int) -> _Printed:
    if isinstance(node, Number):
        return _number(node.value, digits)
    if isinstance(node, Symbol):
        return _name(node.name), _ATOM
    if node.operator not in _TABLE:
        raise FormulaError(
            f"`{node.operator}` has no notation in LaTeX.",
            where="distill.formula.to_latex",
            hint="leave the operator out, or add it to the table there.",
        )
    return _TABLE[node.operator](*(_print(a, digits) for a in node.args))


def _number(value: float, digits: int) -> _Printed:
    text = f"{value:.{digits}g}"
    negative = text.startswith("-")
    if "e" not in text:
        return text, _PRODUCT if negative else _ATOM
    mantissa, exponent = text.split("e")
    power = f"10^{{{int(exponent)}}}"
    if mantissa in ("1", "-1"):
        return mantissa[:-1] + power, _PRODUCT if negative else _POWER
    return rf"{mantissa} \cdot {power}", _PRODUCT


def _name(name: str) -> str:
    if len(name) == 1:
        return name
    escaped = name.replace("_", r"\_")
    return rf"\mathrm{{{escaped}}}"


def _brackets(text: str) -> str:
    return rf"\left({text}\right)"


def _above(printed: _Printed, level: int) -> str:
    """The text, in brackets unless it binds at least so tightly."""
    text, binds = printed
    return text if binds >= level else _brackets(text)


def _add(a: _Printed, b: _Printed) -> _Printed:
    # x + (-2 y) reads x - 2 y
    return (f"{a[0]} - {b[0][1:]}" if b[0].startswith("-") else f"{a[0]} + {b[0]}"), _SUM


def _sub(a: _Printed, b: _Printed) -> _Printed:
    right = _above(b, _PRODUCT)
    return (f"{a[0]} + {right[1:]}" if right.startswith("-") else f"{a[0]} - {right}"), _SUM


def _mul(a: _Printed, b: _Printed) -> _Printed:
    left, right = _above(a, _PRODUCT), _above(b, _PRODUCT)
    if right.startswith("-"):
        right = _brackets(right)
    # A number or a fraction close behind another one would be read as one number.
    dot = right[0].isdigit() or right.startswith(r"\frac")
    return rf"{left} \cdot {right}" if dot else rf"{left} \, {right}", _PRODUCT


def _neg(a: _Printed) -> _Printed:
    text = _above(a, _PRODUCT)
    return f"-{_brackets(text) if text.startswith('-') else text}", _PRODUCT


def _div(a: _Printed, b: _Printed) -> _Printed:
    if a[0].startswith("-") and a[1] >= _PRODUCT:
        return rf"-\frac{{{a[0][1:]}}}{{{b[0]}}}", _PRODUCT
    return rf"\frac{{{a[0]}}}{{{b[0]}}}", _POWER


def _pow(a: _Printed, b: _Printed) -> _Printed:
    return rf"{_above(a, _ATOM)}^{{{b[0]}}}", _POWER


def _function(name: str) -> Callable[..., _Printed]:
    return lambda *args: (name + _brackets(", ".join(a[0] for a in args)), _POWER)


def _ifless(a: _Printed, b: _Printed, then: _Printed, otherwise: _Printed) -> _Printed:
    rows = rf"{then[0]} & \text{{if }} {a[0]} < {b[0]} \\ {otherwise[0]} & \text{{otherwise}}"
    return rf"\begin{{cases}} {rows} \end{{cases}}", _SUM


_TABLE: dict[str, Callable[..., _Printed]] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "neg": _neg,
    "pow": _pow,
    "square": lambda a: _pow(a, ("2", _ATOM)),
    "cube": lambda a: _pow(a, ("3", _ATOM)),
    "inv": lambda a: _div(("1", _ATOM), a),
    "sqrt": lambda a: (rf"\sqrt{{{a[0]}}}", _POWER),
    "cbrt": lambda a: (rf"\sqrt[3]{{{a[0]}}}", _POWER),
    "exp": lambda a: (rf"e^{{{a[0]}}}", _POWER),
    "log": _function(r"\ln"),
    "sin": _function(r"\sin"),
    "cos": _function(r"\cos"),
    "tan": _function(r"\tan"),
    "asin": _function(r"\arcsin"),
    "acos": _function(r"\arccos"),
    "atan": _function(r"\arctan"),
    "sinh": _function(r"\sinh"),
    "cosh": _function(r"\cosh"),
    "tanh": _function(r"\tanh"),
    "abs": lambda a: (rf"\left|{a[0]}\right|", _ATOM),
    "atan2": _function(r"\mathrm{atan2}"),
    "min": _function(r"\min"),
    "max": _function(r"\max"),
    "ifless": _ifless,
}
