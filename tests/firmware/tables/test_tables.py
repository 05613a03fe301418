from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain, Variable
from distill.errors import ExportError
from distill.firmware.fixed.formats import QFormat, hold
from distill.firmware.graph import Arithmetic
from distill.firmware.grids import breakpoints, grid_points
from distill.firmware.holding import held
from distill.firmware.table_file import table_from_data, table_to_data
from distill.firmware.table_storing import even_table
from distill.firmware.tables import Choices, fit_table
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


DEW_AIR = Domain.box(t=(0, 50, "degC"), h=(5, 100, "percent"))
LINE = Domain.box(x=(-1, 4))


def curve(x: np.ndarray) -> np.ndarray:
    """Steep on the left."""
    return np.exp(-2 * x[:, 0])


EVERYTHING = [
    Choices(),
    Choices(interpolations=("linear",), spacings=("even",)),
    Choices(interpolations=("linear",), spacings=("placed",)),
    Choices(interpolations=("linear",), spacings=("power_of_two",)),
    Choices(interpolations=("cubic",)),
]


def dew_point(x: np.ndarray) -> np.ndarray:
    """Magnus' formula."""
    t, h = x[:, 0], x[:, 1]
    g = np.log(h / 100) + 17.625 * t / (243.04 + t)
    return 243.04 * g / (17.625 - g)


@pytest.mark.parametrize("arithmetic", ["float32", "double", "fixed"])
@pytest.mark.parametrize("tolerance", [1.0, 0.02])
def test_the_error_stays_within_the_tolerance_everywhere(
    tolerance: float, arithmetic: Arithmetic
) -> None:
    table = fit_table(STULL, AIR, tolerance, max_bytes=100_000, arithmetic=arithmetic)
    x = dense(AIR)
    assert np.abs(table(x) - STULL(x)).max() <= tolerance


def test_dew_point_to_a_twentieth_of_a_degree_takes_few_bytes() -> None:
    x = dense(DEW_AIR)
    for arithmetic, most in (("float32", 140), ("fixed", 150)):
        table = fit_table(dew_point, DEW_AIR, 0.05, max_bytes=400, arithmetic=arithmetic)
        assert np.abs(table(x) - dew_point(x)).max() <= 0.05
        assert table.bytes <= most


@pytest.mark.parametrize("choices", EVERYTHING, ids=str)
@pytest.mark.parametrize("arithmetic", ["float32", "fixed"])
def test_every_spacing_keeps_the_tolerance_and_nothing_else_is_used(
    choices: Choices, arithmetic: Arithmetic
) -> None:
    if choices.spacings == ("power_of_two",) and arithmetic == "float32":
        domain = Domain.box(h=(5, 100))  # a float has no single run of powers of two
    else:
        domain = DEW_AIR
    wide = len(domain) == 2

    def truth(x: np.ndarray) -> np.ndarray:
        return dew_point(x if wide else np.column_stack([np.full(len(x), 20.0), x]))

    table = fit_table(truth, domain, 0.2, max_bytes=10_000, arithmetic=arithmetic, choices=choices)
    x = dense(domain)
    assert np.abs(table(x) - truth(x)).max() <= 0.2
    kinds = {type(axis).__name__ for axis in table.axes if axis.order > 1}
    names = {"even": "Even", "power_of_two": "PowerOfTwo", "placed": "Placed"}
    assert kinds <= {names[spacing] for spacing in choices.spacings}
    orders = {axis.order for axis in table.axes} - {1}
    assert orders <= {{"linear": 2, "cubic": 4}[name] for name in choices.interpolations}


def test_cubic_cells_take_a_smooth_curve_from_many_values_to_few() -> None:
    def celsius(x: np.ndarray) -> np.ndarray:
        """A 10 kOhm thermistor below a 10 kOhm resistor, read by 12 bits."""
        r = 1e4 * x[:, 0] / (4096 - x[:, 0])
        return 1 / (1 / 298.15 + np.log(r / 1e4) / 3950) - 273.15

    adc = Domain((Variable("adc", 150, 3900, kind="integer"),))
    linear = Choices(interpolations=("linear",), spacings=("even",))
    for arithmetic in ("float32", "fixed"):
        straight = fit_table(
            celsius, adc, 0.1, max_bytes=1000, arithmetic=arithmetic, choices=linear
        )
        cubic = fit_table(celsius, adc, 0.1, max_bytes=1000, arithmetic=arithmetic)
        assert cubic.bytes < 0.55 * straight.bytes
        x = np.arange(150.0, 3901.0)[:, None]
        assert np.abs(cubic(x) - celsius(x)).max() <= 0.1


def test_instructions_are_preferred_when_asked_for() -> None:
    table = fit_table(
        dew_point, DEW_AIR, 0.1, max_bytes=2000, arithmetic="fixed", prefer="instructions"
    )
    small = fit_table(dew_point, DEW_AIR, 0.1, max_bytes=2000, arithmetic="fixed")
    assert table.bytes > small.bytes
    # No multiplication finds the cell.
    assert all(axis.describe().endswith("of a power of two") for axis in table.axes)
    assert {axis.order for axis in table.axes} == {2}
    with pytest.raises(ExportError, match="are allowed"):
        fit_table(dew_point, DEW_AIR, 0.1, max_bytes=40, prefer="instructions")


def test_a_rough_tolerance_stores_bytes() -> None:
    table = fit_table(STULL, AIR, 1.0, max_bytes=1000)
    assert table.values.dtype == np.uint8
    assert table.bytes <= 12


def test_whole_numbers_are_exact_and_unused_inputs_cost_nothing() -> None:
    formula = Formula.parse("exp(load)*gear^2 + 3*cold*load^2", MIXED)
    table = fit_table(formula, MIXED, 0.01, max_bytes=100_000)
    assert table.counts[2:] == (2, 1)
    x = dense(MIXED)
    assert np.abs(table(x) - formula(x)).max() <= 0.01
    between = np.array([[0.5, 1.4, 0.4, 1.5], [0.5, 0.5, 0.6, 1.5], [0.5, -1.6, 0.5, 1.5]])
    nearest = np.array([[0.5, 1, 0, 1.5], [0.5, 1, 1, 1.5], [0.5, -2, 1, 1.5]])
    np.testing.assert_array_equal(table(between), table(nearest))


def test_codes_without_order_are_read_directly() -> None:
    codes = np.array([4.0, -7.0, 30.0, 2.0, 2.5, 90.0, -3.0])
    domain = Domain((Variable("mode", 0, 6, kind="integer"), Variable("x", 0, 1)))

    def truth(x: np.ndarray) -> np.ndarray:
        return codes[x[:, 0].astype(int)] * (1 + x[:, 1])

    table = fit_table(truth, domain, 0.01, max_bytes=1000)
    assert table.counts == (7, 2)
    assert np.abs(table(dense(domain)) - truth(dense(domain))).max() <= 0.01


@pytest.mark.parametrize("arithmetic", ["float32", "fixed"])
def test_a_tight_tolerance_stores_32_bits(arithmetic: Arithmetic) -> None:
    line = Domain.box(x=(0, 1000))
    table = fit_table(lambda x: x[:, 0], line, 4e-3, max_bytes=10_000, arithmetic=arithmetic)
    assert table.values.itemsize == 4
    assert np.abs(table(dense(line)) - dense(line)[:, 0]).max() <= 4e-3


def test_a_tolerance_below_what_numbers_hold_is_refused() -> None:
    for arithmetic in ("float32", "fixed"):
        with pytest.raises(ExportError, match="stays within 1e-09"):
            fit_table(curve, LINE, 1e-9, max_bytes=1_000_000, arithmetic=arithmetic)


def test_twelve_inputs_are_refused_with_what_it_would_take_and_what_fits() -> None:
    domain = Domain.box(**{f"x{i}": (0, 1) for i in range(12)})
    formula = Formula.parse(" + ".join(f"{i + 1}*sin(3*x{i})" for i in range(12)), domain)
    with pytest.raises(ExportError) as caught:
        fit_table(formula, domain, 0.1, max_bytes=4096)
    error = caught.value
    assert "over the 12 inputs that matter would take about" in error.what
    assert "the best found that fits" in error.what
    assert "export a formula" in error.hint
    assert "`x0`" in error.hint


@pytest.mark.parametrize("arithmetic", ["float32", "double", "fixed"])
def test_a_table_comes_back_from_data(arithmetic: Arithmetic) -> None:
    for choices in EVERYTHING[1:4]:
        table = fit_table(
            curve, LINE, 0.01, max_bytes=10_000, arithmetic=arithmetic, choices=choices
        )
        data, arrays = table_to_data(table)
        again = table_from_data(json.loads(json.dumps(data)), arrays, LINE)
        assert again.axes == table.axes
        assert again.bytes == table.bytes
        x = dense(LINE)[:2000]
        np.testing.assert_array_equal(again(x), table(x))


def test_a_fixed_point_result_has_the_format_that_is_asked_for() -> None:
    for fraction in (8, 12, 20):
        table = fit_table(
            curve, LINE, 0.01, max_bytes=1000, arithmetic="fixed", output=QFormat(fraction)
        )
        assert table.output == QFormat(fraction)
        x = dense(LINE)
        np.testing.assert_array_equal(table(x), table.read_integers(hold(x, LINE)) / 2.0**fraction)
        assert np.abs(table(x) - curve(x)).max() <= 0.01


def test_a_constant_truth_takes_one_value() -> None:
    table = fit_table(lambda x: np.full(len(x), -3.25), AIR, 0.1, max_bytes=100)
    assert (table.counts, table.bytes) == ((1, 1), 1)
    np.testing.assert_array_equal(table(AIR.corners()), -3.25)


def test_a_table_that_does_not_fit_says_what_would_and_what_fits() -> None:
    with pytest.raises(ExportError) as caught:
        fit_table(STULL, AIR, 0.02, max_bytes=20)
    needed = fit_table(STULL, AIR, 0.02, max_bytes=100_000)
    assert f"takes {needed.bytes} bytes" in caught.value.what
    assert "the best found that fits" in caught.value.what
    assert "20 are allowed" in caught.value.what


def test_a_jump_is_refused() -> None:
    with pytest.raises(ExportError, match="no table"):
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
    table = even_table(STULL, AIR, (3, 5))
    x = np.array([[0.0, 200.0], [10.0, 99.0], [np.nan, 50.0], [np.inf, -np.inf], [50.0, 5.0]])
    y = table(x)
    assert y[0] == y[1]
    assert np.isnan(y[2])
    assert y[3] == y[4]


@pytest.mark.parametrize("counts", [(2, 2), (3, 7), (11, 65), (2, 1)])
def test_breakpoints_are_exact_up_to_quantisation(counts: tuple[int, int]) -> None:
    table = even_table(STULL, AIR, counts)
    x = grid_points(breakpoints(table.axes))
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
    table = even_table(lambda x: x[:, 0] - low, domain, (count,))
    x = np.linspace(low, low + size, 1000)[:, None]
    seen = held(x, domain, "float32")
    # Half a level of storing, half of mixing, a step of the position, and float32's own rounding.
    slack = size * (2 / 65_536 + 4e-7 * count) + 1e-6 * (abs(low) + size)
    assert np.abs(table(x) - (seen[:, 0] - low)).max() <= slack


def test_a_range_float32_cannot_tell_apart_is_refused() -> None:
    with pytest.raises(ExportError, match="too narrow"):
        even_table(lambda x: x[:, 0], Domain.box(x=(1e9, 1e9 + 1)), (2,))
