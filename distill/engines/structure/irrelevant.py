"""Variables that do not matter."""

from __future__ import annotations

import numpy as np

from distill.engines.structure.moves import Level, Move
from distill.engines.structure.piece import Piece
from distill.formula.text import to_text

POINTS = 60


def irrelevant(piece: Piece, level: Level, rng: np.random.Generator) -> Move | None:
    """The piece without all variables that may be anything; None where all matter."""
    prices = _prices(piece, level, rng)
    kept = [i for i, price in enumerate(prices) if price is None]
    if len(kept) == len(piece) or not kept:
        return None
    at = np.array([piece.anchor(i) for i in range(len(piece))])
    gone = [to_text(piece.views[i], 4) for i in range(len(piece)) if i not in kept]
    price = max(p for p in prices if p is not None)
    text = f"does not depend on {', '.join(gone)}"
    return Move(text, price, (piece.over(kept, at),), lambda trees: trees[0])


def relevant(piece: Piece, level: Level, rng: np.random.Generator) -> int:
    """How many variables matter."""
    return sum(price is None for price in _prices(piece, level, rng))


def _prices(piece: Piece, level: Level, rng: np.random.Generator) -> list[float | None]:
    """For each variable the price of leaving it out; None where it matters."""
    x, z = piece.draw(rng, POINTS), piece.draw(rng, POINTS)
    moved = []
    for i in range(len(piece)):
        other = x.copy()
        other[:, i] = z[:, i]
        moved.append(other)
    here, *there = piece.all(x, *moved)
    return [level.believes(v.minus(here)) for v in there]
