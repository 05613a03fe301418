"""Two variables that act as one, and answers that scale with two."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from distill.engines.structure import shifts
from distill.engines.structure.symmetries import combined, scalings
from distill.formula.program import compile_tree

SIDE = (0.5, 2.0)
OUTER = (
    lambda t: np.tanh(t - 1),
    lambda t: np.sin(t) + t * t,
    lambda t: 1 / (1 + t * t),
    lambda t: np.exp(-0.4 * t) + 0.1 * t,
)
quick = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
outer = st.sampled_from(OUTER)


def says(piece, move, function):
    """Whether the new variable is a function of ``function`` and the other way round."""
    x = piece.draw(np.random.default_rng(3), 400)
    with np.errstate(all="ignore"):
        view = compile_tree(move.parts[0].local[-1], piece.names)(x)
    wanted = function(*x.T)
    fine = np.isfinite(view)
    order = np.argsort(view[fine])
    steps = np.diff(wanted[fine][order])
    tiny = 1e-7 * np.ptp(wanted)
    return bool(np.all(steps > -tiny) or np.all(steps < tiny))


INNER = {
    "x-y": (lambda x, y: x - y, [SIDE, SIDE]),
    "x+3y": (lambda x, y: x + 3 * y, [SIDE, SIDE]),
    "2x-5y about zero": (lambda x, y: 2 * x - 5 * y, [(-1, 1), (-2, 1)]),
    "x/y": (lambda x, y: x / y, [SIDE, SIDE]),
    "x y": (lambda x, y: x * y, [SIDE, SIDE]),
    "x^2 y": (lambda x, y: x * x * y, [SIDE, SIDE]),
    "x^3/y": (lambda x, y: x**3 / y, [SIDE, SIDE]),
    "x^2+y^2": (lambda x, y: x * x + y * y, [SIDE, SIDE]),
    "x^2-y^2": (lambda x, y: x * x - y * y, [SIDE, SIDE]),
    "1/x+1/y": (lambda x, y: 1 / x + 1 / y, [SIDE, SIDE]),
    "sqrt x+sqrt y": (lambda x, y: np.sqrt(x) + np.sqrt(y), [SIDE, SIDE]),
}


@pytest.mark.parametrize(("inner", "box"), INNER.values(), ids=INNER)
def test_what_acts_as_one_is_found(make_piece, level, noise_of, joined_off, rng, inner, box):
    piece = make_piece(lambda x, y: 3 * np.sin(inner(x, y) / 2), *box, noise=noise_of(level))
    (move,) = combined(piece, level, rng)
    assert says(piece, move, inner)
    assert joined_off(piece, move) < 10 * max(level.bar, 1e-11)


ABOUT_ZERO = {
    "x y": (lambda x, y: x * y, [(0, 1), (0, 2)]),
    "x y, one about zero": (lambda x, y: x * y, [(-1, 0.7), (0.5, 2)]),
    "x y, both negative": (lambda x, y: x * y, [(-3, -1), (-2, -0.5)]),
    "x/y": (lambda x, y: x / y, [(-1, 2), (1, 2)]),
    "x^2 y": (lambda x, y: x * x * y, [(0, 2), (1, 2)]),
    "1/x-1/y": (lambda x, y: 1 / x - 1 / y, [(-3, -1), (1, 4)]),
}


@pytest.mark.parametrize(("inner", "box"), ABOUT_ZERO.values(), ids=ABOUT_ZERO)
def test_a_part_of_the_box_is_enough_to_find_it(make_piece, exact, rng, inner, box):
    piece = make_piece(lambda x, y: np.tanh(inner(x, y)) + inner(x, y) / 3, *box)
    (move,) = combined(piece, exact, rng)
    assert says(piece, move, inner)


def test_a_teacher_is_never_asked_where_a_shifted_power_has_no_value(
    make_piece, exact, rng, monkeypatch
):
    follow, lost = shifts.follows, []

    def follows(*args):
        there = follow(*args)
        there[::3] = np.nan
        lost.append(len(there[::3]))
        return there

    def teacher(t, u):
        assert np.isfinite(t).all()
        assert np.isfinite(u).all()
        ratio = (t + 273.15) / (u + 273.15)
        return ratio**1.7 + np.log(ratio)

    monkeypatch.setattr(shifts, "follows", follows)
    combined(make_piece(teacher, (-20, 80), (-20, 80)), exact, rng)
    assert sum(lost) > 0


def test_shifted_products_are_found_in_degrees_celsius(make_piece, exact, joined_off, rng):
    piece = make_piece(
        lambda t, u: ((t + 273.15) / (u + 273.15)) ** 1.7 + np.log((t + 273.15) / (u + 273.15)),
        (-20, 80),
        (-20, 40),
    )
    (move,) = combined(piece, exact, rng)
    assert says(piece, move, lambda t, u: (t + 273.15) / (u + 273.15))
    assert joined_off(piece, move) < 1e-10


SHIFTED = {
    "product": lambda x, y, a, b: (x + a) * (y + b),
    "ratio": lambda x, y, a, b: (x + a) / (y + b),
    "circle": lambda x, y, a, b: (x - a) ** 2 + (y - b) ** 2,
    "inverses": lambda x, y, a, b: 1 / (x + a) + 1 / (y + b),
    "one squared": lambda x, y, a, b: (x + a) ** 2 + b * y,
    "one behind a logarithm": lambda x, y, a, b: np.log(x + a) + b * y,
}


@pytest.mark.parametrize("inner", SHIFTED.values(), ids=SHIFTED)
@quick
@given(a=st.floats(0.2, 3), b=st.floats(0.2, 3), g=outer)
def test_shifted_variables_are_found(make_piece, exact, rng, inner, a, b, g):
    a, b = round(a, 3), round(b, 3)
    assume(abs(a - b) > 0.05)
    piece = make_piece(lambda x, y: g(inner(x, y, a, b) / 2), (0, 1), (0, 1))
    moves = combined(piece, exact, rng)
    assert moves
    assert says(piece, moves[0], lambda x, y: inner(x, y, a, b))


@pytest.mark.parametrize("kind", ["product", "circle", "one squared"])
def test_shifted_variables_are_found_through_noise(make_piece, rough, noise_of, rng, kind):
    piece = make_piece(
        lambda x, y: 5 * np.sin(SHIFTED[kind](x, y, 0.7, 1.2)),
        (0, 1),
        (0, 1),
        noise=noise_of(rough),
    )
    moves = combined(piece, rough, rng)
    assert moves
    x = piece.draw(rng, 200)
    view = compile_tree(moves[0].parts[0].local[-1], piece.names)(x)
    truth = SHIFTED[kind](*x.T, 0.7, 1.2)
    assert abs(np.corrcoef(view, truth)[0, 1]) > 0.999


def test_three_variables_two_of_which_act_as_one(make_piece, level, noise_of, joined_off, rng):
    piece = make_piece(
        lambda x, y, z: np.sin(3 * z) * np.exp(-(x - y)) + (x - y) * z, *[SIDE] * 3,
        noise=noise_of(level),
    )  # fmt: skip
    (move,) = combined(piece, level, rng)
    assert len(move.parts[0]) == 2
    assert says(piece, move, lambda x, y, z: x - y)
    assert joined_off(piece, move) < 10 * max(level.bar, 1e-11)


WITHOUT = (
    lambda x, y: np.sin(x * x + x * y + 3 * y),
    lambda x, y: x**y + np.sin(3 * x),
    lambda x, y: np.exp(-x) * np.sin(4 * y) + x * y,
    lambda x, y: np.sin(5 * x) + y,
)


@pytest.mark.parametrize("function", WITHOUT)
@pytest.mark.parametrize("box", [(0.5, 2.0), (-1.0, 2.0)])
def test_nothing_is_found_where_there_is_nothing(make_piece, level, noise_of, rng, function, box):
    piece = make_piece(function, box, SIDE, noise=noise_of(level))
    assert combined(piece, level, rng) == []


@quick
@given(a=st.sampled_from([-2, -1, 0.5, 1, 2, 3]), b=st.sampled_from([-2, -1, -0.5, 0.5, 1, 2]))
def test_scalings_are_found(make_piece, exact, joined_off, rng, a, b):
    piece = make_piece(lambda x, y: x**a * np.sin(1 + y / x**b), SIDE, SIDE)
    moves = scalings(piece, exact, rng)
    assert any(says(piece, move, lambda x, y: y / x**b) for move in moves)
    for move in moves:
        assert joined_off(piece, move) < 1e-9


def test_a_scaling_is_found_next_to_zero_and_through_noise(
    make_piece, level, noise_of, joined_off, rng
):
    piece = make_piece(lambda x, y: x**2 * np.exp(y / x), (0.2, 2), (-1, 1), noise=noise_of(level))
    moves = {move.text: move for move in scalings(piece, level, rng)}
    move = moves["square(x) times a function of y/x"]
    assert joined_off(piece, move) < 1e3 * max(level.bar, 1e-11)


def test_what_does_not_scale_is_not_found_to(make_piece, level, noise_of, rng):
    piece = make_piece(
        lambda x, y: np.sin(3 * x) + np.exp(-y) * x, SIDE, SIDE, noise=noise_of(level)
    )
    assert scalings(piece, level, rng) == []
