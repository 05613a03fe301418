from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.firmware.approximate import Polynomial, minimax


def largest_error(f: Polynomial, function, relative: bool = False) -> float:
    x = np.concatenate([np.linspace(f.low, f.high, 40_001), [f.low, f.high]])
    error = np.abs(f(x) - function(x))
    return float((error / np.abs(function(x)) if relative else error).max())


FUNCTIONS = [
    (np.exp, -1.0, 2.0),
    (np.log, 1.5, 8.0),
    (np.sin, 0.25, 2.5),
    (lambda x: 1 / x, 1.0, 3.0),
    (np.sqrt, 0.5, 4.0),
    (np.sqrt, 20.0, 100.0),
]


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("accuracy", [1e-2, 1e-4, 1e-6])
@pytest.mark.parametrize(("function", "low", "high"), FUNCTIONS)
def test_the_error_holds_between_the_points_and_at_the_ends(
    function, low: float, high: float, accuracy: float, relative: bool
) -> None:
    f = minimax(function, low, high, accuracy, relative=relative)
    assert f is not None
    found = largest_error(f, function, relative)
    assert found <= accuracy
    assert found == pytest.approx(f.error, rel=1e-3, abs=1e-13)


def test_the_degree_is_the_lowest_there_is() -> None:
    # Least possible errors of degrees 1 and 2 for exp on [-1, 1] (Powell 1981): 0.27880, 0.04502.
    line = minimax(np.exp, -1, 1, 0.2789)
    parabola = minimax(np.exp, -1, 1, 0.2787)
    assert line is not None
    assert parabola is not None
    assert (line.degree, parabola.degree) == (1, 2)
    assert line.error == pytest.approx(0.27880, abs=1e-5)
    assert parabola.error == pytest.approx(0.04502, abs=1e-5)


def test_a_better_degree_is_used_whole() -> None:
    # |x| is the classic hard case: the best line is the constant 1/2.
    f = minimax(np.abs, -1, 1, 0.5001)
    assert f is not None
    assert f.degree == 0
    assert f.coefficients[0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("function", "low", "high"),
    [(np.log, 0.0, 1.0), (np.sqrt, 0.0, 1.0), (lambda x: 1 / x, -1.0, 1.0), (np.exp, 1.0, 1.0),
     (np.exp, 0.0, 1000.0), (np.sign, -1.0, 1.0)],
)  # fmt: skip
def test_what_no_polynomial_does_is_refused(function, low: float, high: float) -> None:
    assert minimax(function, low, high, 1e-5) is None


def test_a_zero_has_no_relative_error() -> None:
    assert minimax(lambda x: x * np.exp(x), 0, 1, 1e-2, relative=True) is None


def test_a_weight_makes_odd_functions_relative() -> None:
    # sin(x) = x*p(x^2): an error of p counts x times.
    def p(u):
        root = np.sqrt(np.maximum(u, 1e-30))
        return np.sin(root) / root

    plain = minimax(p, 0, 2.5, 1e-5)
    weighted = minimax(p, 0, 2.5, 1e-5, weight=np.sqrt)
    assert plain is not None
    assert weighted is not None
    x = np.linspace(0, np.sqrt(2.5), 10_001)
    assert np.abs(x * weighted(x * x) - np.sin(x)).max() <= 1e-5 * (1 + 1e-6)
    assert weighted.degree <= plain.degree


@settings(max_examples=40, deadline=None)
@given(
    coefficients=st.lists(st.floats(-3, 3), min_size=1, max_size=6),
    low=st.floats(-4, 3.5),
    width=st.floats(0.25, 4),
)
def test_a_polynomial_is_its_own_approximation(coefficients, low: float, width: float) -> None:
    def function(x):
        return np.polynomial.polynomial.polyval(x, coefficients)

    f = minimax(function, low, low + width, 1e-7)
    assert f is not None
    assert f.degree < len(coefficients)
    x = np.linspace(f.low, f.high, 101)
    np.testing.assert_allclose(f(x), function(x), atol=1.01e-7)
    np.testing.assert_allclose(np.polynomial.polynomial.polyval(x, f.in_x), f(x), atol=1e-8)
    np.testing.assert_allclose(
        np.polynomial.polynomial.polyval(x - 1, f.shifted(1)), f(x), atol=1e-8
    )


@pytest.mark.parametrize(("function", "low", "high"), FUNCTIONS)
def test_degrees_known_to_be_too_low_are_left_out_and_nothing_else(
    function, low: float, high: float
) -> None:
    found = minimax(function, low, high, 1e-5)
    assert found is not None
    assert found.degree > 1
    assert minimax(function, low, high, 1e-5, min_degree=found.degree) == found
    assert minimax(function, low, high, 1e-5, max_degree=found.degree - 1) is None
