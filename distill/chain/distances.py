"""Distances from points to prototypes: computed, and as trees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from distill.chain.arithmetic import Reals, larger
from distill.chain.terms import balanced, shifted, squares, squares_size
from distill.formula.tree import Node, call, total

Metric = Literal["squared", "euclidean", "manhattan", "chebyshev"]


def distances(columns: Reals, prototypes: Reals, metric: Metric) -> Reals:
    """Distances (m, b) of the points' columns (d, b) from prototypes (m, d).

    ``s = 0``, then for each input in turn, with ``z = x - p``: ``s = s + z*z`` (squared, euclidean,
    which takes the root at the end), ``s = s + |z|`` (manhattan), or ``if (|z| > s || z != z)
    s = |z|`` (chebyshev). A NaN makes every distance NaN.
    """
    sums = np.zeros((len(prototypes), columns.shape[1]), dtype=columns.dtype)
    for j, column in enumerate(columns):
        off = column - prototypes[:, j : j + 1]
        if metric == "chebyshev":
            sums = larger(sums, np.abs(off))
        else:
            sums += np.abs(off) if metric == "manhattan" else off * off
    return np.sqrt(sums) if metric == "euclidean" else sums


def distance_tree(x: Sequence[Node], prototype: Sequence[float], metric: Metric) -> Node:
    """The distance as a tree."""
    if metric in ("squared", "euclidean"):
        square = squares(x, prototype)
        return call("sqrt", square) if metric == "euclidean" else square
    parts: list[Node] = [call("abs", shifted(a, p)) for a, p in zip(x, prototype, strict=True)]
    return total(parts) if metric == "manhattan" else balanced("max", parts)


def distance_size(sizes: Sequence[int], prototype: Sequence[float], metric: Metric) -> int:
    """The node count of :func:`distance_tree`."""
    return squares_size(sizes, prototype) + (metric == "euclidean")


def distance_operations(inputs: int, metric: Metric) -> int:
    """How many operations one distance takes."""
    return 3 * inputs + (metric == "euclidean")
