"""Pieces of one variable that takes whole values only."""

import numpy as np
import pytest

from distill.engines.structure.whole_numbers import along_whole
from distill.formula.program import compile_tree

OPERATORS = dict.fromkeys(("add", "sub", "mul", "div", "square", "sqrt", "pow", "exp", "log"), 1.0)


@pytest.mark.parametrize(
    ("function", "low", "high"),
    [
        (lambda n: 3.0 - 5.0 * n, 0, 1),
        (lambda n: 2.0**n, 0, 2),
        (lambda n: n**2 - 3 * n, -4, 9),
        (lambda n: 0.5 * n**3, 1, 1000),
        (lambda n: 3 * np.exp(-0.7 * n), 0, 9),
    ],
)
def test_formulas_are_exact_at_the_whole_values(make_piece, exact, function, low, high):
    asked = []

    def watched(n):
        asked.append(n)
        return function(n)

    piece = make_piece(watched, (low, high), whole=(0,))
    best = along_whole(piece, exact, OPERATORS, 0, 0, None)[-1]
    n = np.arange(low, high + 1.0)
    off = compile_tree(best.tree, piece.names)(n[:, None]) - function(n)
    assert np.abs(off).max() < 1e-9 * np.ptp(function(n))
    assert all((np.round(n) == n).all() for n in asked)


def test_where_hardly_anything_is_known_nothing_comes_out(make_piece, exact):
    piece = make_piece(lambda n: np.where(n < 1, n, np.nan), (0, 9), whole=(0,))
    assert along_whole(piece, exact, OPERATORS, 0, 0, None) == []
