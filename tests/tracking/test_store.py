import errno
import http.server
import logging
import os
import socket
import subprocess
import sys
import threading

import pytest

from distill.errors import StorageError, TrackingError
from distill.tracking.store import Store, open_store, quiet, tracking_errors

OPEN = """
import sys
from pathlib import Path
from distill.tracking.log import ensure_experiment
from distill.tracking.store import open_store
store = open_store(Path(sys.argv[1]))
client = store.client()
experiment = ensure_experiment(client, store, "one_teacher")
client.create_run(experiment)
print(experiment)
"""


def test_parallel_writers_of_a_new_store_share_one_experiment(tmp_path):
    command = [sys.executable, "-c", OPEN, str(tmp_path)]
    writers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [w.communicate(timeout=120) for w in writers]
    assert [w.returncode for w in writers] == [0, 0], outputs
    assert len({out for out, _ in outputs}) == 1
    # Creating the tables is not the user's news.
    assert all("INFO" not in err for _, err in outputs)
    client = open_store(tmp_path).client()
    assert len(client.search_runs([outputs[0][0].strip()])) == 2
    left = {p.name for p in (tmp_path / "mlflow").iterdir()}
    assert left - {".mlflow.db.lock"} == {"mlflow.db", "artifacts"}


def test_paths_are_absolute_whatever_the_folder(own_store, monkeypatch):
    root = own_store.artifacts.parents[1]
    monkeypatch.chdir(root.parent)
    store = open_store(type(root)(root.name))
    assert store == own_store
    assert store.uri == f"sqlite:///{root}/mlflow/mlflow.db"
    assert open_store(root, store.uri) == store


@pytest.mark.parametrize("uri", ["ftp://x", "mlruns", "file:///tmp/x", "sqlite:///", "", "http"])
def test_an_address_of_another_kind_names_the_config_key(tmp_path, uri):
    with pytest.raises(TrackingError) as caught:
        open_store(tmp_path, uri)
    assert "tracking.uri" in caught.value.where
    assert "sqlite:///FILE" in caught.value.hint


def test_a_server_that_is_down_is_said_with_what_to_do(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{probe.getsockname()[1]}"
        with pytest.raises(TrackingError, match="refused") as caught:
            open_store(tmp_path, uri)
    assert uri in caught.value.where
    assert "distill sync" in caught.value.hint


def test_a_server_of_another_kind_is_refused(tmp_path):
    class Refuse(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(503)

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Refuse) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(TrackingError, match="503"):
            open_store(tmp_path, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


def test_a_folder_that_is_a_file_is_said(tmp_path):
    (tmp_path / "mlflow").write_text("in the way")
    with pytest.raises((StorageError, FileExistsError)):
        open_store(tmp_path)


def test_settings_of_the_user_stay(own_store, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_TIMEOUT", raising=False)
    own_store.client()
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "1"
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "20"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_a_full_disk_below_mlflow_is_no_mistake_of_ours(tmp_path):
    """What copies artifacts into a local store raises what the disk says."""
    store = Store(f"sqlite:///{tmp_path}/mlflow.db", tmp_path)
    place = str(tmp_path / "report.html")
    with pytest.raises(TrackingError, match="the disk is full") as caught, tracking_errors(store):
        raise OSError(errno.ENOSPC, "No space left on device", "from", None, place)
    assert caught.value.where == place
    assert "distill sync" in caught.value.hint
    with pytest.raises(IsADirectoryError), tracking_errors(store):
        raise IsADirectoryError(errno.EISDIR, "Is a directory")


def test_mlflow_writes_no_traceback_of_what_it_raises(tmp_path):
    logger = logging.getLogger("mlflow.store.db.utils")
    logger.setLevel(logging.NOTSET)
    with tracking_errors(Store("sqlite:///nowhere", tmp_path)):
        assert not logger.isEnabledFor(logging.ERROR)
        with quiet(logger.name):
            assert not logger.isEnabledFor(logging.ERROR)
        assert not logger.isEnabledFor(logging.ERROR)
