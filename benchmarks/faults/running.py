"""Runs of ``distill run`` that can be disturbed, forked from a process that has the libraries.

A run has a session of its own, as a terminal would give it, and a mark in its environment, by which
its processes are found wherever they went. Importing takes seconds and is the same every time;
forked, two hundred moments fall into the work. Runs started as programs check that this is no
difference.
"""

from __future__ import annotations

import atexit
import faulthandler
import importlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

MARK = "DISTILL_FAULT_RUN"
PATIENCE = 300.0
"""Seconds after which a run hangs."""

GONE = 10.0
"""Seconds that processes may take to be gone after their run."""

LIBRARIES = (
    "distill.commands", "distill.cli", "hydra", "mlflow", "mlflow.pyfunc", "matplotlib.figure",
    "matplotlib.backends.backend_agg", "pandas", "pyarrow.parquet", "scipy.optimize", "sympy",
    "torch", "unicorn", "safetensors.torch", "distill.tracking.log", "distill.tracking.live",
    "distill.tracking.sync",
)  # fmt: skip


def preload() -> None:
    """Import what every run needs, before the first fork."""
    for name in LIBRARIES:
        with suppress(ImportError):
            importlib.import_module(name)


@dataclass(frozen=True)
class Ended:
    """How a run ended: exit status (negative: the signal), seconds, its events and its words.

    ``left`` are command lines of processes that outlived it, ``hung`` whether it had to be killed.
    """

    status: int
    seconds: float
    events: tuple[Mapping[str, object], ...]
    said: str
    left: tuple[str, ...] = ()
    hung: bool = False

    @property
    def stage(self) -> str:
        """The stage that it was in at its end."""
        begun = [e for e in self.events if e["event"] in ("begin", "end")]
        return str(begun[-1]["stage"]) if begun else "start"


@dataclass
class Going:
    """A run that goes on."""

    pid: int
    mark: str
    folder: Path
    started: float = field(default_factory=time.monotonic)
    hung: bool = False

    def events(self) -> Iterator[Mapping[str, object]]:
        """What it has told so far."""
        for line in (self.folder / "out").read_text(errors="replace").splitlines():
            with suppress(ValueError):  # a line cut short by a kill
                event = json.loads(line)
                if isinstance(event, dict):
                    yield event

    def send(self, number: signal.Signals, *, group: bool = True) -> None:
        """A signal, to all of its process group or to the first process alone."""
        with suppress(ProcessLookupError):
            # Until it has its session, it has no group of its own.
            alone = not group or os.getpgid(self.pid) != self.pid
            (os.kill if alone else os.killpg)(self.pid, number)

    def over(self) -> bool:
        """Whether it has ended; it stays to be waited for."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def wait(self, until: Callable[[], bool] = lambda: False) -> bool:
        """Wait until something is so, or the run is over; whether it is so."""
        while not self.over():
            if until():
                return True
            if time.monotonic() - self.started > PATIENCE:
                if not self.hung:  # where it hangs goes to what it says
                    self.send(signal.SIGABRT, group=False)
                self.hung = True
                time.sleep(1)
                self.send(signal.SIGKILL)
            time.sleep(0.005)
        return False

    def end(self) -> Ended:
        """Wait for its end and look what is left of it."""
        self.wait()
        seconds = time.monotonic() - self.started
        _, status = os.waitpid(self.pid, 0)
        deadline = time.monotonic() + GONE
        while (left := marked(self.mark)) and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        said = (self.folder / "err").read_text(errors="replace")
        code = os.waitstatus_to_exitcode(status)
        return Ended(code, seconds, tuple(self.events()), said, tuple(left.values()), self.hung)


def start(
    folder: Path,
    arguments: Sequence[str],
    work: Path,
    environment: Mapping[str, str] | None = None,
    *,
    program: bool = False,
) -> Going:
    """Start ``distill`` with these arguments; what it says goes to ``folder``.

    It runs in the folder ``work``. With ``program`` it is started as a user does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("out", "err"):  # what an earlier run said is none of this one's
        (folder / name).write_bytes(b"")
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return Going(pid, mark, folder)
    try:
        os.setsid()
        os.environ.update({MARK: mark, **(environment or {})})
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        tempfile.tempdir = None
        signal.signal(signal.SIGINT, signal.default_int_handler)
        faulthandler.enable(2)
        os.chdir(work)
        if program:
            os.execv(sys.executable, [sys.executable, "-m", "distill.cli", *arguments])
        code = _called(arguments)
    except BaseException:
        traceback.print_exc()
        code = 99
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _called(arguments: Sequence[str]) -> int:
    """What ``python -m distill.cli`` does, with the orderly end of an interpreter."""
    from distill.cli import program

    try:
        program(list(arguments))
    except SystemExit as end:
        code = int(str(end.code))
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    return code


def marked(mark: str) -> dict[int, str]:
    """Processes with the mark that are no zombies, with their command lines."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{MARK}={mark}".encode() in (place / "environ").read_bytes().split(b"\0"):
                state = (place / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
                if state not in "ZX":
                    words = (place / "cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(place.name)] = words.decode(errors="replace")[:120]
    return found
