"""A real `mlflow server` over http that keeps the files itself, to be killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.postgres import Postgres, free_port

_START_SECONDS = 300.0
_ENVIRONMENT = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # two processes instead of ten
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def with_tables(cluster: Postgres, database: str) -> None:
    """Make a database with MLflow's empty tables, which takes seconds, so copy it."""
    cluster.run(f"CREATE DATABASE {database}")
    subprocess.run(
        [sys.executable, "-m", "mlflow", "db", "upgrade", cluster.uri(database)],
        check=True, capture_output=True, env=os.environ | _ENVIRONMENT,
    )  # fmt: skip


class MlflowServer:
    """A server on a database (``backend``, a URI) that keeps artifacts in a folder."""

    def __init__(self, backend: str, files: Path, log: Path, workers: int = 1) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.files = files
        self._log = log
        self._command = [
            sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1",
            "--port", str(self.port), "--workers", str(workers),
            "--backend-store-uri", backend, "--serve-artifacts", "--artifacts-destination", files,
        ]  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, in place of what runs, and wait until it answers."""
        self.kill()
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=os.environ | _ENVIRONMENT, start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise RuntimeError(f"the MLflow server did not start:\n{self._log.read_text()}")

    def processes(self) -> list[int]:
        """The process ids of the server and its workers."""
        assert self.process is not None
        group = self.process.pid
        ids = [int(place.name) for place in Path("/proc").iterdir() if place.name.isdigit()]
        return [number for number in ids if _group(number) == group]

    def kill(self) -> None:
        """``kill -9`` of the server and its workers."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _group(number: int) -> int | None:
    try:
        return os.getpgid(number)
    except ProcessLookupError:
        return None


@contextmanager
def mlflow_server(backend: str, folder: Path, workers: int = 1) -> Iterator[MlflowServer]:
    """A running server, ended with the block; its files lie in ``folder``."""
    server = MlflowServer(backend, folder / "files", folder / "server.txt", workers)
    try:
        server.start()
        yield server
    finally:
        server.kill()
