"""A worker process that holds one function, asked over pipes with a time limit, killed past it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any

import numpy as np

from distill.arrays import Array
from distill.errors import TeacherError
from distill.teachers.checked import Raised, not_numbers

STARTING = 120.0
"""Seconds the worker may take to import the function's module."""

MOST_SAID = 1_000_000
"""Bytes of what a function prints that are kept; it may print in every call."""

_LAST_WORDS = 1000

LOOK = 0.2
"""Seconds between two looks at how much a function has printed while it works."""

_WORKER = Path(__file__).with_name("worker.py")


class TooLate(TeacherError):
    """The function did not answer in time and was stopped."""


class _NoAnswer(Exception):
    """Nothing came within the time limit."""


class _Gone(Exception):
    """The worker ended."""


class Worker:
    """A process that holds one function; it starts again when it is needed after its end.

    ``around`` is the import path of what makes a function of what was imported, from it, its module
    and ``settings`` (plain values).
    """

    def __init__(
        self,
        module: str,
        function: str,
        around: str | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.module, self.function = module, function
        self._around = {"around": around, "settings": dict(settings or {})}
        self._folder = Path.cwd()  # where the user was; it may start again much later
        self._lock = threading.Lock()
        self._got = bytearray()
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._words = b""
        self._stop: weakref.finalize[..., Worker] | None = None

    def start(self) -> list[str]:
        """Import the function; returns the user's files that were loaded with it."""
        where = f"teacher `{self.module}:{self.function}`"
        self._got.clear()
        self._words = b""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        if not self._folder.is_dir():
            raise TeacherError(
                f"the folder `{self._folder}`, in which the function was given, is gone.",
                where=where,
                hint="load the teacher again in the folder that holds it.",
            )
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_WORKER)],
            cwd=self._folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            start_new_session=True,  # Ctrl-C is for the parent, which ends the worker
            bufsize=0,
        )
        self._stop = weakref.finalize(self, _kill, self._process)
        here = [str(self._folder), *(entry for entry in sys.path if entry)]
        order = {"path": here, "module": self.module, "function": self.function, **self._around}
        try:
            self._write(json.dumps(order).encode() + b"\n")
            answer = json.loads(self._line(time.monotonic() + STARTING))
        except _NoAnswer:
            self.stop()
            raise TeacherError(
                f"importing `{self.module}` did not end within {STARTING:g} s.", where=where
            ) from None
        except _Gone:
            raise self._ended(where) from None
        if "files" in answer:
            return list(answer["files"])
        self.stop()
        if "callables" in answer:
            close = get_close_matches(self.function, answer["callables"]) or answer["callables"]
            raise TeacherError(
                f"the module `{self.module}` has no function `{self.function}`.",
                where=where,
                hint=f"it has: {', '.join(close[:8])}." if close else "define it there.",
            )
        if "refused" in answer:
            raise TeacherError(answer["refused"], where=where, hint=answer["hint"])
        if answer["missing"]:
            raise TeacherError(
                f"there is no module `{self.module}`.",
                where=where,
                hint=f"start in the folder that holds it (now {here[0]}), or install it.",
            )
        raise TeacherError(
            f"importing `{self.module}` raised {answer['raised']}.",
            where=where,
            hint=f'try: python -c "import {self.module}"',
        )

    def ask(self, x: Array, vectorized: bool, timeout: float) -> np.ndarray[Any, np.dtype[Any]]:
        """The function's answer at x (n, d), as it is."""
        where = f"teacher `{self.module}:{self.function}`"
        with self._lock:
            request = {"shape": x.shape, "bytes": x.nbytes, "vectorized": vectorized}
            try:
                if self._process is None or self._process.poll() is not None:  # never, or stopped
                    self.start()
                deadline = time.monotonic() + timeout
                self._write(
                    json.dumps(request).encode() + b"\n" + np.ascontiguousarray(x).tobytes()
                )
                answer = json.loads(self._line(deadline))
                body = self._read(answer.get("bytes", 0), deadline)
            except _NoAnswer:
                self.stop()
                raise TooLate(
                    f"the teacher did not answer {len(x)} points within {timeout:g} s and was "
                    "stopped.",
                    where=where,
                    hint="raise the option `timeout`, or lower `batch`, the number of points it is "
                    "asked at a time.",
                ) from None
            except _Gone:
                raise self._ended(where) from None
            except BaseException:  # an interrupt: the pipes hold half an answer
                self.stop()
                raise
        if "raised" in answer:
            raise Raised(answer["raised"])
        if "odd" in answer:
            raise not_numbers(answer["odd"], answer["shown"], where)
        return np.frombuffer(body, dtype=answer["dtype"]).reshape(answer["shape"])

    def stop(self) -> None:
        """End the process and everything it started."""
        if self._stop is not None:
            self._stop()

    def interrupt(self) -> None:
        """End the process while another thread waits for its answer, which then is an error."""
        process = self._process
        if process is not None and process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def _write(self, data: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            view = memoryview(data)
            while view:
                view = view[self._process.stdin.write(view) :]
        except BrokenPipeError:
            raise _Gone from None

    def _line(self, deadline: float) -> bytes:
        while (end := self._got.find(b"\n")) < 0:
            self._fill(deadline)
        return self._take(end + 1)

    def _read(self, size: int, deadline: float) -> bytes:
        while len(self._got) < size:
            self._fill(deadline)
        return self._take(size)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._got[:size])
        del self._got[:size]
        return taken

    def _fill(self, deadline: float) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        ready = select.poll()
        ready.register(self._process.stdout, select.POLLIN)
        while not ready.poll(max(0.0, min(LOOK, deadline - time.monotonic())) * 1000):
            self._forget_words()
            if time.monotonic() >= deadline:
                raise _NoAnswer
        chunk = self._process.stdout.read(1 << 20)
        if not chunk:
            raise _Gone
        self._forget_words()
        self._got += chunk

    def _forget_words(self) -> None:
        """Give the disk back what the function has printed, before it is full of it.

        The process writes on where it was, behind a hole that takes no room.
        """
        assert self._said is not None
        if os.fstat(self._said.fileno()).st_blocks * 512 > MOST_SAID:
            self._words = self._last_words()
            os.ftruncate(self._said.fileno(), 0)

    def _last_words(self) -> bytes:
        """The end of what the function has printed."""
        assert self._said is not None
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - _LAST_WORDS))
        return (self._words + self._said.read().strip(b"\0"))[-_LAST_WORDS:]

    def _ended(self, where: str) -> TeacherError:
        """The error for a worker that is gone, with the last it said."""
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)  # a crash may take a moment to be written down
        self.stop()
        code = self._process.returncode
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        said = self._last_words().decode(errors="replace").strip().splitlines()
        return TeacherError(
            f"the teacher's process ended with {how}" + (f": {said[-1]}" if said else "."),
            where=where,
            hint="call the function on its own; it must return, not end the process.",
        )


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a worker with everything it started; once it has ended, its number may be another's."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
