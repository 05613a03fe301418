"""Students: small networks that learn from the sample, in order of their size."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.chain.closed_form import ClosedForm
from distill.domain import Domain
from distill.engines.base import Budget, Problem
from distill.engines.registry import make_engine
from distill.engines.student import _answers, _moved
from distill.errors import ConfigError
from distill.formula import Formula
from distill.sampling.sample_set import SampleSet

DOMAIN = Domain.box(a=(10, 30), b=(-2, 0.5))


def bump(x):
    return 400 + 3 * np.tanh(x[:, 0] - 20 + 2 * x[:, 1]) * np.exp(x[:, 1])


def problem(function=bump, budget=None, seed=0):
    x = DOMAIN.sample(600)
    sample = SampleSet(DOMAIN, x, function(x), x[:0])
    return Problem(sample, 0.1, {}, 10, budget or Budget(evaluations=2_000_000), seed)


def engine(**options):
    return make_engine("student", {"largest": 6, "iterations": 60, **options})


def test_larger_students_are_better_and_the_best_is_good_between_the_rows():
    found = list(engine().search(problem()))
    closed = [c for c in found if isinstance(c.formula, ClosedForm)]
    x = DOMAIN.sample(5000, seed=3)
    errors = [float(np.abs(c.formula(x) - bump(x)).max()) for c in closed]
    assert errors[0] > 1.0 > 0.4 > errors[-1]
    sizes = [c.formula.complexity for c in closed]
    assert sizes == sorted(sizes)


def test_a_small_student_is_a_formula_too():
    written, closed = list(engine().search(problem()))[:2]
    assert isinstance(written.formula, Formula)
    assert isinstance(closed.formula, ClosedForm)
    assert written.origin == closed.origin == "network with 1 hidden nodes"
    x = DOMAIN.sample(100)
    np.testing.assert_allclose(written.formula(x), closed.formula(x), rtol=1e-9)


def test_the_same_problem_gives_the_same_students_and_another_seed_others():
    once, again = ([c.id for c in engine().search(problem())] for _ in range(2))
    assert once == again
    assert once != [c.id for c in engine().search(problem(seed=1))]


def test_a_constant_ends_with_the_smallest_network():
    found = list(engine().search(problem(lambda x: np.full(len(x), 7.5))))
    assert {c.origin for c in found} == {"network with 1 hidden nodes"}
    np.testing.assert_allclose(found[-1].formula(DOMAIN.sample(50)), 7.5, rtol=1e-12)


def test_the_budget_ends_the_search():
    few = list(engine().search(problem(budget=Budget(evaluations=600))))
    assert len(few) == 2
    assert len(list(engine().search(problem(budget=Budget(seconds=1e-9))))) <= 2


def test_few_rows_are_enough_to_go_on():
    small = problem()
    rows = replace(small.sample, x=small.sample.x[:3], y=small.sample.y[:3])
    found = list(engine(largest=2).search(replace(small, sample=rows)))
    assert all(np.isfinite(c.formula(DOMAIN.sample(20))).all() for c in found)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([(2,), (3, 2), (1, 1)]))
def test_the_derivatives_by_the_weights_are_those_of_the_answers(seed, shape):
    rng = np.random.default_rng(seed)
    widths = [2, *shape, 1]
    layers = [(rng.normal(size=(b, a)), rng.normal(size=b)) for a, b in itertools.pairwise(widths)]
    x, y = rng.normal(size=(5, 2)), np.zeros(5)
    _, slopes = _answers(layers, x, y)
    for i in range(slopes.shape[1]):
        step = np.zeros(slopes.shape[1])
        step[i] = 1e-6
        up, down = (_answers(_moved(layers, s * step), x, y)[0] for s in (1, -1))
        np.testing.assert_allclose((up - down) / 2e-6, slopes[:, i], rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("key", ["largest", "starts", "iterations"])
def test_options_that_make_no_sense_are_refused(key):
    with pytest.raises(ConfigError) as caught:
        engine(**{key: 0})
    assert caught.value.where == f"config key `engine.options.{key}`"
