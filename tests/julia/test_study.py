"""Whole studies with PySR: the demo's teacher on the command line, and several engines at once."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from distill.engines.oracle import Oracle
from distill.engines.pysr.equations import read_hall_of_fame
from distill.engines.registry import make_engine
from distill.formula import Formula
from distill.teachers.load import load_teacher

OWN = """
import json, sys
from pysr import PySRRegressor
found = PySRRegressor.from_file(run_directory=sys.argv[1]).equations_
print(json.dumps(found[["complexity", "loss", "score"]].values.tolist()))
"""


def test_the_demos_teacher(tmp_path, marked):
    arguments = ["experiment=wet_bulb", "engine=pysr", "engine.seconds=120", "tolerance=1.0"]
    arguments += ["engine.evaluations=null", "score=quick", "export.verify_points=20000"]
    done = subprocess.run(
        [sys.executable, "-m", "distill.cli", "run", *arguments],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert marked.left() == {}
    (bundle,) = tmp_path.glob("build/wet_bulb/*/wet_bulb.c")
    assert "wet_bulb(" in bundle.read_text()

    (place,) = tmp_path.glob("studies/*/study/*/logged.json")
    logged = json.loads(place.read_text())
    from mlflow import MlflowClient

    client = MlflowClient(logged["uri"])
    assert client.get_run(logged["run"]).info.status == "FINISHED"
    runs = [client.get_run(run) for run in logged["candidates"].values()]
    scored = [run for run in runs if "engine/pysr_score" in run.data.metrics]
    assert scored, [run.data.metrics for run in runs]
    best = min(run.data.metrics["accuracy/max_error"] for run in runs)
    assert best < 1.0  # degC; Stull's formula, from such a search too, is off by 1.2


def test_the_hall_of_fame_is_what_pysr_itself_says(search, problem):
    found = search(problem("exp(a)/(b + 2)", {"a": (0, 2), "b": (0, 3)}, ("add", "mul", "exp")))
    done = subprocess.run(
        [sys.executable, "-c", OWN, str(found.folder)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    own = np.array(json.loads(done.stdout.splitlines()[-1]), float)
    rows = read_hall_of_fame(found.folder / "hall_of_fame.csv")
    assert [row.complexity for row in rows] == own[:, 0].tolist()
    assert [row.loss for row in rows] == pytest.approx(own[:, 1], rel=1e-15)
    assert [row.score for row in rows] == pytest.approx(own[:, 2], rel=1e-9, abs=1e-12)


def test_side_by_side_with_the_other_engines(problem, tmp_path, marked):
    truth = "tanh(3*a*b - 4) + log(a + b*b)*cbrt(b) + cos(7*a)"
    made = problem(truth, {"a": (0.5, 2), "b": (0.5, 2)}, ("add", "sub", "mul", "div", "exp"))
    domain = made.sample.domain
    teacher = load_teacher(Formula.parse(truth, domain), domain=domain)
    said, warned = [], []
    asked = replace(
        made,
        budget=replace(made.budget, seconds=60.0, evaluations=None),
        oracle=Oracle(teacher, domain),
        folder=tmp_path,
        doing=said.append,
        warn=warned.append,
    )
    engine = make_engine("portfolio", {"engines": ["structure", "operon", "pysr"]})
    try:
        found = list(engine.search(asked))
    finally:
        engine.close()
    assert not any("without" in text for text in warned), warned
    assert any(text.startswith("pysr: ") for text in said)
    assert len(found) > 3
    # PySR began from what the others had found.
    jobs = [json.loads(path.read_text()) for path in tmp_path.glob("pysr/search-*/job.json")]
    assert any("guesses" in j["parameters"] or "complexity_of_variables" in j["fit"] for j in jobs)
    assert any(tmp_path.glob("pysr/search-*/hall_of_fame.csv"))
    assert marked.left() == {}
