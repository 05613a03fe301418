"""Curves whose constants depend on the other variables."""

import numpy as np
import pytest

from distill.engines.structure.curves.solve import solve_curve
from distill.engines.structure.slices import slices
from distill.formula.operators import OPERATORS


def solver(level):
    return lambda curve: solve_curve(
        curve, target=level.target, operators=OPERATORS, seed=0, effort=0, deadline=None
    )


@pytest.mark.parametrize(
    ("function", "box"),
    [
        (lambda x, y: np.exp(-x * y) * np.cos(3 * x * np.sqrt(1 + y)), ((0.0, 2.0), (0.2, 0.8))),
        (lambda x, y: np.sin(y) + np.sqrt(x + y * y), ((0.0, 3.0), (0.5, 1.5))),
        # Nearly straight where y is small: the slices are followed from their neighbours.
        (lambda x, y: np.sinh(y * (1 - x)) / np.sinh(y), ((0.0, 1.0), (0.5, 4.0))),
    ],
)
def test_the_constants_of_a_curve_become_pieces(make_piece, exact, rng, joined_off, function, box):
    piece = make_piece(function, *box)
    moves = [m for m in slices(piece, exact, rng, solver(exact)) if "along x" in m.text]
    assert moves
    assert all(len(part) == 1 for part in moves[0].parts)
    assert joined_off(piece, moves[0]) < 1e-8


def test_a_form_that_holds_on_one_slice_only_is_not_believed(make_piece, exact, rng):
    piece = make_piece(
        lambda x, y: x**2 + (y - 1.325) * np.exp(np.sin(5 * x * y)), (0.0, 2.0), (0.5, 2.0)
    )
    assert not [m for m in slices(piece, exact, rng, solver(exact)) if "along x" in m.text]
