import numpy as np
import pytest

from distill.domain import Domain, Variable
from distill.extremum import border_points, every_point, largest


def cube(d, low=0.0, high=1.0):
    return Domain(tuple(Variable(f"x{i}", low, high) for i in range(d)))


@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 6])
def test_a_corner_is_hit_exactly(d):
    found = largest(lambda x: x.sum(axis=1), cube(d, -2.0, 3.0), points=256)
    assert found.value == 3.0 * d
    assert (found.x == 3.0).all()


@pytest.mark.parametrize("d", [2, 3, 6])
def test_a_maximum_on_an_edge(d):
    # only x0 runs free on the best edge, with its maximum at 0.37
    def bump(x):
        return x[:, 1:].sum(axis=1) - (x[:, 0] - 0.37) ** 2

    found = largest(bump, cube(d), points=256, starts=8)
    assert found.value == pytest.approx(d - 1, abs=1e-10)
    assert found.x == pytest.approx([0.37] + [1.0] * (d - 1), abs=1e-5)


@pytest.mark.parametrize(("d", "width"), [(1, 0.001), (2, 0.02), (3, 0.05), (6, 0.3)])
def test_a_narrow_peak_inside(d, width):
    centre = np.linspace(0.31, 0.62, d)

    def peak(x):
        return np.exp(-(((x - centre) / width) ** 2).sum(axis=1)) + 0.2 * np.sin(3 * x[:, 0])

    found = largest(peak, cube(d))
    assert found.x == pytest.approx(centre, abs=width)
    # many more random points, most of them close to the peak, find nothing higher
    rng = np.random.default_rng(1)
    near = np.clip(centre + width * rng.normal(size=(100_000, d)) / 3, 0, 1)
    others = max(peak(near).max(), peak(rng.random((100_000, d))).max())
    assert found.value >= others * (1 - 1e-7)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_sign_does_not_matter(sign):
    found = largest(lambda x: sign * np.cos(x[:, 0]) * x[:, 1], cube(2, -1.0, 1.0), points=64)
    assert found.value == pytest.approx(1.0, abs=1e-12)


def test_the_gradient_reaches_the_top_of_a_curved_ridge():
    # minus Rosenbrock's function: the top, 1, is at (1, 1), at the end of a thin curved ridge
    def ridge(x):
        return 1 - 1e-3 * (100 * (x[:, 1] - x[:, 0] ** 2) ** 2 + (1 - x[:, 0]) ** 2)

    def slope(x):
        bend = x[:, 1] - x[:, 0] ** 2
        return -1e-3 * np.column_stack([-400 * x[:, 0] * bend - 2 * (1 - x[:, 0]), 200 * bend])

    domain = Domain.box(a=(0.5, 1.7), b=(0.5, 1.7))
    found = largest(ridge, domain, points=32, starts=4, gradient=slope)
    assert found.value == pytest.approx(1.0, abs=1e-11)
    assert found.x == pytest.approx([1.0, 1.0], abs=1e-4)


def test_the_gradient_of_a_negative_difference_leads_to_its_lowest_point():
    domain = Domain((Variable("a", 0.01, 100.0, scale="log"), Variable("b", -3.0, 3.0)))

    def valley(x):
        return -5 + (np.log(x[:, 0]) - 0.7) ** 2 * 0.01 + 0.01 * (x[:, 1] - 1.3) ** 2

    def slope(x):
        return np.column_stack([0.02 * (np.log(x[:, 0]) - 0.7) / x[:, 0], 0.02 * (x[:, 1] - 1.3)])

    found = largest(valley, domain, points=16, starts=2, gradient=slope)
    assert found.value == pytest.approx(5.0, abs=1e-12)
    assert found.x == pytest.approx([np.exp(0.7), 1.3], rel=1e-5)


def test_whole_numbers_stay_whole():
    domain = Domain(
        (
            Variable("n", -5, 300, kind="integer"),
            Variable("on", 0, 1, kind="boolean"),
            Variable("x", 0.0, 1.0),
        )
    )

    def hill(x):
        return 10 + x[:, 1] - 1e-4 * (x[:, 0] - 117.4) ** 2 - (x[:, 2] - 0.21) ** 2

    found = largest(hill, domain, points=64, starts=4)
    assert found.x[:2] == pytest.approx([117.0, 1.0], abs=0)
    assert found.x[2] == pytest.approx(0.21, abs=1e-5)


def test_a_small_discrete_domain_is_searched_completely():
    domain = Domain((Variable("a", 0, 99, kind="integer"), Variable("b", 0, 99, kind="integer")))
    calls = []

    def needle(x):
        calls.append(len(x))
        return ((x == [37, 61]).all(axis=1)) * 1.0

    found = largest(needle, domain, points=8, starts=1)
    assert (found.value, found.x.tolist(), calls) == (1.0, [37.0, 61.0], [10_000])


def test_a_large_discrete_domain_climbs_by_whole_steps():
    domain = Domain(tuple(Variable(f"n{i}", 0, 999, kind="integer") for i in range(3)))
    found = largest(lambda x: -np.abs(x - [500, 123, 987]).sum(axis=1) + 4000, domain, points=64)
    assert (found.value, found.x.tolist()) == (4000.0, [500.0, 123.0, 987.0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_the_worst(bad):
    def hole(x):
        return np.where(x[:, 0] < 0.25, bad, 1.0)

    found = largest(hole, cube(2), points=64)
    assert found.value == np.inf
    assert found.x[0] < 0.25


def test_a_hole_met_while_climbing_is_told():
    # the design cannot see the hole, the climb up the slope runs into it
    found = largest(
        lambda x: np.where(np.abs(x[:, 0] - 0.7) < 1e-5, np.nan, 1 - np.abs(x[:, 0] - 0.7)),
        cube(1),
        points=8,
        starts=2,
    )
    assert found.value == np.inf
    assert found.x[0] == pytest.approx(0.7, abs=1e-5)


def test_points_given_by_the_caller_are_used():
    def needle(x):
        return np.where(np.abs(x - 0.123456).max(axis=1) < 1e-7, 7.0, 0.0)

    found = largest(needle, cube(2), points=64, also=np.array([[0.123456, 0.123456]]))
    assert found.value == 7.0


def test_points_given_outside_are_moved_to_the_domain():
    found = largest(lambda x: x[:, 0], cube(1), points=8, also=np.array([[50.0]]))
    assert found.value == 1.0


def test_equal_seeds_give_equal_points_and_trials_are_asked_together():
    calls = []

    def wave(x):
        calls.append(len(x))
        return np.sin(9 * x[:, 0]) * np.cos(7 * x[:, 1]) * x[:, 2]

    first, second = (largest(wave, cube(3), points=512, seed=4) for _ in range(2))
    assert first.x.tobytes() == second.x.tobytes()
    assert first.value == second.value
    assert len(calls) < 300, "one call for each round, not for each start"


def test_every_point_asked_lies_in_the_domain():
    domain = Domain(
        (
            Variable("f", 20.0, 20_000.0, scale="log"),
            Variable("n", 2, 9, kind="integer"),
            Variable("x", -0.1, 0.3),
        )
    )

    def watched(x):
        assert domain.contains(x).all()
        assert (x[:, 1] == np.round(x[:, 1])).all()
        return np.sin(x[:, 0]) + x[:, 1] * x[:, 2]

    assert largest(watched, domain, points=128).value <= 1 + 2.7 + 1e-12


def test_the_border_has_all_corners_and_points_inside_every_face():
    domain = cube(5, -1.0, 4.0)
    points = border_points(domain, 512, 0)
    on_bound = np.isin(points, (-1.0, 4.0))
    assert on_bound.any(axis=1).all()
    assert len(np.unique(points[on_bound.all(axis=1)], axis=0)) == 32
    for i in range(5):
        for bound in (-1.0, 4.0):
            alone = (points[:, i] == bound) & (on_bound.sum(axis=1) == 1)
            assert alone.any(), f"no point inside the face x{i} = {bound}"


def test_every_point_of_a_small_discrete_domain_only():
    small = Domain((Variable("a", -1, 1, kind="integer"), Variable("b", 0, 1, kind="boolean")))
    assert {tuple(row) for row in every_point(small)} == {
        (a, b) for a in (-1.0, 0.0, 1.0) for b in (0.0, 1.0)
    }
    assert every_point(cube(2)) is None
    assert every_point(Domain((Variable("a", 0, 65_536, kind="integer"),))) is None
