"""The expression: a small immutable tree of numbers, symbols and calls of known operators.

Trees are compared and hashed by structure. Build them with the functions at the end
(``add(x, number(2))``) or by :func:`distill.formula.parse.parse`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from distill.errors import FormulaError
from distill.formula.operators import OPERATORS

MAX_DEPTH = 100
"""Deeper trees are refused: no formula a person reads needs them, and recursion stays safe."""


class TooDeep(FormulaError):
    """A tree is deeper than :data:`MAX_DEPTH`."""


@dataclass(frozen=True, slots=True)
class Number:
    """A float64 constant; finite."""

    value: float
    depth: int = field(default=1, init=False, repr=False, compare=False)
    size: int = field(default=1, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        value = float(self.value)
        if not math.isfinite(value):
            raise FormulaError(f"a formula cannot hold the constant {value}.")
        object.__setattr__(self, "value", value + 0.0)  # -0.0 becomes 0.0


@dataclass(frozen=True, slots=True)
class Symbol:
    """A variable by name."""

    name: str
    depth: int = field(default=1, init=False, repr=False, compare=False)
    size: int = field(default=1, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """An operator applied to its arguments."""

    operator: str
    args: tuple[Node, ...]
    depth: int = field(default=1, init=False, repr=False, compare=False)
    size: int = field(default=1, init=False, repr=False, compare=False)
    _hash: int = field(default=0, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = OPERATORS.get(self.operator)
        if known is None:
            raise FormulaError(
                f"`{self.operator}` is not an operator.",
                hint=f"known operators: {', '.join(OPERATORS)}.",
            )
        if len(self.args) != known.arity:
            raise FormulaError(
                f"`{self.operator}` takes {known.arity} arguments, not {len(self.args)}."
            )
        depth = 1 + max([a.depth for a in self.args])
        if depth > MAX_DEPTH:
            raise TooDeep(f"the formula is nested deeper than {MAX_DEPTH} levels.")
        object.__setattr__(self, "depth", depth)
        object.__setattr__(self, "size", 1 + sum([a.size for a in self.args]))
        object.__setattr__(self, "_hash", hash((self.operator, self.args)))

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[object, ...]:
        # The cached hash depends on the process; rebuilding computes it anew.
        return (Call, (self.operator, self.args))


Node = Number | Symbol | Call


def postorder(tree: Node) -> Iterator[Node]:
    """Every node, arguments before their call; shared subtrees once for each place they stand."""
    if isinstance(tree, Call):
        for arg in tree.args:
            yield from postorder(arg)
    yield tree


def complexity(tree: Node) -> int:
    """The number of nodes, as PySR counts by default."""
    return tree.size


def symbols(tree: Node) -> tuple[str, ...]:
    """The names of the variables that occur, in order of first occurrence."""
    return tuple(dict.fromkeys(n.name for n in postorder(tree) if isinstance(n, Symbol)))


def constants(tree: Node) -> list[float]:
    """The constants, in post-order; :func:`with_constants` takes them back."""
    return [n.value for n in postorder(tree) if isinstance(n, Number)]


def with_constants(tree: Node, values: list[float]) -> Node:
    """The same tree with other constants, given in post-order."""
    feed = iter(values)
    result = rewrite(tree, lambda n: Number(next(feed)) if isinstance(n, Number) else n)
    if next(feed, None) is not None:
        raise FormulaError("more constants than the formula has.")
    return result


def rewrite(tree: Node, rule: Callable[[Node], Node]) -> Node:
    """Apply ``rule`` to every node, arguments first."""
    if isinstance(tree, Call):
        args = tuple(rewrite(a, rule) for a in tree.args)
        return rule(tree if args == tree.args else Call(tree.operator, args))
    return rule(tree)


def substitute(tree: Node, bindings: dict[str, Node]) -> Node:
    """Replace variables by trees."""
    return rewrite(tree, lambda n: bindings.get(n.name, n) if isinstance(n, Symbol) else n)


def number(value: float) -> Number:
    """A constant."""
    return Number(value)


def symbol(name: str) -> Symbol:
    """A variable."""
    return Symbol(name)


def call(operator: str, *args: Node) -> Call:
    """An operator applied to arguments."""
    return Call(operator, args)


def add(a: Node, b: Node) -> Call:
    """A + b."""
    return Call("add", (a, b))


def sub(a: Node, b: Node) -> Call:
    """A - b."""
    return Call("sub", (a, b))


def mul(a: Node, b: Node) -> Call:
    """A * b."""
    return Call("mul", (a, b))


def div(a: Node, b: Node) -> Call:
    """A / b."""
    return Call("div", (a, b))


def total(terms: list[Node]) -> Node:
    """The sum of the terms, balanced, so that many terms stay shallow; 0 when there are none."""
    if not terms:
        return Number(0.0)
    if len(terms) == 1:
        return terms[0]
    middle = (len(terms) + 1) // 2
    return add(total(terms[:middle]), total(terms[middle:]))
