"""Metrics in MLflow while a search runs: in batches, in the background, and never in the way."""

import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from distill.progress import OUTPUT, Best, Silent
from distill.tracking import live as module
from distill.tracking.live import Live, Writer, live
from distill.tracking.log import log_study
from distill.tracking.record_folder import load_record, save_record
from distill.tracking.unfinished import SEARCH, Search

FRONT = (Best(3, 2.5, "2*x"), Best(9, 0.125, "2*x + sin(y)"))


class Heard(Silent):
    def __init__(self):
        self.warnings = []
        self.news = []

    def warn(self, text):
        self.warnings.append(text)

    def begin(self, stage, detail):
        self.news.append(("begin", stage))

    def advance(self, fraction, text):
        self.news.append(("advance", fraction))

    def front(self, best):
        self.news.append(("front", len(best)))

    def end(self, stage, detail, *, reused):
        self.news.append(("end", stage))


def search_for(study, seed=0):
    """A study like this one, and its search, of their own because the seed is.

    Nothing is chosen, so that no model is registered.
    """
    engine = {**study.config["engine"], "seed": seed}
    config = {**study.config, "engine": engine, "target": {"name": "pic32"}}
    unchosen = tuple(replace(candidate, chosen=False) for candidate in study.candidates)
    study = replace(study, teacher_name="watched", config=config, candidates=unchosen)
    return study, Search.of(study)


def tell(news):
    news.begin("fit", "searching")
    news.advance(0.5, "round 1")
    news.front(FRONT)
    news.end("fit", "2 candidates", reused=False)


def root_of(store):
    return store.artifacts.parents[1]


def runs_of(store, search):
    client = store.client()
    experiment = client.get_experiment_by_name(f"distill/{search.teacher_name}")
    return client.search_runs([experiment.experiment_id], f"tags.`{SEARCH}` = '{search.key}'")


@pytest.mark.parametrize(
    ("error", "status"),
    [(None, "RUNNING"), (ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")],
)
def test_a_search_is_a_run_with_curves_that_the_next_one_goes_on_with(study, store, error, status):
    _, search = search_for(study, seed=f"status {status}")
    heard = Heard()

    def attempt():
        with live([search], root_of(store), None, heard) as news:
            tell(news)
            if error is not None:
                raise error

    if error is None:
        attempt()
    else:
        with pytest.raises(error):
            attempt()
    (run,) = runs_of(store, search)
    assert run.info.status == status
    assert run.info.run_name == "operon pic32"
    assert run.data.metrics == {
        "live/progress/fit": 1.0, "live/best_error": 0.125, "live/front_size": 2.0,
    }  # fmt: skip
    assert run.data.tags["distill.kind"] == "study"
    assert "distill.key" not in run.data.tags
    assert "`wet_bulb = 2*x + sin(y)`" in run.data.tags["mlflow.note.content"]
    assert heard.news == [("begin", "fit"), ("advance", 0.5), ("front", 2), ("end", "fit")]
    assert heard.warnings == []
    with live([search], root_of(store), None, heard) as news:
        tell(news)
    (again,) = runs_of(store, search)
    assert (again.info.run_id, again.info.status) == (run.info.run_id, "RUNNING")
    history = store.client().get_metric_history(run.info.run_id, "live/best_error")
    steps = [point.step for point in history]
    assert len(steps) == 2
    assert steps == sorted(steps)


def test_logging_the_study_completes_the_run_of_its_search(make, store, tmp_path):
    study, search = search_for(make((1,), key="a1" * 32), seed=5)
    with live([search], root_of(store), None, Silent()) as news:
        tell(news)
    (begun,) = runs_of(store, search)
    save_record(study, tmp_path)
    logged = log_study(load_record(tmp_path), store)
    assert logged.parent_run_id == begun.info.run_id
    run = store.client().get_run(begun.info.run_id)
    assert (run.info.status, run.info.run_name) == ("FINISHED", study.name)
    assert run.info.start_time == begun.info.start_time
    assert run.data.tags["distill.key"] == study.key
    assert "Searching" not in run.data.tags["mlflow.note.content"]
    assert run.data.metrics["live/best_error"] == 0.125
    assert run.data.metrics["candidates"] == 2
    # The same search again, its results on disk having been deleted: what it began goes away.
    with live([search], root_of(store), None, Silent()) as news:
        tell(news)
    assert len(runs_of(store, search)) == 2
    assert log_study(study, store) == logged
    assert [r.info.run_id for r in runs_of(store, search)] == [begun.info.run_id]


def test_stages_that_are_all_kept_begin_nothing(study, store):
    _, search = search_for(study, seed="reused")
    with live([search], root_of(store), None, Silent()) as news:
        news.end("fit", "2 candidates", reused=True)
        assert not news.began
    assert runs_of(store, search) == []


def test_each_output_has_a_run_of_its_own(study, store):
    _, search = search_for(study, seed="outputs")
    both = [replace(search, output_name=name, outputs=2) for name in ("total", "area")]
    with live(both, root_of(store), None, Silent()) as news:
        for number, name in enumerate(("total", "area")):
            news.begin(OUTPUT, f"{name}, {number + 1} of 2")
            news.begin("fit", "searching")
            news.front(FRONT[: number + 1])
    found = {each.output_name: runs_of(store, each)[0] for each in both}
    sizes = {name: run.data.metrics["live/front_size"] for name, run in found.items()}
    assert sizes == {"total": 1.0, "area": 2.0}
    assert found["area"].info.run_name == "area operon pic32"


def test_the_key_is_that_of_what_is_searched_for(study):
    _, search = search_for(study, seed=1)
    elsewhere = {**search.config, "root": "other", "tracking": {"uri": "http://127.0.0.1:9"}}
    assert replace(search, config=elsewhere).key == search.key
    others = [
        replace(search, teacher_fingerprint="0" * 64),
        replace(search, output_name="other"),
        search_for(study, seed=2)[1],
    ]
    assert len({search.key, *(other.key for other in others)}) == 4


def test_a_search_that_tells_often_is_written_seldom(study, store, monkeypatch):
    monkeypatch.setattr(module, "BATCH_SECONDS", 1e6)
    _, search = search_for(study, seed="often")
    with live([search], root_of(store), None, Silent()) as news:
        news.begin("fit", "searching")
        for i in range(20_000):
            news.advance(i / 20_000, "round 1")
            news.front((Best(3, 1 / (1 + i), "x"), Best(5, float("nan"), "y"))[:1])
    (run,) = runs_of(store, search)
    history = store.client().get_metric_history(run.info.run_id, "live/best_error")
    assert history[-1].value == 1 / 20_000
    assert len(history) <= 2  # what was there when the run was made, and the rest


def test_a_dead_server_is_said_once_and_the_search_goes_on(study, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{probe.getsockname()[1]}"
    heard = Heard()
    writer = Writer([Search.of(study)], tmp_path, uri)
    news = Live([Search.of(study)], writer, heard)
    news.begin("fit", "searching")
    writer.close()
    for i in range(3):
        news.advance(i / 3, "round 1")
        news.front(FRONT)
    (warning,) = heard.warnings
    assert "progress is not shown in MLflow: the MLflow server cannot be used" in warning
    assert len(heard.news) == 7


def test_a_server_that_never_answers_holds_nothing_up(study, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LAST_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asked = threading.Event()
        connections = []

        def accept():
            connections.append(silent.accept()[0])
            asked.set()

        threading.Thread(target=accept, daemon=True).start()
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        heard = Heard()
        with live([Search.of(study)], tmp_path, uri, heard) as news:
            news.begin("fit", "searching")
            assert asked.wait(60)
            for i in range(1000):
                news.advance(i / 1000, "round 1")
        # The block has ended while the server still holds the question.
        assert len(heard.news) == 1001
        assert threading.active_count() > 1
        for connection in connections:
            connection.close()


def test_what_no_library_should_raise_ends_the_writing_only(study, store, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(module, "ensure_experiment", broken)
    writer = Writer([Search.of(study)], root_of(store), None)
    writer.start()
    writer.close()
    assert writer.problem is not None
    assert "ZeroDivisionError: by zero" in writer.problem.what


KILLED = """
import json, sys, time
from pathlib import Path
from distill.progress import Best, Silent
from distill.tracking import live as module
from distill.tracking.unfinished import Search
module.BATCH_SECONDS = 0.01
search = Search(**json.loads(sys.argv[2]))
with module.live([search], Path(sys.argv[1]), None, Silent()) as news:
    news.begin("fit", "searching")
    news.front((Best(3, 2.5, "2*x"),))
    print("begun", flush=True)
    time.sleep(600)
"""


def test_a_run_whose_process_was_killed_is_completed_later(make, store):
    import json

    study, search = search_for(make((1,), key="a2" * 32), seed="killed")
    data = {
        "teacher_name": search.teacher_name,
        "teacher_fingerprint": search.teacher_fingerprint,
        "output_name": search.output_name,
        "config": search.config,
    }
    command = [sys.executable, "-c", KILLED, str(root_of(store)), json.dumps(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        while not any(r.data.metrics for r in _found(store, search)):
            assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
    (left,) = runs_of(store, search)
    assert left.info.status == "RUNNING"
    assert left.data.metrics["live/best_error"] == 2.5
    logged = log_study(study, store)
    assert logged.parent_run_id == left.info.run_id
    assert store.client().get_run(left.info.run_id).info.status == "FINISHED"


def _found(store, search):
    """The runs of a search, none before there is an experiment."""
    known = store.client().get_experiment_by_name(f"distill/{search.teacher_name}")
    return runs_of(store, search) if known else []
