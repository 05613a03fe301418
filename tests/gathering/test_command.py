"""``distill sample`` as it is called: over joblib, killed, repeated, and told to programs."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gathering.conftest import distill, words

Calls = Callable[[], list[str]]
JOBLIB = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]


@pytest.mark.slow  # in one process: tests/gathering/test_gather.py
def test_a_part_that_is_killed_is_asked_again_and_the_run_asks_nothing_more(calls: Calls):
    given = words("kills_its_asker_once", "sampling.points=80", "teacher.options.calls=200")
    done = distill("sample", "--json", *given, "sampling.jobs=2", *JOBLIB)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert any("died; they are asked again" in e.get("text", "") for e in events)
    assert [e["stage"] for e in events if e["event"] == "end"] == ["ask", "sample"]
    result = events[-1]
    assert (result["command"], result["exit_code"], result["problem"]) == ("sample", 0, None)
    assert (result["points"], result["without_answer"], result["failed"]) == (80, 0, {})
    asked = calls()
    assert len(set(asked)) == 80
    # What was under way in the processes that died with it, and what came since the last write.
    assert result["asked"] >= len(asked) >= 80
    assert not list(Path("studies").rglob("asking-*"))
    again = distill(
        "run", "--json", *given, "engine=polynomial", "engine.rounds=1", "tracking=off",
        "score=quick", "target=host", "export.verify=false",
    )  # fmt: skip
    ends = [json.loads(line) for line in again.stdout.splitlines()]
    assert {e["stage"]: e["reused"] for e in ends if e["event"] == "end"}["sample"] is True


def test_a_command_that_is_killed_goes_on_where_it_was(calls: Calls):
    given = words("flow", "sampling.points=300", "sampling.jobs=2")
    process = subprocess.Popen(
        [sys.executable, "-m", "distill.cli", "sample", *given], start_new_session=True
    )
    until = time.monotonic() + 120
    while len(calls()) < 150 and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(0.5)  # its worker sees that it is gone
    before = len(calls())
    assert before < 300
    done = distill("sample", "--quiet", *given)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("300 points, ")
    assert len(set(calls())) == 300
    asked = len(calls()) - before
    assert f" {asked} questions asked now" in done.stdout
    assert asked < 300  # what was written before the kill was not asked again
    assert len(list(Path("studies").rglob("asking-*"))) == 0


def test_what_a_person_sees():
    done = distill("sample", *words("flow", "sampling.points=40", "sampling.jobs=2"))
    assert done.returncode == 0, done.stderr
    assert "flow at 40 new points in 2 parts" in done.stderr
    assert "40 questions" in done.stderr
    assert "without an answer, mostly: ValueError: valve is stuck" in done.stdout
    assert "`distill run` with the same words asks none of these points again" in done.stdout


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        (["sampling.points=20,40"], 2, "stands for several values"),
        (["sampling.jobs=0"], 2, "larger than 0"),
        (["sampling.ahead=scores"], 2, "did you mean `score`?"),
        (["teacher.options.cache=false"], 2, "teacher.options.cache=true"),
        (["sampling.pionts=3"], 2, "did you mean `sampling.points`?"),
    ],
)
def test_what_is_wrong_is_named(more: list[str], code: int, says: str, calls: Calls):
    done = distill("sample", "--json", *words("flow", "sampling.points=10"), *more)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    (result,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (result["command"], result["exit_code"]) == ("sample", code)
    assert calls() == []
