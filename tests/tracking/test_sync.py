"""``distill sync``: what a store lacks is logged once, however badly the store behaved before."""

import http.client
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from distill import cli
from distill.errors import StorageError, TrackingError
from distill.progress import Silent
from distill.tracking.live import live
from distill.tracking.log import log_study
from distill.tracking.record import save_record
from distill.tracking.store import open_store
from distill.tracking.sync import LOGGED, logged_place, sync, track
from distill.tracking.ui import running
from distill.tracking.unfinished import Search


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(template, tmp_path_factory):
    """A real MLflow server that keeps the files itself."""
    root = tmp_path_factory.mktemp("server")
    (root / "mlflow.db").write_bytes(template.read_bytes())
    uri = f"http://127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1",
         "--port", uri.rpartition(":")[2], "--backend-store-uri", f"sqlite:///{root}/mlflow.db",
         "--artifacts-destination", str(root / "files")],
        env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        while True:
            assert process.poll() is None
            try:
                with urllib.request.urlopen(f"{uri}/health", timeout=5):
                    break
            except OSError:
                time.sleep(0.1)
        yield uri
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Between(http.server.ThreadingHTTPServer):
    """Stands between us and a server; ``rule`` may answer in its place.

    The rule gets method and path and gives a status to answer with, or None to pass the request on.
    """

    daemon_threads = True

    def __init__(self, uri):
        super().__init__(("127.0.0.1", 0), Passing)
        self.behind = uri.removeprefix("http://")
        self.rule = lambda method, path: None
        self.uri = f"http://127.0.0.1:{self.server_port}"


class Passing(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status = self.server.rule(self.command, self.path)
        if status is not None:
            return self.answer(status, b'{"error_code": "INTERNAL_ERROR", "message": "no space"}')
        connection = http.client.HTTPConnection(self.server.behind, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        self.answer(answer.status, answer.read(), answer.getheader("Content-Type"))
        connection.close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815

    def answer(self, status, body, kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind or "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def between(server):
    with Between(server) as door:
        threading.Thread(target=door.serve_forever, daemon=True).start()
        yield door
        door.shutdown()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


def record(make, root, key, name):
    """A study of two candidates on disk, none chosen: a model has many files. Gives its folder."""
    study = make((1,), key=key * 32)
    unchosen = tuple(replace(candidate, chosen=False) for candidate in study.candidates)
    study = replace(study, teacher_name=name, candidates=unchosen)
    folder = root / name / "study" / study.key[:16]
    save_record(study, folder)
    return folder


def runs_of(uri, name):
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(f"distill/{name}")
    return [] if experiment is None else client.search_runs([experiment.experiment_id])


def whole(uri, *names):
    """Whether each study is there once: its own run, two candidates, all finished."""
    found = [run for name in names for run in runs_of(uri, name)]
    kinds = sorted(run.data.tags["distill.kind"] for run in found)
    return kinds == sorted(["study", "candidate", "candidate"] * len(names)) and {
        run.info.status for run in found
    } == {"FINISHED"}


class Sick:
    """The server's answers from some request on."""

    def __init__(self, status, wanted, after=0):
        self.status, self.wanted, self.left = status, wanted, after

    def __call__(self, method, path):
        if self.wanted(method, path):
            self.left -= 1
        return self.status if self.left < 0 and self.wanted(method, path) else None


@pytest.mark.parametrize(
    ("name", "rule", "says"),
    [
        ("full", Sick(507, lambda method, path: method == "PUT"), "507"),
        ("full_later", Sick(500, lambda method, path: "mlflow-artifacts" in path, after=5), "500"),
        pytest.param(
            "broken",
            Sick(500, lambda method, path: path.endswith("log-batch")),
            "500",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_server_that_fails_in_the_middle(make, between, tmp_path, capsys, name, rule, says):
    folder = record(make, tmp_path, {"full": "b1", "full_later": "b2", "broken": "b3"}[name], name)
    between.rule = rule
    arguments = ["sync", f"root={tmp_path}", f"uri={between.uri}"]
    assert cli.main(arguments) == 3
    out, error = capsys.readouterr()
    assert out == ""
    assert says in error
    assert "distill sync" in error
    assert not (folder / LOGGED).exists()
    between.rule = lambda method, path: None
    assert cli.main(arguments) == 0
    assert capsys.readouterr().out == "1 study logged.\n"  # and nothing of MLflow's own
    assert whole(between.uri, name)
    assert cli.main(arguments) == 0
    assert "0 studies logged." in capsys.readouterr().out


@pytest.mark.slow
def test_a_server_that_is_too_slow(make, between, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    record(make, tmp_path, "b4", "slow")
    done = threading.Event()

    def slow(method, path):
        if path.endswith("log-batch"):
            done.wait(60)
        return None

    between.rule = slow
    try:
        with pytest.raises(TrackingError, match="imed out"):
            sync(tmp_path, between.uri, Silent())
    finally:
        done.set()
    between.rule = lambda method, path: None
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    assert len(sync(tmp_path, between.uri, Silent()).places) == 1
    assert whole(between.uri, "slow")


def test_two_at_once_log_each_study_once(make, server, tmp_path):
    names = ["pair_a", "pair_b"]
    for key, name in zip(("5a", "5b"), names, strict=True):
        record(make, tmp_path, key, name)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: sync(tmp_path, server, Silent()), range(2)))
    assert sorted(f.parents[1].name for done in both for f in done.places) == names
    assert whole(server, *names)


def test_a_server_that_is_killed_in_the_middle(make, own_store, tmp_path):
    root = tmp_path / "studies"
    for key, name in (("6a", "first"), ("6b", "second")):
        record(make, root, key, name)

    class Kill(Silent):
        """Kills the server when the second study is begun."""

        begun = 0

        def begin(self, stage, detail):
            self.begun += 1
            if self.begun == 2:
                os.killpg(running_server.process.pid, signal.SIGKILL)

    with running(own_store, free_port()) as running_server:
        with pytest.raises(TrackingError) as caught:
            sync(root, running_server.url, Kill())
        assert "distill sync" in caught.value.hint
        with pytest.raises(TrackingError, match="cannot be used"):
            sync(root, running_server.url, Silent())
    # Its database, as the next server will find it.
    (folder,) = sync(root, own_store.uri, Silent()).places
    assert folder.parents[1].name == "second"
    assert sync(root, own_store.uri, Silent()).places == {}
    assert whole(own_store.uri, "first", "second")


# --- on a local store -----------------------------------------------------------------------------


def test_a_study_that_is_half_there_is_completed(make, own_store, tmp_path):
    root = own_store.artifacts.parents[1]
    study = replace(make((1,), key="c1" * 32), teacher_name="half")
    folder = root / "half" / "study" / study.key[:16]
    save_record(study, folder)
    with live([Search.of(study)], root, None, Silent()) as news:
        news.begin("fit", "searching")

    class Stop(Silent):
        def advance(self, fraction, text):
            if fraction:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync(root, None, Stop())
    assert [run.info.status for run in runs_of(own_store.uri, "half")].count("RUNNING") >= 1
    assert list(sync(root, None, Silent()).places) == [folder]
    assert whole(own_store.uri, "half")
    assert logged_place(folder, root, None)["uri"] == own_store.uri


def test_the_store_is_asked_and_not_only_the_mark_on_disk(make, own_store, tmp_path):
    root = own_store.artifacts.parents[1]
    folder = record(make, root, "c2", "asked")
    place = track(folder, root, None, Silent())
    assert track(folder, root, None, Silent()) == place
    assert sync(root, None, Silent()).places == {}
    (folder / LOGGED).unlink()  # killed between logging and writing it down
    assert sync(root, None, Silent()).places == {}
    # What a person deleted stays deleted.
    client = own_store.client()
    for run_id in [place["run"], *place["candidates"].values()]:
        client.delete_run(run_id)
    assert sync(root, None, Silent()).places == {}
    assert runs_of(own_store.uri, "asked") == []


def test_another_store_gets_it_too(make, own_store, template, tmp_path):
    root = own_store.artifacts.parents[1]
    folder = record(make, root, "c3", "moved")
    assert len(sync(root, None, Silent()).places) == 1
    other = tmp_path / "other" / "mlflow.db"
    other.parent.mkdir()
    other.write_bytes(template.read_bytes())
    uri = f"sqlite:///{other}"
    assert logged_place(folder, root, uri) is None
    assert list(sync(root, uri, Silent()).places) == [folder]
    assert whole(uri, "moved")
    assert logged_place(folder, root, uri)["uri"] == uri
    other.unlink()
    assert logged_place(folder, root, uri) is None


def test_a_record_that_cannot_be_read_keeps_no_other_back(make, own_store, capsys):
    root = own_store.artifacts.parents[1]
    bad, good = record(make, root, "c4", "a_broken"), record(make, root, "c5", "b_good")
    (bad / "study.json").write_text("{")
    assert cli.main(["sync", f"root={root}"]) == StorageError.exit_code
    out, err = capsys.readouterr()
    assert "1 study logged." in out
    assert "1 of the recorded studies cannot be read" in err
    assert str(bad) in err
    assert (good / LOGGED).exists()
    assert whole(own_store.uri, "b_good")


def test_nothing_recorded_needs_no_store(tmp_path, capsys):
    assert cli.main(["sync", f"root={tmp_path}", "uri=http://127.0.0.1:9"]) == 0
    assert capsys.readouterr().out == "0 studies logged.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_logged_study_can_be_logged_by_hand_too(make, own_store):
    root = own_store.artifacts.parents[1]
    study = replace(make((1,), key="c6" * 32), teacher_name="by_hand")
    save_record(study, root / "by_hand" / "study" / study.key[:16])
    log_study(study, open_store(root))
    assert sync(root, None, Silent()).places == {}
