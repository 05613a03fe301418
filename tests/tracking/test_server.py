"""A real MLflow server: what it serves, and what happens when it dies in the middle."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from distill.errors import TrackingError
from distill.progress import Silent
from distill.tracking.log import log_study
from distill.tracking.store import open_store
from distill.tracking.ui import running, serve


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class At(Silent):
    """Does something when a number of candidates has been begun."""

    def __init__(self, count, action):
        self.count, self.action = count, action

    def advance(self, fraction, text):
        self.count -= 1
        if self.count == 0:
            self.action()


@pytest.mark.slow
def test_a_server_that_dies_in_the_middle_loses_nothing(make, own_store, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    study = make((1, 2), key="5e" * 32)
    with running(own_store, free_port()) as server:
        remote = open_store(tmp_path, server.url)
        kill = At(2, lambda: os.killpg(server.process.pid, signal.SIGKILL))
        with pytest.raises(TrackingError) as caught:
            log_study(study, remote, kill)
        assert server.url in caught.value.where
        assert "distill sync" in caught.value.hint
        with pytest.raises(TrackingError, match="cannot be used"):
            open_store(tmp_path, server.url)
    with running(own_store, free_port()) as server:
        remote = open_store(tmp_path, server.url)
        logged = log_study(study, remote)
        page = f"{server.url}/get-artifact?path=report.html&run_uuid={logged.parent_run_id}"
        with urllib.request.urlopen(page, timeout=20) as answer:
            assert study.name in answer.read().decode()
        said: list[str] = []
        serve(remote, say=said.append)  # its server is there already: only the link
        assert [line.split("?")[0] for line in said] == [
            f"wet_bulb: {server.url}/#/experiments/{logged.experiment_id}/runs"
        ]
        with pytest.raises(TrackingError, match="a server already"), running(remote):
            pass
    assert server.process.poll() is not None
    # One run each, all complete, whichever of the two calls wrote them; nothing left to do here.
    found = own_store.client().search_runs([logged.experiment_id])
    assert {r.info.run_id for r in found} == {logged.parent_run_id, *logged.run_ids.values()}
    assert len(found) == 4
    assert {r.info.status for r in found} == {"FINISHED"}
    assert log_study(study, own_store) == logged


SERVE = """
import sys
from pathlib import Path
from distill.tracking.store import open_store
from distill.tracking.ui import serve
serve(open_store(Path(sys.argv[1])), int(sys.argv[2]), say=lambda text: print(text, flush=True))
"""


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_ui_takes_the_next_port_says_the_link_and_ends_cleanly(make, own_store, number):
    logged = log_study(make((1,), key="6e" * 32), own_store)
    root = own_store.artifacts.parents[1]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(root), str(port)], stdout=subprocess.PIPE, text=True
        )
        said = [process.stdout.readline().strip() for _ in range(4)]
        assert said[0].startswith(f"Port {port} is in use; taking ")
        other = int(said[0].split()[-1].rstrip("."))
        assert said[2] == (
            f"wet_bulb: http://127.0.0.1:{other}/#/experiments/{logged.experiment_id}/runs"
            "?viewStateShareKey=distill6e6e6e6e6e6e6e6e"
            "&compareRunsMode=CHART&workflowType=machine_learning"
        )
        process.send_signal(number)
        rest, _ = process.communicate(timeout=30)
    assert rest.strip() == "MLflow ended."
    assert process.returncode == 0
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", other), timeout=2)


def test_a_port_in_use_is_said(own_store):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(TrackingError, match=f"port {port} is in use"), running(own_store, port):
            pass


def test_a_server_that_does_not_come_up_gives_its_reason(own_store):
    # Not an address of this machine (TEST-NET-1, RFC 5737).
    said = []
    with pytest.raises(TrackingError, match="in use") as caught:
        serve(own_store, free_port(), "192.0.2.1", say=said.append)
    assert caught.value.where == "192.0.2.1"
