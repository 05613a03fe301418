"""Rounds go on from each other, nothing is lost with a process, and none stays behind."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from distill.engines.pysr import installed
from distill.engines.pysr.engine import Pysr
from distill.engines.pysr.equations import read_hall_of_fame
from distill.engines.pysr.options import read_options

BOX = {"a": (0.5, 2.0), "b": (0.5, 2.0)}
OPERATORS = ("add", "sub", "mul", "div", "exp", "sin")
OUT_OF_REACH = "tanh(3*a*b - 4) + log(a + b*b)*cbrt(b) + cos(7*a)"

SAID = "said.txt"

ALONE = f"""
import sys
from pathlib import Path
import numpy as np
from distill.domain import Domain
from distill.engines.base import Budget, Problem
from distill.engines.pysr.engine import Pysr
from distill.formula import Formula
from distill.sampling.sample_set import SampleSet

domain = Domain.box(**{BOX!r})
x = domain.sample(200, seed=3)
sample = SampleSet(domain, x, Formula.parse({OUT_OF_REACH!r}, domain)(x), np.empty((0, 2)))
operators = dict.fromkeys({OPERATORS!r}, 1.0)
problem = Problem(sample, 1e-6, operators, 40, Budget(seconds=600), 0, folder=Path(sys.argv[1]))
for candidate in Pysr().search(problem):
    print(candidate.formula.text)
"""


@pytest.fixture
def asked(problem, tmp_path):
    made = problem(OUT_OF_REACH, BOX, OPERATORS, seconds=80, most=40)
    return replace(made, folder=tmp_path / "study")


@pytest.fixture
def engine():
    made = Pysr(read_options({"early_stop": 0, "threads": 2}, installed.require()))
    yield made
    made.close()


def started(arguments, folder):
    """Python with these arguments, in a process group of its own, which says to a file there."""
    with (folder / SAID).open("w") as said:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def losses(folder):
    return {row.complexity: row.loss for row in read_hall_of_fame(folder / "hall_of_fame.csv")}


def test_the_next_round_goes_on_where_the_last_one_was(engine, asked, marked):
    list(engine.search(replace(asked, budget=replace(asked.budget, seconds=60))))
    folder = asked.folder / "search-1"
    before, workers = losses(folder), marked.workers()
    assert before
    assert len(workers) == 1
    second = replace(asked, budget=replace(asked.budget, seconds=12), seed=1)
    assert list(engine.search(second))
    assert marked.workers() == workers
    assert json.loads((folder / "job.json").read_text())["go_on"] is True
    after = losses(folder)
    assert min(after.values()) <= min(before.values()) * (1 + 1e-9)
    engine.close()
    assert marked.left() == {}


def test_a_killed_julia_loses_nothing_and_another_one_goes_on(engine, asked, marked):
    found, killed = [], []
    for candidate in engine.search(asked):
        found.append(candidate)
        if not killed and candidate.formula.complexity > 1:
            killed = marked.workers()
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
            while set(killed) & marked.alive().keys():
                time.sleep(0.01)
            left = read_hall_of_fame(asked.folder / "search-1" / "hall_of_fame.csv")
    assert len(killed) == 1
    assert len(left) > 0
    losses_of = [dict(candidate.metrics)["pysr_loss"] for candidate in found]
    assert {row.loss for row in left} <= set(losses_of)
    # The second search began with what the first had found.
    again = json.loads((asked.folder / "search-2" / "job.json").read_text())
    assert "guesses" in again["parameters"] or "complexity_of_variables" in again["fit"]
    engine.close()
    assert marked.left() == {}


def test_a_killed_run_leaves_no_julia_and_its_findings_come_first(
    engine, asked, marked, tmp_path, wait_for
):
    script = tmp_path / "alone.py"
    script.write_text(ALONE)
    run = started([str(script), str(asked.folder)], tmp_path)
    hall = wait_for(asked.folder, "search-1/hall_of_fame.csv", run, tmp_path / SAID)
    run.kill()
    run.wait()
    assert marked.left() == {}
    best = min(losses(hall.parent).values())
    search = engine.search(asked)
    found = [next(search)]
    # All that is no better by 2 % than something simpler is left out.
    while dict(found[-1].metrics)["pysr_loss"] > best * 1.05:
        found.append(next(search))
    assert marked.workers() == []
    search.close()


def test_ctrl_c_ends_the_command_and_its_julia(marked, tmp_path, wait_for):
    arguments = ["run", "engine=pysr", "engine.seconds=600", "engine.evaluations=null"]
    arguments += ["tolerance=1e-6", "tracking=off", "target=host"]
    run = started(["-m", "distill.cli", *arguments], tmp_path)
    wait_for(tmp_path, "studies/**/search-*/hall_of_fame.csv", run, tmp_path / SAID)
    os.killpg(run.pid, signal.SIGINT)
    run.wait(timeout=60)
    said = (tmp_path / SAID).read_text()
    assert run.returncode == 130, said
    assert "the same command goes on from here" in said
    assert "Traceback" not in said
    assert marked.left() == {}
