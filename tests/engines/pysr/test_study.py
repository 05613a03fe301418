"""Whole studies with PySR over the stand-in for Julia: from Python, and killed in the shell."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import distill
from distill.domain import Domain
from distill.tracking.entries import candidate_metrics

pytestmark = pytest.mark.parametrize("pysr_version", ["2.7"], indirect=True)

LINES = {"search": [{"fit": "linear"}]}

RUN = """
import sys
from distill import cli
sys.exit(cli.main(sys.argv[1:]))
"""


def test_from_python(julia, pysr_version, monkeypatch, tmp_path):
    for name, value in julia.environment(LINES, pysr_version).items():
        monkeypatch.setenv(name, value)
    study = distill.distill(
        lambda x: 3 * x[:, 0] - 2 * x[:, 1] + 1,
        Domain.box(N=(0.5, 2), beta=(0.5, 2)),
        tolerance=1e-3,
        engine="pysr",
        evaluations=1000,
        points=128,
        root=tmp_path / "studies",
    )
    assert study.chosen.score.max_error < 1e-9
    assert study.chosen.candidate.engine == "pysr"
    front = study.front
    assert {"pysr_complexity", "pysr_loss", "pysr_score"} <= set(front.columns)
    metrics = candidate_metrics(study.record("key").candidates[0])
    assert {name for name in metrics if name.startswith("engine/")} == {
        "engine/pysr_complexity",
        "engine/pysr_loss",
        "engine/pysr_score",
    }


def test_killed_and_run_again_it_has_what_was_found(
    julia, pysr_version, tmp_path, wait_for, all_gone
):
    def start(script):
        return subprocess.Popen(
            [sys.executable, "-c", RUN, "run", "engine=pysr", "tracking=off", "tolerance=8",
             "score=quick", "score.points=300", "score.prove=false", "export.prove=false",
             "engine.seconds=30", "engine.evaluations=null", "engine.rounds=1", "engine.keep=4",
             "engine.counterexamples=0", "engine.options.threads=1", "export.verify=false"],
            cwd=tmp_path, env=julia.environment(script, pysr_version),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    rows = [[1, 60.0, "21.0"], [5, 9.0, "(x0 * 0.8125) + -3.0"]]
    first = start({"search": [{"hall of fame": rows}, {"hold": 600}]})
    while not (julia.folder / "called.json").exists():
        assert first.poll() is None, first.communicate()
        time.sleep(0.05)
    called = json.loads(wait_for(julia.folder / "called.json"))
    deadline = time.monotonic() + 60
    while not (halls := list(tmp_path.glob("studies/**/hall_of_fame.csv.bak"))):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (hall,) = halls
    assert "0.8125" in wait_for(hall)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert all_gone(called["process"])
    # No Julia could be started any more: what there is was there before. The rest of the run would
    # be the same for any engine.
    again = start({"start": [{"fail": "no network"}]})
    while not (stored := list(tmp_path.glob("studies/*/fit/[0-9a-f]*/candidates.json"))):
        assert again.poll() is None, again.communicate()
        time.sleep(0.05)
    again.kill()
    again.communicate()
    # Its constants were fitted since; nothing but a number could have been found without it.
    found = [c["formula"]["text"] for c in json.loads(stored[0].read_text())["candidates"]]
    assert any("temperature" in text for text in found), found
