"""Problems small enough to be searched in a second."""

import numpy as np
import pytest

from distill.domain import Domain
from distill.engines.base import Budget, Problem
from distill.sampling.sample_set import SampleSet

OPERATORS = ("add", "sub", "mul", "div", "square", "sqrt", "exp", "log")


@pytest.fixture
def plane():
    return Domain.box(a=(1, 4), b=(0.5, 3))


@pytest.fixture
def make_sample():
    def make(function, domain, n=300):
        x = np.vstack([domain.corners(), domain.sample(n, seed=3)])
        return SampleSet(domain, x, function(x), np.empty((0, len(domain))))

    return make


@pytest.fixture
def make_problem(make_sample):
    def make(function, domain, *, budget, seed=0, operators=OPERATORS, most=30):
        costs = operators if isinstance(operators, dict) else dict.fromkeys(operators, 1.0)
        return Problem(make_sample(function, domain), 1e-3, costs, most, budget, seed)

    return make


@pytest.fixture
def product(make_problem, plane):
    """A problem whose answer is 3*a*b + 2."""
    return make_problem(
        lambda x: 3 * x[:, 0] * x[:, 1] + 2, plane, budget=Budget(evaluations=20_000)
    )


@pytest.fixture
def worst():
    def largest_error(candidate, sample):
        return float(np.abs(candidate.formula(sample.x) - sample.y).max())

    return largest_error
