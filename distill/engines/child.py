"""A search in a process of its own: JSON lines come out, and it never outlives its parent.

The child reads its job from standard input, which stays open: when it closes (the parent ended,
however) the child ends as well. A crash of the library inside is an :class:`EngineError` here.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import IO, Any

import numpy as np

from distill.arrays import Array
from distill.errors import DistillError

Message = Mapping[str, Any]

LAST_WORDS = 2000
"""So many characters of the child's error output are shown when it crashes."""


class EngineError(DistillError):
    """A search engine ended before it should have."""

    exit_code = 3


class Child:
    """``python -m module``, given ``job`` and ``table`` (n, k), as a context manager."""

    def __init__(self, module: str, job: Message, table: Array) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module],  # -P: nothing of the working folder
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,  # Ctrl-C reaches the parent only, which closes this
        )
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._process.stdin is not None
        try:
            header = json.dumps({"job": job, "shape": table.shape})
            self._process.stdin.write(header.encode() + b"\n")
            self._process.stdin.write(np.ascontiguousarray(table, dtype=float).tobytes())
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it died at once; messages() tells why
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def messages(self, deadline: float | None) -> Iterator[Message]:
        """What the child says, until it ends by itself or ``deadline`` (monotonic) has passed.

        Raises
        ------
        EngineError : when the child crashed; with its last words.
        """
        while True:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                return
            if line is None:
                break
            yield json.loads(line)
        code = self._process.wait()
        if code:
            raise EngineError(
                f"the search process ended with code {code}.",
                where=self._last_words() or "it left no message",
                hint="what it found before is kept; try another seed or fewer operators.",
            )

    def close(self) -> None:
        """Kill the child, if it still runs, and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):  # what was still to be written is of no use now
                stream.close()
        self._errors.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _last_words(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip()[-LAST_WORDS:]


def receive_job() -> tuple[Message, Array]:
    """In the child: the job and the table; from now on the process ends with its parent."""
    stream = sys.stdin.buffer
    header = json.loads(stream.readline())
    rows, columns = header["shape"]
    table = np.frombuffer(stream.read(rows * columns * 8)).reshape(rows, columns)

    def watch() -> None:
        # Past the buffer, whose lock would stop an orderly end of the interpreter.
        while os.read(stream.fileno(), 4096):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
    return header["job"], table


def send(message: Message) -> None:
    """In the child: tell the parent."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
