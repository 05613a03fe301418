from __future__ import annotations

import csv
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from recovery import networks, report, solving
from recovery.judging import Judge
from recovery.peers import tree_of
from recovery.problems import RecoveryProblem, load, names, widened
from recovery.solving import OPERATORS, Outcome, Task, solve

from distill.domain import Domain, Variable
from distill.engines.base import Candidate, Problem
from distill.engines.registry import ENGINES
from distill.errors import ConfigError, StorageError
from distill.formula import Formula
from distill.formula.operators import OPERATORS as KNOWN
from distill.formula.text import to_text

SIZES = {
    "embedded": 15,
    "feynman": 100,
    "fresh": 20,
    "jin": 6,
    "keijzer": 15,
    "korns": 15,
    "livermore": 22,
    "nguyen": 12,
    "vladislavleva": 8,
}
LIBRARIES = {"pv_power": "pvlib", "sea_sound": "gsw", "water_saturation": "iapws",
             "r134a_saturation": "CoolProp"}  # fmt: skip


def problem(group: str, name: str) -> RecoveryProblem:
    return next(p for p in load(group) if p.name == name)


def missing(each: RecoveryProblem) -> bool:
    library = LIBRARIES.get(getattr(each.truth, "__name__", ""))
    return library is not None and importlib.util.find_spec(library) is None


@pytest.fixture(scope="module")
def program() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "recovery.py"
    spec = importlib.util.spec_from_file_location("recovery_program", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_sets_are_whole() -> None:
    assert {group: len(load(group)) for group in names()} == SIZES
    for group in names():
        assert len({p.slug for p in load(group)}) == SIZES[group]


@pytest.mark.parametrize("group", SIZES)
def test_every_truth_is_defined_and_varies_in_its_box_and_the_wider_one(group: str) -> None:
    # Two sets are published with boxes on whose half, or quarter, a root or logarithm has no value.
    least = 50 if group == "korns" else 256
    for each in load(group):
        if missing(each):
            continue
        _, y = each.points(256, seed=0)
        _, wide = each.points(256, seed=1, widen=1.5)
        assert len(y) >= least, each.name
        assert len(wide) >= 50, each.name
        assert np.ptp(y) > 0, each.name


def test_the_feynman_set_is_the_published_one() -> None:
    known = problem("feynman", "I.9.18")
    assert known.domain.names == ("m1", "m2", "G", "x1", "x2", "y1", "y2", "z1", "z2")
    assert known.domain.low.tolist() == [1, 1, 1, 3, 1, 3, 1, 3, 1]
    x = np.array([[1.0, 2.0, 3.0, 1.0, 0.0, 2.0, 0.0, 2.0, 0.0]])
    assert known.answers(x)[0] == pytest.approx(6 / 9)
    assert max(len(p.domain) for p in load("feynman")) == 9


def test_library_truths_agree_with_published_values() -> None:
    celsius = np.array([[0.0], [100.0], [1000.0]])
    voltage = problem("embedded", "thermocouple-K").answers(celsius)
    assert voltage == pytest.approx([0.0, 4.096, 41.276], abs=6e-4)  # NIST's table in mV
    harmonic = problem("keijzer", "Keijzer-6").answers(np.array([[1.0], [4.0]]))
    assert harmonic == pytest.approx([1.0, 25 / 12])
    bulb = problem("embedded", "wet-bulb").answers(np.array([[20.0, 50.0]]))
    assert bulb[0] == pytest.approx(13.7, abs=0.15)  # Stull 2011: 13.7 degC


def test_a_wider_box_keeps_positive_variables_positive() -> None:
    domain = Domain(
        (
            Variable("a", 1, 5),
            Variable("b", -1, 1),
            Variable("c", 1, 100, scale="log"),
            Variable("n", 1, 50, kind="integer"),
        )
    )
    wide = widened(domain, 1.5)
    assert wide.low == pytest.approx([0.25, -1.5, 100**-0.25, 1])
    assert wide.high == pytest.approx([6, 1.5, 100**1.25, 62])


def test_an_unknown_set_or_problem_is_refused(program: ModuleType) -> None:
    with pytest.raises(ConfigError, match="not a problem set"):
        load("feynmann")
    with pytest.raises(ConfigError, match="no problem of"):
        program.chosen(["nguyen"], ["Nguyen-99"])


@pytest.mark.parametrize(
    ("text", "recovered"),
    [
        ("x*exp(-y)", True),
        ("exp(log(x) - y) + 1e-9", True),
        ("x*exp(-y) + 1e-5", False),  # near, but no truth
        ("x*exp(-min(y, 2))", False),  # the truth in the box alone
        ("x*exp(-y) + 0*sqrt(3.25 - x)", False),  # without a value where the truth has one
    ],
)
def test_the_judge_knows_the_truth_from_near_misses(text: str, recovered: bool) -> None:
    domain = Domain.box(x=(1, 3), y=(0, 2))
    truth = Formula.parse("x*exp(-y)", domain)
    judge = Judge.of(RecoveryProblem("decay", "made", domain, truth, truth.text))
    assert judge.errors(Formula.parse(text, domain)).recovered is recovered


def test_what_engines_may_use_are_known_operators() -> None:
    assert set(OPERATORS) <= set(KNOWN)


def test_an_engine_finds_a_polynomial_and_the_csv_tells_of_it(tmp_path: Path) -> None:
    outcome = solve(Task("nguyen", "Nguyen-1", "polynomial", seconds=0.2))
    assert outcome.note == ""
    assert outcome.recovered
    assert 0 <= outcome.found <= outcome.seconds
    baseline = replace(outcome, engine="operon", recovered=False, relative=0.1, rmse=0.1)
    report.write_csv([outcome, baseline], tmp_path / "found.csv")
    with (tmp_path / "found.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["engine"] for row in rows] == ["polynomial", "operon"]
    assert rows[0]["formula"] == outcome.formula
    assert rows[0]["no_worse_than_operon"] == "True"
    assert "| nguyen | polynomial | 1" in report.summary([outcome, baseline])


class TruthThenFailure:
    name = "made"

    def search(self, problem: Problem) -> Iterator[Candidate]:
        domain = problem.sample.domain
        yield Candidate(Formula.parse("x^2 + x + 0", domain), self.name)
        yield Candidate(Formula.parse("x*(x^2 + x + 1)", domain), self.name)
        raise RuntimeError("asked for more")


@pytest.mark.parametrize("stop", [True, False])
def test_a_search_may_end_at_the_truth(stop: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "engine_of", lambda task: TruthThenFailure())
    outcome = solve(Task("nguyen", "Nguyen-1", "made", seconds=0.5, stop=stop))
    assert outcome.recovered
    assert outcome.note == ("" if stop else "RuntimeError: asked for more")


def test_a_failing_engine_is_an_outcome_that_says_so() -> None:
    outcome = solve(Task("nguyen", "Nguyen-1", "no_such_engine", seconds=0.2))
    assert "no_such_engine" in outcome.note
    assert not outcome.recovered


def test_a_process_that_hangs_is_ended(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "STARTING", 0.05)
    outcome = program.outcome_of(Task("nguyen", "Nguyen-1", "polynomial", seconds=0.01))
    assert outcome.note.startswith("ended")
    assert not outcome.recovered


class Compiled:
    """Its first search takes 90 s of a clock, as one that has to be compiled; others take 2."""

    name = "pysr"

    def __init__(self) -> None:
        self.now = 0.0
        self.asked: list[Problem] = []
        self.closed = False

    def search(self, problem: Problem) -> Iterator[Candidate]:
        self.asked.append(problem)
        self.now += 90.0 if len(self.asked) == 1 else 2.0
        # What the first one found counts for nothing.
        text = "x" if len(self.asked) == 1 else "x^3 + x^2 + x"
        yield Candidate(Formula.parse(text, problem.sample.domain), self.name)

    def close(self) -> None:
        self.closed = True


def test_the_clock_runs_when_julia_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Compiled()
    monkeypatch.setattr(solving, "engine_of", lambda task: engine)
    monkeypatch.setattr(solving, "time", SimpleNamespace(monotonic=lambda: engine.now))
    outcome = solve(Task("nguyen", "Nguyen-1", "pysr", seconds=7.0))
    compiling, searched = engine.asked
    assert compiling.budget.seconds == solving.COMPILING["pysr"]
    assert compiling.tolerance > np.ptp(compiling.sample.y)  # anything ends it
    assert searched.budget.seconds == 7.0
    assert searched.tolerance < 1e-6
    assert outcome.recovered
    assert (outcome.found, outcome.seconds) == (2.0, 2.0)
    assert engine.closed


def test_pysr_gets_its_share_of_the_machine_and_forgets_what_it_compiled_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = {}
    monkeypatch.setattr(solving, "make_engine", lambda name, options: made.update({name: options}))
    for engine in ("pysr", "operon", "structure"):
        solving.engine_of(Task("nguyen", "Nguyen-1", engine, seconds=1.0, threads=3))
    assert made["pysr"] == {"threads": 3, "warm_start": False}
    assert made["operon"] == {"threads": 3}
    assert made["structure"] == {}


def test_julia_has_time_to_start_before_its_process_is_ended(program: ModuleType) -> None:
    limits = {e: program.limit_of(Task("nguyen", "Nguyen-1", e, 30.0)) for e in ("operon", "pysr")}
    assert limits == {"operon": 80.0, "pysr": 200.0}


def test_an_engine_that_cannot_run_here_is_left_out_in_one_line(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = replace(ENGINES["pysr"], lacks=lambda: "no Julia: connect once")
    monkeypatch.setitem(program.ENGINES, "pysr", entry)
    solved = []
    monkeypatch.setattr(program, "run", lambda tasks, jobs: solved.extend(tasks) or iter(()))
    program.main(["--set", "nguyen", "--engine", "polynomial,pysr", "--only", "Nguyen-1"])
    assert [task.engine for task in solved] == ["polynomial"]
    assert capsys.readouterr().out.splitlines()[0] == "pysr is left out: no Julia: connect once"


def outcome(engine: str, **given: object) -> Outcome:
    return replace(Outcome("made", "one", engine, rmse=1.0, relative=0.1), **given)


def test_comparisons_with_the_baseline() -> None:
    operon = outcome("operon", within=10, within_error=0.5)
    assert report.no_worse(outcome("structure", rmse=1.04), operon)
    assert not report.no_worse(outcome("structure", rmse=1.06), operon)
    assert report.no_worse(outcome("structure", relative=1e-9, rmse=2.0), operon)
    assert report.cheaper(outcome("structure", within=9, within_error=0.9), operon)
    assert report.cheaper(outcome("structure", within=10, within_error=0.4), operon)
    assert not report.cheaper(outcome("structure", within=10, within_error=0.6), operon)
    assert not report.cheaper(outcome("structure"), operon)


def test_a_network_comes_back_from_disk_and_is_the_one_engines_ask(tmp_path: Path) -> None:
    product = problem("feynman", "I.25.13")
    path = networks.path_of(product, tmp_path)
    with pytest.raises(StorageError, match="not trained"):
        networks.read(path)
    trained = networks.train(product, steps=30)
    assert trained.r2 > 0.9
    networks.save(trained, path)
    again = networks.read(path)
    x, y = product.points(64, seed=5)
    assert np.array_equal(again(x), trained(x))
    assert np.abs(again(x) - y).max() < 5 * trained.max_error
    import torch

    assert networks.module(again)(torch.from_numpy(x)).detach().numpy()[:, 0] == pytest.approx(
        again(x), rel=1e-12
    )
    found = solve(Task("feynman", "I.25.13", "polynomial", seconds=0.2, network=True), tmp_path)
    assert found.note == ""
    assert found.network_rmse == pytest.approx(trained.rmse, rel=0.3)


def test_the_gradient_of_the_training_loss() -> None:
    rng = np.random.default_rng(0)
    sizes = (2, networks.WIDTH, networks.WIDTH, 1)
    count = sum(a * b + b for a, b in pairwise(sizes))
    theta, z, target = rng.normal(0, 0.2, count), rng.normal(size=(300, 2)), rng.normal(size=300)
    _, gradient = networks._loss(theta, z, target, sizes)
    way = rng.normal(size=count)
    step = 1e-6
    ahead, _ = networks._loss(theta + step * way, z, target, sizes)
    behind, _ = networks._loss(theta - step * way, z, target, sizes)
    assert gradient @ way == pytest.approx((ahead - behind) / (2 * step), rel=1e-6)


def test_gplearns_programs_are_read_as_it_computes_them() -> None:
    class Function:
        def __init__(self, name: str, arity: int) -> None:
            self.name, self.arity = name, arity

    program = [Function("sub", 2), 0, Function("log", 1), Function("mul", 2), 1, 2.5]
    assert to_text(tree_of(program, ("a", "b"))) == "a - log(abs(b*2.5))"
