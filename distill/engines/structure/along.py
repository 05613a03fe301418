"""Looking at a piece along one variable: answers at a few of its values, the others as they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from distill.arrays import Array
from distill.engines.structure.piece import Piece, Values
from distill.formula.tree import Node, Number, add, call, mul

OTHERS = 40
"""Random points of the other variables at which one variable's part is looked at."""

MORE_NODES = 6
"""Values of the variable beyond those that the coefficients need: they verify."""


def nodes_of(piece: Piece, i: int, count: int) -> Array:
    """Chebyshev points over variable i's range."""
    angles = (2 * np.arange(count) + 1) * np.pi / (2 * count)
    unit = (1 - np.cos(angles)) / 2
    nodes: Array = piece.low[i] + unit * (piece.high[i] - piece.low[i])
    return nodes


def along(piece: Piece, i: int, others: Array, nodes: Array) -> Values:
    """Answers (n, m): each row's other variables (n, k - 1) with each of m values of variable i."""
    n, m = len(others), len(nodes)
    x = np.empty((n * m, len(piece)))
    x[:, [j for j in range(len(piece)) if j != i]] = np.repeat(others, m, axis=0)
    x[:, i] = np.tile(nodes, n)
    values = piece(x)
    return Values(values.y.reshape(n, m), values.s.reshape(n, m))


def others_of(piece: Piece, i: int) -> list[int]:
    """All variables but i."""
    return [j for j in range(len(piece)) if j != i]


def series(view: Node, powers: Sequence[int], trees: Sequence[Node]) -> Node:
    """The sum of trees times powers of the variable."""
    terms = [
        tree if k == 0 else mul(tree, _power(view, k))
        for k, tree in zip(powers, trees, strict=True)
    ]
    result = terms[0]
    for term in terms[1:]:
        result = add(result, term)
    return result


def _power(view: Node, k: int) -> Node:
    return view if k == 1 else call("square", view) if k == 2 else call("pow", view, Number(k))
