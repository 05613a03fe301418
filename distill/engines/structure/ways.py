"""All the tests in a row: the ways to take a piece apart, the most telling first."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator

import numpy as np

from distill.engines.structure.composition import compositions
from distill.engines.structure.coordinates import coordinates
from distill.engines.structure.irrelevant import irrelevant
from distill.engines.structure.links import LINKS
from distill.engines.structure.moves import Level, Move
from distill.engines.structure.parity import parities
from distill.engines.structure.piece import Piece
from distill.engines.structure.polynomials import HIGH, LOW, polynomials
from distill.engines.structure.ratios import ratios
from distill.engines.structure.separations import separations
from distill.engines.structure.slices import Solver, slices
from distill.engines.structure.splits import sharing, splits
from distill.engines.structure.symmetries import combined, scalings
from distill.formula.tree import call

LEAST_ANSWERS = 20
"""Of 200 points: a piece with fewer is not looked at."""


def ways(
    piece: Piece,
    level: Level,
    rng: np.random.Generator,
    operators: Collection[str],
    solve: Solver,
) -> Iterator[Move]:
    """Believed moves, each test run only when the moves before it were not enough.

    ``operators`` are those a formula may use, ``solve`` finds forms for slices.
    """
    if len(piece) < 2:
        return
    without = irrelevant(piece, level, rng)
    if without is not None:
        yield without
        return
    y = piece(piece.draw(rng, 200)).y
    y = y[np.isfinite(y)]
    if len(y) < LEAST_ANSWERS:
        return
    if y.max() < 0:
        yield _negative(piece)
        return
    yield from splits(piece, level, rng)
    yield from combined(piece, level, rng)
    if len(piece) == 2:
        yield from scalings(piece, level, rng)
    yield from polynomials(piece, level, rng, LOW)
    yield from separations(piece, level, rng)
    yield from sharing(piece, level, rng)
    for link in LINKS:
        if set(link.uses) <= set(operators) and link.allows(y):
            linked = link.on(piece)
            for move in itertools.chain(
                splits(linked, level, rng),
                polynomials(linked, level, rng, LOW),
                separations(linked, level, rng),
            ):
                yield move.wrapped(f"{link.name} of it", link.back)
    if len(piece) > 2:
        yield from scalings(piece, level, rng)
    yield from polynomials(piece, level, rng, HIGH)
    yield from ratios(piece, level, rng)
    yield from coordinates(piece, level, rng)
    yield from compositions(piece, level, rng)
    yield from parities(piece, level, rng)
    yield from slices(piece, level, rng, solve)


def _negative(piece: Piece) -> Move:
    opposite = piece.mapped(lambda v: v.scaled(-1.0))
    part = opposite.of(range(len(piece)), opposite.ask)
    return Move("negative", 0.0, (part,), lambda trees: call("neg", trees[0]))
