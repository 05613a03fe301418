"""Even and odd variables of pieces with several."""

import numpy as np

from distill.engines.structure.parity import parities

ACROSS, BESIDE = (-1.5, 2.0), (0.5, 2.0)


def test_even_in_one_variable(make_piece, level, noise_of, rng, joined_off):
    piece = make_piece(
        lambda x, y: np.cosh(x * y) + y * np.cos(3 * x), ACROSS, BESIDE, noise=noise_of(level)
    )
    (move,) = parities(piece, level, rng)
    assert move.text == "even in x"
    assert move.parts[0].high[-1] == 4.0
    assert joined_off(piece, move) < 20 * max(level.bar, 1e-11)


def test_odd_in_one_variable(make_piece, exact, rng, joined_off):
    piece = make_piece(lambda x, y: np.sinh(x * y) + np.sin(x), (-2.0, 1.0), BESIDE)
    (move,) = parities(piece, exact, rng)
    assert move.text == "odd in x"
    assert joined_off(piece, move) < 1e-11


def test_neither(make_piece, level, noise_of, rng):
    piece = make_piece(
        lambda x, y: np.exp(x * y) + np.cos(x), ACROSS, BESIDE, noise=noise_of(level)
    )
    assert list(parities(piece, level, rng)) == []
