"""A real PostgreSQL on loopback, in a folder of its own, that can be killed and started again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEBIAN = Path("/usr/lib/postgresql")
USER = "postgres"
_START_SECONDS = 60.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def programs() -> Path | None:
    """The folder of PostgreSQL's newest programs on this machine, None without."""
    on_path = shutil.which("initdb")
    found = sorted(
        DEBIAN.glob("*/bin/initdb"), key=lambda file: float(file.parents[1].name), reverse=True
    )
    if found:
        return found[0].parent
    return Path(on_path).parent if on_path else None


class Postgres:
    """A cluster in a folder; ``process`` is its postmaster while it runs."""

    def __init__(self, folder: Path, bin_: Path) -> None:
        self.folder, self.port = folder / "data", free_port()
        self._bin, self._log = bin_, folder / "log.txt"
        self.process: subprocess.Popen[bytes] | None = None
        # It refuses to run as root.
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._as = {"user": USER, "group": USER, "extra_groups": []}
            shutil.chown(folder, USER, USER)
        command = [bin_ / "initdb", "--username", USER, "--auth", "trust", "--no-sync"]
        command += ["--encoding", "UTF8", "--locale", "C", "--pgdata", self.folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **self._as)

    def uri(self, database: str) -> str:
        """The address of a database, as SQLAlchemy takes it."""
        return f"postgresql+psycopg2://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start, also after a kill, whose last processes may still be about."""
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if self.process is None or self.process.poll() is not None:
                self.process = self._popen()
            if self._answers():
                return
            time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text()}")

    def kill(self) -> None:
        """``kill -9`` of the postmaster, after which its other processes end by themselves."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def run(self, statement: str, database: str = USER) -> str:
        """What a statement of SQL answers, a row a line and a tabulator between columns."""
        command = [self._bin / "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]
        command += ["--field-separator", "\t", "--set", "ON_ERROR_STOP=1"]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--username", USER]
        command += ["--dbname", database, "--command", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def replace(self, database: str, template: str) -> None:
        """Make a database like another one, in place of what was there, whoever uses it."""
        self.run(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        self.run(f"CREATE DATABASE {database} TEMPLATE {template}")

    def _popen(self) -> subprocess.Popen[bytes]:
        command = [self._bin / "postgres", "-D", self.folder, "-p", str(self.port)]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **self._as
            )

    def _answers(self) -> bool:
        command = [self._bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0


@contextmanager
def postgres(bin_: Path) -> Iterator[Postgres]:
    """A running cluster, gone when the block ends."""
    # Not among pytest's folders, which only their owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="distill-postgres-"))
    try:
        cluster = Postgres(folder, bin_)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
