"""Ratios of polynomials in one variable, whose coefficients are pieces of the other variables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from distill.arrays import Array
from distill.engines.structure.along import MORE_NODES, OTHERS, along, nodes_of, others_of, series
from distill.engines.structure.irrelevant import relevant
from distill.engines.structure.moves import Level, Move
from distill.engines.structure.piece import Piece, Values
from distill.formula.text import to_text
from distill.formula.tree import Node, Number, div

RATIOS = ((1, 1), (0, 1), (2, 1), (1, 2), (0, 2), (2, 2))
"""Degrees above and below."""


def ratios(piece: Piece, level: Level, rng: np.random.Generator) -> Iterator[Move]:
    """The variables in which the piece is a ratio of low degrees."""
    for i in range(len(piece)):
        if len(piece) > 1 and not piece.whole[i]:
            yield from _ratio(piece, level, rng, i)


def _ratio(piece: Piece, level: Level, rng: np.random.Generator, i: int) -> Iterator[Move]:
    others = piece.draw(rng, OTHERS)[:, others_of(piece, i)]
    middle, half = (piece.high[i] + piece.low[i]) / 2, (piece.high[i] - piece.low[i]) / 2
    for above, below in RATIOS:
        nodes = nodes_of(piece, i, above + below + 1 + MORE_NODES)
        unit = (nodes - middle) / half
        values = along(piece, i, others, nodes)
        if np.isfinite(values.y).mean() < 1.0:
            return
        c, _ = _solved(values, unit, above, below)
        with np.errstate(all="ignore"):
            fitted = _ratio_at(c, unit, above)
        share = np.sqrt(len(nodes) / MORE_NODES)
        price = level.believes(Values((values.y - fitted) * share, values.s))
        if price is not None:
            yield _ratio_move(piece, level, rng, i, above, below, price)
            return


def _solved(values: Values, unit: Array, above: int, below: int) -> tuple[Array, Array]:
    """Coefficients (n, above + below + 1) of P and then Q without its leading 1, and their errors.

    P - y Q = 0 at the nodes, solved for each row; Q(0) = 1 in the scaled variable.
    """
    y = values.y[:, :, None]
    top = np.broadcast_to(unit[:, None] ** np.arange(above + 1), (len(y), len(unit), above + 1))
    low = y * unit[:, None] ** np.arange(1, below + 1)
    inverse = np.linalg.pinv(np.concatenate([top, -low], axis=2), rcond=1e-14)
    c = np.einsum("nkm,nm->nk", inverse, values.y)
    for _ in range(2):  # rows weighted by 1 / Q, so that the error of y itself is least
        q = 1 + np.einsum("nk,mk->nm", c[:, above + 1 :], unit[:, None] ** np.arange(1, below + 1))
        w = 1 / np.where(np.abs(q) > 1e-12, q, 1e-12)
        inverse = np.linalg.pinv(np.concatenate([top, -low], axis=2) * w[:, :, None], rcond=1e-14)
        c = np.einsum("nkm,nm->nk", inverse, values.y * w)
    error = np.sqrt(np.einsum("nkm,nm->nk", inverse**2, values.s**2))
    return c, error


def _ratio_at(c: Array, unit: Array, above: int) -> Array:
    top = c[:, : above + 1] @ (unit[:, None] ** np.arange(above + 1)).T
    below = c.shape[1] - above - 1
    return np.asarray(top / (1 + c[:, above + 1 :] @ (unit[:, None] ** np.arange(1, below + 1)).T))


def _ratio_move(
    piece: Piece,
    level: Level,
    rng: np.random.Generator,
    i: int,
    above: int,
    below: int,
    price: float,
) -> Move:
    """Coefficients of powers of x itself, divided by the first of Q's that does not vanish."""
    nodes = nodes_of(piece, i, above + below + 1 + MORE_NODES)
    middle, half = (piece.high[i] + piece.low[i]) / 2, (piece.high[i] - piece.low[i]) / 2
    unit = (nodes - middle) / half
    up, down = _recentred(above, middle, half), _recentred(below, middle, half)

    def coefficients(z: Array) -> tuple[Array, Array]:
        c, e = _solved(along(piece, i, z, nodes), unit, above, below)
        ones, zeros = np.ones((len(z), 1)), np.zeros((len(z), 1))
        p, q = c[:, : above + 1] @ up.T, np.hstack([ones, c[:, above + 1 :]]) @ down.T
        ep = np.sqrt(e[:, : above + 1] ** 2 @ (up**2).T)
        eq = np.sqrt(np.hstack([zeros, e[:, above + 1 :]]) ** 2 @ (down**2).T)
        return np.hstack([p, q]), np.hstack([ep, eq])

    def present(c: Array, e: Array, k: int) -> bool:
        return Values(c[:, k], np.maximum(e[:, k], 1e-300)).size > 3 * level.limit

    c, e = coefficients(piece.draw(rng, OTHERS)[:, others_of(piece, i)])
    kept = [k for k in range(above + below + 2) if present(c, e, k)]
    below_line = range(above + 1, above + below + 2)
    firm = [
        k for k in below_line if k in kept and np.all(np.abs(c[:, k]) > 10 * e[:, k] * level.bar)
    ]
    rest = others_of(piece, i)

    def part(k: int, lead: int) -> Piece:
        def ask(z: Array) -> Values:
            c, e = coefficients(z)
            e = np.maximum(e, 1e-300)
            return Values(c[:, k], e[:, k]).over(Values(c[:, lead], e[:, lead]))

        return piece.of(rest, ask)

    def variables(lead: int) -> int:
        return sum(relevant(part(k, lead), level, rng) for k in kept if k != lead)

    lead = min(firm, key=variables) if firm else above + 1
    wanted = [k for k in kept if k != lead]
    parts = tuple(part(k, lead) for k in wanted)
    view = piece.symbol(i)

    def join(trees: Sequence[Node]) -> Node:
        by = dict(zip(wanted, trees, strict=True)) | {lead: Number(1.0)}
        top = [k for k in range(above + 1) if k in by]
        low = [k for k in range(above + 1, above + below + 2) if k in by]
        numerator = series(view, top, [by[k] for k in top]) if top else Number(0.0)
        denominator = series(view, [k - above - 1 for k in low], [by[k] for k in low])
        return div(numerator, denominator)

    return Move(f"a ratio of polynomials in {to_text(piece.views[i], 4)}", price, parts, join)


def _recentred(degree: int, middle: float, half: float) -> Array:
    """The matrix from coefficients in (x - middle) / half to coefficients in x."""
    result = np.zeros((degree + 1, degree + 1))
    for k in range(degree + 1):
        shape = np.polynomial.Polynomial([-middle / half, 1 / half]) ** k
        result[: k + 1, k] = shape.coef
    return result
