"""The real PySR over the stand-in for Julia: what it takes, what it refuses, what it reads back."""

import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

X = np.random.default_rng(0).uniform(0.5, 2.0, (40, 3))
Y = 2 * X[:, 0] - 0.5 * X[:, 2] + 1.25

PARAMETERS = {
    "binary_operators": ["+", "*", "^"],
    "unary_operators": ["sin", "log"],
    "constraints": {"^": [-1, 1]},
    "parallelism": "serial",
    "precision": 64,
}
TWO_LINES = {"search": [{"fit": ["x0", "x2"]}]}
PART = {"combine": "f(x0) + c[1] * x2", "expressions": ["f"], "parameters": {"c": 1}}
TEMPLATE = {**PART, "variable_names": ["x0", "x1", "x2"]}

LOSS = """
function penalised(ex, dataset::Dataset{T,L}, options)::L where {T,L}
    return one(L)
end
"""


def numbers_in(equation):
    return [float(word.strip("()[];")) for word in equation.split() if "." in word]


class TestFound:
    def test_the_formula_behind_the_data_is_found(self, fits):
        rows = fits(PARAMETERS, X, Y, script=TWO_LINES)["rows"]
        assert [row[0] for row in rows] == [1, 5, 9]
        assert rows[-1][2].startswith("(x2 * -0.")
        assert numbers_in(rows[-1][2]) == pytest.approx([-0.5, 2.0, 1.25], abs=1e-12)
        assert rows[-1][1] < 1e-24

    def test_weights_count(self, fits):
        weights = np.where(X[:, 1] > 1, 1.0, 0.0)
        bent = Y + np.where(X[:, 1] > 1, 0.0, 3.0)
        rows = fits(PARAMETERS, X, bent, script=TWO_LINES, weights=weights.tolist())["rows"]
        assert rows[-1][1] < 1e-24

    def test_pysr_reads_what_was_written(self, fits):
        told = [[1, 0.5, "3.0"], [4, 1e-5, "sin(x0) + -1.0e-10"], [6, 0.0, "(x1 ^ 2.0) * x0"]]
        answer = fits(PARAMETERS, X, Y, script={"search": [{"hall of fame": told}]})
        assert [row[:3] for row in answer["rows"]] == told
        lines = (fits.folder / "hall_of_fame.csv").read_text().splitlines()
        assert lines[:2] == ["Complexity,Loss,Equation", '1,0.5,"3.0"']
        assert lines[2].startswith('4,1.0e-5,"')

    def test_formulas_longer_than_maxsize_are_not_kept(self, fits):
        rows = fits({**PARAMETERS, "maxsize": 8}, X, Y, script=TWO_LINES)["rows"]
        assert [row[0] for row in rows] == [1, 5]

    def test_costs_under_the_names_of_safe_operators_count_in_every_version(self, fits):
        script = {"search": [{"fit": ["log(x0)"]}]}
        plain = {**PARAMETERS, "complexity_of_operators": {"log": 4}}
        both = {**PARAMETERS, "complexity_of_operators": {"log": 4, "safe_log": 4}}
        old = fits.version.startswith("1.")
        assert fits(plain, X, Y, script=script)["rows"][-1][0] == (9 if old else 6)
        assert fits(both, X, Y, script=script)["rows"][-1][0] == 9

    def test_own_operators_are_known(self, fits):
        own = {"unary_operators": ["soft(x::T) where {T} = log(T(1) + exp(x))"]}
        script = {"search": [{"fit": ["soft(x0)"]}]}
        y = 3 * np.log1p(np.exp(X[:, 0])) - 1
        mapped = {"extra_sympy_mappings": ["soft"]}
        rows = fits({**PARAMETERS, **own, **mapped}, X, y, script=script)["rows"]
        assert rows[-1][2].startswith("(soft(x0) * ")
        assert numbers_in(rows[-1][2]) == pytest.approx([3.0, -1.0], abs=1e-9)

    def test_parts_of_a_template_are_found(self, fits):
        rows = fits(PARAMETERS, X, Y, template=TEMPLATE)["rows"]
        assert rows[-1][0] == 5
        assert rows[-1][2].startswith("f = (#1 * ")
        assert numbers_in(rows[-1][2]) == pytest.approx([2.0, 1.25, -0.5], abs=1e-6)

    def test_a_second_search_goes_on_from_the_first(self, fits):
        first = fits({**PARAMETERS, "warm_start": True}, X, Y, script=TWO_LINES)["rows"]
        answer = fits(None, X[:20], Y[:20], script={"search": []})
        assert [row[:3] for row in answer["rows"]] == [row[:3] for row in first]
        assert [row[2] for row in fits.called["saved_state"]] == [row[2] for row in first]
        assert fits.called["y"]["shape"] == [20]

    def test_guesses_are_scored(self, fits):
        guesses = {"guesses": ["x0 * 2.0 + 1.0", "2.0 * x0 - 0.5 * x2 + 1.25"]}
        parameters = {**PARAMETERS, **guesses, "binary_operators": ["+", "-", "*"]}
        del parameters["constraints"]
        answer = fits(parameters, X, Y, script={"search": [{"fit": "guesses"}]})
        if fits.version.startswith("1."):
            assert "`guesses` is not a valid keyword argument" in answer["message"]
        else:
            rows = answer["rows"]
            assert rows[-1][2] == "((2.0 * x0) - (0.5 * x2)) + 1.25"
            assert rows[-1][1] < 1e-28


class TestTold:
    def test_everything_arrives(self, fits):
        told = {
            **PARAMETERS,
            "complexity_of_operators": {"+": 1, "sin": 2.5},
            "nested_constraints": {"sin": {"sin": 0, "log": 0}},
            "loss_function_expression": LOSS,
            "timeout_in_seconds": 60.0,
            "early_stop_condition": 1e-6,
            "random_state": 7,
            "deterministic": True,
            "maxsize": 25,
        }
        units = {"X_units": ["m", "s", "kg*m^2*s^(-3//2)"], "y_units": "m"}
        weights = np.arange(1.0, 41.0).tolist()
        assert "rows" in fits(told, X, Y, weights=weights, **units)
        called, options = fits.called, fits.called["options"]
        assert called["X"] == {"shape": [3, 40], "dtype": "float64", "values": X.T.tolist()}
        assert called["y"]["values"] == Y.tolist()
        assert called["weights"]["values"] == weights
        assert called["variable_names"] == ["x0", "x1", "x2"]
        assert called["X_units"] == units["X_units"]
        assert called["parallelism"] == "serial"
        assert options["complexity_of_operators"] == {"+": 1, "sin": 2.5}
        assert options["nested_constraints"] == {"sin": {"sin": 0, "log": 0}}
        assert options["loss_function_expression"] == {"name": "penalised", "source": LOSS.strip()}
        assert (options["timeout_in_seconds"], options["maxsize"]) == (60.0, 25)
        assert options["early_stop_condition"] == 1e-6
        assert options["deterministic"] is True
        # Its seed is drawn with the one it was given.
        seed = options["seed"]
        assert "rows" in fits(told, X, Y, weights=weights, **units)
        assert fits.called["options"]["seed"] == seed
        assert not called["torch"]

    def test_single_precision_is_kept(self, fits):
        fits({**PARAMETERS, "precision": 32}, X, Y)
        assert fits.called["X"]["dtype"] == fits.called["y"]["dtype"] == "float32"


@pytest.mark.parametrize(
    ("parameters", "fit", "kind", "message"),
    [
        ({"maxsizes": 20}, {}, "TypeError", "Did you mean `maxsize`?"),
        ({"maxsize": 6}, {}, "ValueError", "requires a maxsize of at least 7"),
        ({"tournament_selection_n": 40}, {}, "ValueError", "must be smaller than"),
        (
            {"deterministic": True, "random_state": 0, "parallelism": "multithreading"},
            {},
            "ValueError",
            "you must set `parallelism='serial'`",
        ),
        ({}, {"variable_names": ["N", "a", "b"]}, "ValueError", "N is already a function name"),
        ({}, {"X_units": ["m"]}, "ValueError", "must equal the number of features"),
        ({"constraints": {"+": [1, 2]}}, {}, "NotImplementedError", "equal constraints"),
        ({"unary_operators": ["g(x) = x"]}, {}, "ValueError", "`extra_sympy_mappings`"),
    ],
    ids=lambda value: "" if isinstance(value, str) else None,
)
def test_pysr_refuses(fits, parameters, fit, kind, message):
    answer = fits({**PARAMETERS, **parameters}, X, Y, **fit)
    assert answer["error"] == kind
    assert message in answer["message"]


@pytest.mark.parametrize(
    ("parameters", "fit", "message"),
    [
        ({"unary_operators": ["sinus"]}, {}, "UndefVarError: `sinus`"),
        ({"unary_operators": ["sin", "max"]}, {}, "does not take 1 arguments"),
        ({"nested_constraints": {"exp": {"sin": 0}}}, {}, "exp is not in the operator set"),
        ({"loss_function_expression": "f(x, y, z"}, {}, "ParseError"),
        ({"loss_function_expression": "run(`ls`)"}, {}, "the stand-in does not"),
        ({}, {"X_units": ["m", "s", "furlong"]}, "`furlong` not found"),
        ({}, {"X_units": ["m s", "s", "s"]}, "`m s` not found"),
        ({}, {"X_units": ["m"] * 3, "template": TEMPLATE}, "has_units"),
        ({}, {"template": {**TEMPLATE, "combine": "c[1] * 2.0 + f()"}}, "TemplateReturnError"),
        ({}, {"template": {**TEMPLATE, "combine": "relu(f(x0))"}}, "no method matching relu"),
        ({}, {"template": {**TEMPLATE, "expressions": ["f", "g"]}}, "features used by `g`"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_julia_refuses(fits, parameters, fit, message):
    answer = fits({**PARAMETERS, **parameters}, X, Y, **fit)
    assert answer["error"] == "JuliaError"
    assert message in answer["message"]


def test_an_operator_that_throws_somewhere_is_refused(fits):
    own = {"unary_operators": ["g(x) = log(x)"], "extra_sympy_mappings": ["g"]}
    assert "`log` makes an operator" in fits({**PARAMETERS, **own}, X, Y)["message"]


@pytest.mark.parametrize("pysr_version", ["2.7"], indirect=True)
def test_guesses_with_other_operators_are_refused(fits):
    answer = fits({**PARAMETERS, "guesses": ["-x0"]}, X, Y, script={"search": [{"fit": "guesses"}]})
    assert "Unrecognized operator: `-` with 1 arguments" in answer["message"]


def test_a_template_of_the_old_version_takes_vectors_only(fits):
    answer = fits(PARAMETERS, X, Y, template={**TEMPLATE, "combine": "f(x0, c[1])"})
    if fits.version.startswith("1."):
        assert "does not support input of type Float64" in answer["message"]
    else:
        assert answer["rows"][-1][2].startswith("f = (#2 * ")


class TestScript:
    def test_a_search_lasts_until_its_limit(self, fits):
        script = {"search": [{"fit": "linear"}, {"until over": 0.01}]}
        assert len(fits({**PARAMETERS, "timeout_in_seconds": 0.2}, X, Y, script=script)["rows"]) > 1
        assert len(fits({**PARAMETERS, "max_evals": 100}, X, Y, script=script)["rows"]) > 1
        stop = {**PARAMETERS, "early_stop_condition": 1e-9}
        assert len(fits(stop, X, Y, script=script)["rows"]) > 1

    def test_what_julia_says_and_raises(self, fits):
        script = {
            "search": [{"say": "\x00garbage\n"}, {"progress": 2}, {"fail": "BoundsError: oh no"}]
        }
        answer = fits(PARAMETERS, X, Y, script=script)
        assert (answer["error"], answer["message"]) == ("JuliaError", "BoundsError: oh no")

    def test_half_a_file_and_its_copy(self, fits):
        rows = [[1, 1.0, "x0"], [3, 0.5, "x0 + x1"]]
        steps = [{"hall of fame": rows[:1]}, {"half": rows}, {"fail": "stopped"}]
        fits(PARAMETERS, X, Y, script={"search": steps})
        whole = (fits.folder / "hall_of_fame.csv.bak").read_text()
        assert whole == 'Complexity,Loss,Equation\n1,1.0,"x0"\n'
        assert not (fits.folder / "hall_of_fame.csv").read_text().endswith("\n")

    @pytest.mark.parametrize("pysr_version", ["2.7"], indirect=True)
    def test_ctrl_c_ends_a_search_of_the_new_version(self, start_fits):
        fits = start_fits()
        script = {"search": [{"fit": "linear"}, {"progress": 1}, {"until over": 0.01}]}
        asked = threading.Thread(
            target=lambda: answers.append(fits(PARAMETERS, X, Y, script=script))
        )
        answers: list[dict[str, object]] = []
        asked.start()
        while not (fits.julia.folder / "run0/hall_of_fame.csv.bak").exists():
            assert asked.is_alive()
            time.sleep(0.01)
        fits.process.send_signal(signal.SIGINT)
        asked.join()
        assert fits.process.communicate(timeout=60)[0] == ""
        (answer,) = answers
        assert len(answer["rows"]) > 1
        assert "The search was interrupted. Returning partial results." in answer["warnings"]

    def test_once_is_for_the_first_process(self, fits):
        script = {"search": [{"once": [{"fail": "first"}]}, {"fit": "linear"}]}
        assert fits(PARAMETERS, X, Y, script=script)["message"] == "first"
        assert "rows" in fits(PARAMETERS, X, Y, script=script)

    @pytest.mark.parametrize(
        ("step", "code"),
        [
            ({"leave": 3}, 3),
            ({"die": "SIGKILL"}, -signal.SIGKILL),
            ({"die": "SIGSEGV"}, -signal.SIGSEGV),
        ],
        ids=str,
    )
    def test_julia_dies(self, julia, pysr_version, step, code):
        command = [sys.executable, "-c", "import juliacall"]
        environment = julia.environment({"start": [step]}, pysr_version)
        assert subprocess.run(command, env=environment, check=False).returncode == code

    def test_julia_does_not_start(self, julia, pysr_version):
        command = [sys.executable, "-c", "import pysr"]
        environment = julia.environment({"start": [{"fail": "no network"}]}, pysr_version)
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        assert done.stderr.splitlines()[-1] == "juliacall.values.JuliaError: no network"
