"""Variables that may change their sign: the answer stays (even), or changes its sign too (odd)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from distill.arrays import Array
from distill.engines.structure.moves import Level, Move
from distill.engines.structure.piece import Piece, Values, lifted
from distill.formula.text import to_text
from distill.formula.tree import Node, call, mul

POINTS = 60


def parities(piece: Piece, level: Level, rng: np.random.Generator) -> Iterator[Move]:
    """A piece in x^2 for each variable in which the answer is even, x times one where it is odd."""
    if len(piece) < 2:
        return
    for i in range(len(piece)):
        reach = float(min(-piece.low[i], piece.high[i]))
        if piece.whole[i] or reach <= 0.0:
            continue
        x = piece.draw(rng, POINTS)
        x[:, i] = rng.uniform(0.1 * reach, reach, POINTS)
        mirrored = x.copy()
        mirrored[:, i] *= -1
        here, there = piece.all(x, mirrored)
        for name, deviation in (("even", there.minus(here)), ("odd", there.plus(here))):
            price = level.believes(deviation, Values(here.y, deviation.s))
            if price is not None:
                yield _squared(piece, i, name, price)
                break


def _squared(piece: Piece, i: int, name: str, price: float) -> Move:
    odd = name == "odd"
    top = float(max(piece.high[i], -piece.low[i]))
    sign = 1.0 if piece.high[i] == top else -1.0

    def lift(z: Array) -> dict[int, Array]:
        return {i: sign * np.sqrt(z)}

    def change(values: Values, x: Array) -> Values:
        with np.errstate(all="ignore"):
            return values.scaled(1 / x[:, i]) if odd else values

    view = call("square", piece.symbol(i))
    kept = [k for k in range(len(piece)) if k != i]
    part = lifted(piece, kept, view, 0.0, top * top, lift, change)

    def join(trees: Sequence[Node]) -> Node:
        return mul(piece.symbol(i), trees[0]) if odd else trees[0]

    return Move(f"{name} in {to_text(piece.views[i], 4)}", price, (part,), join)
