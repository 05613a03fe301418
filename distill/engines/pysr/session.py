"""One Julia, as the run sees it: started once, given one search after the other, ended for good.

Julia takes half a minute to start and to compile, so it is kept between searches. The keeper
(:mod:`distill.engines.pysr.keeper`) ends it when this process does; ``close`` ends it at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import distill
from distill.engines.pysr.processes import kill, seconds_worked

Event = Mapping[str, Any]

KEEPER = "distill.engines.pysr.keeper"
GONE = "gone"
"""The event after the last: nobody is left to say anything."""

ENDING = 6.0
"""So many seconds the keeper may take to clean up before it is killed itself."""

LAST_WORDS = 2000
"""So many characters of what Julia printed are shown when it ends badly."""

REMOVED = (
    "JULIA_LOAD_PATH", "JULIA_PROJECT", "JULIA_NUM_THREADS", "PYTHON_JULIACALL_OPTLEVEL",
    "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS", "PYTHONMALLOC", "LD_PRELOAD",
)  # fmt: skip
"""Settings of a user's own Julia, or of Python's, that have broken PySR's."""

SINGLE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Julia's threads evaluate formulas; linear algebra's own would only be in their way."""


def environment(threads: int) -> dict[str, str]:
    """What the worker is started with: this process' variables, those of Julia as PySR needs them.

    Signals go to Julia (https://juliapy.github.io/PythonCall.jl, FAQ: without that, threads crash).
    """
    kept = {name: value for name, value in os.environ.items() if name not in REMOVED}
    own = str(Path(distill.__file__).parent.parent)
    path = [entry for entry in (os.environ.get("PYTHONPATH"), own) if entry]
    return kept | dict.fromkeys(SINGLE, "1") | {
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHON_JULIACALL_HANDLE_SIGNALS": "yes",
        "PYTHON_JULIACALL_THREADS": str(threads),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
    }  # fmt: skip


class Session:
    """A worker behind its keeper; ``log`` is the file to which everything it prints goes.

    Parameters
    ----------
    threads : of Julia.
    memory : bytes that all its processes may hold together; 0 for no limit.
    """

    def __init__(self, log: Path, *, threads: int, memory: int) -> None:
        self.log, self.threads = log, threads
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", KEEPER, str(log), str(memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env=environment(threads),
                start_new_session=True,  # Ctrl-C reaches the run only, which ends this
            )
        self._events: queue.Queue[Event] = queue.Queue()
        self._gone = False
        assert self._process.stdout is not None
        self._reader = threading.Thread(
            target=_read, args=(self._process.stdout, self._events), name="pysr", daemon=True
        )
        self._reader.start()
        # One that nobody closed ends with its engine, at the latest with this process.
        self._end = weakref.finalize(self, _end, self._process, self._reader)

    @property
    def pid(self) -> int:
        """The keeper's process id, which is that of the session as well (setsid(2))."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can be given a search."""
        return self._end.alive and not self._gone and self._process.poll() is None

    def submit(self, job: Path) -> None:
        """Have the worker do what this file says; an ended one says so with its next event."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({"job": str(job)}).encode() + b"\n")
            self._process.stdin.flush()

    def event(self, timeout: float) -> Event | None:
        """What happened next, or None when nothing did for so many seconds."""
        try:
            event = self._events.get(timeout=timeout)
        except queue.Empty:
            return None
        self._gone = self._gone or event["event"] == GONE
        return event

    def seconds_worked(self) -> float:
        """Processor seconds of its processes so far."""
        return seconds_worked(self.pid)

    def last_words(self) -> str:
        """The end of what was printed, for people."""
        with self.log.open("rb") as said:
            said.seek(max(0, self.log.stat().st_size - LAST_WORDS))
            return said.read().decode(errors="replace").strip()

    def close(self) -> None:
        """End everything at once, and wait until it is gone."""
        self._end()


def _read(stream: IO[bytes], events: queue.Queue[Event]) -> None:
    for line in stream:
        try:
            event = json.loads(line)
        except ValueError:  # UnicodeDecodeError is one
            continue
        if isinstance(event, dict) and isinstance(event.get("event"), str):
            events.put(event)
    events.put({"event": GONE})


def _end(process: subprocess.Popen[bytes], reader: threading.Thread) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError):  # what was still to be written is of no use now
        process.stdin.close()
    try:
        process.wait(ENDING)
    except subprocess.TimeoutExpired:
        kill([process.pid])  # its worker dies with it
        process.wait()
    reader.join()
    assert process.stdout is not None
    process.stdout.close()
