"""Formula trees as blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from distill.bounds.base import NotBounded
from distill.bounds.builder import Builder
from distill.bounds.smooth import SMOOTH, power
from distill.formula.tree import Call, Node, Number, Symbol


def formula_block(builder: Builder, tree: Node, inputs: Mapping[str, int]) -> int:
    """The number of the block of one row that is the tree; equal subtrees are built once.

    ``inputs`` are the numbers of blocks of one row, by the variables' names.

    Raises
    ------
    NotBounded : for an operator that has no enclosure.
    """
    places: dict[Node, int] = {}

    def place(node: Node) -> int:
        if node not in places:
            if isinstance(node, Number):
                places[node] = builder.fixed(np.array([node.value]))
            elif isinstance(node, Symbol):
                places[node] = inputs[node.name]
            else:
                places[node] = _call(builder, node, place)
        return places[node]

    return place(tree)


def _call(builder: Builder, node: Call, place: Callable[[Node], int]) -> int:
    special = _SPECIAL.get(node.operator)
    if special is not None:
        return special(builder, node, place)
    if node.operator in SMOOTH:
        return builder.apply(place(node.args[0]), node.operator)
    raise NotBounded(
        f"the operator `{node.operator}` has no enclosure, so nothing about it can be proven.",
        hint="leave it out with engine.operators, or rely on the errors found.",
    )


_Make = Callable[[Builder, Call, Callable[[Node], int]], int]


def _sum(sign: float) -> _Make:
    def make(builder: Builder, node: Call, place: Callable[[Node], int]) -> int:
        a, b = node.args
        if isinstance(b, Number):
            return builder.combined([(place(a), 1.0)], sign * b.value)
        if isinstance(a, Number):
            return builder.combined([(place(b), sign)], a.value)
        if a == b:
            return builder.combined([(place(a), 1.0 + sign)])
        return builder.combined([(place(a), 1.0), (place(b), sign)])

    return make


def _mul(builder: Builder, node: Call, place: Callable[[Node], int]) -> int:
    a, b = node.args
    if isinstance(a, Number):
        return builder.combined([(place(b), a.value)])
    if isinstance(b, Number):
        return builder.combined([(place(a), b.value)])
    return builder.product(place(a), place(b))


def _div(builder: Builder, node: Call, place: Callable[[Node], int]) -> int:
    a, b = node.args
    if isinstance(b, Number) and b.value != 0:
        return builder.shift(place(a), np.zeros(1), np.array([b.value]))
    under = builder.apply(place(b), "inv")
    if isinstance(a, Number):
        return builder.combined([(under, a.value)])
    return builder.product(place(a), under)


def _pow(builder: Builder, node: Call, place: Callable[[Node], int]) -> int:
    base, exponent = node.args
    if isinstance(exponent, Number):
        return builder.apply(place(base), power(exponent.value))
    log = builder.apply(place(base), "log")
    return builder.apply(builder.product(place(exponent), log), "exp")


def _atan2(builder: Builder, node: Call, place: Callable[[Node], int]) -> int:
    """By the arcus tangent on the right, above and below; on the cut to the left unknown."""
    y, x = map(place, node.args)
    # A quarter of a turn is no float: its block holds the interval around it.
    quarter = builder.apply(builder.fixed(np.ones(1)), "asin")
    right = builder.apply(builder.product(y, builder.apply(x, "inv")), "atan")
    upright = builder.apply(builder.product(x, builder.apply(y, "inv")), "atan")
    above = builder.combined([(quarter, 1.0), (upright, -1.0)])
    below = builder.combined([(quarter, -1.0), (upright, -1.0)])
    none = builder.fixed(np.zeros(1))
    unknown = builder.apply(none, "inv")
    beside = builder.choose(none, y, above, builder.choose(y, none, below, unknown))
    return builder.choose(none, x, right, beside)


_SPECIAL: Mapping[str, _Make] = {
    "add": _sum(1.0),
    "sub": _sum(-1.0),
    "mul": _mul,
    "div": _div,
    "pow": _pow,
    "atan2": _atan2,
    "neg": lambda builder, node, place: builder.combined([(place(node.args[0]), -1.0)]),
    "abs": lambda builder, node, place: builder.kink(place(node.args[0]), -1.0, 1.0),
    "min": lambda builder, node, place: builder.smaller(place(node.args[0]), place(node.args[1])),
    "max": lambda builder, node, place: builder.larger(place(node.args[0]), place(node.args[1])),
    "ifless": lambda builder, node, place: builder.choose(*map(place, node.args)),
}
"""What is made of several blocks."""
