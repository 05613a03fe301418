"""The fit stage around an engine: what it is told, how often it may ask, when it ends."""

import json
import time
from dataclasses import dataclass, replace

import numpy as np
import pytest

from distill.config.schema import EngineConfig
from distill.domain import Domain
from distill.engines import registry
from distill.engines.base import Candidate
from distill.engines.findings import Finding
from distill.engines.noise import ErrorEstimate
from distill.errors import ConfigError
from distill.fitting.fit import fit
from distill.fitting.fitted import FIT, load_fitted, save_fitted
from distill.formula import Formula
from distill.formula.operators import OPERATORS
from distill.journal import Journal
from distill.runner import Work
from distill.sampling.sample_set import SampleSet
from distill.teachers.load import load_teacher
from distill.teachers.rationed import rationed
from tests.heard import Heard

PLANE = Domain.box(a=(1, 4), b=(0.5, 3))
COSTS = dict.fromkeys(OPERATORS, 1.0)


def curved(x):
    return x[:, 0] * np.exp(-x[:, 1])


@dataclass(frozen=True)
class NoOptions:
    """Nothing to set."""


@pytest.fixture
def fake(monkeypatch):
    """Put an engine that does what a function does under the name `fake`; its problems."""
    problems = []

    class Fake:
        name = "fake"

        def __init__(self, search):
            self._search = search

        def search(self, problem):
            problems.append(problem)
            yield from self._search(problem)

    def arrange(search):
        entry = registry.EngineEntry(
            "fake", "for tests", NoOptions, lambda options: Fake(search), asks=True
        )
        monkeypatch.setitem(registry.ENGINES, "fake", entry)
        return problems

    return arrange


@pytest.fixture
def run(tmp_path):
    """Fit a function (or a teacher) with the fake engine."""

    def start(function, *, teacher=None, journal="journal", heard=None, points=200, **config):
        teacher = teacher or load_teacher(function, domain=PLANE, name="taught")
        domain = teacher.domain
        x = np.vstack([domain.corners(), domain.sample(points, seed=3)])
        sample = SampleSet(domain, x, function(x), np.empty((0, len(domain))))
        settings = {
            "name": "fake", "evaluations": 1000, "rounds": 3, "operators": ["add", "mul", "exp"]
        } | config  # fmt: skip
        work = Work(heard or Heard(), Journal(tmp_path / journal))
        return fit(EngineConfig(**settings), 0.01, sample, teacher, 0, work, COSTS)

    return start


def says(*texts):
    """A search that proposes the texts."""

    def search(problem):
        for text in texts:
            yield Candidate(Formula.parse(text, problem.sample.domain), "fake")

    return search


FOUND = Finding(
    "f(a, b)", "a product", "believed", float("inf"), "",
    (Finding("f(a)", "a line", "solved", 1e-9, "a"), Finding("f(b)", "unknown", "open", 0.1)),
)  # fmt: skip


def test_the_engine_may_ask_the_teacher_and_is_told_what_is_known(fake, run):
    def search(problem):
        x = problem.sample.domain.sample(50, seed=problem.seed)
        assert np.allclose(problem.oracle(x), curved(x))
        assert problem.oracle.error == 0.0
        yield from says("a", "a + b")(problem)

    problems = fake(search)
    fitted = run(curved, counterexamples=0)
    assert problems[0].known == ()
    assert {f.readable() for f in problems[1].known} >= {"a", "a + b"}
    assert fitted.error == ErrorEstimate(0.0, "exact")
    to_see_how_quick_it_is, by_the_estimate = 2, 1056 + 64
    assert fitted.asked == 50 * len(problems) + to_see_how_quick_it_is + by_the_estimate


def test_the_teachers_own_error_is_estimated_or_stated(fake, run):
    problems = fake(says("a"))
    rng = np.random.default_rng(0)
    fitted = run(lambda x: curved(x) + 1e-3 * rng.standard_normal(len(x)))
    assert problems[0].oracle.error == pytest.approx(1e-3, rel=0.3)
    assert f"own error is about {fitted.error.value:.2g} (noise)" in FIT.describe(fitted)
    run(curved, teacher_error=0.5, journal="other")
    assert problems[-1].oracle.error == 0.5


def test_what_was_found_out_is_kept_and_said(fake, run, tmp_path):
    def search(problem):
        problem.explain(replace(FOUND, text="at first"))
        yield from says("a")(problem)
        problem.explain(FOUND)

    fake(search)
    fitted = run(curved)
    assert fitted.finding == FOUND
    save_fitted(fitted, tmp_path)
    assert load_fitted(tmp_path) == fitted
    assert f"asked the teacher {fitted.asked:,} times" in FIT.describe(fitted)


def test_rounds_end_when_the_worst_error_is_rounding(fake, run):
    problems = fake(says("1 + a", "a*exp(-b)"))
    fitted = run(curved, rounds=9)
    assert len(problems) == 1
    assert any(c.formula.readable() == "a*exp(-b)" for c in fitted.candidates)


def test_rounds_end_when_the_worst_error_stops_falling(fake, run):
    problems = fake(says("2*a", "a + b"))
    fitted = run(curved, rounds=9)
    assert 2 <= len(problems) < 9
    assert fitted.counterexamples > 0
    assert len(problems[1].sample) > len(problems[0].sample)


def test_rounds_go_on_while_it_falls(fake, run):
    texts = ["a + b", "2*a - b", "a/(b + 1)", "a/(0.5 + b^2)", "a*exp(-b)*(1 + 0.01*b^2)"]

    def search(problem):
        yield from says(texts[problem.seed])(problem)

    problems = fake(search)
    run(curved, rounds=5, max_complexity=60)
    assert len(problems) >= 3


def test_questions_are_never_more_than_allowed(fake, run):
    def search(problem):
        yield from says("a", "a + b", "2*a")(problem)
        while True:
            problem.oracle(problem.sample.domain.sample(7, seed=1))

    problems = fake(search)
    fitted = run(curved, questions=500)
    assert 450 < fitted.asked <= 500
    assert fitted.candidates
    # Some were kept for places where the formulas are wrong.
    assert fitted.counterexamples > 0
    assert len(problems) > 1


def test_a_slow_teacher_ends_within_its_seconds(fake, run):
    def slow(x):
        time.sleep(0.02 * len(x))
        return curved(x)

    def search(problem):
        yield from says("a", "a + b")(problem)
        while True:
            problem.oracle(problem.sample.domain.sample(3, seed=1))

    fake(search)
    heard = Heard()
    fitted = run(slow, evaluations=None, seconds=3.0, points=16, heard=heard)
    assert fitted.candidates
    assert 3 <= fitted.asked <= 100
    assert any("takes about 0.0" in text for text in heard.warnings)


def test_kept_answers_do_not_make_a_slow_teacher_quick(fake, run):
    kept = set()

    def slow(x):
        new = {row.tobytes() for row in x} - kept
        time.sleep(0.02 * len(new))
        kept.update(new)
        return curved(x)

    def search(problem):
        yield from says("a", "a + b")(problem)

    problems = fake(search)
    for number in range(2):  # the second time the search before has asked, too
        run(slow, evaluations=None, seconds=2.0, rounds=1, points=16, journal=f"journal {number}")
    assert len(problems) == 2
    assert all(3 <= problem.oracle.questions <= 100 for problem in problems)


def test_what_a_slow_teacher_takes_is_told_where_nothing_limits_it(fake, run):
    def slow(x):
        time.sleep(0.03 * len(x))
        return curved(x)

    fake(says("a"))
    little = {"points": 16, "counterexamples": 0, "teacher_error": 0.1}  # that is asked for
    for limits, told in (({}, 1), ({"questions": 30, "journal": "few"}, 0)):
        heard = Heard()
        run(slow, heard=heard, **little, **limits)
        assert sum("100,000 answers" in text for text in heard.warnings) == told
        assert sum("limits.questions=5000" in text for text in heard.warnings) == told


def test_with_many_questions_the_worst_points_are_searched(fake, run):
    fake(says("a"))
    searched = run(curved, questions=10_000_000)
    assert searched.asked > 5000
    assert run(curved, questions=5000, journal="other").asked <= 5000


def test_a_quick_teacher_is_not_limited(fake, run):
    problems = fake(says("a*exp(-b)"))
    heard = Heard()
    run(curved, evaluations=None, seconds=60.0, heard=heard)
    assert problems[0].oracle.questions is None
    assert heard.warnings == []


def test_a_table_is_asked_through_a_smooth_model(fake, run):
    import pandas as pd

    x = PLANE.sample(300, seed=1)
    rows = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": curved(x)})
    table = load_teacher(rows)

    def known(points):
        return curved(points)

    def search(problem):
        fresh = problem.sample.domain.sample(200, seed=5)
        off = problem.oracle(fresh) - curved(fresh)
        assert np.sqrt(np.mean(off**2)) < 3 * problem.oracle.error < 0.01
        yield from says("a")(problem)

    problems = fake(search)
    fitted = run(known, teacher=table)
    assert (fitted.asked, fitted.counterexamples) == (0, 0)
    assert fitted.error.kind == "smoothed"
    noise = np.random.default_rng(0).standard_normal(300)
    problems = fake(says("a"))
    run(lambda points: noise[: len(points)], teacher=table, journal="other", points=200)
    assert problems[-1].oracle is None


def test_a_killed_fit_goes_on_under_the_same_rules(fake, run, tmp_path):
    rng = np.random.default_rng(0)

    def noisy(x):
        return curved(x) + 1e-3 * rng.standard_normal(len(x))

    def search(problem):
        problem.oracle(problem.sample.domain.sample(9, seed=1))
        problem.explain(FOUND)
        yield from says("a", "a + b")(problem)

    fake(search)
    whole = run(noisy, questions=2000)
    lines = (tmp_path / "journal").read_text().splitlines(keepends=True)
    assert list(json.loads(lines[0].partition(" ")[2])) == ["asking"]
    for kept in range(1, len(lines) + 1):
        (tmp_path / f"cut{kept}").write_text("".join(lines[:kept]))
        again = run(noisy, questions=2000, journal=f"cut{kept}")
        assert again.error == whole.error
        assert again.asked <= 2000
    assert again.candidates == whole.candidates
    assert (again.finding, again.asked) == (whole.finding, whole.asked)


def test_a_killed_fit_goes_on_within_a_limit_that_came_later(fake, run, tmp_path):
    fake(says("a", "a + b"))
    run(curved)
    first = (tmp_path / "journal").read_text().splitlines(keepends=True)[0]
    (tmp_path / "cut").write_text(first)
    before = json.loads(first.partition(" ")[2])["asking"]["asked"]
    limited = rationed(load_teacher(curved, domain=PLANE, name="taught"), 500)
    assert run(curved, teacher=limited, journal="cut").asked <= before + 250


def test_with_evaluations_a_killed_fit_ends_with_the_same_result(fake, run, tmp_path):
    def search(problem):
        x = problem.sample.domain.sample(9, seed=problem.seed)
        yield from says("a", f"a + {problem.oracle(x)[0]:.6f}*b", f"{len(problem.known)} + a")(
            problem
        )

    fake(search)
    whole = run(curved)
    lines = (tmp_path / "journal").read_text().splitlines(keepends=True)
    for kept in range(len(lines)):
        (tmp_path / f"cut{kept}").write_text("".join(lines[:kept]))
        again = run(curved, journal=f"cut{kept}")
        assert (again.candidates, again.asked) == (whole.candidates, whole.asked)
        assert _without_seconds(again.history) == _without_seconds(whole.history)
    assert len(whole.history) > 1


def _without_seconds(history):
    return [replace(step, seconds=0.0) for step in history]


def test_a_teacher_that_can_be_proven_about_gives_points_where_least_is_proven(fake, run):
    # from everywhere but the spike itself the error rises towards a = 4
    spike = Formula.parse("0.2*a + exp(-((a - 2.3)^2 + (b - 1.1)^2)/0.000001)", PLANE)
    nearest = {}
    for name, function in (("known", spike), ("asked only", lambda x: spike(x))):  # noqa: PLW0108
        problems = fake(says("0*a", "0.001*b"))
        teacher = load_teacher(function, domain=PLANE, name="taught")
        run(function, teacher=teacher, journal=name, rounds=2, points=100)
        x = problems[-1].sample.x
        nearest[name] = np.abs(x - [2.3, 1.1]).max(axis=1).min()
        assert len(problems) % 2 == 0
    assert nearest["known"] < 0.01 < nearest["asked only"]


def test_the_points_of_the_prover_are_questions_too_and_can_be_turned_off(fake, run):
    flat = Formula.parse("a*b", PLANE)
    for counterexamples, most in ((0, 0), (8, 10)):
        fake(says("a + b"))
        fitted = run(
            flat,
            teacher=load_teacher(flat, domain=PLANE, name="taught"),
            journal=f"{counterexamples}",
            counterexamples=counterexamples,
            rounds=1,
        )
        assert fitted.counterexamples <= most
        assert bool(fitted.counterexamples) == bool(counterexamples)


@pytest.mark.parametrize(
    ("engine", "options", "what"),
    [
        ("operon", {"poplation_size": 9}, "has no option `poplation_size`"),
        ("portfolio", {"operon": {"threads": "two"}}, "`threads` must be of type int"),
        ("opern", {}, "there is no engine called `opern`"),
    ],
)
def test_what_an_engine_refuses_is_told_before_the_teacher_is_asked(
    tmp_path, engine, options, what
):
    import distill

    asked = []

    def teacher(x):
        asked.append(len(x))
        return curved(x)

    with pytest.raises(ConfigError, match=what):
        distill.distill(
            teacher, PLANE, tolerance=0.1, engine=engine, options=options, root=tmp_path
        )
    assert asked == []
