"""Sums and products without a common variable, and with one."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distill.engines.structure.splits import components, sharing, splits

SIDE = (0.5, 2.0)
BENT = (
    np.exp,
    np.sqrt,
    np.square,
    np.sin,
    lambda t: 1 / (1 + t),
    lambda t: np.log(1 + t),
    lambda t: np.tanh(t - 1),
)
bent = st.sampled_from(BENT)
size = st.floats(0.3, 3.0)
quick = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def groups(move):
    return [[view.name for view in part.views] for part in move.parts]


@quick
@given(g=bent, h=bent, a=size, seed=st.integers(0, 99))
def test_products_are_split(make_piece, exact, joined_off, g, h, a, seed):
    piece = make_piece(lambda x, y: g(a * x) * (1.1 + h(y)), SIDE, SIDE)
    move = next(splits(piece, exact, np.random.default_rng(seed)))
    assert groups(move) == [["x"], ["y"]]
    assert "product" in move.text
    assert joined_off(piece, move) < 1e-9


@quick
@given(g=bent, h=bent, a=size, seed=st.integers(0, 99))
def test_sums_are_split(make_piece, exact, joined_off, g, h, a, seed):
    piece = make_piece(lambda x, y: g(a * x) + a * h(y), SIDE, SIDE)
    move = next(splits(piece, exact, np.random.default_rng(seed)))
    assert groups(move) == [["x"], ["y"]]
    assert joined_off(piece, move) < 1e-9


@quick
@given(g=bent, h=bent, c=st.floats(-5, 5).filter(lambda c: abs(c) > 0.1))
def test_products_behind_an_offset_are_split(make_piece, exact, joined_off, rng, g, h, c):
    piece = make_piece(lambda x, y: c + g(x) * (1.1 + h(y)), SIDE, SIDE)
    move = next(splits(piece, exact, rng))
    assert "plus a product" in move.text
    assert joined_off(piece, move) < 1e-7


def test_groups_of_variables_stay_together(make_piece, level, noise_of, joined_off, rng):
    piece = make_piece(
        lambda x, y, z, w: 2 * np.exp(-x * z) * (3 + np.sin(y * w * 2)),
        *[SIDE] * 4,
        noise=noise_of(level),
    )
    move = next(splits(piece, level, rng))
    assert groups(move) == [["x", "z"], ["y", "w"]]
    assert joined_off(piece, move) < 10 * max(level.bar, 1e-10)


def test_a_product_may_change_its_sign(make_piece, level, noise_of, rng):
    piece = make_piece(
        lambda x, y: 3 * np.sin(2 * x) * np.cos(3 * y), (-1, 2), (-1, 2), noise=noise_of(level)
    )
    assert "product" in next(splits(piece, level, rng)).text


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: np.exp(-x * y) + np.sin(x + 2 * y),
        lambda x, y: x**y,
        lambda x, y: np.sqrt(x + y * y) * np.sin(3 * x * y),
    ],
)
def test_what_is_not_separable_is_not_split(make_piece, level, noise_of, rng, function):
    piece = make_piece(function, SIDE, SIDE, noise=noise_of(level))
    assert list(splits(piece, level, rng)) == []


def test_a_small_mixed_term_is_seen_at_the_exact_level(make_piece, exact, rng):
    piece = make_piece(lambda x, y: x + y + 1e-6 * x * x * y, SIDE, SIDE)
    assert all("sum" not in move.text for move in splits(piece, exact, rng))


def test_parts_may_share_a_variable(make_piece, level, noise_of, joined_off, rng):
    piece = make_piece(
        lambda x, y, z: np.exp(x * z) + 2 * np.sin(3 * y * z), *[SIDE] * 3, noise=noise_of(level)
    )
    moves = list(sharing(piece, level, rng))
    assert [move.text for move in moves] == ["x and y enter separate parts of a sum"]
    assert joined_off(piece, moves[0]) < 10 * max(level.bar, 1e-10)


def test_factors_may_share_a_variable(make_piece, exact, joined_off, rng):
    piece = make_piece(lambda x, y, z: (x + z * z) * np.sin(y + z), *[SIDE] * 3)
    move = next(sharing(piece, exact, rng))
    assert "product" in move.text
    assert joined_off(piece, move) < 1e-9


def test_answers_of_zero_and_without_error_bars_split_nothing_and_raise_nothing(
    make_piece, exact, rng
):
    flags = make_piece(lambda x, y: (x + y > 1.5) * 1.0, (0, 1), (0, 1), whole=(0, 1))
    for move in splits(flags, exact, rng):
        assert np.isfinite(move.price)
    nothing = make_piece(lambda x, y: 0 * x, SIDE, SIDE)
    list(splits(nothing, exact, rng))
    list(splits(make_piece(lambda x, y: np.nan * x, SIDE, SIDE), exact, rng))


def test_components_join_what_is_not_apart():
    assert components(4, {(0, 1): 0.0, (0, 3): 0.0, (1, 2): 0.0, (2, 3): 0.0}) == [[0, 2], [1, 3]]
    assert components(3, {}) == [[0, 1, 2]]
    assert components(2, {(0, 1): 0.0}) == [[0], [1]]
