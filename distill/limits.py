"""A limit of memory that is kept by us: an error that says what to do, before the system kills.

An address-space limit of the system would break libraries that reserve far more than they use, and
a control group takes rights that users lack. So a thread adds up what this process and all that
descend from it hold, and has the run end when that is too much.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType, TracebackType

from distill.engines.pysr.processes import LINUX, descendants, kill, resident
from distill.errors import ConfigError, LimitError
from distill.interrupts import forget, remember
from distill.voices.voice import Result, Unheeding

LOOK = 0.2
"""Seconds between two looks."""

PATIENCE = 3.0
"""So many seconds a run that was told to end may take for it."""

FAR = 1.2
"""With so many times the limit a run is ended at once."""

GIGABYTE = 10**9


class _TooMuch(KeyboardInterrupt):
    """Ends a run like Ctrl-C: everything cleans up after itself on the way."""


class MemoryWatch(Unheeding):
    """Has a run end when it holds more memory; a ``with`` block, and a voice that hears the stage.

    ``gigabytes`` are 10^9 bytes of resident memory, of this process and its descendants together;
    what they share counts for each. Linux only. Finished stages are on disk whatever happens.

    Raises
    ------
    ConfigError : where the system does not tell how much memory processes hold.
    LimitError : at the end of the block, where it was too much.
    """

    def __init__(self, gigabytes: float) -> None:
        if not LINUX:
            raise ConfigError(
                "this system does not tell how much memory processes hold.",
                where="config key `limits.memory`",
                hint="leave it away; it works on Linux.",
            )
        self.limit = gigabytes * GIGABYTE
        self.stage = "start"
        self._used = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="distill-memory", daemon=True)
        self._before: signal._HANDLER = None

    def begin(self, stage: str, detail: str) -> None:
        """A stage starts to work."""
        self.stage = stage

    def result(self, result: Result) -> None:
        """Nothing."""

    def __enter__(self) -> MemoryWatch:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGUSR2, _stop)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._over.set()
            self._thread.join()
        except _TooMuch:
            pass  # told at the very end
        if self._before is not None:
            signal.signal(signal.SIGUSR2, self._before)
        if self._used:
            forget()
            raise self._error() from None

    def _error(self) -> LimitError:
        return LimitError(
            f"the {self.stage} stage took {self._used / GIGABYTE:.2f} GB of memory, more than the "
            f"{self.limit / GIGABYTE:g} GB it may have.",
            where="config key `limits.memory`",
            hint="raise it, or let the stage do less (fewer points, boxes or workers); finished "
            "stages are kept, so the same command goes on from here.",
        )

    def _watch(self) -> None:
        told = None
        while not self._over.wait(LOOK):
            family = {os.getpid(), *descendants(os.getpid())}
            used = resident(family)
            if used <= self.limit and told is None:
                continue
            self._used = max(self._used, used)
            if told is None:
                told = time.monotonic()
                if self._before is not None:
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR2)
            late = time.monotonic() - told > PATIENCE
            if late or used > FAR * self.limit:
                # It is deep in a library, which would not hear of it before it had all it wants.
                kill(family - {os.getpid()})
                error = self._error()
                sys.stderr.write(f"distill: {error}\n")
                sys.stderr.flush()
                os._exit(error.exit_code)


def _stop(number: int, frame: FrameType | None) -> None:
    remember()
    raise _TooMuch
