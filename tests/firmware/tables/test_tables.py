from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain, Variable
from distill.errors import ExportError
from distill.firmware.lookup import held, make_table
from distill.firmware.tables import fit_table
from distill.formula import Formula

AIR = Domain.box(temperature=(10, 50, "degC"), humidity=(5, 99, "percent"))
STULL = Formula.parse(
    "temperature*atan(0.151977*sqrt(humidity+8.313659)) + atan(temperature+humidity)"
    " - atan(humidity-1.676331) + 0.00391838*humidity^1.5*atan(0.023101*humidity) - 4.686035",
    AIR,
)
MIXED = Domain(
    (
        Variable("load", 0, 1),
        Variable("gear", -2, 3, kind="integer"),
        Variable("cold", 0, 1, kind="boolean"),
        Variable("unused", 1, 2),
    )
)


def dense(domain: Domain) -> np.ndarray:
    """Points everywhere, corners and an even grid among them."""
    grid = [np.linspace(v.low, v.high, 12 if len(domain) > 2 else 301) for v in domain.variables]
    mesh = np.stack([g.ravel() for g in np.meshgrid(*grid)], axis=1)
    return domain.clip(np.vstack([domain.corners(), domain.sample(50_000, seed=9), mesh]))


@pytest.mark.parametrize("tolerance", [1.0, 0.1, 0.02, 0.001])
def test_the_error_stays_within_the_tolerance_everywhere(tolerance: float) -> None:
    table = fit_table(STULL, AIR, tolerance, max_bytes=100_000)
    x = dense(AIR)
    assert np.abs(table(x) - STULL(x)).max() <= tolerance


def test_tables_are_small() -> None:
    # The wet-bulb temperature is nearly linear in temperature: that axis needs two breakpoints.
    table = fit_table(STULL, AIR, 0.1, max_bytes=100_000)
    assert table.counts[0] == 2
    assert table.bytes <= 80
    assert table.quantised


def test_no_breakpoint_can_be_spared() -> None:
    table = fit_table(STULL, AIR, 0.05, max_bytes=100_000)
    x = dense(AIR)
    for axis in range(2):
        fewer = list(table.counts)
        fewer[axis] -= 1
        if fewer[axis] > 1:
            smaller = make_table(STULL, AIR, tuple(fewer))
            assert np.abs(smaller(x) - STULL(x)).max() > 0.05


def test_whole_numbers_are_read_directly_and_unused_inputs_cost_nothing() -> None:
    formula = Formula.parse("exp(load)*gear + 3*cold*load^2", MIXED)
    table = fit_table(formula, MIXED, 0.01, max_bytes=100_000)
    assert table.counts[1:] == (6, 2, 1)
    x = dense(MIXED)
    assert np.abs(table(x) - formula(x)).max() <= 0.01
    between = np.array([[0.5, 1.4, 0.4, 1.5], [0.5, 0.5, 0.6, 1.5], [0.5, -1.6, 0.5, 1.5]])
    nearest = np.array([[0.5, 1, 0, 1.5], [0.5, 1, 1, 1.5], [0.5, -2, 1, 1.5]])
    np.testing.assert_array_equal(table(between), table(nearest))


def test_a_tight_tolerance_stores_floats() -> None:
    line = Domain.box(x=(0, 1000))
    table = fit_table(lambda x: x[:, 0], line, 1e-3, max_bytes=1000)
    assert not table.quantised
    assert np.abs(table(dense(line)) - dense(line)[:, 0]).max() <= 1e-3


def test_a_constant_truth_takes_one_value() -> None:
    table = fit_table(lambda x: np.full(len(x), -3.25), AIR, 0.1, max_bytes=100)
    assert (table.counts, table.bytes) == ((1, 1), 2)
    np.testing.assert_array_equal(table(AIR.corners()), -3.25)


def test_a_table_that_does_not_fit_says_what_would_and_what_fits() -> None:
    with pytest.raises(ExportError) as caught:
        fit_table(STULL, AIR, 0.02, max_bytes=60)
    needed = fit_table(STULL, AIR, 0.02, max_bytes=100_000)
    assert f"takes {needed.bytes} bytes" in caught.value.what
    assert "the best found that fits" in caught.value.what
    assert "60 are allowed" in caught.value.what


def test_a_jump_is_refused() -> None:
    with pytest.raises(ExportError, match="no even table"):
        fit_table(lambda x: np.sign(x[:, 0] - 0.3), Domain.box(x=(0, 1)), 0.1, max_bytes=10_000)


def test_a_truth_that_is_not_finite_is_refused_with_the_place() -> None:
    with (
        np.errstate(divide="ignore"),
        pytest.raises(ExportError, match=r"no finite value at x = 0"),
    ):
        fit_table(lambda x: 1 / x[:, 0], Domain.box(x=(0, 1)), 0.1, max_bytes=1000)


@pytest.mark.parametrize("tolerance", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_tolerance_is_refused(tolerance: float) -> None:
    with pytest.raises(ExportError, match="tolerance"):
        fit_table(STULL, AIR, tolerance, max_bytes=1000)


def test_outside_points_are_clamped_and_nan_stays_nan() -> None:
    table = make_table(STULL, AIR, (3, 5))
    x = np.array([[0.0, 200.0], [10.0, 99.0], [np.nan, 50.0], [np.inf, -np.inf], [50.0, 5.0]])
    y = table(x)
    assert y[0] == y[1]
    assert np.isnan(y[2])
    assert y[3] == y[4]


@pytest.mark.parametrize("counts", [(2, 2), (3, 7), (11, 65), (2, 1)])
def test_breakpoints_are_exact_up_to_quantisation(counts: tuple[int, int]) -> None:
    from distill.firmware.lookup import breakpoints, grid_points

    table = make_table(STULL, AIR, counts)
    x = grid_points(breakpoints(AIR, counts))
    # A breakpoint may fall a 65536th of a cell to the left.
    slack = 2 * table.scale + 2 * (STULL(x).max() - STULL(x).min()) / 65_536
    assert np.abs(table(x) - STULL(x)).max() <= slack


@settings(max_examples=30, deadline=None)
@given(
    low=st.floats(-1e6, 1e6, width=32),
    size=st.floats(0.015625, 1e6, width=32),
    count=st.integers(2, 300),
)
def test_a_table_of_a_line_is_the_line(low: float, size: float, count: int) -> None:
    if np.float32(low + size) <= np.float32(low):
        return
    domain = Domain.box(x=(low, low + size))
    table = make_table(lambda x: x[:, 0] - low, domain, (count,))
    x = np.linspace(low, low + size, 1000)[:, None]
    seen = held(x, domain, "float32")
    # Half a level of storing, half of mixing, a step of the position, and float32's own rounding.
    slack = size * (2 / 65_536 + 4e-7 * count) + 1e-6 * (abs(low) + size)
    assert np.abs(table(x) - (seen[:, 0] - low)).max() <= slack


def test_a_range_float32_cannot_tell_apart_is_refused() -> None:
    with pytest.raises(ExportError, match="too narrow"):
        make_table(lambda x: x[:, 0], Domain.box(x=(1e9, 1e9 + 1)), (2,))
