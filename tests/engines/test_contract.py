"""What every engine owes every teacher, however it behaves."""

import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from distill.domain import Domain, Variable
from distill.engines.base import Budget, Problem
from distill.engines.noise import estimate_error
from distill.engines.oracle import Oracle
from distill.engines.registry import ENGINES, make_engine
from distill.sampling.sample_set import SampleSet
from distill.teachers.base import Output
from distill.teachers.checked import Checked
from distill.teachers.function import CallableTeacher

OPTIONS = {
    "structure": {"efforts": 1},
    "operon": {"population_size": 200, "generations": 3, "rows": 64},
    "polynomial": {"max_terms": 6, "functions": False},
    "portfolio": {
        "engines": ["structure", "operon"],
        "structure": {"efforts": 1},
        "operon": {"population_size": 200, "generations": 3, "rows": 64},
    },
}
OPERATORS = ("add", "sub", "mul", "div", "square", "sqrt", "exp", "log", "sin", "tan")
EVALUATIONS = 6000
QUESTIONS = 15_000
HUNG = 120.0
"""Seconds after which a search of a second or two must have hung."""


def tree():
    from sklearn.tree import DecisionTreeRegressor

    domain = Domain.box(a=(0, 2), b=(0, 2), c=(0, 2))
    x = domain.sample(400, seed=1)
    fitted = DecisionTreeRegressor(max_depth=6, random_state=0).fit(
        x, x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2])
    )
    return fitted.predict, domain


def relu():
    rng = np.random.default_rng(1)
    first, bias, last = rng.normal(size=(2, 12)), rng.normal(size=12), rng.normal(size=12)
    return lambda x: np.maximum(x @ first + bias, 0) @ last, Domain.box(a=(-1, 1), b=(-1, 1))


def noisy():
    rng = np.random.default_rng(2)
    return (
        lambda x: x[:, 0] ** 2 / x[:, 1] + 0.01 * rng.normal(size=len(x)),
        Domain.box(a=(1, 4), b=(1, 3)),
    )


def slow():
    def answer(x):
        time.sleep(2e-4 * len(x))
        return x[:, 0] * np.exp(-x[:, 1])

    return answer, Domain.box(a=(1, 4), b=(0, 3))


def whole():
    def answer(x):
        assert (x[:, [0, 2]] == np.round(x[:, [0, 2]])).all()
        return x[:, 0] * x[:, 1] + np.where(x[:, 2] == 1, x[:, 1] ** 2, 1.0)

    inputs = (
        Variable("n", 1, 6, kind="integer"),
        Variable("x", 0.5, 2),
        Variable("on", 0, 1, kind="boolean"),
    )
    return answer, Domain(inputs)


def votes():
    inputs = tuple(Variable(f"b{i}", 0, 1, kind="boolean") for i in range(4))
    return lambda x: (x.sum(axis=1) > 1.5) * 1.0, Domain(inputs)


def plain(function, **box):
    return lambda: (function, Domain.box(**box))


TEACHERS = {
    "tree": tree,
    "relu network": relu,
    "kink": plain(lambda x: np.abs(x[:, 0] - 0.3) * x[:, 1], a=(-1, 1), b=(0, 2)),
    "steps": plain(lambda x: np.floor(3 * x[:, 0]) + np.sign(x[:, 1] - 0.5), a=(0, 2), b=(0, 1)),
    "plateau": plain(lambda x: np.clip(x[:, 0] * x[:, 1], 0.5, 2.0), a=(0, 2), b=(0, 2)),
    "pole": plain(lambda x: 1 / (x[:, 0] - 0.3) + x[:, 1], a=(0, 1), b=(0, 1)),
    "tan": plain(lambda x: np.tan(3 * x[:, 0]) * x[:, 1], a=(0, 1), b=(1, 2)),
    "on a part only": plain(
        lambda x: np.log(x[:, 0] - 0.4 * x[:, 1]) + np.sqrt(x[:, 1]), a=(0, 2), b=(-0.5, 2)
    ),
    "noisy": noisy,
    "slow": slow,
    "twenty inputs": plain(
        lambda x: x[:, 3] * np.sin(x[:, 7]) + x[:, 11] ** 2,
        **{f"x{i}": (0.5, 2) for i in range(20)},
    ),
    "twelve decades": plain(lambda x: 1e-6 * np.exp(x[:, 0] * x[:, 1]), a=(0, 7), b=(0, 4)),
    "whole numbers": whole,
    "booleans": votes,
    "one input": plain(lambda x: np.sin(x[:, 0]) / x[:, 0], a=(0.5, 12)),
    "constant but for a hair": plain(
        lambda x: 5 + 1e-9 * np.sin(1e6 * x[:, 0] + 1e5 * x[:, 1]), a=(0, 1), b=(0, 1)
    ),
    "tiny": plain(lambda x: 1e-30 * x[:, 0] * np.exp(x[:, 1]), a=(1, 2), b=(0, 1)),
    "huge": plain(lambda x: 1e30 * x[:, 0] / x[:, 1], a=(1, 2), b=(1, 3)),
    "the same input twice": plain(
        lambda x: np.exp(-x[:, 0]) * x[:, 1] + 0 * x[:, 2], a=(0, 2), b=(1, 2), c=(1, 2)
    ),
}
FOUND = ("pole", "twenty inputs", "twelve decades", "whole numbers", "tiny", "huge")
"""Teachers whose formula the structure engine finds at once."""


def problem_of(name, budget=None, questions=None):
    function, domain = TEACHERS[name]()

    def quiet(x):
        with np.errstate(all="ignore"):
            return function(x)

    teacher = Checked(CallableTeacher(quiet, "teacher", (Output("y"),), "0"), domain)
    x = domain.sample(200, seed=0)
    y = teacher.predict(x)[:, 0]
    known = np.isfinite(y)
    sample = SampleSet(domain, x[known], y[known], x[~known])
    oracle = Oracle(teacher, domain, questions=questions)
    oracle.error = estimate_error(oracle, sample).value
    budget = budget or Budget(evaluations=EVALUATIONS)
    costs = dict.fromkeys(OPERATORS, 1.0)
    return Problem(sample, 1e-3 * float(np.ptp(sample.y)), costs, 40, budget, 0, oracle=oracle)


def children():
    """Processes whose parent is this one."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            status = (folder / "stat").read_text() if folder.name.isdigit() else ""
        except OSError:  # it ended while we looked
            continue
        if status and int(status.rpartition(")")[2].split()[1]) == os.getpid():
            found.append(int(folder.name))
    return found


def engine_of(name):
    return make_engine(name, OPTIONS.get(name, {}))


# Of the others test_exact.py, test_student.py and the folder pysr are.
SEARCHING = sorted(e.name for e in ENGINES.values() if e.rounds and e.name != "pysr")
every_engine = pytest.mark.parametrize("engine", SEARCHING)


@every_engine
@pytest.mark.parametrize("teacher", TEACHERS)
def test_every_teacher_ends_with_an_honest_front(engine, teacher):
    started = time.monotonic()
    limits = dict.fromkeys(FOUND) | {"slow": 400}
    problem = problem_of(teacher, questions=limits.get(teacher, QUESTIONS))
    front = list(engine_of(engine).search(problem))
    assert time.monotonic() - started < HUNG
    assert front
    y = problem.sample.y
    answers = np.array([candidate.formula(problem.sample.x) for candidate in front])
    assert np.isfinite(answers).all()
    # Units of the spread, so that no square is too small or too large for a number.
    off = np.sqrt(np.mean(((answers - y) / np.ptp(y)) ** 2, axis=1))
    assert off.min() <= 1.05 * np.std(y / np.ptp(y))
    assert problem.oracle.questions is None or problem.oracle.asked <= problem.oracle.questions
    if engine == "structure" and teacher in FOUND:
        assert off.min() < 1e-9


@pytest.mark.parametrize("teacher", ["plateau", "on a part only"])
@every_engine
def test_the_same_problem_gives_the_same_candidates_to_the_bit(engine, teacher):
    def once():
        found = engine_of(engine).search(problem_of(teacher, questions=QUESTIONS))
        return [(c.formula.text, c.origin, c.engine) for c in found]

    assert once() == once()


SCRIPT = """
import json, sys
import numpy as np
from distill.domain import Domain
from distill.engines.base import Budget, Problem
from distill.engines.oracle import Oracle
from distill.engines.registry import make_engine
from distill.sampling.sample_set import SampleSet
from distill.teachers.base import Output
from distill.teachers.checked import Checked
from distill.teachers.function import CallableTeacher

def function(x):
    return 3 * np.exp(-x[:, 0] * x[:, 1]) + 1

options, operators = json.loads(sys.argv[1])
domain = Domain.box(a=(0, 2), b=(0.5, 2))
teacher = Checked(CallableTeacher(function, "t", (Output("y"),), "0"), domain)
x = domain.sample(200, seed=0)
sample = SampleSet(domain, x, function(x), np.empty((0, 2)))
budget = Budget(evaluations=3000)
costs = dict.fromkeys(operators, 1.0)
problem = Problem(sample, 1e-3, costs, 40, budget, 0, oracle=Oracle(teacher, domain))
found = {n: [c.id for c in make_engine(n, options[n]).search(problem)] for n in options}
print(json.dumps(found))
"""


def test_two_processes_at_once_find_the_same_to_the_bit():
    command = [sys.executable, "-c", SCRIPT, json.dumps([OPTIONS, OPERATORS])]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    one, other = (process.communicate(timeout=HUNG)[0] for process in running)
    assert json.loads(one) == json.loads(other)
    assert all(json.loads(one).values())


@every_engine
@pytest.mark.parametrize("taken", [0, 1, 4])
@pytest.mark.parametrize("budget", [Budget(seconds=20.0), Budget(evaluations=2_000_000)], ids=str)
def test_a_search_that_is_closed_leaves_nothing_behind(engine, taken, budget):
    before = set(children())
    search = make_engine(engine, {}).search(problem_of("plateau", budget))
    seen = list(itertools.islice(search, taken))
    assert len(seen) == taken
    started = time.monotonic()
    search.close()
    assert time.monotonic() - started < HUNG
    assert set(children()) == before


def test_questions_run_out_in_the_middle_of_a_search():
    for questions in (0, 1, 300, 1500):
        problem = problem_of("plateau", questions=None)
        problem.oracle.asked, problem.oracle.questions = 0, questions
        assert list(engine_of("structure").search(problem))
        assert problem.oracle.asked <= questions
