"""The engine over both versions of the real PySR, with a stand-in for Julia that plays scripts."""

import gc
import re

import numpy as np
import pytest

from distill.domain import Domain
from distill.engines.base import Budget, Problem
from distill.engines.child import EngineError
from distill.engines.constraints import read_constraints
from distill.engines.pysr import engine as engine_module
from distill.engines.pysr import watch
from distill.engines.rules import Rules
from distill.engines.skeleton import Skeleton
from distill.errors import ConfigError
from distill.formula import Formula
from distill.sampling.sample_set import SampleSet

COSTS = {"add": 1.0, "sub": 1.0, "mul": 2.0, "div": 8.0, "log": 90.0, "pow": 200.0}
LINES = {"fit": "linear"}
EVALUATIONS, SECONDS = Budget(evaluations=1000), Budget(seconds=60.0)


def line(x):
    return 3 * x[:, 0] - 2 * x[:, 1] + 1


def problem(function=line, budget=EVALUATIONS, points=60, **more):
    domain = Domain.box(N=(0.5, 2), beta=(0.5, 2))
    x = domain.sample(points, seed=0)
    sample = SampleSet(domain, x, function(x), np.empty((0, 2)))
    told = {"tolerance": 1e-3, "operators": COSTS, "max_complexity": 30, "seed": 5, **more}
    return Problem(sample, budget=budget, **told)


def formula(text):
    return Formula.parse(text, problem().sample.domain)


class TestTold:
    def test_a_search_with_a_budget_of_evaluations(self, shared):
        asked = problem()
        found = shared(asked, LINES)
        assert found.error(asked) < 1e-12
        assert {name for name, _ in found.candidates[0].metrics} == {
            "pysr_complexity",
            "pysr_loss",
            "pysr_score",
        }
        called, options = shared.called, shared.called["options"]
        assert called["variable_names"] == ["x0", "x1"]
        assert called["parallelism"] == "serial"
        assert options["deterministic"] is True
        assert options["max_evals"] == 1000
        assert options["timeout_in_seconds"] is None
        assert options["batching"] is False
        assert options["maxsize"] == 30
        assert options["early_stop_condition"] == pytest.approx((0.05e-3) ** 2)
        assert options["input_stream"] == {"type": "DevNull"}
        assert called["X"]["dtype"] == "float64"
        assert called["X"]["shape"] == [2, 60]
        assert called["weights"] is None
        assert not called["torch"]
        # The same again is the same to the bit.
        seed = options["seed"]
        again = shared(asked, LINES)
        assert again.texts == found.texts
        assert shared.called["options"]["seed"] == seed

    def test_operators_cost_what_they_cost_on_the_chip(self, shared):
        shared(problem(), LINES)
        options = shared.called["options"]
        costs = options["complexity_of_operators"]
        assert costs["+"] == 1 < costs["*"] < costs["/"] < costs["log"] < costs["^"]
        assert (costs["safe_log"], costs["safe_pow"]) == (costs["log"], costs["^"])
        binary = "bin_constraints" if shared.version.startswith("1.") else "constraints"
        limits = options[binary] if binary == "bin_constraints" else options[binary]["2"]
        assert [-1, 1] in limits
        assert options["nested_constraints"]["log"]["log"] == 0

    def test_a_search_with_a_budget_of_seconds(self, shared):
        shared(problem(budget=SECONDS), LINES)
        called, options = shared.called, shared.called["options"]
        assert called["parallelism"] == "multithreading"
        assert options["deterministic"] is False
        assert options["max_evals"] is None
        assert 1.0 <= options["timeout_in_seconds"] < 60.0
        # The time since the start of Julia counts, which PySR's own limit leaves out.
        stop = options["early_stop_condition"]["source"]
        assert re.fullmatch(
            r"\w+\(loss, complexity\) = loss < 2\.5\S*e-09 \|\| time\(\) > \S+", stop
        )
        assert called["environment"]["PYTHON_JULIACALL_THREADS"] == "1"
        assert called["environment"]["PYTHON_JULIACALL_HANDLE_SIGNALS"] == "yes"
        assert called["environment"]["OMP_NUM_THREADS"] == "1"

    def test_known_formulas_go_in(self, shared):
        known = (formula("N + beta"), formula("log(N)*beta - 1"))
        asked = problem(lambda x: 2 * np.log(x[:, 0]) * x[:, 1] - 2, known=known)
        steps = [{"fit": "guesses"}] if not shared.version.startswith("1.") else [LINES]
        found = shared(asked, *steps)
        called = shared.called
        if shared.version.startswith("1."):
            # They are inputs, each as complex as its formula, and come back as the formula.
            assert called["variable_names"] == ["x0", "x1", "x2", "x3"]
            assert called["options"]["complexity_of_variables"] == [1, 1, 3, 6]
            assert found.error(asked) < 1e-12
            assert any("log(N)" in text for text in found.texts)
        else:
            assert called["guesses"] == [["(x0 + x1)", "((log(x0) * x1) - 1.0)"]]
            assert found.texts

    def test_points_where_known_formulas_are_off_weigh_more(self, shared):
        shared(problem(known=(formula("3*N - 2*beta + 1 + 0.01*N"),)), LINES)
        weights = np.array(shared.called["weights"]["values"])
        assert weights.mean() == pytest.approx(1.0)
        assert weights.max() > 1.2 * weights.min()

    def test_units(self, shared):
        units = Rules(units={"N": "kilometer", "beta": "kilogram*second**-1.5"}, output="meter")
        shared(problem(rules=units), LINES)
        assert shared.called["X_units"][0] == "m"
        assert shared.called["y_units"] == "m"
        assert shared.called["options"]["dimensional_constraint_penalty"] > 0

    def test_a_skeleton_is_a_template(self, shared):
        rules = Rules(skeleton=Skeleton.parse("f(N) + c1*beta", problem().sample.domain))
        asked = problem(rules=rules)
        found = shared(asked, LINES)
        assert found.error(asked) < 1e-6
        template = shared.called["options"]["expression_spec"]
        assert template["type"] == "TemplateExpressionSpec"
        assert template["variables"] == ["x0", "x1"]

    def test_constraints_are_part_of_the_loss(self, shared):
        demanded = {"bounds": [-10, 10], "monotone": {"N": "increasing"}}
        rules = Rules(read_constraints(demanded, ["N", "beta"]))
        shared(problem(rules=rules), LINES)
        loss = shared.called["options"]["loss_function_expression"]
        assert "10.0" in loss["source"]
        assert shared.called["options"]["elementwise_loss"] is None

    def test_own_operators(self, shared):
        own = ("soft(x) = log(1 + exp(x))",)
        asked = problem(lambda x: 2 * np.log1p(np.exp(x[:, 0])) + 1)
        found = shared(asked, {"fit": ["soft(x0)"]}, custom_operators=own)
        assert found.error(asked) < 1e-12
        assert any("log" in text for text in found.texts)

    def test_parameters_of_pysr_come_over_ours(self, shared):
        shared(problem(), LINES, others={"maxsize": 12, "parsimony": 0.01})
        assert shared.called["options"]["maxsize"] == 12
        assert shared.called["options"]["parsimony"] == 0.01


class TestRounds:
    def test_a_second_search_goes_on_with_what_is_new(self, shared):
        first = shared(problem(budget=SECONDS, points=50), LINES)
        process, before = shared.called["process"], shared.called["saved_state"]
        second = shared(problem(budget=SECONDS, points=70), {"until over": 0.01}, early_stop=1e6)
        called = shared.called
        assert called["process"] == process
        assert called["saved_state"] != before
        assert len(called["saved_state"]) == 3
        assert called["X"]["shape"][1] == 70
        assert set(second.texts) == set(first.texts)

    @pytest.mark.parametrize(
        ("more", "options"),
        [
            ({"operators": {"add": 1.0, "mul": 1.0}}, {}),
            ({"budget": EVALUATIONS}, {}),
            ({}, {"warm_start": False}),
        ],
        ids=["operators", "evaluations", "warm_start"],
    )
    def test_it_begins_anew_where_it_must(self, shared, more, options):
        shared(problem(budget=SECONDS), LINES)
        process = shared.called["process"]
        shared(problem(**{"budget": SECONDS, **more}), LINES, **options)
        assert shared.called["saved_state"] is None
        assert shared.called["process"] == process

    def test_what_a_killed_run_had_found_comes_first(self, searches, tmp_path):
        folder = tmp_path / "ein Käfig 猫"
        rows = [[1, 0.5, "1.5"], [5, 0.1, "(x0 * 2.9) + -1.3"]]
        asked = problem(budget=SECONDS, folder=folder)
        searches(asked, {"hall of fame": rows})
        searches.engine.close()
        dead = [{"fail": "no network"}]
        again = searches(asked, start=dead)
        assert again.texts == ["1.5", "N*2.9 + -1.3"]
        assert "no network" in again.warnings[-1]
        assert not (folder / "search-1" / "hall_of_fame.csv").exists()

    def test_with_evaluations_it_would_not_be_the_same_search_again(self, searches, tmp_path):
        (tmp_path / "search-1").mkdir()
        left = tmp_path / "search-1" / "hall_of_fame.csv"
        left.write_text('Complexity,Loss,Equation\n1,0.5,"1.5"\n')
        with pytest.raises(EngineError):
            searches(problem(folder=tmp_path), start=[{"fail": "no network"}])
        assert not left.exists()


@pytest.mark.parametrize("pysr_version", ["2.7"], indirect=True)
class TestHall:
    def test_rows_that_cannot_be_used_are_left_out(self, shared):
        rows = [
            [1, 1.0, "0.125"],
            [2, 0.9, "gamma(x0)"],
            [3, 0.8, "x0 + nonsense"],
            [4, 0.7, "log(x0 - 100.0)"],
            [5, float("nan"), "x0 * x1"],
            [6, 0.5, "x0 + 1.0e-10"],
        ]
        found = shared(problem(), {"hall of fame": rows})
        assert found.texts == ["0.125", "N + 1e-10"]

    def test_a_huge_one(self, shared):
        found = shared(problem(max_complexity=25), {"huge": 300})
        assert "N*2.5 - beta" in found.texts


@pytest.mark.parametrize("pysr_version", ["2.7"], indirect=True)
class TestRefused:
    def test_by_pysr(self, shared):
        others = {"tournament_selection_n": 50, "population_size": 20}
        with pytest.raises(ConfigError, match="`tournament_selection_n` parameter must be smaller"):
            shared(problem(), LINES, others=others)

    def test_by_julia(self, shared):
        with pytest.raises(EngineError, match="PySR failed: JuliaError: BoundsError: oh no"):
            shared(problem(), {"fail": "BoundsError: oh no"})

    def test_by_julia_when_much_was_found(self, shared):
        found = shared(problem(), LINES, {"fail": "BoundsError: oh no"})
        assert len(found.texts) == 3
        assert "BoundsError: oh no What it had found is kept" in found.warnings[-1]


class TestCrashes:
    """Each begins with a Julia of its own."""

    def test_one_that_cannot_be_started_names_the_ways_out(self, searches):
        with pytest.raises(EngineError, match="no network") as caught:
            searches(problem(), start=[{"fail": "no network"}])
        assert 'python -c "import pysr"' in str(caught.value)
        assert "docker" in str(caught.value)
        assert "engine=structure" in str(caught.value)

    def test_again_and_again_with_nothing_found(self, searches):
        last = [{"say": "free(): invalid pointer\n", "to": 2}, {"die": "SIGABRT"}]
        with pytest.raises(EngineError, match=r"code -6: free\(\): invalid pointer"):
            searches(problem(), start=last)

    def test_a_second_try_of_so_many_evaluations_is_the_same_search(self, searches):
        asked = problem()
        crash = [{"hall of fame": [[1, 1.0, "0.125"]]}, {"sleep": 0.6}, {"die": "SIGKILL"}]
        found = searches(asked, {"once": crash}, LINES)
        assert searches.called["guesses"] is None
        undisturbed = searches(asked, LINES)
        assert found.texts == undisturbed.texts
        assert found.error(asked) < 1e-12

    def test_what_stands_there_on_the_way_does_not_count_among_evaluations(self, searches):
        asked = problem()
        slow = [{"hall of fame": [[1, 1.0, "0.125"]]}, {"sleep": 0.8}, {"fit": "linear"}]
        assert searches(asked, *slow).texts == searches(asked, LINES).texts

    @pytest.mark.parametrize("budget", [SECONDS, Budget(evaluations=1000)], ids=str)
    def test_again_and_again_with_something_found(self, searches, monkeypatch, budget):
        monkeypatch.setattr(engine_module, "MAX_CRASHES", 2)
        crash = [{"hall of fame": [[1, 1.0, "0.125"]]}, {"sleep": 0.6}, {"die": "SIGSEGV"}]
        found = searches(problem(budget=budget), *crash)
        assert set(found.texts) == {"0.125"}
        assert "ended with code -11" in found.warnings[-1]
        assert "What it had found is kept" in found.warnings[-1]

    def test_a_second_try_of_so_many_seconds_begins_with_what_was_found(self, searches):
        rows = [[1, 1.0, "0.125"], [5, 0.5, "(x0 * 2.5) + 0.25"]]
        crash = [{"hall of fame": rows[:1]}, {"sleep": 0.6}, {"hall of fame": rows}]
        half = [{"half": [*rows, [9, 0.1, "x0 + x0"]]}, {"die": "SIGKILL"}]
        found = searches(problem(budget=SECONDS), {"once": [*crash, *half]}, LINES)
        assert "0.125" in found.texts
        assert "N*2.5 + 0.25" in found.texts
        assert len(searches.called["guesses"][0]) == 2

    def test_one_that_hangs_is_ended_when_its_time_is_over(self, searches, monkeypatch, all_gone):
        monkeypatch.setattr(watch, "GRACE", 0.3)
        searches(problem(budget=SECONDS), LINES)
        worker = searches.called["process"]
        asked = problem(budget=Budget(seconds=3.0))
        found = searches(asked, LINES, {"hold": 600})
        assert searches.called["process"] == worker
        assert all_gone(worker)
        assert found.error(asked) < 1e-12

    def test_one_that_does_not_work_without_a_limit_of_time(self, searches, monkeypatch):
        monkeypatch.setattr(watch, "STALLED", 1.0)
        monkeypatch.setattr(engine_module, "MAX_CRASHES", 1)
        found = searches(problem(), LINES, {"hold": 600})
        assert len(found.texts) == 3
        assert "PySR hangs" in found.warnings[-1]

    def test_too_much_memory(self, searches):
        found = searches(problem(), LINES, {"allocate": 600}, {"hang": 600}, memory_gb=0.5)
        assert len(found.texts) == 3
        assert "more than the 0.5 GB of memory" in found.warnings[-1]
        assert "engine.options.memory_gb" in found.warnings[-1]
        assert "engine.options.rows" in found.warnings[-1]

    def test_closed_in_the_middle(self, searches, all_gone):
        class Enough(Exception):
            pass

        def stop(candidate):
            raise Enough

        with pytest.raises(Enough):
            searches(problem(budget=SECONDS), LINES, {"hang": 600}, at=stop)
        gc.collect()
        assert all_gone(searches.called["process"])
