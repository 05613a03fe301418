"""What refinement promises of constants, size and duplicates."""

import numpy as np
import pytest

from distill.domain import Domain
from distill.engines.base import Candidate
from distill.engines.polish import Fit, least_squares, minimax
from distill.engines.refine import refine, unique
from distill.engines.snap import rounded, simple_values, snapped
from distill.formula import Formula

LINE = Domain.box(x=(0, 1))


def candidate(text, domain):
    return Candidate(Formula.parse(text, domain), "test", "start")


def fit(text, function, domain=LINE, n=400):
    x = np.vstack([domain.corners(), domain.sample(n)])
    return Fit.of(Formula.parse(text, domain).tree, domain.names, x, function(x))


def test_least_squares_finds_the_constants_of_a_nonlinear_formula():
    solved = least_squares(fit("2*exp(0.5*x) + 1", lambda x: 3 * np.exp(-1.3 * x[:, 0]) + 0.2))
    assert solved.theta == pytest.approx([3, -1.3, 0.2], abs=1e-6)
    assert solved.worst() < 1e-8


def test_least_squares_bears_constants_of_very_different_size():
    air = Domain.box(pressure=(20_000, 110_000))
    height = lambda x: 44330 * (1 - (x[:, 0] / 101325) ** 0.1903)  # noqa: E731
    solved = least_squares(fit("40000 - 4000*pressure^0.2", height, air))
    assert solved.theta == pytest.approx([44330, 44330 / 101325**0.1903, 0.1903], rel=1e-5)


def test_minimax_meets_the_known_best_line():
    # The line nearest to x^2 on [0, 1] is x - 1/8, off by 1/8 at three points (Chebyshev).
    squared = lambda x: x[:, 0] ** 2  # noqa: E731
    start = least_squares(fit("0.9*x + 0.1", squared, n=3000))
    best = minimax(start)
    assert start.worst() > 0.16
    assert best.worst() == pytest.approx(0.125, abs=1e-6)
    assert best.theta == pytest.approx([1.0, -0.125], abs=1e-3)


def test_minimax_of_a_nonlinear_formula_levels_the_error():
    # The best a + b*exp(c*x) has four points of equal and alternating error.
    rational = lambda x: 1 / (1 + 2 * x[:, 0])  # noqa: E731
    start = least_squares(fit("0.2 + 0.8*exp(-2*x)", rational))
    best = minimax(start)
    order = np.argsort(best.x[:, 0])
    off = best.off()[order]
    peaks = off[np.abs(off) > 0.98 * best.worst()]
    assert best.worst() < 0.75 * start.worst()
    assert np.count_nonzero(np.diff(np.sign(peaks))) >= 3


def test_a_wild_start_is_given_back_unharmed():
    broken = fit("log(x - 0.5)", lambda x: x[:, 0])
    assert least_squares(broken).theta == pytest.approx([0.5])
    assert minimax(broken).theta == pytest.approx([0.5])


def test_simple_values_come_simplest_first():
    assert next(simple_values(2.9997)) == 3.0
    assert 0.5 in list(simple_values(0.5003))[:2]
    assert np.pi / 2 in list(simple_values(1.5709))
    assert all(abs(v - 0.1234567) <= 0.2 * 0.1234567 for v in simple_values(0.1234567))


def test_snapping_keeps_to_its_limit():
    almost = least_squares(
        fit("2.1*x + 0.9", lambda x: 2 * x[:, 0] + 1 + 1e-3 * np.sin(40 * x[:, 0]))
    )
    simple = snapped(almost, 1.02 * almost.rms())
    assert simple.theta.tolist() == [2.0, 1.0]
    assert simple.rms() <= 1.02 * almost.rms()
    assert rounded(almost, 1.0).theta.tolist() == [float(f"{v:.2g}") for v in almost.theta]


def test_an_exact_formula_is_recovered_with_the_constants_a_person_would_write(make_sample, worst):
    domain = Domain.box(x=(1, 3), y=(1, 3))
    sample = make_sample(lambda x: 1.5 * np.sqrt(x[:, 0]) + np.pi * x[:, 1] ** 2, domain)
    found = refine(candidate("1.3*sqrt(x) + 3*y*y*1.1", domain), sample, tolerance=0.01)
    assert any(c.formula.text == "3.141592653589793*square(y) + 1.5*sqrt(x)" for c in found)
    assert all(worst(c, sample) < 1e-9 for c in found[:1])


def test_parts_that_do_little_are_dropped_within_the_tolerance(make_sample, worst):
    domain = Domain.box(x=(0, 1), y=(0, 1))
    sample = make_sample(lambda x: 2 * x[:, 0] + 1e-3 * np.sin(x[:, 1]), domain)
    start = candidate("2.1*x + 0.002*sin(0.9*y) + 1e-5*exp(x)", domain)
    found = refine(start, sample, tolerance=0.01)
    simplest = min(found, key=lambda c: c.formula.complexity)
    assert simplest.formula.complexity <= 3
    assert worst(simplest, sample) <= 0.01
    assert "dropped" in simplest.origin
    assert min(worst(c, sample) for c in found) < 1e-4


def test_nothing_is_dropped_where_the_tolerance_is_far(make_sample):
    sample = make_sample(lambda x: np.sin(9 * x[:, 0]), LINE)
    found = refine(candidate("2.1*x + 0.4", LINE), sample, tolerance=1e-3)
    assert {c.formula.complexity for c in found} == {5}


def test_refinement_is_the_same_every_time(make_sample):
    domain = Domain.box(x=(1, 3), y=(1, 3))
    sample = make_sample(lambda x: np.log(x[:, 0] + x[:, 1] ** 2), domain, n=1500)
    start = candidate("0.5*sqrt(x) + 0.8*y - 0.1*x*y + 0.2", domain)
    first, second = (refine(start, sample, tolerance=0.05) for _ in range(2))
    assert [c.formula.text for c in first] == [c.formula.text for c in second]


def test_more_rows_than_are_worked_on_still_count(make_sample, worst):
    sample = make_sample(lambda x: x[:, 0] ** 2, LINE, n=20_000)
    (first, *_) = refine(candidate("0.9*x + 0.1", LINE), sample, tolerance=1e-3)
    assert worst(first, sample) == pytest.approx(0.125, abs=2e-4)


def test_a_formula_that_is_not_finite_is_only_simplified(make_sample):
    sample = make_sample(lambda x: x[:, 0], LINE)
    (only,) = refine(candidate("log(x - 2) + 0*x", LINE), sample, tolerance=0.1)
    assert only.origin == "start; simplified"


def test_without_time_there_is_still_a_fitted_candidate(make_sample, worst):
    sample = make_sample(lambda x: 3 * x[:, 0] + 1, LINE)
    found = refine(candidate("2*x + 0.5", LINE), sample, tolerance=0.1, seconds=0.0)
    assert worst(found[0], sample) < 1e-9


def test_duplicates_by_value_leave_the_simplest():
    texts = ["x*2 + x", "3*x", "x*x", "square(x)", "3*x + 1e-13", "x", "log(-x)", "1/(x - x)*0"]
    x = LINE.sample(50)
    kept = unique([candidate(t, LINE) for t in texts], x)
    assert [c.formula.text for c in kept] == ["3*x", "square(x)", "x", "log(-x)"]
