"""One variable that enters as a + b k(x), where k is any curve and a, b depend on the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from distill.arrays import Array
from distill.engines.structure.along import OTHERS, others_of
from distill.engines.structure.moves import Level, Move
from distill.engines.structure.piece import Piece, Values
from distill.engines.structure.polynomials import LOW, degree_of
from distill.formula.text import to_text
from distill.formula.tree import Node, add, mul


def separations(piece: Piece, level: Level, rng: np.random.Generator) -> Iterator[Move]:
    """All variables that enter so, but straight lines and parabolas."""
    for i in range(len(piece)):
        if len(piece) < 2 or piece.whole[i]:
            continue
        if degree_of(piece, level, rng, i, LOW) is None:
            yield from _separated(piece, level, rng, i)


def _separated(piece: Piece, level: Level, rng: np.random.Generator, i: int) -> Iterator[Move]:
    """F = a + b k(x), where differences along x are products."""
    start = piece.anchor(i)
    one, two = piece.draw(rng, 2 * OTHERS), piece.draw(rng, 2 * OTHERS)
    one_two, two_one = one.copy(), two.copy()
    one_two[:, i], two_one[:, i] = two[:, i], one[:, i]
    still_one, still_two = one.copy(), two.copy()
    still_one[:, i] = still_two[:, i] = start
    a, b, c, d, e, f = piece.all(one, one_two, two_one, two, still_one, still_two)
    a, b, c, d = a.minus(e), b.minus(e), c.minus(f), d.minus(f)
    deviation = a.times(d).minus(b.times(c))
    price = level.believes(deviation, Values(np.abs(a.y * d.y), deviation.s))
    if price is None:
        return
    size = np.where(np.isfinite(a.y), np.abs(a.y) / a.s, -1.0)
    at = one[np.argsort(size)[len(size) * 4 // 5]]
    swing = float(np.diff(piece(np.vstack([_moved(at, i, start), at])).y)[0])
    others = others_of(piece, i)

    def change(x: Array) -> Values:
        still = x.copy()
        still[:, i] = start
        now, before = piece.all(x, still)
        return now.minus(before)

    def of_others(z: Array) -> Values:
        return change(_placed(z, others, at))

    def of_this(z: Array) -> Values:
        return change(_placed(z, [i], at)).scaled(1 / swing)

    parts = (
        piece.over(others, _moved(at, i, start)),
        piece.of(others, of_others),
        piece.of([i], of_this),
    )

    def join(trees: Sequence[Node]) -> Node:
        return add(trees[0], mul(trees[1], trees[2]))

    yield Move(f"a + b k({to_text(piece.views[i], 4)})", price, parts, join)


def _moved(at: Array, i: int, value: float) -> Array:
    result = at.copy()
    result[i] = value
    return result


def _placed(z: Array, kept: Sequence[int], at: Array) -> Array:
    x = np.tile(at, (len(z), 1))
    x[:, list(kept)] = z
    return x
