"""Opening MLflow on a store: its server as a child process, and the link to the prepared view."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from distill.errors import TrackingError
from distill.tracking.store import EXPERIMENTS, Store, tracking_errors
from distill.tracking.view import LATEST, runs_url, view_url

PORT = 5000
_PORTS_TRIED = 20
_START_SECONDS = 60.0
_END_SECONDS = 5.0


@dataclass(frozen=True)
class Server:
    """A running MLflow server."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def running(store: Store, port: int = PORT, host: str = "127.0.0.1") -> Iterator[Server]:
    """MLflow's server on a local store; ended when the block ends.

    Raises
    ------
    TrackingError : when the port is in use or the server does not come up.
    """
    if store.artifacts is None:
        raise TrackingError(
            "this store has a server already.", where=store.uri, hint=f"open {store.uri}."
        )
    if not _free(port, host):
        raise TrackingError(
            f"port {port} is in use.", where=f"{host}:{port}", hint="give another with --port."
        )
    command = [sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", store.uri]
    command += ["--default-artifact-root", store.artifacts.as_uri()]
    # Without it there are ten processes and 2.4 GB instead of two and 0.5.
    environment = os.environ | {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONSAFEPATH": "1",  # it starts in the folder of the results, which may be another's
    }
    with tempfile.TemporaryFile() as log:
        # A session of its own: Ctrl-C in the terminal reaches us, and we end it in order.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=store.artifacts.parent,
            start_new_session=True,
        )
        try:
            url = f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{port}"
            _wait(process, url, log)
            yield Server(url, process)
        finally:
            _end(process)


def serve(
    store: Store,
    port: int = PORT,
    host: str = "127.0.0.1",
    *,
    open_browser: bool = False,
    say: Callable[[str], None] = print,
) -> None:
    """Serve MLflow on the store until Ctrl-C and say the link to each teacher's latest study.

    A port in use is replaced by the next free one. On a store with a server of its own only the
    links are given.

    Raises
    ------
    TrackingError : when no port is free or the server does not come up.
    """
    if not store.local:
        _announce(store, store.uri, open_browser, say)
        return
    free = next((p for p in range(port, port + _PORTS_TRIED) if _free(p, host)), None)
    if free is None:
        raise TrackingError(
            f"the ports {port} to {port + _PORTS_TRIED - 1} are all in use.",
            where=host,
            hint="give another with --port.",
        )
    if free != port:
        say(f"Port {port} is in use; taking {free}.")
    say("Starting MLflow ...")
    try:
        with _terminated_like_interrupted(), running(store, free, host) as server:
            _announce(store, server.url, open_browser, say)
            say("Ctrl-C ends it.")
            code = server.process.wait()
            raise TrackingError(f"the MLflow server ended by itself with status {code}.")
    except KeyboardInterrupt:
        say("MLflow ended.")


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """A plain `kill` ends the server too, instead of leaving it behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _announce(store: Store, base: str, open_browser: bool, say: Callable[[str], None]) -> None:
    links = []
    with tracking_errors(store):
        for experiment in store.client().search_experiments(
            filter_string=f"name LIKE '{EXPERIMENTS}%'", order_by=["last_update_time DESC"]
        ):
            name = experiment.name.removeprefix(EXPERIMENTS)
            number, key = experiment.experiment_id, experiment.tags.get(LATEST)
            # Where no view could be written a link to it would be an error in MLflow's pages.
            links.append(view_url(base, number, key) if key else runs_url(base, number))
            say(f"{name}: {links[-1]}")
    if not links:
        say(f"No study is logged yet: {base}")
    if open_browser:
        webbrowser.open((links or [base])[0])


def _free(port: int, host: str) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _wait(process: subprocess.Popen[bytes], url: str, log: IO[bytes]) -> None:
    """Until the server answers."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    raise TrackingError(
        f"the MLflow server did not start: {lines[-1] if lines else 'it says nothing'}",
        where=url,
        hint="`python -m mlflow server` shows more.",
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server and its workers, which are a process group of their own."""
    for number, seconds in ((signal.SIGTERM, _END_SECONDS), (signal.SIGKILL, _END_SECONDS)):
        if process.poll() is None:
            os.killpg(process.pid, number)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        return
