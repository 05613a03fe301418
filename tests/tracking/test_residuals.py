import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain, Variable
from distill.tracking.residuals import MOST_POINTS, influence, panels, thin

CUBE = Domain.box(a=(0, 1), b=(0, 1), c=(0, 1), d=(0, 1))


@given(st.integers(0, 10_000), st.integers(2, 3000))
@settings(max_examples=30, deadline=None)
def test_no_map_hides_the_largest_residual(seed, count):
    rng = np.random.default_rng(seed)
    x = CUBE.from_unit(rng.random((count, 4)))
    residual = rng.standard_normal(count)
    for cells in panels(x, x.sum(axis=1), CUBE):
        grid = cells.largest(residual)
        assert np.nanmax(np.abs(grid)) == np.abs(residual).max()
        assert set(grid[~np.isnan(grid)]) <= set(residual)


def test_a_cell_shows_the_signed_residual_of_its_own_points():
    domain = Domain.box(a=(0, 4), b=(0, 4))
    x = np.array([[0.5, 3.5], [0.6, 3.6], [3.5, 0.5]])
    (cells,) = panels(x, x[:, 0], domain)
    grid = cells.largest(np.array([0.2, -0.7, 0.1]))
    assert cells.shape == (4, 4)
    assert grid[3, 0] == -0.7  # rows are b, columns are a
    assert grid[0, 3] == 0.1
    assert np.isnan(grid).sum() == 14


def test_points_on_the_upper_bounds_and_non_finite_residuals():
    domain = Domain.box(a=(0, 1), b=(0, 1))
    x = np.vstack([domain.corners(), [[0.5, 0.5]]])
    (cells,) = panels(x, x[:, 0], domain)
    grid = cells.largest(np.array([1.0, 2.0, 3.0, 4.0, np.nan]))
    np.testing.assert_array_equal(grid[[0, 0, -1, -1], [0, -1, 0, -1]], [1, 2, 3, 4])
    assert np.isnan(grid).sum() == grid.size - 4


def test_with_many_inputs_the_most_influential_ones_are_shown():
    x = CUBE.sample(4096, seed=1)
    truth = 5 * x[:, 3] + 2 * x[:, 1] ** 2 + 0.5 * x[:, 0]
    shares = influence(x, truth, CUBE)
    np.testing.assert_array_equal(np.argsort(-shares), [3, 1, 0, 2])
    assert shares.sum() == pytest.approx(1, abs=0.02)
    assert [(c.first, c.second) for c in panels(x, truth, CUBE)] == [(0, 1), (0, 3), (1, 3)]


def test_a_constant_teacher_has_no_influences():
    x = CUBE.sample(64, seed=1)
    np.testing.assert_array_equal(influence(x, np.ones(64), CUBE), np.zeros(4))


def test_whole_values_get_a_cell_each():
    domain = Domain((Variable("gear", 1, 6, kind="integer"), Variable("on", 0, 1, kind="boolean")))
    x = domain.sample(512, seed=0)
    (cells,) = panels(x, x[:, 0], domain)
    assert cells.shape == (2, 6)
    np.testing.assert_array_equal(cells.largest(x[:, 0])[0], [1, 2, 3, 4, 5, 6])


def test_thin_keeps_what_is_finite_and_few():
    x = np.arange(50_000.0)[:, None]
    y = np.where(x[:, 0] % 2 == 0, x[:, 0], np.nan)
    points, truth = thin(x, y)
    assert len(points) == MOST_POINTS
    assert points[0, 0] == 0
    assert points[-1, 0] == 49_998
    np.testing.assert_array_equal(points[:, 0], truth)
