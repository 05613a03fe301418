import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from distill.engines.findings import Finding, lines
from distill.errors import TrackingError
from distill.progress import Silent
from distill.tracking import view
from distill.tracking.log import ensure_experiment, log_study
from distill.tracking.record import Milestone
from distill.tracking.record_folder import load_record, save_record
from distill.tracking.ui import _announce

FILES = {"candidate.json", "formula.tex", "formula.c", "report.html", "parity.png", "residuals.png"}


class Stop(Silent):
    """Stops the logging when so many candidates have been begun."""

    def __init__(self, after, error=KeyboardInterrupt):
        self.left, self.error, self.warnings = after, error, []

    def advance(self, fraction, text):
        self.left -= 1
        if self.left < 0:
            raise self.error

    def warn(self, text):
        self.warnings.append(text)


def runs(store, experiment, kind):
    return store.client().search_runs([experiment], f"tags.`distill.kind` = '{kind}'")


def contents(store, experiment):
    """All that MLflow shows of an experiment's runs, without times and ids of runs."""
    shown = {}
    client = store.client()
    for run in client.search_runs([experiment]):
        tags = {k: v for k, v in run.data.tags.items() if k != "mlflow.parentRunId"}
        files = sorted(f.path for f in client.list_artifacts(run.info.run_id))
        shown[run.info.run_name] = (
            run.info.status, tags, run.data.params, run.data.metrics, files
        )  # fmt: skip
    return shown


@pytest.fixture(scope="module")
def logged(study, store):
    return log_study(study, store)


def test_the_runs_of_a_study(study, store, logged):
    client = store.client()
    parent = client.get_run(logged.parent_run_id)
    assert client.get_experiment(logged.experiment_id).name == "distill/wet_bulb"
    assert parent.info.run_name == study.name
    assert parent.info.status == "FINISHED"
    assert parent.data.params["engine.operators"] == "add, mul"
    assert parent.data.metrics["chosen/accuracy/max_error"] == study.chosen.score.max_error
    assert parent.data.metrics["candidates"] == 5
    assert list(logged.run_ids) == [c.id for c in (study.candidates[-1], *study.candidates[:-1])]
    for c in study.candidates:
        run = client.get_run(logged.run_ids[c.id])
        assert run.info.run_name.startswith(study.label(c) + " ")
        assert run.info.status == "FINISHED"
        assert run.data.tags["mlflow.parentRunId"] == logged.parent_run_id
        assert run.data.tags["distill.kind"] == "candidate"
        assert run.data.tags["distill.chosen"] == ("true" if c.chosen else "false")
        assert run.data.params["formula"] == c.formula.readable()
        assert run.data.metrics["complexity"] == c.formula.complexity
        assert run.data.metrics["accuracy/max_error"] == c.score.max_error
        assert run.data.metrics["cost/pic32/flash_bytes"] == c.cost["pic32"]["flash_bytes"]
        found = {f.path for f in client.list_artifacts(run.info.run_id)}
        assert found == FILES | ({"model"} if c.chosen else set())


def test_the_search_progress_has_its_steps(study, store, logged):
    history = store.client().get_metric_history(logged.parent_run_id, "search/best_error")
    values = [m.value for m in sorted(history, key=lambda m: (m.step, -m.value))]
    assert values == sorted(values, reverse=True)
    assert max(m.step for m in history) == study.history[-1].step
    assert max(m.timestamp for m in history) == 1000 * study.created + 2500


def test_the_front_is_a_table_of_mlflow(study, store, logged, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    table = store.client().load_table(
        logged.experiment_id, "front.json", run_ids=[logged.parent_run_id]
    )
    assert list(table["candidate"]) == ["c01", "c02", "c03", "p01", "c04"]
    assert table["max_error"][0] == study.candidates[0].score.max_error


def test_the_chosen_formula_is_the_registered_champion(study, store, logged, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", store.uri)
    model = mlflow.pyfunc.load_model("models:/distill-wet_bulb@champion")
    x = study.points[:50]
    answer = model.predict(pd.DataFrame(x, columns=list(study.domain.names)))
    assert list(answer.columns) == ["wet_bulb"]
    assert list(answer["wet_bulb"]) == list(study.chosen.formula(x))
    assert logged.model_version == "1"


def test_findings_are_files_of_the_studys_run(make, own_store, tmp_path):
    part = Finding("f(b)", "an exponential", "solved", 1e-9, "exp(b)")
    found = Finding("f(a, b)", "a product", "believed", 1e-3, parts=(part,))
    study = replace(make((1,)), findings=found)
    run_id = log_study(study, own_store).parent_run_id
    client = own_store.client()
    text = client.download_artifacts(run_id, "findings.txt", str(tmp_path))
    assert Path(text).read_text(encoding="utf-8").splitlines() == list(lines(found))
    data = client.download_artifacts(run_id, "findings.json", str(tmp_path))
    assert Finding.from_data(json.loads(Path(data).read_text(encoding="utf-8"))) == found
    report = client.download_artifacts(run_id, "report.html", str(tmp_path))
    assert "an exponential" in Path(report).read_text(encoding="utf-8")


def test_logging_again_changes_nothing(study, store, logged):
    before = contents(store, logged.experiment_id)
    assert log_study(study, store) == logged
    assert contents(store, logged.experiment_id) == before


def test_logging_from_disk_finds_the_same_runs(study, store, logged, tmp_path):
    save_record(study, tmp_path)
    assert log_study(load_record(tmp_path), store) == logged


def test_new_figures_update_the_runs_that_are_there(make, own_store):
    study = make((1, 2), key="0b" * 32)
    first = log_study(study, own_store)
    a, b, p = study.candidates
    measured = {"pic32": {"instructions": 77.0}, "avr": {"instructions": 99.0}}
    swapped = (replace(a, chosen=True, cost=measured), replace(b, chosen=False), p)
    second = log_study(replace(study, candidates=swapped), own_store)
    assert second.run_ids == first.run_ids
    client = own_store.client()
    run = client.get_run(first.run_ids[a.id])
    assert run.data.metrics["cost/pic32/instructions"] == 77
    assert run.data.metrics["cost/avr/instructions"] == 99
    assert run.data.tags["distill.chosen"] == "true"
    assert client.get_run(first.run_ids[b.id]).data.tags["distill.chosen"] == "false"
    champion = client.get_model_version_by_alias("distill-wet_bulb", "champion")
    assert (str(champion.version), champion.run_id) == ("2", first.run_ids[a.id])


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_crash_in_the_middle_is_completed_by_the_next_call(make, store, after):
    study = make((1, 2), key=f"c{after}" * 32)
    study = replace(study, teacher_name=f"crash_{after}")
    with pytest.raises(KeyboardInterrupt):
        log_study(study, store, Stop(after)) if after < 3 else _crash_at_the_end(study, store)
    experiment = store.client().get_experiment_by_name(f"distill/crash_{after}").experiment_id
    (parent,) = runs(store, experiment, "study")
    assert parent.info.status == "RUNNING"
    # Others may have been on their way.
    assert after <= len(runs(store, experiment, "candidate")) <= len(study.candidates)
    logged = log_study(study, store)
    assert logged.parent_run_id == parent.info.run_id
    assert len(runs(store, experiment, "candidate")) == 3
    # What came out is what one undisturbed call writes.
    whole = replace(study, teacher_name=f"whole_{after}")
    shown = contents(store, experiment)
    expected = contents(store, log_study(whole, store).experiment_id)
    assert shown.keys() == expected.keys()
    for name, (status, tags, params, metrics, files) in shown.items():
        other = expected[name]
        assert (status, params, metrics, files) == (other[0], *other[2:])
        assert tags.keys() == other[1].keys()


def _crash_at_the_end(study, store):
    """After the candidates, before the study itself is complete."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("distill.tracking.log.register_by_rule", _interrupt)
        log_study(study, store)


def _interrupt(*args):
    raise KeyboardInterrupt


def test_a_run_id_in_the_environment_does_not_hijack(make, own_store, monkeypatch):
    client = own_store.client()
    alien = client.create_run(client.create_experiment("alien")).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", alien)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    logged = log_study(make((1,), key="0d" * 32), own_store)
    assert alien not in (logged.parent_run_id, *logged.run_ids.values())
    assert client.get_run(alien).data.params == {}
    assert client.get_run(alien).data.metrics == {}


def test_a_deleted_experiment_comes_back(make, own_store):
    study = make((1,), key="0e" * 32)
    logged = log_study(study, own_store)
    client = own_store.client()
    client.delete_experiment(logged.experiment_id)
    again = log_study(study, own_store)
    assert again.experiment_id == logged.experiment_id
    assert client.get_experiment(logged.experiment_id).lifecycle_stage == "active"


def test_a_sweep_can_be_grouped(make, own_store):
    for i, points in enumerate((256, 1024)):
        study = make((1,), key=f"{i}f" * 32)
        swept = replace(study, sweep_id="sweep_1", overrides=(f"sampling.points={points}",))
        logged = log_study(swept, own_store)
    client = own_store.client()
    studies = client.search_runs(
        [logged.experiment_id], "tags.`distill.sweep` = 'sweep_1' and tags.`distill.kind` = 'study'"
    )
    assert {r.info.run_name for r in studies} == {
        "operon pic32 sampling.points=256 0f0f0f0f",
        "operon pic32 sampling.points=1024 1f1f1f1f",
    }
    assert all(r.data.metrics["chosen/complexity"] == 1 for r in studies)


def test_a_candidate_without_a_finite_error_is_logged(make, own_store):
    study = make((1, 2), key="0a" * 32)
    bad = study.candidates[0]
    errors = replace(bad.score.teacher, max_error=float("inf"), non_finite=4, max_error_at=())
    bad = replace(bad, score=replace(bad.score, teacher=errors))
    logged = log_study(replace(study, candidates=(bad, *study.candidates[1:])), own_store)
    run = own_store.client().get_run(logged.run_ids[bad.id])
    assert run.data.metrics["accuracy/non_finite"] == 4
    assert "accuracy/max_error" not in run.data.metrics


def test_the_prepared_views(study, store, logged):
    import base64
    import zlib

    tags = store.client().get_experiment(logged.experiment_id).tags
    key = tags[view.LATEST]
    shared = json.loads(tags[f"mlflow.sharedViewState.{key}"])
    state = json.loads(zlib.decompress(base64.b64decode(shared["state"].removeprefix("deflate;"))))
    assert shared["name"] == f"Study {study.name}"
    assert len(store.client().search_runs([logged.experiment_id], state["searchFilter"])) == 5
    assert state["selectedColumns"] == [
        "params.`formula`",
        "metrics.`complexity`",
        "metrics.`accuracy/max_error`",
        "tags.`distill.chosen`",
        "metrics.`cost/pic32/instructions`",
        "metrics.`cost/pic32/flash_bytes`",
    ]
    run = store.client().get_run(next(iter(logged.run_ids.values())))
    axes = [c[a]["key"] for c in state["compareRunCharts"][:2] for a in ("xaxis", "yaxis")]
    assert set(axes) <= set(run.data.metrics)
    url = view.view_url("http://127.0.0.1:5000/", logged.experiment_id, key)
    assert url == (
        f"http://127.0.0.1:5000/#/experiments/{logged.experiment_id}/runs"
        f"?viewStateShareKey={key}&compareRunsMode=CHART&workflowType=machine_learning"
    )


def test_old_views_of_studies_make_room(make, own_store):
    study = make((1,), key="00" * 32)
    for i in range(3):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(view, "_MOST_VIEWS", 2)
            logged = log_study(replace(study, key=f"{i:02d}" * 32), own_store)
    tags = own_store.client().get_experiment(logged.experiment_id).tags
    kept = {t.removeprefix("mlflow.sharedViewState.") for t in tags if "sharedViewState" in t}
    assert kept == {
        "distillcandidates",
        "distillstudies",
        "distill" + "01" * 8,
        "distill" + "02" * 8,
    }


def test_a_view_that_cannot_be_written_is_a_warning(make, own_store, monkeypatch):
    monkeypatch.setattr(view, "encode", lambda _: "x" * 30_000)  # longer than MLflow takes
    news = Stop(100)
    logged = log_study(make((1,), key="1a" * 32), own_store, news)
    assert len(news.warnings) == 1
    assert "views" in news.warnings[0]
    assert own_store.client().get_run(logged.parent_run_id).info.status == "FINISHED"
    # The link then leads to the runs as MLflow shows them.
    said: list[str] = []
    _announce(own_store, "http://host", False, said.append)
    number = logged.experiment_id
    assert said == [
        f"wet_bulb: http://host/#/experiments/{number}/runs?workflowType=machine_learning"
    ]


def test_a_view_in_a_format_nobody_here_knows_is_no_obstacle(make, own_store):
    study = make((1,), key="1e" * 32)
    experiment = ensure_experiment(own_store.client(), own_store, study.teacher_name)
    for name, value in (("distill00", "protobuf;AAAA"), ("distill01", '{"name": "of MLflow 9"}')):
        own_store.client().set_experiment_tag(experiment, f"mlflow.sharedViewState.{name}", value)
    news = Stop(100)
    log_study(study, own_store, news)
    tags = own_store.client().get_experiment(experiment).tags
    assert news.warnings == []
    assert tags[view.LATEST] == view.view_key(study.key)
    assert f"mlflow.sharedViewState.{tags[view.LATEST]}" in tags


def test_a_broken_store_is_a_tracking_error(make, own_store):
    path = own_store.uri.removeprefix("sqlite:///")
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(b"this is no database, whatever it is called" * 100)
    with pytest.raises(TrackingError, match="not a database") as caught:
        log_study(make((1,), key="1b" * 32), own_store)
    assert path in caught.value.where


def test_more_params_and_milestones_than_a_batch_takes(make, own_store):
    study = make((1,), key="1c" * 32)
    history = tuple(Milestone(i, i / 100, 5, 1 / (i + 1)) for i in range(1100))
    config = {f"key_{i:03d}": i for i in range(250)}
    logged = log_study(replace(study, history=history, config=config), own_store)
    client = own_store.client()
    assert client.get_run(logged.parent_run_id).data.params == {
        k: str(v) for k, v in config.items()
    }
    assert len(client.get_metric_history(logged.parent_run_id, "search/best_error")) == 1100
