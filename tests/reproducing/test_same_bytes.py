"""The same config and seed give the same bytes: whatever ran before, and wherever it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distill.commands.running import record_once
from distill.config.folder import read_option
from distill.config.schema import EngineConfig, StudyConfig
from distill.delivery.shipping import ship
from distill.firmware.target import load_target
from distill.pipeline.one_output import search
from distill.progress import Silent
from distill.reproducing.compare import compared
from distill.tracking.record_folder import load_record
from distill.tracking.reproduction import results

ROOT = Path(__file__).parents[2]
BENCHMARK = ROOT / "benchmarks" / "reproducibility.py"

JOBS = {
    "polynomial": {"operators": ["add", "mul", "square"],
                   "options": {"max_terms": 3, "max_degree": 2}},
    "operon": {"operators": ["add", "sub", "mul"], "evaluations": 3000},
}  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of a product."""
    path = tmp_path_factory.mktemp("table") / "rows.csv"
    x = np.random.default_rng(5).uniform(1, 3, (80, 2))
    rows = np.column_stack([x, x[:, 0] * x[:, 1] + 0.2 * x[:, 0]])
    lines = ["a,b,y", *(",".join(map(repr, row)) for row in rows.tolist())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def do(name: str, table: Path, root: Path) -> dict[str, Any]:
    """One job, exported; what it came to."""
    config = StudyConfig(target=read_option("target", "pic32"), root=str(root), tolerance=0.1)
    config.teacher.source = str(table)
    config.sampling.design = "data"
    option = read_option("engine", name)
    given = {**option, **JOBS[name], "keep": 2, "rounds": 1}
    given["options"] = {**option["options"], **JOBS[name].get("options", {})}
    config.engine = EngineConfig(**given)
    config.score.points, config.score.starts = 200, 2
    config.export = replace(config.export, verify=False)
    study = search(config, Silent())
    chosen = study.chosen
    shipped = ship(
        study.context,
        chosen.candidate if chosen else None,
        chosen.score.max_error if chosen else None,
        load_target(config.target),
        root / name,
        Silent(),
    )
    return results(load_record(record_once(study, shipped, ())))


def test_the_order_of_jobs_and_what_is_kept_change_no_byte(table: Path, tmp_path: Path) -> None:
    one = {name: do(name, table, tmp_path / "one") for name in JOBS}
    other = {name: do(name, table, tmp_path / "other") for name in reversed(JOBS)}
    kept = {name: do(name, table, tmp_path / "one") for name in JOBS}
    for name in JOBS:
        for again in (other[name], kept[name]):
            assert [c for c in compared(one[name], again) if c.passed is not True] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "circumstance",
    ["other hash seed, folder, home, clock, language", "one core", "2 threads in every library"],
)
def test_the_surroundings_change_no_byte(circumstance: str, tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    command = [sys.executable, str(BENCHMARK), "polynomial", "exact", "--only", circumstance]
    subprocess.run([*command, "--json", str(found)], cwd=ROOT, check=True, capture_output=True)
    runs = json.loads(found.read_text(encoding="utf-8"))
    assert set(runs) == {"as it is", circumstance}
    assert runs[circumstance] == runs["as it is"]


@pytest.mark.slow
def test_jobs_side_by_side_give_what_they_give_in_turn(table: Path, tmp_path: Path) -> None:
    found = []
    for name, words in {
        "turn": ["engine.max_complexity=12,20"],
        "beside": ["engine.max_complexity=20,12", "hydra/launcher=joblib"],
    }.items():
        command = [
            *(sys.executable, "-m", "distill.cli", "run", "--quiet", "-m"),
            *("teacher=table", f"teacher.source={table}", "sampling=data", "engine=polynomial"),
            *("score=quick", "score.points=200", "engine.keep=2", "engine.rounds=1"),
            *("tracking=off", "export.verify=false", "export.directory=null", f"root={name}"),
        ]
        (tmp_path / name).mkdir()
        subprocess.run([*command, *words], cwd=tmp_path / name, check=True, capture_output=True)
        records = [
            load_record(file.parent) for file in (tmp_path / name).glob("*/*/study/*/study.json")
        ]
        assert len(records) == 2
        found.append({
            record.config["engine"]["max_complexity"]: results(replace(record, bundle=None))
            for record in records
        })  # fmt: skip
    turn, beside = found
    for complexity, one in turn.items():
        differing = [c for c in compared(one, beside[complexity]) if c.passed is False]
        assert differing == []
