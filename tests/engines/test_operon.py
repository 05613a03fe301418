"""Operon behind the engine protocol."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from distill.domain import Domain
from distill.engines import operon
from distill.engines.base import Budget
from distill.engines.child import Child, EngineError
from distill.engines.operon import Operon, OperonOptions
from distill.engines.refine import refine
from distill.errors import ConfigError
from distill.formula import Formula
from distill.formula.program import compile_tree
from distill.formula.tree import Symbol, complexity, mul, symbols

SMALL = OperonOptions(population_size=200, generations=5, max_length=15, rows=64)


@pytest.fixture
def pids(monkeypatch):
    """The process ids of all workers started."""
    started = []

    class Watched(Child):
        def __init__(self, *args):
            super().__init__(*args)
            started.append(self)

    monkeypatch.setattr(operon, "Child", Watched)
    return started


def texts(candidates):
    return [(c.formula.text, c.origin) for c in candidates]


def test_a_simple_formula_is_found(product, worst):
    best = min(Operon(SMALL).search(product), key=lambda c: worst(c, product.sample))
    refined = refine(best, product.sample, tolerance=1e-6)
    simplest = min(refined, key=lambda c: c.formula.complexity)
    assert worst(simplest, product.sample) < 1e-9
    assert simplest.formula.complexity <= 7
    assert best.engine == "operon"


def test_a_range_far_from_zero_is_no_trouble(make_problem, worst):
    kelvin = Domain.box(temperature=(290, 310), load=(0, 1))
    problem = make_problem(
        lambda x: np.square(x[:, 0] - 300) * x[:, 1], kelvin, budget=Budget(evaluations=40_000)
    )
    found = list(Operon(SMALL).search(problem))
    assert min(worst(c, problem.sample) for c in found) < 0.01


def test_the_same_problem_gives_the_same_candidates_to_the_bit(product):
    once = texts(Operon(SMALL).search(product))
    threaded = replace(SMALL, threads=3)
    assert texts(Operon(replace(SMALL, threads=1)).search(product)) == once
    assert texts(Operon(threaded).search(product)) == once
    assert texts(Operon(SMALL).search(replace(product, seed=1))) != once
    assert len({origin.split(",")[0] for _, origin in once}) > 1  # it restarted on the way


def test_every_candidate_beats_all_simpler_ones_before_it(product):
    sample = product.sample
    seen = []
    for candidate in Operon(SMALL).search(product):
        off = candidate.formula(sample.x) - sample.y
        errors = np.array([np.sqrt(np.mean(off**2)), np.abs(off).max()])
        size = candidate.formula.complexity
        rivals = [e for c, e in seen if c <= size]
        assert not rivals or (errors < np.min(rivals, axis=0)).any()
        seen.append((size, errors))
    assert len(seen) >= 3


def test_closing_the_iterator_ends_the_worker(product, pids):
    search = Operon(SMALL).search(replace(product, budget=Budget(seconds=600)))
    next(search)
    assert pids[0]._process.poll() is None
    search.close()
    assert pids[0]._process.poll() is not None


def test_the_end_of_the_time_ends_the_worker(product, pids):
    list(Operon(SMALL).search(replace(product, budget=Budget(seconds=1.5))))
    assert [child._process.poll() is not None for child in pids] == [True]


CRASHING = """
import os, sys
from distill.engines import operon_worker
restart = operon_worker.restart
def fragile(job, table, number):
    if number in {bad}:
        sys.stderr.write("segmentation of the mind"); sys.stderr.flush()
        os.abort()
    restart(job, table, number)
operon_worker.restart = fragile
operon_worker.main()
"""


@pytest.fixture
def crash(tmp_path, monkeypatch):
    """Make the worker crash in the given restarts."""

    def arrange(*restarts):
        (tmp_path / "fragile_worker.py").write_text(CRASHING.replace("{bad}", repr(restarts)))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setattr(operon, "WORKER", "fragile_worker")

    return arrange


def test_after_a_crash_the_next_restart_goes_on(product, crash, caplog):
    whole = texts(Operon(SMALL).search(product))
    crash(1)
    with caplog.at_level(logging.WARNING):
        survived = texts(Operon(SMALL).search(product))
    first = [row for row in whole if row[1].startswith("restart 0,")]
    assert survived[: len(first)] == first
    assert {row[1].split(",")[0] for row in survived} >= {"restart 0", "restart 2"}
    assert "segmentation of the mind" in caplog.text


def test_crash_after_crash_is_an_error_and_what_was_found_is_kept(product, crash):
    crash(*range(1, 64))
    found = []
    with pytest.raises(EngineError, match="search process ended") as caught:
        found.extend(Operon(SMALL).search(product))
    assert {c.origin.split(",")[0] for c in found} == {"restart 0"}
    assert "segmentation of the mind" in caught.value.where


def test_operators_it_does_not_have_are_left_out_with_a_note(product, caplog):
    problem = replace(product, operators={"add": 1, "mul": 1, "atan2": 9, "atan": 9})
    with caplog.at_level(logging.INFO):
        found = list(Operon(SMALL).search(problem))
    assert "atan, atan2" in caplog.text
    used = {word for c in found for word in ("atan", "log", "exp") if word in c.formula.text}
    assert not used


def test_no_usable_operator_is_an_error(product):
    with pytest.raises(ConfigError, match="none of the allowed operators"):
        next(Operon(SMALL).search(replace(product, operators={"atan2": 1.0})))


def test_costly_operators_are_drawn_less_often(product):
    names = Operon(SMALL)._operators({"add": 1.0, "exp": 12.0, "log": 1000.0})
    assert names == {"Add": 60, "Exp": 5, "Log": 1}


@pytest.mark.parametrize("key", ["population_size", "rows", "max_length"])
def test_options_below_their_least_value_are_named(key):
    with pytest.raises(ConfigError) as caught:
        OperonOptions(**{key: 0})
    assert caught.value.where == f"config key `engine.options.{key}`"


def test_operon_nodes_become_our_tree():
    scaling = operon.Scaling(np.array([0.0, 10.0]), np.array([2.0, 5.0]))
    columns = [Symbol("a"), Symbol("b")]
    # in post-order the operand nearest to the operator is the left one: (b - 10)/5*3 - a/2
    nodes = [["Variable", 0, 1.0], ["Variable", 1, 3.0], ["Sub", 2, 1.0]]
    tree = operon._tree(nodes, scaling, columns)

    assert compile_tree(tree, ("a", "b"))(np.array([[4.0, 20.0]]))[0] == pytest.approx(6.0 - 2.0)
    lone = operon._tree([["Constant", 0, 4.0], ["Div", 1, 1.0]], scaling, columns)
    assert complexity(lone) == 2


def test_building_blocks_are_used_like_inputs(make_problem, worst):
    far = Domain.box(a=(1, 4), b=(0.5, 3), c=(1, 2))
    hidden = Formula.parse("sin(a*b)/c", far).tree
    problem = make_problem(
        lambda x: 3 * np.sin(x[:, 0] * x[:, 1]) / x[:, 2] * x[:, 0] + 2,
        far, budget=Budget(evaluations=20_000), operators=("add", "mul"),
    )  # fmt: skip
    without = min(worst(c, problem.sample) for c in Operon(SMALL).search(problem))
    found = list(Operon(SMALL).search(problem, [hidden]))
    best = min(found, key=lambda c: worst(c, problem.sample))
    assert worst(best, problem.sample) < 1e-4 < without
    assert set(symbols(best.formula.tree)) == {"a", "b", "c"}
    assert texts(Operon(SMALL).search(problem, [hidden])) == texts(found)


def test_blocks_that_say_nothing_are_left_out(product, plane):
    useless = ["log(a - 9)", "a/(b - b)", "3", "0*a + 2", "a", "b"]
    trees = [Formula.parse(text, plane).tree for text in useless]
    assert len(operon._columns(product.sample, trees)[1]) == 2
    x, columns = operon._columns(product.sample, [*trees, mul(trees[4], trees[5])] * 2)
    assert len(columns) == 3
    assert (x[:, 2] == x[:, 0] * x[:, 1]).all()
