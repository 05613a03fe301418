"""What PySR judges formulas by, and when it may stop."""

from dataclasses import replace

import numpy as np
import pytest

from distill.domain import Domain
from distill.engines.base import Budget, Problem
from distill.engines.constraints import Constraints
from distill.engines.pysr.judgement import judgement
from distill.engines.pysr.options import PysrOptions
from distill.engines.pysr.rows import chosen
from distill.engines.rules import Rules
from distill.formula import Formula
from distill.sampling.sample_set import SampleSet

DOMAIN = Domain.box(a=(0, 1), b=(0, 1))


def problem_of(size=1.0, known=(), rules=None):
    x = DOMAIN.sample(50, seed=0)
    sample = SampleSet(DOMAIN, x, size * (x[:, 0] - x[:, 1]), np.empty((0, 2)))
    budget = Budget(seconds=1.0)
    return Problem(
        sample, 0.01 * size, {"add": 1.0}, 20, budget, 0, known=known, rules=rules or Rules()
    )


def told(problem, *, units=False, **options):
    options = PysrOptions(**options)
    rows = chosen(problem.sample, problem.known, 1000, 1.0, problem.tolerance, 0)
    return judgement(problem, rows, options, units=units)


def test_the_search_ends_at_a_part_of_the_tolerance_squared():
    assert told(problem_of()) == {"early_stop_condition": pytest.approx((0.05 * 0.01) ** 2)}
    assert told(problem_of(), early_stop=0.0) == {}


@pytest.mark.parametrize("known", [(), (Formula.parse("a", DOMAIN),)])
def test_small_answers_get_a_larger_unit_and_the_same_end(known):
    small = [replace(f, tree=Formula.parse("1e-6*a", DOMAIN).tree) for f in known]
    problem = problem_of(1e-6, tuple(small))
    rows = chosen(problem.sample, problem.known, 1000, 1.0, problem.tolerance, 0)
    variance = float(np.var(rows.y))
    said = told(problem)
    arguments, weight = ("p, y, w", "w * ") if known else ("p, y", "")
    assert said["elementwise_loss"] == (
        f"distill_error({arguments}) = {weight}oftype(p, {1 / variance!r}) * (p - y)^2"
    )
    # The threshold is that of the plain loss, in the new unit.
    assert said["early_stop_condition"] == pytest.approx((0.05e-8) ** 2 / variance)


def test_constraints_of_small_answers_are_in_the_same_unit():
    rules = Rules(Constraints(low=0.0))
    said = told(problem_of(1e-3, rules=rules))
    assert "elementwise_loss" not in said
    factor = said["loss_function_expression"].split("loss = T(")[1].split(")")[0]
    assert said["early_stop_condition"] == pytest.approx(float(factor) * (0.05e-5) ** 2)


@pytest.mark.parametrize(("size", "penalty"), [(1.0, 1000.0), (100.0, None), (1e-5, 1000.0)])
def test_wrong_units_are_worse_than_any_error(size, penalty):
    problem = problem_of(size)
    said = told(problem, units=True)["dimensional_constraint_penalty"]
    assert said == pytest.approx(penalty or 1000.0 * np.var(problem.sample.y))


def test_a_loss_that_is_given_takes_the_place_of_ours():
    rules = Rules(Constraints(low=0.0))
    given = {"elementwise_loss": "L1DistLoss()"}
    assert told(problem_of(1e-3, rules=rules), others=given) == {}


def test_answers_that_are_all_the_same_need_no_unit():
    problem = problem_of(0.0)
    assert "elementwise_loss" not in told(replace(problem, tolerance=1.0))
