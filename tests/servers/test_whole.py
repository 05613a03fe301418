"""A study from the search to the chosen C, with nothing but a server over http and PostgreSQL."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from distill import cli
from distill.progress import Silent
from distill.tracking.sync import LOGGED, sync
from tests.servers.content import content_of

SMALL = [
    "engine=polynomial", "engine.options.max_terms=2", "engine.rounds=1", "score=quick",
    "score.points=2000", "target=host", "export.verify=false", "engine.keep=3", "tolerance=5",
]  # fmt: skip


@pytest.fixture
def call(gate, tmp_path, monkeypatch, capsys):
    """A user whose server is behind a gate: a command's exit code, result, and all it told."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    def run(*arguments):
        uri = f"{'tracking.' if arguments[0] == 'run' else ''}uri={gate.url}"
        code = cli.main([arguments[0], "--json", *arguments[1:], uri])
        out, error = capsys.readouterr()
        *news, last = [json.loads(line) for line in out.splitlines()]
        assert last["exit_code"] == code
        return code, last, error + "".join(one.get("text", "") for one in news)

    return run


def predicts(url, uri, formula, monkeypatch):
    """Whether the registered model answers as the formula does, and the C that it carries."""
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", url)
    model = mlflow.pyfunc.load_model(uri)
    x = np.array([[20.0, 50.0], [45.0, 10.0]])
    answer = model.predict(pd.DataFrame(x, columns=["temperature", "humidity"]))
    np.testing.assert_array_equal(answer["wet_bulb"], formula(x))
    return mlflow.artifacts.download_artifacts(f"{uri}/artifacts/c")


def test_a_study_is_logged_chosen_and_exported(call, gate, template, tmp_path, monkeypatch):
    from distill.tracking.fetch import load_candidate_run
    from distill.tracking.store import open_store

    code, said, _ = call("run", *SMALL)
    assert code == 0, said["problem"]
    (study,) = said["studies"]
    runs, rule = study["mlflow"]["candidates"], study["chosen"]["id"]
    store = open_store(tmp_path, gate.url)
    # Its search could be watched.
    parent = store.client().get_run(study["mlflow"]["run"])
    assert parent.data.metrics["live/progress/fit"] == 1.0
    # It is what a local store gets of the same record.
    assert sync(tmp_path / "studies", gate.url, Silent()).places == {}
    (tmp_path / "local.db").write_bytes(template.read_bytes())
    near = f"sqlite:///{tmp_path}/local.db"
    assert len(sync(tmp_path / "studies", near, Silent()).places) == 1
    assert content_of(gate.url, "wet_bulb") == content_of(near, "wet_bulb")
    # A person takes another one; all that the study kept on disk is gone.
    mine = next(run_id for key, run_id in runs.items() if key != rule)
    shutil.rmtree(tmp_path / "studies")
    code, said, _ = call("choose", f"run={mine}")
    assert code == 0, said["problem"]
    assert (said["run"], said["version"]) == (mine, "2")
    exported = {}
    name = parent.info.run_name
    for reference in (runs[rule], mine, "models:/distill-wet_bulb@champion", name):
        where = tmp_path / f"c{len(exported)}"
        code, said, _ = call("export", f"run={reference}", f"export.directory={where}")
        assert code == 0, said["problem"]
        exported[reference] = (said["run"], (where / "wet_bulb.c").read_bytes())
    own, *rest = list(exported.values())
    assert own[0] == runs[rule]
    assert rest == [rest[0]] * 3
    assert rest[0][0] == mine
    assert rest[0][1] != own[1]
    # Both registered models answer, and carry the C that an export writes.
    for reference, uri in ((mine, "@champion"), (runs[rule], "/1")):
        formula = load_candidate_run(reference, store).candidate.formula
        c = predicts(gate.url, f"models:/distill-wet_bulb{uri}", formula, monkeypatch)
        files = sorted(file.name for file in tmp_path.joinpath("c0").iterdir())
        assert sorted(p.name for p in Path(c).iterdir()) == files


@pytest.mark.slow
def test_a_run_whose_server_dies_goes_on_with_the_same_command(call, far, gate, template, tmp_path):
    gate.before = lambda method, path: far.kill() if path.endswith("log-batch") else None
    try:
        code, said, error = call("run", *SMALL)
    finally:
        far.start()
    assert code == 3
    assert "the study is complete, but not in MLflow" in error
    assert f"`distill sync uri={gate.url}` logs it later" in error
    assert "progress is not shown in MLflow" in error
    (study,) = said["studies"]
    assert study["mlflow"] is None
    gate.open()
    code, said, _ = call("run", *SMALL)
    assert code == 0, said["problem"]
    (again,) = said["studies"]
    assert again["folder"] == study["folder"]
    assert (tmp_path / again["folder"] / LOGGED).exists()
    (tmp_path / "local.db").write_bytes(template.read_bytes())
    near = f"sqlite:///{tmp_path}/local.db"
    sync(tmp_path / "studies", near, Silent())
    assert content_of(gate.url, "wet_bulb") == content_of(near, "wet_bulb")


@pytest.mark.slow
def test_a_server_that_is_absent_at_the_start(call, far, gate, tmp_path):
    gate.behind = "127.0.0.1:9"
    code, said, error = call("run", *SMALL)
    assert code == 3
    assert "the study is complete, but not in MLflow" in error
    assert said["studies"][0]["chosen"] is not None
    assert (tmp_path / "build/wet_bulb/host/wet_bulb.c").exists()
    gate.behind = far.url.removeprefix("http://")
    code, said, _ = call("sync")
    assert code == 0, said["problem"]
    assert len(said["studies"]) == 1
