"""A classifier of several outputs from its file to C by the command line, and one output again."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.tree import DecisionTreeClassifier


def run(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "distill.cli", *arguments],
        cwd=cwd, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow  # in one process: tests/pipeline/test_outputs.py
def test_all_outputs_of_a_file_and_then_one_of_them(tmp_path: Path) -> None:
    x = np.random.default_rng(0).uniform(0, 1, (90, 2))
    y = np.array(["low", "middle", "high"])[(3 * x.mean(axis=1)).astype(int)]
    model = DecisionTreeClassifier(max_depth=3, random_state=0).fit(x, y)
    skops.io.dump(model, tmp_path / "levels.skops")
    told = run(
        "run", "teacher=sklearn", "teacher.source=levels.skops", "teacher.output=all",
        "domain=box", *(f"+domain.variables.{v}={{low: 0, high: 1}}" for v in "ab"),
        "engine=exact", "target=host", "score=quick", "score.points=2000", "score.starts=4",
        "export.verify=false", cwd=tmp_path,
    )  # fmt: skip
    assert "labels: the teacher's at 100.00% of 2,000 points" in told
    header = (tmp_path / "build/levels/host/levels.h").read_text()
    assert "void levels(const float x[2], float y[3]);" in header
    assert "int levels_label(const float x[2]);" in header
    logged = [json.loads(f.read_text()) for f in (tmp_path / "studies").rglob("logged.json")]
    assert len({place["run"] for place in logged}) == 3
    assert len({place["experiment"] for place in logged}) == 1
    # One closed form alone: one output, and no label of three.
    records = [json.loads(f.read_text()) for f in (tmp_path / "studies").rglob("study.json")]
    chosen = next(c for r in records for c in r["candidates"] if c["chosen"])
    runs = {i: run_id for place in logged for i, run_id in place["candidates"].items()}
    run("export", f"run={runs[chosen['id']]}", "export.verify=false", "export.directory=one",
        cwd=tmp_path)  # fmt: skip
    header = (tmp_path / "one/levels.h").read_text()
    assert "levels_label" not in header
