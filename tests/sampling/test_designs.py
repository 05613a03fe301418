"""Designs: where they put their points, and that they do so again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain, Variable
from distill.errors import SampleError
from distill.sampling.designs import DESIGNS, border

MIXED = Domain(
    (
        Variable("speed", 0.001, 10.0, scale="log"),
        Variable("gear", 1, 6, kind="integer"),
        Variable("on", 0, 1, kind="boolean"),
        Variable("heat", -20, 60),
    )
)
BOX = Domain.box(a=(0, 1), b=(-2, 3))
ASKED = ["sobol", "lhs", "grid"]


def _has(points: np.ndarray, wanted: np.ndarray) -> bool:
    rows = {tuple(p) for p in points.tolist()}
    return all(tuple(p) in rows for p in wanted.tolist())


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("domain", [MIXED, BOX, Domain.box(x=(3, 4))])
@pytest.mark.parametrize("n", [64, 333])
def test_points_are_in_the_domain_with_every_corner_and_none_twice(
    name: str, domain: Domain, n: int
):
    x = DESIGNS[name].points(domain, n, 5)
    assert x.shape[1] == len(domain)
    assert len(x) <= n
    assert domain.contains(x).all()
    np.testing.assert_array_equal(x, domain.clip(x))  # whole values where they must be
    assert _has(x, domain.corners())
    assert len(np.unique(x, axis=0)) == len(x)


@pytest.mark.parametrize("name", ["sobol", "lhs"])
def test_the_wanted_number_of_points(name: str):
    for n in (16, 100, 1024):
        assert len(DESIGNS[name].points(BOX, n, 0)) == n


@pytest.mark.parametrize("name", ASKED)
def test_equal_seeds_give_equal_bits_and_others_do_not(name: str):
    points = DESIGNS[name].points
    assert points(MIXED, 200, 1).tobytes() == points(MIXED, 200, 1).tobytes()
    if name != "grid":
        assert points(MIXED, 200, 1).tobytes() != points(MIXED, 200, 2).tobytes()


@pytest.mark.parametrize("name", ["sobol", "lhs"])
def test_every_face_is_touched_between_its_corners(name: str):
    domain = Domain.box(a=(0, 1), b=(-2, 3), c=(5, 9))
    x = DESIGNS[name].points(domain, 512, 0)
    for i, v in enumerate(domain.variables):
        others = np.delete(np.arange(3), i)
        between = ((x > domain.low) & (x < domain.high))[:, others].all(axis=1)
        for end in (v.low, v.high):
            assert (between & (x[:, i] == end)).sum() >= 5


def test_centres_of_faces_are_there_and_half_the_points_are_inside():
    x = DESIGNS["sobol"].points(BOX, 64, 0)
    assert _has(x, np.array([[0, 0.5], [1, 0.5], [0.5, -2], [0.5, 3]]))
    inside = ((x > BOX.low) & (x < BOX.high)).all(axis=1)
    assert inside.sum() >= 32


def test_many_inputs_keep_all_corners_up_to_4096():
    domain = Domain.box(**{f"x{i}": (0, 1) for i in range(10)})
    x = DESIGNS["sobol"].points(domain, 256, 0)
    assert _has(x, domain.corners())
    assert len(x) == 1024 + 128
    wide = Domain.box(**{f"x{i}": (0, 1) for i in range(20)})
    assert len(DESIGNS["sobol"].points(wide, 16384, 0)) == 16384


def test_lhs_covers_every_input_evenly():
    x = DESIGNS["lhs"].points(BOX, 400, 3)
    inside = x[len(border(BOX, 400 // 8 + 4, 3)) :]
    n = len(inside)
    for i in range(2):
        bins = np.floor(BOX.to_unit(inside)[:, i] * n).astype(int)
        assert sorted(bins) == list(range(n))


def test_log_variables_are_spread_by_their_logarithm_with_exact_ends():
    domain = Domain((Variable("f", 0.1, 1000.0, scale="log"), Variable("g", 0.3, 7.0, scale="log")))
    x = DESIGNS["sobol"].points(domain, 1024, 0)
    assert abs(np.median(x[:, 0]) - 10) < 1
    grid = DESIGNS["grid"].points(domain, 25, 0)
    np.testing.assert_allclose(np.unique(grid[:, 0]), [0.1, 1, 10, 100, 1000])
    assert set(grid[[0, -1]].ravel().tolist()) == {0.1, 0.3, 1000.0, 7.0}


def test_grid_spends_its_points_where_levels_are_left():
    grid = DESIGNS["grid"].points(MIXED, 1000, 0)
    counts = [len(np.unique(grid[:, i])) for i in range(4)]
    assert counts[1:3] == [6, 2]
    assert len(grid) == np.prod(counts)
    assert 1000 - len(grid) < min(1000 // counts[0], 1000 // counts[3])
    assert len(DESIGNS["grid"].points(BOX, 256, 0)) == 256
    np.testing.assert_allclose(np.diff(np.unique(DESIGNS["grid"].points(BOX, 36, 0)[:, 0])), 0.2)


def test_a_grid_needs_its_corners():
    with pytest.raises(SampleError, match="16 points at least, 10 wanted"):
        DESIGNS["grid"].points(MIXED, 10, 0)


def test_exhaustive_gives_every_point_once():
    domain = Domain((Variable("a", -1, 2, kind="integer"), Variable("b", 0, 1, kind="boolean")))
    x = DESIGNS["exhaustive"].points(domain, 8, 0)
    assert sorted(map(tuple, x.tolist())) == [(a, b) for a in (-1, 0, 1, 2) for b in (0, 1)]


def test_exhaustive_refuses_the_continuous_and_the_too_many():
    with pytest.raises(SampleError, match="`speed` is continuous"):
        DESIGNS["exhaustive"].points(MIXED, 1000, 0)
    huge = Domain(tuple(Variable(f"i{k}", 0, 65535, kind="integer") for k in range(5)))
    with pytest.raises(SampleError, match="1,208,925,819,614,629,174,706,176 points"):
        DESIGNS["exhaustive"].points(huge, 2**22, 0)


def test_a_small_domain_of_whole_numbers_has_no_point_twice():
    domain = Domain((Variable("a", 0, 3, kind="integer"), Variable("b", 0, 1, kind="boolean")))
    assert len(DESIGNS["sobol"].points(domain, 500, 0)) == 8


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["linear", "log", "integer"]), st.floats(0.01, 1e3)),
        min_size=1,
        max_size=5,
    ),
    st.integers(32, 300),
    st.integers(0, 2**32),
)
def test_any_domain(kinds: list[tuple[str, float]], n: int, seed: int):
    domain = Domain(
        tuple(
            Variable(f"v{i}", 1, 1 + max(1, int(width)), kind="integer")
            if kind == "integer"
            else Variable(f"v{i}", width, 3 * width, scale=kind)
            for i, (kind, width) in enumerate(kinds)
        )
    )
    for name in ASKED:
        x = DESIGNS[name].points(domain, n, seed)
        assert domain.contains(x).all()
        assert _has(x, domain.corners())
        np.testing.assert_array_equal(x, domain.clip(x))
