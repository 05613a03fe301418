"""The least-squares baseline."""

from dataclasses import replace

import numpy as np
import pytest

from distill.domain import Domain
from distill.engines.base import Budget
from distill.engines.polynomial import Polynomial, PolynomialOptions
from distill.errors import ConfigError

BUDGET = Budget(evaluations=500)


def best(problem, worst, options=PolynomialOptions(max_degree=3, max_terms=8)):  # noqa: B008
    found = list(Polynomial(options).search(problem))
    return min(found, key=lambda c: (worst(c, problem.sample) > 1e-8, c.formula.complexity))


@pytest.mark.parametrize(
    ("function", "nodes"),
    [
        (lambda x: 2 * x[:, 0] ** 2 * x[:, 1] - 3 * x[:, 1] + 1, 12),
        (lambda x: np.sqrt(x[:, 0]) * 5 + 0.5 * np.log(x[:, 1]), 9),
        (lambda x: (2 * x[:, 0] + x[:, 1]) / (1 + 0.5 * x[:, 0] * x[:, 1]), 15),
        (lambda x: 4 / x[:, 1] + x[:, 0], 7),
    ],
)
def test_what_it_can_express_is_found_exactly(function, nodes, make_problem, plane, worst):
    problem = make_problem(function, plane, budget=BUDGET)
    found = best(problem, worst)
    assert worst(found, problem.sample) < 1e-8
    assert found.formula.complexity <= nodes


def test_sines_get_closer_with_size(make_problem, worst):
    domain = Domain.box(t=(0, 3))
    problem = make_problem(lambda x: np.sin(x[:, 0]), domain, budget=BUDGET)
    found = sorted(Polynomial().search(problem), key=lambda c: c.formula.complexity)
    errors = [worst(c, problem.sample) for c in found]
    assert errors[-1] < 1e-3 < 0.1 < errors[0]


def test_functions_and_ratios_keep_to_the_allowed_operators(make_problem, plane):
    function = lambda x: np.sqrt(x[:, 0]) / x[:, 1] + np.log(x[:, 0])  # noqa: E731
    problem = make_problem(function, plane, budget=BUDGET, operators=("add", "sub", "mul"))
    for candidate in Polynomial().search(problem):
        assert not any(word in candidate.formula.text for word in ("sqrt", "log", "inv", "/"))


def test_a_range_far_from_zero_is_moved(make_problem, worst):
    kelvin = Domain.box(temperature=(295, 305))
    problem = make_problem(lambda x: (x[:, 0] - 299) ** 3, kelvin, budget=BUDGET)
    assert min(worst(c, problem.sample) for c in Polynomial().search(problem)) < 1e-7


def test_twice_the_same_and_never_above_the_complexity_limit(make_problem, plane):
    function = lambda x: np.exp(-x[:, 0]) * np.sin(x[:, 1])  # noqa: E731
    problem = make_problem(function, plane, budget=BUDGET, most=20)
    once = [c.formula.text for c in Polynomial().search(problem)]
    assert once == [c.formula.text for c in Polynomial().search(replace(problem, seed=9))]
    assert max(c.formula.complexity for c in Polynomial().search(problem)) <= 20


def test_the_budget_in_evaluations_counts_fits(make_problem, plane):
    problem = make_problem(lambda x: np.exp(x[:, 0]), plane, budget=Budget(evaluations=1))
    (only,) = Polynomial().search(problem)
    assert only.origin == "1 terms"


def test_five_inputs_are_within_reach(make_problem, worst):
    domain = Domain.box(**dict.fromkeys("abcde", (1, 2)))
    function = lambda x: x[:, 0] * x[:, 1] + x[:, 2] * x[:, 3] - 2 * x[:, 4]  # noqa: E731
    problem = make_problem(function, domain, budget=Budget(evaluations=60))
    found = best(problem, worst, PolynomialOptions(max_degree=2))
    assert worst(found, problem.sample) < 1e-8


def test_a_bad_option_is_named():
    with pytest.raises(ConfigError, match="max_degree"):
        PolynomialOptions(max_degree=0)
