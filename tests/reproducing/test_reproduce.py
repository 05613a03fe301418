"""A study is done again from its MLflow run alone; what differs is named."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest

from distill.cli.front import main
from distill.config.schema import StudyConfig
from distill.errors import ConfigError, TeacherError, TrackingError
from distill.reproducing.again import check_teacher_file, config_of, notes
from distill.reproducing.command import NotReproduced, reproduce
from distill.reproducing.compare import compared
from distill.tracking.fetch import StudyRun, load_study_run
from distill.tracking.store import open_store
from tests.reproducing.conftest import Kept, Logged


@pytest.fixture
def run(logged: Logged) -> StudyRun:
    """The study as MLflow has it."""
    return load_study_run(logged.run, open_store(logged.root))


def test_the_same_bytes_come_out_in_a_fresh_folder(
    logged: Logged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(path for path in logged.root.rglob("*") if "mlflow" not in path.parts)
    voice = Kept()
    reproduce(logged.candidate, logged.root, None, [], voice)  # by a candidate of it
    assert voice.found is not None
    assert voice.found.data["same"] is True
    assert voice.found.line.endswith(": the same bytes")
    checks = {check["name"]: check for check in voice.found.data["checks"]}
    assert set(checks) == {
        "formulas", "scores", "costs", "C of the candidates", "choice", "C"
    }  # fmt: skip
    assert checks["C"]["detail"] == "14 files, byte for byte"
    after = sorted(path for path in logged.root.rglob("*") if "mlflow" not in path.parts)
    assert after == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_another_config_is_told_to_differ(logged: Logged) -> None:
    voice = Kept()
    with pytest.raises(NotReproduced, match="formulas") as caught:
        reproduce(logged.run, logged.root, None, ["engine.options.max_terms=2"], voice)
    assert caught.value.exit_code == 4
    assert voice.found is not None
    assert voice.found.data["same"] is False


def test_the_run_says_what_doing_it_again_needs(run: StudyRun, logged: Logged) -> None:
    data = run.reproduction
    assert data["teacher"]["file"]["name"] == "rows.csv"
    assert {"distill", "numpy", "scipy", "python", "system", "machine", "processor", "code"} <= set(
        data["versions"]
    )
    assert run.config["engine"]["options"] == {"max_terms": 3, "max_degree": 2}
    assert data["results"]["files"]["made_from.json"]
    assert len(data["results"]["candidates"]) >= 1


def test_a_lost_file_is_named_with_its_hash(run: StudyRun, tmp_path: Path) -> None:
    source = tmp_path / "gone.csv"
    config = config_of(run, [f"teacher.source={source}"], tmp_path, trust=False)
    with pytest.raises(TeacherError, match=r"`rows.csv`, SHA-256 [0-9a-f]{64}") as caught:
        check_teacher_file(run, config)
    assert caught.value.where == str(source)
    assert "teacher.source=FILE" in caught.value.hint


def test_another_file_is_refused(run: StudyRun, logged: Logged, tmp_path: Path) -> None:
    other = tmp_path / "rows.csv"
    other.write_text(logged.table.read_text() + "1.0,2.0,2.1\n")
    config = config_of(run, [f"teacher.source={other}"], tmp_path, trust=False)
    with pytest.raises(TeacherError, match="not the file that the study was made from"):
        check_teacher_file(run, config)


def test_code_in_a_logged_config_runs_with_consent_alone(run: StudyRun, tmp_path: Path) -> None:
    teacher = {**run.config["teacher"], "source": "os:getcwd", "kind": "function"}
    hostile = replace(run, config={**run.config, "teacher": teacher})
    with pytest.raises(ConfigError, match="names code"):
        config_of(hostile, [], tmp_path, trust=False)
    assert config_of(hostile, [], tmp_path, trust=True).teacher.source == "os:getcwd"


def test_results_go_nowhere_else(run: StudyRun, tmp_path: Path) -> None:
    config = config_of(run, [], tmp_path, trust=False)
    assert Path(config.root).is_relative_to(tmp_path)
    assert Path(str(config.export.directory)).is_relative_to(tmp_path)
    assert config.tracking.enabled is False


def test_limits_in_seconds_and_other_versions_are_told(run: StudyRun) -> None:
    config = StudyConfig()
    config.engine.seconds = 20
    other = {**run.reproduction, "versions": {**run.reproduction["versions"], "numpy": "1.0"}}
    timed, versions = notes(replace(run, reproduction=other), config)
    assert timed.detail.startswith("engine.seconds=20: ")
    assert versions.detail.startswith("numpy 1.0 then, ")


def test_every_difference_is_named(run: StudyRun) -> None:
    before = run.reproduction["results"]
    assert {check.passed for check in compared(before, before)} == {True}
    after = copy.deepcopy(before)
    first = after["candidates"][0]
    first["score"]["teacher"]["max_error"] = 7.5
    first["cost"]["pic32"]["flash_bytes"] = 7
    del after["files"]["README.md"]
    after["files"]["new.c"] = "0"
    after["chosen"] = None
    named = {c.name: c.detail for c in compared(before, after) if c.passed is False}
    assert set(named) == {"scores", "costs", "choice", "C"}
    assert "teacher.max_error" in named["scores"]
    assert "is now 7.5" in named["scores"]
    assert "pic32.flash_bytes" in named["costs"]
    assert named["choice"].endswith("no formula")
    assert named["C"] == "README.md was not made\nnew.c is new"


def test_a_formula_that_changed_in_its_last_bit_differs(run: StudyRun) -> None:
    before = run.reproduction["results"]
    after = copy.deepcopy(before)
    after["candidates"][-1] |= {"data": "0" * 64, "formula": "load*0.30000000000000004", "id": "x"}
    formulas = compared(before, after)[0]
    assert formulas.passed is False
    count = len(before["candidates"])
    assert formulas.detail.startswith(f"{count - 1} of {count} came out again to the last bit")
    assert "now    load*0.30000000000000004" in formulas.detail


def test_results_that_were_logged_by_another_version_are_refused(
    logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distill.tracking import fetch

    monkeypatch.setattr(fetch, "REPRODUCTION_VERSION", 99)
    with pytest.raises(TrackingError, match="of version 1, not 99"):
        load_study_run(logged.run, open_store(logged.root))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [([], "which study?"), (["a", "b"], "2 studies are given"), (["a", "trust=maybe"], "maybe")],
)
def test_mistakes_of_the_caller(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reproduce", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_an_unknown_run_is_an_error_for_programs_too(
    logged: Logged, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reproduce", "--json", "no such study", f"root={logged.root}"]) == 3
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["command"] == "reproduce"
    assert "no such study" in result["problem"]["what"]
