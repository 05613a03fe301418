"""Polynomials in one variable, whose coefficients are pieces of the other variables.

Each coefficient is asked by asking the piece at a few values of the variable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from distill.arrays import Array
from distill.engines.structure.along import MORE_NODES, OTHERS, along, nodes_of, others_of, series
from distill.engines.structure.irrelevant import relevant
from distill.engines.structure.moves import Level, Move
from distill.engines.structure.piece import Piece, Values
from distill.formula.text import to_text
from distill.formula.tree import Node, Number, mul

FIRM, MOSTLY = 10.0, 0.9
"""A coefficient may be a common factor if it is so many times its error nearly everywhere."""

LOW, HIGH = (1, 2), (3, 4)
"""Degrees: those that are looked for early, and late."""


def polynomials(
    piece: Piece, level: Level, rng: np.random.Generator, degrees: tuple[int, ...]
) -> Iterator[Move]:
    """The variables in which the piece is a polynomial of one of these degrees, lowest first."""
    continuous = [i for i in range(len(piece)) if len(piece) > 1 and not piece.whole[i]]
    found = {
        i: degree_of(piece, level, rng, i, tuple(range(1, max(degrees) + 1))) for i in continuous
    }
    for degree in degrees:
        for i, what in found.items():
            if what is not None and what[0] == degree:
                yield _polynomial(piece, level, rng, i, *what)


def degree_of(
    piece: Piece, level: Level, rng: np.random.Generator, i: int, degrees: Sequence[int]
) -> tuple[int, float] | None:
    """The lowest degree in variable i that is believed, and its price."""
    nodes = nodes_of(piece, i, max(degrees) + MORE_NODES)
    unit = (nodes - piece.low[i]) / (piece.high[i] - piece.low[i]) * 2 - 1
    values = along(piece, i, piece.draw(rng, OTHERS)[:, others_of(piece, i)], nodes)
    if np.isfinite(values.y).mean() < 0.8:
        return None
    swing = np.ptp(values.y, axis=1) / np.median(values.s, axis=1)
    if not np.nanmedian(swing) > level.power * level.bar:
        return None
    for degree in degrees:
        basis = np.polynomial.chebyshev.chebvander(unit, degree)
        rest = np.eye(len(nodes)) - basis @ np.linalg.pinv(basis)
        # Degrees of freedom: what the fit takes away is not error.
        share = np.sqrt(len(nodes) / (len(nodes) - degree - 1))
        price = level.believes(Values(values.y @ rest.T * share, values.s))
        if price is not None:
            return degree, price
    return None


def _polynomial(
    piece: Piece, level: Level, rng: np.random.Generator, i: int, degree: int, price: float
) -> Move:
    nodes = nodes_of(piece, i, degree + 3)
    middle, half = (piece.high[i] + piece.low[i]) / 2, (piece.high[i] - piece.low[i]) / 2
    basis = np.polynomial.chebyshev.chebvander((nodes - middle) / half, degree)
    # From Chebyshev coefficients on [-1, 1] to coefficients of powers of x itself.
    powers = np.zeros((degree + 1, degree + 1))
    for k in range(degree + 1):
        wave = np.polynomial.Chebyshev.basis(k, domain=[piece.low[i], piece.high[i]])
        shape = wave.convert(kind=np.polynomial.Polynomial).coef
        powers[: len(shape), k] = shape
    take = powers @ np.linalg.pinv(basis)

    def part(k: int) -> Piece:
        def ask(others: Array) -> Values:
            values = along(piece, i, others, nodes)
            return Values(values.y @ take[k], np.sqrt((values.s**2) @ (take[k] ** 2)))

        return piece.of(others_of(piece, i), ask)

    parts = [(k, part(k)) for k in range(degree + 1)]
    x = piece.draw(rng, OTHERS)[:, others_of(piece, i)]
    kept = [(k, p) for k, p in parts if k == degree or p(x).size > 3 * level.limit]
    view = piece.symbol(i)
    name = {1: "a straight line", 2: "a parabola"}.get(degree, f"a polynomial of degree {degree}")
    text = f"{name} in {to_text(piece.views[i], 4)}"
    powers_kept = [k for k, _ in kept]
    lead = kept[-1][1]
    divided = [_quotient(p, lead) for _, p in kept[:-1]]
    plain = sum(relevant(p, level, rng) for _, p in kept[:-1])
    firm = lead(x)
    if (
        np.mean(np.abs(firm.y) > FIRM * level.bar * firm.s) > MOSTLY
        and sum(relevant(p, level, rng) for p in divided) < plain
    ):
        # (x - u t) / sqrt(1 - u^2): a common factor makes the coefficients simpler.
        def factored(trees: Sequence[Node]) -> Node:
            return mul(trees[-1], series(view, powers_kept, [*trees[:-1], Number(1.0)]))

        return Move(f"{text} with a common factor", price, (*divided, lead), factored)

    def join(trees: Sequence[Node]) -> Node:
        return series(view, powers_kept, trees)

    return Move(text, price, tuple(p for _, p in kept), join)


def _quotient(above: Piece, below: Piece) -> Piece:
    """One coefficient over another, both of the same variables."""
    return replace(above, ask=lambda z: above.ask(z).over(below.ask(z)))
