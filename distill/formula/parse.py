"""Reading a formula from text by a closed grammar: never ``eval``, never ``sympify``.

    expression := term (("+" | "-") term)*
    term       := unary (("*" | "/") unary)*
    unary      := "-" unary | "+" unary | power
    power      := atom (("^" | "**") unary)?
    atom       := number | name | name "(" expression ("," expression)* ")" | "(" expression ")"

A minus sign directly before a number literal is part of the number. ``pi`` is the constant.
Callers may know further functions, as :class:`Macro`.

Sums and products are read from the left: ``a + b + c`` is ``(a + b) + c``. Where a tree would
become deeper than trees may be, they are read in halves, which equals them but for rounding: the
depth of a formula is how far its brackets and functions are nested, not how many terms it has.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from distill.errors import FormulaError
from distill.formula.operators import OPERATORS
from distill.formula.tree import MAX_DEPTH, Call, Node, Number, Symbol, TooDeep

MAX_TEXT = 1_000_000
"""Longer texts are refused; a forest of fifty trees with 250 leaves each is shorter."""

_NESTING = 3 * MAX_DEPTH + 3
"""Steps into the grammar: at most three lead to one level of the tree, so that every tree's text is
read, and Python's own recursion stays below its limit."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<symbol>\*\*|[-+*/^(),]))",
    re.ASCII,
)
_FUNCTIONS = {name for name, row in OPERATORS.items() if not row.symbol} | {"pow"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def shown(self) -> str:
        """The text as an error quotes it."""
        return self.text if len(self.text) <= 60 else f"{self.text[:60]}..."


@dataclass(frozen=True, slots=True)
class Macro:
    """A function beyond the operators: how many arguments it takes and the tree it stands for."""

    arity: int
    build: Callable[..., Node]


_NO_MACROS: Mapping[str, Macro] = MappingProxyType({})


def parse(text: str, variables: Sequence[str], functions: Mapping[str, Macro] = _NO_MACROS) -> Node:
    """The tree of ``text``, which may use the given variables and the known functions only.

    ``functions`` are known besides the operators, and before an operator of the same name.

    Raises
    ------
    FormulaError : with the position and what was expected there.
    """
    if len(text) > MAX_TEXT:
        raise FormulaError(f"the formula is longer than {MAX_TEXT} characters.")
    tokens = _tokens(text)
    try:
        return _read(_Parser(tokens, text, tuple(variables), functions, _from_the_left))
    except TooDeep:
        return _read(_Parser(tokens, text, tuple(variables), functions, _in_halves))


def _read(parser: _Parser) -> Node:
    tree = parser.expression(0)
    if parser.here.kind != "end":
        parser.fail(f"unexpected `{parser.here.shown}`")
    return tree


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise FormulaError(f"`{text[at]}` cannot stand in a formula.", where=_where(text, at))
        kind = match.lastgroup or ""
        tokens.append(_Token(kind, match.group(kind), match.start(kind)))
        at = match.end()
    return [*tokens, _Token("end", "end of the formula", end)]


def _where(text: str, at: int) -> str:
    shown = text if len(text) <= 60 else f"...{text[max(0, at - 25) : at + 25]}..."
    return f"character {at + 1} of `{shown}`"


_Chain = list[tuple[str, Node]]
"""Terms or factors, each with the operator before it: ``add`` or ``mul`` before the first."""


def _from_the_left(chain: _Chain) -> Node:
    tree = chain[0][1]
    for operator, node in chain[1:]:
        tree = Call(operator, (tree, node))
    return tree


def _in_halves(chain: _Chain) -> Node:
    sums = all(operator in ("add", "sub") for operator, _ in chain)
    return _sum_in_halves(chain) if sums else _product_in_halves(chain)


def _sum_in_halves(chain: _Chain) -> Node:
    """The first operator is not looked at."""
    if len(chain) == 1:
        return chain[0][1]
    middle = (len(chain) + 1) // 2
    operator, rest = chain[middle][0], chain[middle:]
    if operator == "sub":
        rest = [("add" if o == "sub" else "sub", node) for o, node in rest]
    return Call(operator, (_sum_in_halves(chain[:middle]), _sum_in_halves(rest)))


def _product_in_halves(chain: _Chain) -> Node:
    """Factors stay in their order, and nothing is divided by that is no divisor."""
    operator, node = chain[0]
    if len(chain) == 1:
        return node if operator == "mul" else Call("div", (Number(1.0), node))
    middle = (len(chain) + 1) // 2
    first, rest = _product_in_halves(chain[:middle]), chain[middle:]
    if len(rest) == 1:
        return Call(rest[0][0], (first, rest[0][1]))
    return Call("mul", (first, _product_in_halves(rest)))


class _Parser:
    def __init__(
        self,
        tokens: list[_Token],
        text: str,
        variables: tuple[str, ...],
        macros: Mapping[str, Macro],
        join: Callable[[_Chain], Node],
    ) -> None:
        self.tokens, self.text, self.variables, self.macros = tokens, text, variables, macros
        self.join = join
        self.at = 0

    @property
    def here(self) -> _Token:
        return self.tokens[self.at]

    def fail(self, what: str, hint: str = "") -> None:
        raise FormulaError(f"{what}.", where=_where(self.text, self.here.at), hint=hint)

    def take(self, text: str) -> bool:
        if self.here.kind == "symbol" and self.here.text == text:
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.take(text):
            self.fail(f"expected `{text}`, found `{self.here.shown}`")

    def deeper(self, level: int) -> int:
        if level > _NESTING:
            self.fail(f"the formula is nested deeper than {MAX_DEPTH} levels")
        return level + 1

    def expression(self, level: int) -> Node:
        level = self.deeper(level)
        chain = [("add", self.term(level))]
        while self.here.kind == "symbol" and self.here.text in "+-":
            operator = "add" if self.here.text == "+" else "sub"
            self.at += 1
            chain.append((operator, self.term(level)))
        return self.join(chain)

    def term(self, level: int) -> Node:
        chain = [("mul", self.unary(level))]
        while self.here.kind == "symbol" and self.here.text in ("*", "/"):
            operator = "mul" if self.here.text == "*" else "div"
            self.at += 1
            chain.append((operator, self.unary(level)))
        return self.join(chain)

    def unary(self, level: int) -> Node:
        level = self.deeper(level)
        if self.take("-"):
            literal = self.here.kind == "number"
            tree = self.unary(level)
            if literal and isinstance(tree, Number):
                return Number(-tree.value)
            return Call("neg", (tree,))
        if self.take("+"):
            return self.unary(level)
        return self.power(level)

    def power(self, level: int) -> Node:
        base = self.atom(level)
        if self.take("^") or self.take("**"):
            return Call("pow", (base, self.unary(level)))
        return base

    def atom(self, level: int) -> Node:
        token = self.here
        if token.kind == "number":
            self.at += 1
            value = float(token.text)
            if math.isinf(value):
                self.fail(f"`{token.shown}` is larger than any float64")
            return Number(value)
        if self.take("("):
            tree = self.expression(level)
            self.expect(")")
            return tree
        if token.kind == "name":
            self.at += 1
            if self.here.text == "(" and self.here.kind == "symbol":
                return self.function(token, level)
            if token.text in self.variables:
                return Symbol(token.text)
            if token.text == "pi":
                return Number(math.pi)
            self.at -= 1
            close = difflib.get_close_matches(token.text, self.variables, 1)
            self.fail(
                f"`{token.shown}` is not a variable",
                f"did you mean `{close[0]}`?"
                if close
                else f"variables here: {', '.join(self.variables) or 'none'}.",
            )
        self.fail(f"expected a number, a variable or `(`, found `{token.shown}`")
        raise AssertionError  # fail() always raises

    def function(self, token: _Token, level: int) -> Node:
        macro = self.macros.get(token.text)
        if macro is None and token.text not in _FUNCTIONS:
            self.at -= 1
            known = sorted({*_FUNCTIONS, *self.macros})
            self.fail(f"`{token.shown}` is not a function", f"known functions: {', '.join(known)}.")
        self.expect("(")
        level = self.deeper(level)
        args = [self.expression(level)]
        while self.take(","):
            args.append(self.expression(level))
        self.expect(")")
        if macro is None:
            return Call(token.text, tuple(args))
        if len(args) != macro.arity:
            raise FormulaError(f"`{token.text}` takes {macro.arity} arguments, not {len(args)}.")
        return macro.build(*args)
