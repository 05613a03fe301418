"""Pairs that separate only in other coordinates: f = A(x y, z) B(y, z), A(x - y, z) + B(y, z), ...

A rectangle in (u, y) with u = x y is not one in (x, y); points are drawn until all four corners lie
in the box.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.engines.structure.moves import Level, Move
from distill.engines.structure.piece import Piece, Values
from distill.formula.text import to_text
from distill.formula.tree import Node, add, div, mul, sub

CORNERS = 60
DRAWN = 1500


@dataclass(frozen=True)
class Combination:
    """A new variable u of x and y: ``of(x, y)``, undone by ``back(u, y)`` which gives x."""

    of: Callable[[Array, Array], Array]
    back: Callable[[Array, Array], Array]
    view: Callable[[Node, Node], Node]
    positive: bool


COMBINATIONS = (
    Combination(lambda x, y: x * y, lambda u, y: u / y, mul, positive=True),
    Combination(lambda x, y: x / y, lambda u, y: u * y, div, positive=True),
    Combination(lambda x, y: x - y, lambda u, y: u + y, sub, positive=False),
    Combination(lambda x, y: x + y, lambda u, y: u - y, add, positive=False),
)


def coordinates(piece: Piece, level: Level, rng: np.random.Generator) -> Iterator[Move]:
    """Believed products and sums of a function of a combination and one of one variable."""
    for i, j in itertools.permutations(range(len(piece)), 2):
        if piece.whole[i] or piece.whole[j]:
            continue
        for combination in COMBINATIONS:
            if combination.positive and piece.low[j] <= 0:
                continue
            yield from _separable(piece, level, rng, i, j, combination)


def _separable(
    piece: Piece, level: Level, rng: np.random.Generator, i: int, j: int, new: Combination
) -> Iterator[Move]:
    x = piece.draw(rng, DRAWN)
    z = piece.draw(rng, DRAWN)
    u, v = new.of(x[:, i], x[:, j]), new.of(z[:, i], z[:, j])
    corners = [(u, x[:, j]), (v, x[:, j]), (u, z[:, j]), (v, z[:, j])]
    at = [new.back(first, second) for first, second in corners]
    inside = np.all([(a >= piece.low[i]) & (a <= piece.high[i]) for a in at], axis=0)
    # Corners close together say little.
    far = np.abs(x[:, j] - z[:, j]) > 0.1 * (piece.high[j] - piece.low[j])
    kept = np.flatnonzero(inside & far)[:CORNERS]
    if len(kept) < CORNERS // 4:
        return
    points = []
    for a, (_, second) in zip(at, corners, strict=True):
        moved = x[kept].copy()
        moved[:, i], moved[:, j] = a[kept], second[kept]
        points.append(moved)
    here, right, up, across = piece.all(*points)
    rise, run = up.minus(here), right.minus(here)
    product = here.times(across).minus(right.times(up))
    both = Values(rise.y * run.y, product.s)
    price = level.believes(product, both)
    if price is not None:
        yield _move(piece, points[0], here, i, j, new, price, "product")
        return
    mixed = across.minus(right).minus(rise)
    small = Values(np.minimum(np.abs(rise.y), np.abs(run.y)), mixed.s)
    price = level.believes(mixed, small)
    if price is not None:
        yield _move(piece, points[0], here, i, j, new, price, "sum")


def _move(
    piece: Piece,
    points: Array,
    here: Values,
    i: int,
    j: int,
    new: Combination,
    price: float,
    name: str,
) -> Move:
    size = np.where(np.isfinite(here.y), np.abs(here.y) / here.s, -1.0)
    at = points[np.argsort(size)[len(size) * 4 // 5]]
    u0 = float(new.of(at[i], at[j]))
    rest = [k for k in range(len(piece)) if k not in (i, j)]
    view = new.view(piece.symbol(i), piece.symbol(j))

    def of_u(z: Array) -> Values:
        """At y = y0, whatever u is."""
        x = np.tile(at, (len(z), 1))
        x[:, rest] = z[:, :-1]
        x[:, i] = new.back(z[:, -1], x[:, j])
        return piece.ask(x)

    def of_y(z: Array) -> Values:
        """What y does at u = u0, which leaves the box for some y: the piece answers there too."""
        x = np.tile(at, (len(z), 1))
        x[:, [*rest, j]] = z
        x[:, i] = new.back(np.full(len(z), u0), x[:, j])
        still = x.copy()
        still[:, j] = at[j]
        still[:, i] = at[i]
        now, before = piece.all(x, still)
        return now.over(before) if name == "product" else now.minus(before)

    ends = new.of(np.array([piece.low[i], piece.high[i]]), np.full(2, at[j]))
    first = Piece(
        of_u,
        np.append(piece.low[rest], min(ends)),
        np.append(piece.high[rest], max(ends)),
        (*(piece.views[k] for k in rest), piece.shown(view)),
        (*(piece.symbol(k) for k in rest), view),
        (*(piece.whole[k] for k in rest), False),
    )
    # Only such y at which x stays in its box.
    ys = np.linspace(piece.low[j], piece.high[j], 400)
    xs = new.back(np.full(400, u0), ys)
    fine = ys[(xs >= piece.low[i]) & (xs <= piece.high[i])]
    second = piece.of([*rest, j], of_y)
    second.low[-1], second.high[-1] = fine.min(), fine.max()

    def join(trees: Sequence[Node]) -> Node:
        return mul(*trees) if name == "product" else add(*trees)

    text = (
        f"{name} of functions of {to_text(first.views[-1], 4)} and of {to_text(piece.views[j], 4)}"
    )
    return Move(text, price, (first, second), join)
