"""The engine as a whole: formulas whose structure it finds, and what it says about them."""

from dataclasses import replace

import numpy as np
import pytest

from distill.domain import Domain
from distill.engines.base import Budget, Problem
from distill.engines.findings import lines
from distill.engines.noise import estimate_error
from distill.engines.oracle import Oracle
from distill.engines.structure.engine import Structure, StructureOptions
from distill.sampling.sample_set import SampleSet
from distill.teachers.base import Output
from distill.teachers.checked import Checked
from distill.teachers.function import CallableTeacher

OPERATORS = (
    "add",
    "sub",
    "mul",
    "div",
    "square",
    "sqrt",
    "pow",
    "exp",
    "log",
    "sin",
    "cos",
    "asin",
)
ENGINE = Structure(StructureOptions(efforts=1, operon=False))

FORMULAS = {
    "product": (lambda a, b: a * np.exp(-b), {"a": (1, 4), "b": (0, 3)}),
    "sum": (lambda a, b: np.sin(a) + np.sqrt(b), {"a": (0, 3), "b": (1, 4)}),
    "offset": (lambda a, b: 2 + a * a / b, {"a": (1, 4), "b": (1, 3)}),
    "difference": (lambda a, b: 3 * np.exp(-((a - b) ** 2)), {"a": (0, 2), "b": (0, 2)}),
    "distance": (lambda a, b: 1 / np.sqrt(a * a + b * b), {"a": (1, 4), "b": (1, 3)}),
    "parallel": (lambda a, b: a * b / (a + b), {"a": (1, 4), "b": (1, 3)}),
    "ideal gas": (lambda n, t, v: 8.314 * n * (t + 273.15) / v,
                  {"n": (1, 3), "t": (-20, 80), "v": (1, 5)}),
    "shifted ratio": (lambda t, u: np.sqrt((t + 273.15) / (u + 273.15)),
                      {"t": (-20, 80), "u": (-20, 40)}),
    "product about zero": (lambda a, b: np.sin(a * b), {"a": (-1, 1), "b": (0, 2)}),
    "link": (lambda a, b: np.sqrt(1 + a * a * np.exp(b)), {"a": (1, 4), "b": (0, 1)}),
    "relativity": (lambda m, v, c: m / np.sqrt(1 - v * v / c**2),
                   {"m": (1, 5), "v": (1, 2), "c": (3, 10)}),
    "unused": (lambda a, b, c: a * np.log(c), {"a": (1, 4), "b": (0, 1), "c": (1.5, 4)}),
}  # fmt: skip


def problem_of(function, box, noise=0.0, budget=None):
    domain, rng = Domain.box(**box), np.random.default_rng(1)

    def answer(x):
        y = function(*x.T)
        return y + noise * rng.standard_normal(len(y)) if noise else y

    teacher = Checked(CallableTeacher(answer, "teacher", (Output("y"),), "0"), domain)
    x = domain.sample(300, seed=0)
    sample = SampleSet(domain, x, teacher.predict(x)[:, 0], np.empty((0, len(domain))))
    oracle = Oracle(teacher, domain)
    oracle.error = estimate_error(oracle, sample).value
    costs = dict.fromkeys(OPERATORS, 1.0)
    budget = budget or Budget(evaluations=100_000)
    tolerance = 1e-6 if not noise else 3 * noise
    return Problem(sample, tolerance, costs, 40, budget, 0, oracle=oracle)


def best_error(candidates, function, domain):
    """The smallest root mean square error on fresh points, as a part of the answers' spread."""
    x = domain.sample(500, seed=9)
    y = function(*x.T)
    return min(np.sqrt(np.mean((c.formula(x) - y) ** 2)) for c in candidates) / np.std(y)


@pytest.mark.parametrize(("function", "box"), FORMULAS.values(), ids=FORMULAS)
def test_formulas_of_an_exact_teacher_are_found_again(function, box):
    problem = problem_of(function, box)
    found = list(ENGINE.search(problem))
    assert best_error(found, function, problem.sample.domain) < 1e-11


@pytest.mark.parametrize(
    "name", ["product", "sum", "difference", "parallel", "ideal gas", "unused"]
)
def test_formulas_are_found_through_noise(name):
    function, box = FORMULAS[name]
    spread = np.std(function(*Domain.box(**box).sample(300).T))
    problem = problem_of(function, box, noise=1e-3 * spread)
    found = list(ENGINE.search(problem))
    assert best_error(found, function, problem.sample.domain) < 3e-4


def test_it_says_what_it_found():
    function, box = FORMULAS["unused"]
    told = []
    problem = replace(problem_of(function, box), explain=told.append)
    list(ENGINE.search(problem))
    text = "\n".join(lines(told[-1]))
    assert "does not depend on b" in text
    assert "product of f(a) and f(c)" in text
    assert told[-1].state == "solved"


@pytest.mark.parametrize("name", ["link", "distance"])
def test_the_same_budget_in_evaluations_gives_the_same_to_the_bit(name):
    function, box = FORMULAS[name]

    def once():
        engine = Structure(StructureOptions(efforts=1))
        problem = problem_of(function, box, budget=Budget(evaluations=20_000))
        return [(c.formula.text, c.origin) for c in engine.search(problem)]

    assert once() == once()


def test_the_front_reaches_from_simple_to_exact():
    function, box = FORMULAS["relativity"]
    problem = problem_of(function, box, budget=Budget(evaluations=20_000))
    found = list(Structure(StructureOptions(efforts=1)).search(problem))
    sizes = [c.formula.complexity for c in found]
    assert min(sizes) <= 5 < max(sizes)
    assert {c.engine for c in found} == {"structure"}
