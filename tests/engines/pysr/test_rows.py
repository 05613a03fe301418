"""Which rows PySR sees, and their weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain
from distill.engines.pysr.rows import chosen
from distill.formula import Formula
from distill.sampling.sample_set import SampleSet

DOMAIN = Domain.box(x=(-1, 1), y=(0, 2))


def sample(n=500, seed=0, values=lambda x: np.exp(x[:, 0]) * x[:, 1]):
    x = DOMAIN.sample(n, seed)
    return SampleSet(DOMAIN, x, values(x), np.empty((0, 2)))


def known(*texts):
    return [Formula.parse(text, DOMAIN) for text in texts]


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 300), st.integers(2, 200), st.floats(0, 5), st.integers(0, 9), st.booleans())
def test_rows_are_those_of_the_sample_each_once_and_the_extremes_among_them(
    n, most, emphasis, seed, informed
):
    table = sample(n)
    formulas = known("y", "x + y") if informed else []
    rows = chosen(table, formulas, most, emphasis, 0.1, seed)
    assert len(rows.x) == min(n, most)
    assert (np.diff(rows.index) > 0).all()
    assert np.array_equal(rows.x, table.x[rows.index])
    assert np.array_equal(rows.y, table.y[rows.index])
    assert rows.y.min() == table.y.min()
    assert rows.y.max() == table.y.max()
    again = chosen(table, formulas, most, emphasis, 0.1, seed)
    assert np.array_equal(again.index, rows.index)
    if rows.weights is not None:
        assert rows.weights.mean() == pytest.approx(1.0)
        assert (rows.weights > 0).all()
    assert (rows.weights is None) == (not informed or emphasis == 0)


def test_a_quarter_are_the_rows_where_the_best_known_formula_is_worst():
    table = sample()
    formulas = known("7*x", "(1 + x)*y")
    worst = np.argsort(-np.abs(formulas[1](table.x) - table.y))[:25]
    rows = chosen(table, formulas, 100, 1.0, 0.1, 0)
    assert set(worst) <= set(rows.index)


def test_another_seed_draws_other_rows():
    first, second = (chosen(sample(), [], 50, 1.0, 0.1, seed).index for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_the_rest_is_spread_evenly():
    table = sample(2000)
    rows = chosen(table, [], 400, 1.0, 0.1, 0)
    assert np.histogram(rows.index, 4, (0, 2000))[0] == pytest.approx(100, abs=25)


def test_weights_rise_with_the_error_up_to_ten_tolerances():
    x = np.column_stack([np.linspace(-1, 1, 5), np.ones(5)])
    table = SampleSet(DOMAIN, x, np.array([0.0, 0.1, 0.2, 1.0, 50.0]), np.empty((0, 2)))
    rows = chosen(table, known("0*x"), 5, 2.0, 0.1, 0)
    # 1 + 2 * (errors in tolerances, at most 10)
    assert rows.weights * 11.0 == pytest.approx([1.0, 3.0, 5.0, 21.0, 21.0], rel=0.1)
    assert rows.weights / rows.weights[0] == pytest.approx([1.0, 3.0, 5.0, 21.0, 21.0])


def test_a_formula_with_a_pole_counts_where_it_has_no_value():
    x = np.array([[-1.0, 1.0], [0.0, 1.0], [1.0, 1.0]])
    table = SampleSet(DOMAIN, x, np.array([-1.0, 0.0, 1.0]), np.empty((0, 2)))
    rows = chosen(table, known("1/x"), 3, 1.0, 0.1, 0)
    assert rows.weights / rows.weights[0] == pytest.approx([1.0, 11.0, 1.0])
    # One without a pole is better, even where it is worse elsewhere.
    rows = chosen(table, known("1/x", "x + 0.01"), 3, 1.0, 0.1, 0)
    assert rows.weights == pytest.approx([1.0, 1.0, 1.0])


def test_no_formula_has_a_value_anywhere():
    rows = chosen(sample(50), known("log(-2 - x)"), 20, 1.0, 0.1, 0)
    assert len(rows.x) == 20
    assert rows.weights == pytest.approx(np.ones(20))


def test_lawsons_weights_lower_the_largest_error():
    """Least squares with the weights of one formula end with a smaller largest error than it."""
    x = np.column_stack([np.linspace(-1, 1, 201), np.ones(201)])
    table = SampleSet(DOMAIN, x, np.exp(x[:, 0]), np.empty((0, 2)))
    plain = np.polyfit(x[:, 0], table.y, 1)
    line = known(f"{float(plain[0])!r}*x + {float(plain[1])!r}")
    weights = chosen(table, line, 201, 5.0, 0.1, 0).weights
    weighted = np.polyfit(x[:, 0], table.y, 1, w=np.sqrt(weights))
    errors = [np.abs(np.polyval(fit, x[:, 0]) - table.y).max() for fit in (plain, weighted)]
    assert errors[1] < 0.9 * errors[0]
