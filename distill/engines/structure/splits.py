"""Sums and products of pieces with fewer variables.

Two variables do not interact in a sum if all mixed second differences vanish, in a product if all
cross ratios f(a,b) f(a',b') / (f(a,b') f(a',b)) are 1 (taken as a difference: it needs no
logarithm and survives changes of sign). Variables are joined where they interact; what is left
unconnected separates. A graph that is connected but not complete still gives smaller pieces.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.engines.structure.moves import Level, Move
from distill.engines.structure.piece import Piece, Values
from distill.formula.text import to_text
from distill.formula.tree import Node, Number, add, mul, sub

QUADS = 40
"""Rectangles of four points for each pair of variables."""

ANCHORS = 200

MOST_WEIGHT = 1e60
"""Of one rectangle over another, where the answers' error bars span many decades."""


@dataclass(frozen=True)
class Rectangles:
    """The piece at (a, b), (a', b), (a, b'), (a', b') of two variables, the others as they are."""

    here: Values
    right: Values
    up: Values
    across: Values

    def mixed(self) -> tuple[Values, Values]:
        """The mixed second difference, and the smaller of the two first ones."""
        rise, run = self.up.minus(self.here), self.right.minus(self.here)
        deviation = self.across.minus(self.right).minus(rise)
        small = np.minimum(np.abs(rise.y), np.abs(run.y))
        return deviation, Values(small, deviation.s)

    def cross(self) -> tuple[Values, Values]:
        """The difference of the diagonals' products, and how large it is where they interact."""
        deviation = self.here.times(self.across).minus(self.right.times(self.up))
        small = np.abs((self.up.y - self.here.y) * (self.right.y - self.here.y))
        return deviation, Values(small, deviation.s)

    def shifted(self, offset: float) -> Rectangles:
        """The same for the piece plus an offset."""
        return Rectangles(*(v.shifted(offset) for v in
                            (self.here, self.right, self.up, self.across)))  # fmt: skip

    def offset(self) -> float | None:
        """The c for which f - c is a product, if it is one."""
        a, b, c, d = (v.y for v in (self.here, self.right, self.up, self.across))
        # In units of the largest answer, so that nothing overflows.
        size = np.nanmax(np.abs([a, b, c, d]), initial=0.0)
        if not 0 < size < np.inf:
            return None
        a, b, c, d = a / size, b / size, c / size, d / size
        top, below = a * d - b * c, a + d - b - c
        sums = np.abs(self.here.s) * (np.abs(a) + np.abs(b) + np.abs(c) + np.abs(d))
        fine = np.isfinite(top) & np.isfinite(below) & np.isfinite(sums)
        # A rectangle of zeros says nothing.
        fine &= sums > np.max(sums[fine], initial=0.0) / MOST_WEIGHT
        w = sums[fine].min(initial=np.inf) / sums[fine]
        weight = w * w * below[fine]
        norm = float(weight @ below[fine])
        return float(size * (weight @ top[fine]) / norm) if norm > 0 else None


Pair = tuple[int, int]


def rectangles(piece: Piece, rng: np.random.Generator) -> dict[Pair, Rectangles]:
    """For every pair of variables, at fresh points."""
    pairs = list(itertools.combinations(range(len(piece)), 2))
    points: list[Array] = []
    for i, j in pairs:
        x, z = piece.draw(rng, QUADS), piece.draw(rng, QUADS)
        right, up = x.copy(), x.copy()
        right[:, i], up[:, j] = z[:, i], z[:, j]
        across = right.copy()
        across[:, j] = z[:, j]
        points += [x, right, up, across]
    answers = piece.all(*points) if points else []
    return {pair: Rectangles(*answers[4 * n : 4 * n + 4]) for n, pair in enumerate(pairs)}


def splits(piece: Piece, level: Level, rng: np.random.Generator) -> Iterator[Move]:
    """Products and sums of pieces without a common variable, also behind an offset."""
    if len(piece) < 2:
        return
    found = rectangles(piece, rng)
    finite = np.concatenate([r.across.y for r in found.values()])
    if np.isfinite(finite).mean() < 0.5:
        return
    at = _anchor(piece, rng)
    for name, apart in _apart(found, level).items():
        groups = components(len(piece), apart)
        if len(groups) > 1:
            move = _split(piece, name, groups, _price(apart, groups), at)
            if move is not None:
                yield move
                return
    yield from _behind_offset(piece, level, found, at)


def sharing(piece: Piece, level: Level, rng: np.random.Generator) -> Iterator[Move]:
    """Products and sums of pieces that have some variables in common."""
    if len(piece) < 3:
        return
    found = rectangles(piece, rng)
    at = _anchor(piece, rng)
    for name, apart in _apart(found, level).items():
        if apart:
            yield _sharing(piece, name, apart, at)


def _apart(found: dict[Pair, Rectangles], level: Level) -> dict[str, dict[Pair, float]]:
    """The pairs that do not interact in a product and in a sum, with their prices."""
    result: dict[str, dict[Pair, float]] = {"product": {}, "sum": {}}
    for pair, rectangle in found.items():
        for name, test in (("product", rectangle.cross()), ("sum", rectangle.mixed())):
            price = level.believes(*test)
            if price is not None:
                result[name][pair] = price
    return result


def components(count: int, apart: dict[Pair, float]) -> list[list[int]]:
    """Groups of variables, joined wherever two are not known to be apart."""
    groups: list[list[int]] = []
    for i in range(count):
        touching = [g for g in groups if any((j, i) not in apart for j in g)]
        groups = [g for g in groups if g not in touching]
        groups.append(sorted([*itertools.chain(*touching), i]))
    return sorted(groups)


def _price(apart: dict[Pair, float], groups: list[list[int]]) -> float:
    """The largest price of two variables of different groups."""
    group = {i: n for n, g in enumerate(groups) for i in g}
    return max(price for (i, j), price in apart.items() if group[i] != group[j])


def _anchor(piece: Piece, rng: np.random.Generator) -> Array:
    """A point at which the answer is large, but not the largest."""
    x = piece.draw(rng, ANCHORS)
    values = piece(x)
    size = np.where(np.isfinite(values.y), np.abs(values.y) / values.s, -1.0)
    chosen: Array = x[np.argsort(size)[len(size) * 4 // 5]]
    return chosen


def _names(piece: Piece, group: Sequence[int]) -> str:
    return ", ".join(to_text(piece.views[i], 4) for i in group)


def _split(
    piece: Piece, name: str, groups: list[list[int]], price: float, at: Array, offset: float = 0.0
) -> Move | None:
    """The piece (plus an offset) as product or sum over groups of variables.

    None for a product that vanishes nearly everywhere: it cannot be told from its factors.
    """
    shifted = piece.mapped(lambda v: v.shifted(offset)) if offset else piece
    middle = float(shifted(at[None, :]).y[0])
    if not np.isfinite(middle) or (name == "product" and middle == 0.0):
        return None
    parts = tuple(shifted.over(group, at) for group in groups)
    more = len(groups) - 1

    def join(trees: Sequence[Node]) -> Node:
        result = trees[0]
        for tree in trees[1:]:
            result = mul(result, tree) if name == "product" else add(result, tree)
        if name == "product":
            result = mul(Number(float(middle) ** -more), result)
        else:
            result = sub(result, Number(more * middle))
        return sub(result, Number(offset)) if offset else result

    behind = f"{-offset:.4g} plus a " if offset else ""
    functions = " and ".join(f"f({_names(piece, g)})" for g in groups)
    return Move(f"{behind}{name} of {functions}", price, parts, join)


def _behind_offset(
    piece: Piece, level: Level, found: dict[Pair, Rectangles], at: Array
) -> Iterator[Move]:
    """C + g*h: the offset from each pair, tried on all."""
    size = np.nanmax(np.abs(np.concatenate([r.here.y for r in found.values()])))
    tried: list[float] = []
    for rectangle in found.values():
        c = rectangle.offset()
        if c is None or not np.isfinite(c) or abs(c) < 1e-9 * size or abs(c) > 1e3 * size:
            continue
        if any(abs(c - other) < 1e-6 * size for other in tried):
            continue
        tried.append(c)
        apart = {p: price for p, r in found.items()
                 if (price := level.believes(*r.shifted(-c).cross())) is not None}  # fmt: skip
        groups = components(len(piece), apart)
        if len(groups) > 1:
            move = _split(piece, "product", groups, _price(apart, groups), at, -c)
            if move is not None:
                yield move


def _sharing(piece: Piece, name: str, apart: dict[Pair, float], at: Array) -> Move:
    """f(x, y, z) = f(x0, y, z) and what x adds, or its factor, which does not depend on y.

    x is the variable with the fewest neighbours z.
    """
    count = len(piece)
    neighbours = {
        i: [j for j in range(count) if j != i and (min(i, j), max(i, j)) not in apart]
        for i in range(count)
    }
    i = min(neighbours, key=lambda i: (len(neighbours[i]), i))
    others = [j for j in range(count) if j != i]
    inside = sorted([i, *neighbours[i]])
    away = [j for j in others if j not in neighbours[i]]
    zero = at.copy()
    zero[i] = piece.anchor(i)

    def effect(z: Array) -> Values:
        x = np.tile(at, (len(z), 1))
        x[:, inside] = z
        still = x.copy()
        still[:, i] = zero[i]
        moved, before = piece.all(x, still)
        return moved.over(before) if name == "product" else moved.minus(before)

    price = max(apart[(min(i, j), max(i, j))] for j in away)

    def join(trees: Sequence[Node]) -> Node:
        rest, change = trees
        return mul(rest, change) if name == "product" else add(rest, change)

    text = f"{_names(piece, [i])} and {_names(piece, away)} enter separate parts of a {name}"
    return Move(text, price, (piece.over(others, zero), piece.of(inside, effect)), join)
