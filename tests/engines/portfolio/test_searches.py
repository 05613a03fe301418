"""The real engines together."""

import numpy as np
import pytest

from distill.domain import Domain
from distill.engines.base import Budget, Problem
from distill.engines.oracle import Oracle
from distill.engines.portfolio import in_turn, side_by_side
from distill.engines.registry import make_engine
from distill.teachers.base import Output
from distill.teachers.checked import Checked
from distill.teachers.function import CallableTeacher

OPTIONS = {
    "structure": {"efforts": 1},
    "operon": {"population_size": 200, "generations": 5, "rows": 64},
}
EVALUATIONS = 20_000
OPERATORS = ("add", "sub", "mul", "div", "square", "sqrt", "exp", "log", "sin")


def pole(x):
    return 1 / (x[:, 0] - 1.5) + x[:, 1]


def decay(x):
    return 3 * np.exp(-x[:, 0] * x[:, 1]) + 1


@pytest.fixture
def make_asked(make_sample):
    """A problem whose teacher can be asked."""

    def make(function, budget):
        domain = Domain.box(a=(-1, 1), b=(0.1, 2))
        teacher = Checked(CallableTeacher(function, "teacher", (Output("y"),), "0"), domain)
        costs = dict.fromkeys(OPERATORS, 1.0)
        sample, oracle = make_sample(function, domain), Oracle(teacher, domain)
        return Problem(sample, 1e-3, costs, 40, budget, 0, oracle=oracle)

    return make


def portfolio():
    return make_engine("portfolio", {"engines": ["structure", "operon"], "slices": 2, **OPTIONS})


def errors(candidates, sample):
    """The least RMS error of formulas that are no larger, by their size."""
    points = [
        (c.formula.complexity, np.sqrt(np.mean((c.formula(sample.x) - sample.y) ** 2)))
        for c in candidates
    ]
    sizes = (5, 10, 20, 40)
    return {most: min((e for size, e in points if size <= most), default=np.inf) for most in sizes}


@pytest.mark.parametrize("function", [pole, decay])
def test_the_front_is_at_least_as_good_as_that_of_each_alone_with_its_share(make_asked, function):
    problem = make_asked(function, Budget(evaluations=2 * EVALUATIONS))
    together = errors(portfolio().search(problem), problem.sample)
    for name, options in {**OPTIONS, "structure": {"efforts": 1, "operon": False}}.items():
        problem = make_asked(function, Budget(evaluations=EVALUATIONS))
        alone = errors(make_engine(name, options).search(problem), problem.sample)
        # News is what is at least 2 % better.
        assert all(together[most] <= error / 0.98 + 1e-12 for most, error in alone.items())


def test_the_same_problem_gives_the_same_candidates_to_the_bit(make_asked, monkeypatch):
    monkeypatch.setattr(in_turn, "SHORTEST", EVALUATIONS // 4)

    def once():
        problem = make_asked(pole, Budget(evaluations=2 * EVALUATIONS))
        return [(c.formula.text, c.origin, c.engine) for c in portfolio().search(problem)]

    first = once()
    assert {engine for *_, engine in first} == {"structure", "operon"}
    assert once() == first


def test_side_by_side_both_are_heard(make_asked, monkeypatch):
    monkeypatch.setattr(side_by_side, "AFTERWARDS", 0.0)
    problem = make_asked(decay, Budget(seconds=600.0))
    found = list(portfolio().search(problem))
    assert {candidate.engine for candidate in found} == {"structure", "operon"}
    assert min(np.abs(c.formula(problem.sample.x) - problem.sample.y).max() for c in found) < 1e-12
