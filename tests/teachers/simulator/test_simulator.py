"""Simulators: what equations answer, how seldom they are asked, and what their failures are."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from distill.config.folder import conf_directory
from distill.config.schema import read_config
from distill.errors import ConfigError, NotDifferentiable, TeacherError
from distill.pipeline.opening import open_context
from distill.teachers.load import load_teacher

RATES = np.array([[0.5], [1.0], [2.0], [0.5]])
Calls = Callable[[], int]


def simulator(source: str, **options: Any) -> Any:
    return load_teacher(source, kind="simulator", **options)


def test_equations_are_integrated_to_their_end(device: str):
    teacher = simulator(f"{device}:decay", t_end=1.5, initial=2.0, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(teacher.predict(RATES)[:, 0], 2 * np.exp(-1.5 * RATES[:, 0]), 1e-8)
    with pytest.raises(NotDifferentiable):
        teacher.gradient(RATES)


@pytest.mark.parametrize("method", ["DOP853", "Radau", "LSODA"])
def test_every_method_of_scipy(method: str, device: str):
    teacher = simulator(f"{device}:decay", t_end=1.0, initial="start", method=method, cache=False)
    np.testing.assert_allclose(teacher.predict(RATES)[:, 0], 2 * np.exp(-RATES[:, 0]), 1e-4)


@pytest.mark.parametrize("name", ["Oscillator", "make"])
def test_an_object_or_a_factory_brings_its_initial_state(name: str, device: str):
    x = np.array([[2.0, 1.5], [3.0, 0.5]])
    teacher = simulator(f"{device}:{name}", t_end=1.0, components=[0, 1], rtol=1e-9)
    assert [o.name for o in teacher.outputs] == [f"{name}_0", f"{name}_1"]
    w, a = x.T
    wanted = np.column_stack([a * np.cos(w), -a * w * np.sin(w)])
    np.testing.assert_allclose(teacher.predict(x), wanted, rtol=1e-6)


@pytest.mark.parametrize(("answer", "wanted"), [("max", 1.5), ("min", -1.5), ("mean", 0.0)])
def test_extremes_and_means_of_the_solution(answer: str, wanted: float, device: str):
    # 3.3 periods minus a third: the extremes lie between the samples
    x = np.array([[7.0, 1.5]])
    options = {"answer": answer, "rtol": 1e-9, "atol": 1e-12}
    t_end = 3 * 2 * np.pi / 7
    found = simulator(f"{device}:Oscillator", t_end=t_end, **options).predict(x)[0, 0]
    assert abs(found - wanted) < 1e-6


def test_an_observable_of_the_users_own(device: str):
    teacher = simulator(
        f"{device}:Oscillator", t_end=2.0, answer="energy", samples=2001, outputs=["swing", "end"]
    )
    found = teacher.predict(np.array([[4.0, 1.5], [4.0, 3.0]]))
    np.testing.assert_allclose(found, [[3.0, 2.0], [6.0, 2.0]], rtol=1e-4)


def test_a_solution_that_diverges_has_no_answer_and_is_counted(device: str):
    teacher = simulator(f"{device}:explodes", t_end=1.0, initial=[1.0], steps=20_000)
    x = np.array([[0.5], [-1.0], [2.0], [5.0]])
    y = teacher.predict(x)[:, 0]
    np.testing.assert_allclose(y[:2], 1 / (1 - x[:2, 0]), rtol=1e-4)
    assert np.isnan(y[2:]).all()
    assert teacher.teacher.notes[0].startswith("2 of 4 points have no answer")


def test_where_everything_diverges_it_says_so_and_why(device: str):
    teacher = simulator(f"{device}:explodes", t_end=1.0, initial=[1.0], steps=20_000)
    with pytest.raises(TeacherError, match="no answer at any of 3 points") as caught:
        teacher.predict(np.array([[2.0], [3.0], [4.0]]))
    assert "t_end" in caught.value.hint


def test_a_point_that_takes_too_long_has_no_answer_and_is_asked_again(device: str, calls: Calls):
    teacher = simulator(f"{device}:hesitates", timeout=0.5)
    assert np.isnan(teacher.predict(np.array([[0.5], [2.0]]))[1, 0])
    assert "within 0.5 s" in teacher.teacher.notes[0]
    before = calls()
    assert teacher.predict(np.array([[0.5], [0.75]]))[1, 0] == 0.75
    assert calls() == before + 1  # of the two points one is new
    teacher.predict(np.array([[0.5], [2.0]]))
    assert calls() == before + 2  # too late before, so asked again


def test_equal_points_are_asked_once_also_by_the_next_teacher(device: str, calls: Calls):
    options = {"t_end": 1.0, "initial": "start"}
    first = simulator(f"{device}:decay", **options).predict(RATES)
    assert calls() == 3
    again = simulator(f"{device}:decay", **options).predict(RATES[::-1])
    assert calls() == 3
    np.testing.assert_array_equal(first[::-1], again)
    simulator(f"{device}:decay", t_end=1.5, initial="start").predict(RATES)
    assert calls() == 6  # another end is another teacher
    simulator(f"{device}:decay", cache=False, **options).predict(RATES)
    assert calls() == 9


def test_answers_of_changed_code_are_not_used(device: str, calls: Calls):
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert simulator(f"{device}:slow_product").predict(x)[1, 0] == 12
    text = Path(f"{device}.py").read_text()
    Path(f"{device}.py").write_text(text.replace("return a * b", "return a * b + 1"))
    assert simulator(f"{device}:slow_product").predict(x)[1, 0] == 13
    assert calls() == 4


def test_several_processes_share_the_points(device: str):
    x = np.random.default_rng(0).uniform(1, 2, (40, 2))
    teacher = simulator(f"{device}:slow_product", processes=3)
    np.testing.assert_array_equal(teacher.predict(x)[:, 0], x[:, 0] * x[:, 1])
    lines = [line.split() for line in Path("calls.txt").read_text().splitlines()]
    assert len(lines) == 40
    assert len({line[0] for line in lines}) == 3
    assert str(os.getpid()) not in {line[0] for line in lines}


def test_the_budget_counts_new_points_only_and_refuses_before_it_asks(device: str, calls: Calls):
    x = np.random.default_rng(0).uniform(1, 2, (12, 2))
    teacher = simulator(f"{device}:slow_product", calls=10)
    teacher.predict(x[:8])
    assert teacher.teacher.calls_left == 2
    with pytest.raises(TeacherError, match="4 new points would be asked, but 8 of 10") as caught:
        teacher.predict(x)
    assert "raise teacher.options.calls" in caught.value.hint
    assert calls() == 8
    teacher.predict(x[:10])
    assert (calls(), teacher.teacher.calls_left) == (10, 0)
    teacher.predict(x[:10])
    assert calls() == 10


def test_failures_of_a_function_are_told_from_its_mistakes(device: str):
    teacher = simulator(f"{device}:sometimes", cache=False)
    y = teacher.predict(np.array([[1.0], [1.75], [3.0], [4.0]]))[:, 0]
    np.testing.assert_array_equal(y, [3.0, np.nan, np.nan, np.nan])
    assert "ValueError: valve is stuck" in teacher.teacher.notes[0]
    with pytest.raises(TeacherError, match="NameError: name 'undefined_name'"):
        simulator(f"{device}:broken").predict(np.array([[1.0], [2.0]]))


def test_a_function_keeps_its_answers_too(device: str, calls: Calls):
    x = np.random.default_rng(0).uniform(1, 2, (25, 2))
    for _ in range(2):
        teacher = load_teacher(
            f"{device}:rows", cache=True, processes=2, batch=10, outputs=["total", "product"]
        )
        wanted = np.column_stack([x.sum(axis=1), x.prod(axis=1)])
        np.testing.assert_array_equal(teacher.predict(x), wanted)
        assert calls() == 3


KILLED = """
import sys, numpy
from distill.teachers.load import load_teacher
teacher = load_teacher(sys.argv[1] + ":slow_product", kind="simulator")
teacher.predict(numpy.random.default_rng(0).uniform(1, 2, (2000, 2)))
"""


def test_what_was_answered_before_a_kill_is_not_asked_again(device: str, calls: Calls):
    process = subprocess.Popen([sys.executable, "-c", KILLED, device])
    kept = Path(os.environ["XDG_CACHE_HOME"]) / "distill" / "answers"
    until = time.monotonic() + 60
    while not list(kept.glob("*.answers")) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.7)  # its worker sees that it is gone
    before = calls()
    x = np.random.default_rng(0).uniform(1, 2, (2000, 2))
    x = np.unique(x, axis=0)[:before]
    teacher = simulator(f"{device}:slow_product")
    np.testing.assert_array_equal(teacher.predict(x)[:, 0], x[:, 0] * x[:, 1])
    # at most what came in the half second between two writes
    assert calls() - before < min(before, 60)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"method": "Euler", "t_end": 1.0}, "method"),
        ({"t_end": -1.0}, "t_end"),
        ({"rtol": 1e-3}, "rtol"),
        ({"t_end": 1.0, "components": [-1]}, "components"),
        ({"t_end": 1.0, "initial": []}, "initial"),
        ({"t_end": 1.0, "samples": 2}, "samples"),
        ({"t_end": 1.0, "vectorized": True}, "vectorized"),
        ({"processes": 0}, "processes"),
        ({"calls": 1.5}, "calls"),
        ({"cache": 3}, "cache"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], key: str, device: str):
    with pytest.raises(ConfigError) as caught:
        simulator(f"{device}:decay", **options)
    assert caught.value.where == f"config key `teacher.options.{key}`"


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("decay", {"t_end": 1.0}, "no initial state"),
        ("decay", {"t_end": 1.0, "initial": "nowhere"}, "no function `nowhere`"),
        ("decay", {"t_end": 1.0, "initial": 1, "answer": "peak"}, "no function `peak`"),
        ("Oscillator", {}, "differential equations"),
        ("nothing", {"t_end": 1.0}, "no function `nothing`"),
    ],
)
def test_what_is_missing_is_named(name: str, options: dict[str, Any], said: str, device: str):
    with pytest.raises(TeacherError, match=said) as caught:
        simulator(f"{device}:{name}", **options)
    assert caught.value.hint


def test_the_config_group_means_a_simulator(device: str):
    overrides = [
        "teacher=simulator", f"teacher.source={device}:decay", "teacher.options.t_end=1.5",
        "teacher.options.initial=[2.0]", "teacher.options.cache=false",
        "domain=box", "+domain.variables.rate={low: 0.5, high: 2}",
    ]  # fmt: skip
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        config = read_config(compose("config", overrides=overrides))
    teacher = open_context(config).teacher
    np.testing.assert_allclose(
        teacher.predict(RATES)[:, 0], 2 * np.exp(-1.5 * RATES[:, 0]), rtol=1e-4
    )
