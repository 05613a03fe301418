"""Variables that do not matter, other coordinates, composition, links, and error bars."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distill.engines.structure.composition import compositions
from distill.engines.structure.coordinates import coordinates
from distill.engines.structure.irrelevant import irrelevant
from distill.engines.structure.links import LINKS
from distill.engines.structure.piece import Values, weighted_error
from distill.engines.structure.splits import splits
from distill.formula.program import compile_tree
from distill.formula.tree import Symbol

SIDE = (0.5, 2.0)
quick = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quick
@given(matter=st.sets(st.integers(0, 5), min_size=1, max_size=4))
def test_only_variables_that_matter_are_kept(make_piece, exact, joined_off, matter):
    piece = make_piece(lambda *x: sum(np.sin((i + 1) * x[i]) for i in matter), *[SIDE] * 6)
    move = irrelevant(piece, exact, np.random.default_rng(0))
    assert [view.name for view in move.parts[0].views] == ["xyzwuv"[i] for i in sorted(matter)]
    assert joined_off(piece, move) < 1e-12


def test_a_variable_matters_when_it_is_seen_above_the_noise(make_piece, rough, noise_of, rng):
    def left(size):
        piece = make_piece(lambda x, y: x + size * y, SIDE, SIDE, noise=noise_of(rough))
        return irrelevant(piece, rough, rng)

    assert left(0.1 * noise_of(rough)) is not None
    assert left(30 * noise_of(rough)) is None


def test_where_nothing_is_known_nothing_is_believed(make_piece, exact, rng):
    piece = make_piece(lambda x, y: np.where(y < 0.51, x, np.nan), SIDE, SIDE)
    assert irrelevant(piece, exact, rng) is None
    nothing = Values(np.full(9, np.nan), np.ones(9))
    assert nothing.size == np.inf
    assert exact.believes(nothing) is None


COORDINATES = {
    "product and one": lambda x, y: np.exp(-x * y) * np.sin(3 * y),
    "sum and one": lambda x, y: np.tanh(x - y) * 3 + np.exp(y),
    "ratio and one": lambda x, y: np.sin(3 * x / y) + y * np.sqrt(y),
}


@pytest.mark.parametrize("function", COORDINATES.values(), ids=COORDINATES)
def test_pieces_that_separate_in_other_coordinates(
    make_piece, level, noise_of, rng, joined_off, function
):
    piece = make_piece(function, SIDE, SIDE, noise=noise_of(level))
    moves = list(coordinates(piece, level, rng))
    assert moves
    assert min(joined_off(piece, move) for move in moves) < 30 * max(level.bar, 1e-10)


def test_nothing_separates_where_nothing_does(make_piece, level, noise_of, rng):
    piece = make_piece(
        lambda x, y: np.exp(2 * np.sin(3 * x * x * y + y)), SIDE, SIDE, noise=noise_of(level)
    )
    assert list(coordinates(piece, level, rng)) == []


def test_variables_that_act_through_one_function(make_piece, exact, rng, joined_off):
    piece = make_piece(
        lambda x, y, z: np.sin(z * (x * np.exp(y) + y)) + x * np.exp(y) + y, *[(0.3, 1.0)] * 3
    )
    (move,) = compositions(piece, exact, rng)
    assert move.text == "x, y act through one function"
    assert [len(part) for part in move.parts] == [2, 2]
    x = piece.draw(rng, 50)
    inside = move.parts[0](x[:, :2]).y
    outer = move.parts[1]
    fine = (inside > outer.low[-1]) & (inside < outer.high[-1])
    there = outer(np.column_stack([x[:, 2], inside])).y
    assert fine.sum() > 10
    np.testing.assert_allclose(there[fine], piece(x).y[fine], rtol=1e-9)


def test_nothing_acts_through_one_function_where_nothing_does(make_piece, exact, rng):
    piece = make_piece(
        lambda x, y, z: np.sin(x * y + z) + np.exp(y * z) * x + z * x * x, *[(0.3, 1.0)] * 3
    )
    assert list(compositions(piece, exact, rng)) == []


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.name)
def test_links_are_undone_and_carry_error_bars(link):
    ranges = ((0.05, 0.95), (0.2, 1.4), (1.5, 3.0))
    t = next(t for ends in ranges if link.allows(t := np.linspace(*ends, 41)))
    linked = link(Values(t, np.full(41, 1e-3)))
    back = compile_tree(link.back(Symbol("v")), ("v",))(linked.y[:, None])
    np.testing.assert_allclose(back, t, rtol=1e-9)
    h = 1e-6
    moved = np.abs(link(Values(t + h, t)).y - link(Values(t - h, t)).y) / (2 * h)
    np.testing.assert_allclose(linked.s, 1e-3 * moved, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("square", lambda x, y: np.sqrt(np.exp(x) + y)),
        ("inverse", lambda x, y: 1 / (np.sin(x) + y)),
        ("log", lambda x, y: np.exp(np.sin(x) - y * y)),
        ("exp", lambda x, y: np.log(np.exp(x) + y)),
        ("atan", lambda x, y: np.tan(0.3 * x + np.sin(y) / 3)),
        ("sin", lambda x, y: np.arcsin(0.2 * x + 0.1 * y * y)),
    ],
)
def test_behind_its_link_a_piece_falls_apart(make_piece, exact, rng, name, function):
    piece = make_piece(function, SIDE, SIDE)
    link = next(link for link in LINKS if link.name == name)
    values = piece(piece.draw(rng, 100)).y
    assert link.allows(values)
    assert any("sum of" in move.text for move in splits(link.on(piece), exact, rng))


numbers = st.floats(-1e3, 1e3)
bars = st.floats(1e-6, 1.0)


@quick
@given(a=numbers, b=numbers.filter(lambda v: abs(v) > 1e-2), s=bars, t=bars)
def test_error_bars_are_carried_through_arithmetic(a, b, s, t):
    rng = np.random.default_rng(0)
    one = Values(np.array([a]), np.array([s]))
    two = Values(np.array([b]), np.array([t * abs(b) * 1e-2]))
    x = a + s * rng.standard_normal(20_000)
    y = b + two.s * rng.standard_normal(20_000)
    for together, spread in (
        (one.plus(two), np.std(x + y)),
        (one.minus(two), np.std(x - y)),
        (one.times(two), np.std(x * y)),
        (one.over(two), np.std(x / y)),
    ):
        np.testing.assert_allclose(together.s, spread, rtol=0.05)


def test_huge_answers_overflow_nowhere(make_piece, exact, rng):
    piece = make_piece(lambda x, y: np.exp(200 * x * y), SIDE, SIDE)
    values = piece(piece.draw(rng, 100))
    assert np.isfinite(values.times(values).y[np.isfinite(values.y)]).all()
    list(splits(piece, exact, rng))
    assert weighted_error(np.full(100, 1e300), values) == np.inf
