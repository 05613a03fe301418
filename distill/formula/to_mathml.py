"""Printing a tree as MathML, which browsers set themselves: fractions, roots, powers."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, replace

from distill.errors import FormulaError
from distill.formula.tree import Node, Number, Symbol

_SUM, _PRODUCT, _POWER, _ATOM = 1, 2, 4, 10


@dataclass(frozen=True, slots=True)
class _Printed:
    """Markup without its sign, how tightly it binds, and whether it starts with a digit.

    Sums carry their signs inside; only what binds as a product or tighter is ``negative``.
    """

    body: str
    binds: int
    negative: bool = False
    digit: bool = False

    @property
    def signed(self) -> str:
        return f"<mo>−</mo>{self.body}" if self.negative else self.body


def to_mathml(tree: Node, digits: int = 5) -> str:
    """The tree as a ``math`` element, constants with ``digits`` significant digits.

    Raises
    ------
    FormulaError : for an operator without a notation.
    """
    row = _row(_print(tree, digits).signed)
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{row}</math>'


def _print(node: Node, digits: int) -> _Printed:
    if isinstance(node, Number):
        return _number(node.value, digits)
    if isinstance(node, Symbol):
        return _Printed(f"<mi>{html.escape(node.name)}</mi>", _ATOM)
    if node.operator not in _TABLE:
        raise FormulaError(
            f"`{node.operator}` has no notation in MathML.",
            where="distill.formula.to_mathml",
            hint="leave the operator out, or add it to the table there.",
        )
    return _TABLE[node.operator](*(_print(a, digits) for a in node.args))


def _number(value: float, digits: int) -> _Printed:
    mantissa, _, exponent = f"{abs(value):.{digits}g}".partition("e")
    if not exponent:
        return _Printed(f"<mn>{mantissa}</mn>", _ATOM, value < 0, digit=True)
    sign = "<mo>−</mo>" if int(exponent) < 0 else ""
    power = f"<msup><mn>10</mn>{_row(f'{sign}<mn>{abs(int(exponent))}</mn>')}</msup>"
    if mantissa == "1":
        return _Printed(power, _POWER, value < 0, digit=True)
    return _Printed(f"<mn>{mantissa}</mn><mo>·</mo>{power}", _PRODUCT, value < 0, digit=True)


def _row(body: str) -> str:
    return f"<mrow>{body}</mrow>"


def _fenced(body: str, left: str = "(", right: str = ")") -> str:
    return _row(f"<mo>{left}</mo>{body}<mo>{right}</mo>")


def _above(printed: _Printed, level: int) -> _Printed:
    """In brackets unless it binds at least so tightly."""
    if printed.binds >= level:
        return printed
    return _Printed(_fenced(printed.signed), _ATOM)


def _joined(a: _Printed, b: _Printed) -> _Printed:
    # x + (-2 y) reads x - 2 y
    sign = "−" if b.negative else "+"
    return _Printed(f"{a.signed}<mo>{sign}</mo>{b.body}", _SUM, digit=a.digit)


def _neg(a: _Printed) -> _Printed:
    inner = _above(a, _PRODUCT)
    return replace(inner, negative=not inner.negative)


def _mul(a: _Printed, b: _Printed) -> _Printed:
    left, right = _above(a, _PRODUCT), _above(b, _PRODUCT)
    # A number close behind another factor would be read as one with it.
    times = "<mo>·</mo>" if right.digit else '<mo rspace="0.15em">&#x2062;</mo>'
    return _Printed(
        f"{left.body}{times}{right.body}", _PRODUCT, left.negative != right.negative, left.digit
    )


def _div(a: _Printed, b: _Printed) -> _Printed:
    body = f"<mfrac>{_row(a.body)}{_row(b.body)}</mfrac>"
    return _Printed(body, _POWER, a.negative != b.negative, digit=True)


def _pow(a: _Printed, b: _Printed) -> _Printed:
    base = a.body if a.binds == _ATOM and not a.negative else _fenced(a.signed)
    return _Printed(f"<msup>{_row(base)}{_row(b.signed)}</msup>", _POWER, digit=a.digit)


def _function(name: str) -> Callable[..., _Printed]:
    def apply(*args: _Printed) -> _Printed:
        inside = "<mo>,</mo>".join(a.signed for a in args)
        return _Printed(f"<mi>{name}</mi><mo>&#x2061;</mo>{_fenced(inside)}", _POWER)

    return apply


def _atom(number: str) -> _Printed:
    return _Printed(f"<mn>{number}</mn>", _ATOM, digit=True)


def _ifless(a: _Printed, b: _Printed, then: _Printed, otherwise: _Printed) -> _Printed:
    def line(value: str, text: str) -> str:
        return f"<mtr><mtd>{_row(value)}</mtd><mtd>{_row(text)}</mtd></mtr>"

    rows = line(then.signed, f"<mtext>if </mtext>{a.signed}<mo>&lt;</mo>{b.signed}")
    rows += line(otherwise.signed, "<mtext>otherwise</mtext>")
    return _Printed(_row(f"<mo>{{</mo><mtable>{rows}</mtable>"), _SUM)


_TABLE: dict[str, Callable[..., _Printed]] = {
    "add": _joined,
    "sub": lambda a, b: _joined(a, _neg(b)),
    "mul": _mul,
    "div": _div,
    "neg": _neg,
    "pow": _pow,
    "square": lambda a: _pow(a, _atom("2")),
    "cube": lambda a: _pow(a, _atom("3")),
    "inv": lambda a: _div(_atom("1"), a),
    "sqrt": lambda a: _Printed(f"<msqrt>{_row(a.signed)}</msqrt>", _POWER),
    "cbrt": lambda a: _Printed(f"<mroot>{_row(a.signed)}<mn>3</mn></mroot>", _POWER),
    "exp": lambda a: _Printed(f"<msup><mi>e</mi>{_row(a.signed)}</msup>", _POWER),
    "log": _function("ln"),
    "sin": _function("sin"),
    "cos": _function("cos"),
    "tan": _function("tan"),
    "asin": _function("arcsin"),
    "acos": _function("arccos"),
    "atan": _function("arctan"),
    "sinh": _function("sinh"),
    "cosh": _function("cosh"),
    "tanh": _function("tanh"),
    "abs": lambda a: _Printed(_fenced(a.signed, "|", "|"), _ATOM),
    "atan2": _function("atan2"),
    "min": _function("min"),
    "max": _function("max"),
    "ifless": _ifless,
}
