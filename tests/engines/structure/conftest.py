"""Pieces made of plain functions, and putting together what a move takes apart."""

import numpy as np
import pytest

from distill.engines.structure.engine import EXACT
from distill.engines.structure.moves import Level
from distill.engines.structure.piece import Piece, Values
from distill.formula.program import compile_tree
from distill.formula.tree import Symbol, symbols

NOISE = 1e-3
ROUGH = Level(NOISE, 1.5, 1.5 * NOISE, 1.3 * NOISE, 100 * NOISE, power=4.0, exact=False)


def piece_of(function, *box, noise=0.0, whole=()):
    """A piece of ``function(x, y, ...)`` over a box of pairs, with noise that repeats itself."""
    rng = np.random.default_rng(5)

    def ask(x):
        with np.errstate(all="ignore"):
            y = function(*x.T) * np.ones(len(x))
        if noise:
            return Values(y + noise * rng.standard_normal(len(y)), np.ones(len(y)))
        return Values(y, np.abs(y) + 1e-2)

    low, high = np.array(box, dtype=float).T
    names = "xyzwuv"[: len(box)]
    views = tuple(Symbol(name) for name in names)
    local = tuple(Symbol(f"v{i}") for i in range(len(box)))
    return Piece(ask, low, high, views, local, tuple(i in whole for i in range(len(box))))


def off_when_joined(piece, move, n=50):
    """How far the piece is from what the move makes of its parts' own answers, at most."""
    x = piece.draw(np.random.default_rng(7), n)
    known = dict(zip(piece.names, x.T, strict=True))
    answers = {}
    for k, part in enumerate(move.parts):
        inside = np.column_stack([_values(tree, known, n) for tree in part.local])
        answers[f"p{k}"] = part(inside).y
        # What acts through one function is called by a name of its own in the other part.
        for tree in move.parts[-1].local:
            known |= {name: answers["p0"] for name in symbols(tree) if name not in known}
    joined = _values(move.join([Symbol(name) for name in answers]), known | answers, n)
    return float(np.nanmax(np.abs(joined - piece(x).y)))


def _values(tree, known, n):
    names = tuple(known)
    with np.errstate(all="ignore"):
        return compile_tree(tree, names)(np.column_stack(list(known.values()))) * np.ones(n)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def make_piece():
    return piece_of


@pytest.fixture
def joined_off():
    return off_when_joined


@pytest.fixture(params=[EXACT, ROUGH], ids=["exact", "rough"])
def level(request):
    return request.param


@pytest.fixture
def exact():
    return EXACT


@pytest.fixture
def rough():
    return ROUGH


@pytest.fixture
def noise_of():
    """The noise that answers have at a level."""
    return lambda level: 0.0 if level.exact else NOISE
