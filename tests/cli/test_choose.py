"""`distill choose` and `distill export`, from a study to the C of what a person chose."""

import contextlib
import io
import json
import shutil

import pytest

from distill import cli

SMALL = [
    "engine=polynomial", "engine.options.max_terms=3", "engine.rounds=1", "score=quick",
    "score.points=2000", "target=host", "export.verify=false", "engine.keep=10",
]  # fmt: skip


def run(*arguments: str) -> tuple[int, str, str]:
    """The exit code, standard output and standard error output of a command."""
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        code = cli.main(list(arguments))
    return code, out.getvalue(), error.getvalue()


def result(*arguments: str) -> dict:
    code, out, error = run(*arguments)
    assert code == 0, out + error
    return json.loads(out.splitlines()[-1])


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A folder with a small study in MLflow, its candidates' runs by id, and its choice."""
    folder = tmp_path_factory.mktemp("user")
    with contextlib.chdir(folder):
        (made,) = result("run", "--json", "tolerance=3", *SMALL)["studies"]
    return folder, made["mlflow"]["candidates"], made["chosen"]["id"]


def test_a_choice_is_exported_from_mlflow_alone(study, monkeypatch):
    folder, runs, chosen = study
    monkeypatch.chdir(folder)
    mine = next(run_id for key, run_id in runs.items() if key != chosen)
    told = result("choose", "--json", f"run={mine}")
    assert (told["run"], told["before"], told["version"]) == (mine, "1", "2")
    artifacts = folder / "studies/mlflow/artifacts/wet_bulb" / mine / "artifacts"
    assert (artifacts / "model/artifacts/c/wet_bulb.h").exists()
    # All that the study kept on disk is gone; MLflow has what an export needs.
    shutil.rmtree(folder / "studies/wet_bulb")
    by_rule = result("export", "--json", f"run={runs[chosen]}", "export.directory=a")
    assert by_rule["run"] == runs[chosen]
    result("export", "--json", "run=models:/distill-wet_bulb@champion")
    c = folder / "build/wet_bulb/host/wet_bulb.c"
    assert c.read_text() == (artifacts / "model/artifacts/c/wet_bulb.c").read_text()
    assert c.read_text() != (folder / "a/wet_bulb.c").read_text()
    # Choosing what is chosen says so, and makes nothing anew.
    code, out, _ = run("choose", f"run={mine[:12]}")
    assert code == 0
    assert "was version 2 already" in out
    assert "writing C" not in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["choose"], "which candidate?"),
        (["choose", "run=a", "c=maybe"], "neither true nor false"),
        (["choose", "ran=a"], "did you mean `run`?"),
        (["export"], "run=models:/NAME@champion"),
    ],
)
def test_mistakes_of_the_command_line(arguments, says, capsys):
    assert cli.main(arguments) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("command", ["choose", "export"])
def test_what_nobody_knows_is_told(study, command, monkeypatch):
    monkeypatch.chdir(study[0])
    code, _, error = run(command, "run=no such study")
    assert code == 3
    assert "no candidate `no such study`" in error
