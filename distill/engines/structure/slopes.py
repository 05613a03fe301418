"""Derivatives of a piece by its variables, by central differences of sixth order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from distill.arrays import Array
from distill.engines.structure.piece import Piece, Values

WEIGHTS = ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))
"""Fornberg (1988), table 1: f' is the sum of w (f(x + kh) - f(x - kh)) / h."""

EXACT_STEP, ROUGH_STEP = 0.01, 0.04
"""Of a variable's range; larger steps where the answers carry an error."""


def inner(piece: Piece, step: float) -> Piece:
    """The piece on a box from which the stencils do not reach outside."""
    edge = np.where(piece.whole, 0.0, 3 * step * (piece.high - piece.low))
    return replace(piece, low=piece.low + edge, high=piece.high - edge)


def slopes(piece: Piece, x: Array, step: float) -> list[Values]:
    """The derivative by each variable at x (n, k), which lies ``3 * step`` inside the box.

    NaN by variables that take whole values only: nothing is asked between these.
    """
    free = [i for i in range(len(piece)) if not piece.whole[i]]
    points = []
    for i in free:
        h = step * (piece.high[i] - piece.low[i])
        for k, _ in WEIGHTS:
            for sign in (1, -1):
                moved = x.copy()
                moved[:, i] += sign * k * h
                points.append(moved)
    answers = iter(piece.all(*points) if points else [])
    result = [Values(np.full(len(x), np.nan), np.ones(len(x)))] * len(piece)
    for i in free:
        h = step * (piece.high[i] - piece.low[i])
        total, square = np.zeros(len(x)), np.zeros(len(x))
        for _, weight in WEIGHTS:
            difference = next(answers).minus(next(answers)).scaled(weight / h)
            total, square = total + difference.y, square + difference.s**2
        result[i] = Values(total, np.sqrt(square))
    return result
