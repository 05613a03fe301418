"""How the answer depends on one variable: polynomials, one function, ratios."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distill.engines.structure.polynomials import HIGH, LOW, polynomials
from distill.engines.structure.ratios import ratios
from distill.engines.structure.separations import separations

SIDE = (0.5, 2.0)
NAMES = {1: "a straight line in x", 2: "a parabola in x", 3: "a polynomial of degree 3 in x"}
quick = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def dependences(piece, level, rng):
    """What is found along one variable, in the order of the search."""
    yield from polynomials(piece, level, rng, LOW)
    yield from separations(piece, level, rng)
    yield from polynomials(piece, level, rng, HIGH)
    yield from ratios(piece, level, rng)


def texts(moves):
    return [move.text for move in moves]


@quick
@given(
    degree=st.integers(1, 3),
    c=st.lists(st.floats(0.3, 2.0), min_size=4, max_size=4),
    low=st.floats(-3, 1),
)
def test_polynomials_and_their_coefficients(make_piece, exact, joined_off, degree, c, low):
    piece = make_piece(
        lambda x, y: sum(c[k] * np.sin(y + k) * x**k for k in range(degree + 1)),
        (low, low + 2),
        SIDE,
    )
    moves = list(dependences(piece, exact, np.random.default_rng(0)))
    move = next(move for move in moves if move.text == NAMES[degree])
    assert len(move.parts) == degree + 1
    assert joined_off(piece, move) < 1e-9
    y = np.linspace(*SIDE, 7)
    np.testing.assert_allclose(
        move.parts[degree](y[:, None]).y, c[degree] * np.sin(y + degree), rtol=1e-8, atol=1e-9
    )


def test_a_missing_power_is_left_out(make_piece, level, noise_of, rng, joined_off):
    piece = make_piece(
        lambda x, y: np.exp(y) * x**2 + 3 * np.sin(y), (-1, 1), SIDE, noise=noise_of(level)
    )
    move = next(move for move in dependences(piece, level, rng) if "parabola in x" in move.text)
    assert len(move.parts) == 2
    assert joined_off(piece, move) < 20 * max(level.bar, 1e-11)


@pytest.mark.parametrize("of", [np.exp, np.sqrt, lambda t: np.sin(3 * t), lambda t: 1 / (1 + t)])
def test_a_term_and_a_multiple_of_one_function(make_piece, level, noise_of, rng, joined_off, of):
    piece = make_piece(
        lambda x, y: np.log(y) * 5 + (y + np.sin(4 * y)) * 3 * of(x),
        SIDE,
        SIDE,
        noise=noise_of(level),
    )
    moves = {move.text: move for move in dependences(piece, level, rng)}
    move = moves["a + b k(x)"]
    assert [len(part) for part in move.parts] == [1, 1, 1]
    assert joined_off(piece, move) < 30 * max(level.bar, 1e-11)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: (x + np.exp(y)) / (x + y),
        lambda x, y: np.exp(y) / (1 + y * y * x),
        lambda x, y: (x * x + np.sin(y)) / (x + y),
        lambda x, y: 1 / (1 + np.exp(y) * x + y * x * x),
    ],
)
def test_ratios_of_polynomials(make_piece, exact, rng, joined_off, function):
    piece = make_piece(function, SIDE, SIDE)
    moves = {move.text: move for move in dependences(piece, exact, rng)}
    assert joined_off(piece, moves["a ratio of polynomials in x"]) < 1e-7


def test_nothing_is_found_where_there_is_nothing(make_piece, level, noise_of, rng):
    piece = make_piece(
        lambda x, y: np.exp(2 * np.sin(3 * x * y)) + np.sqrt(x + y**3) * 3,
        SIDE,
        SIDE,
        noise=noise_of(level),
    )
    assert texts(dependences(piece, level, rng)) == []


def test_whole_numbers_are_no_polynomials(make_piece, exact, rng):
    piece = make_piece(lambda x, y: x * y, (0, 5), SIDE, whole=(0,))
    assert not any("in x" in text for text in texts(dependences(piece, exact, rng)))
