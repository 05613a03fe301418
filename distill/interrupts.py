"""Ctrl-C and SIGTERM, remembered: libraries drop an exception, or make another of it.

OmegaConf's copies meet their own half-made nodes when KeyboardInterrupt comes between two lines of
theirs, C extensions clear what is raised, and Python drops what is raised while an object is
deleted.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

SOON = 0.02
"""Seconds after which a signal that was dropped comes again."""

_came = threading.Event()


@contextmanager
def listening() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, wherever either of them comes; for the main thread."""
    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, interrupt)}
    # SIGINT may be ignored: shells do that for `&`.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        before[signal.SIGINT] = signal.signal(signal.SIGINT, interrupt)
    hook = sys.unraisablehook
    timers: list[threading.Timer] = []

    def unraisable(dropped: UnraisableHookArgs) -> None:
        if issubclass(dropped.exc_type, KeyboardInterrupt):
            timers.append(threading.Timer(SOON, os.kill, (os.getpid(), signal.SIGTERM)))
            timers[-1].start()
        else:
            hook(dropped)

    sys.unraisablehook = unraisable
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for timer in timers:
            timer.cancel()
        _came.clear()
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def not_lost() -> Iterator[None]:
    """An error of the block is KeyboardInterrupt where one came: a library made it of that."""
    try:
        yield
    except Exception:
        end_if_interrupted()
        raise


def end_if_interrupted() -> None:
    """Raise KeyboardInterrupt where one came and was dropped on the way."""
    if _came.is_set():
        raise KeyboardInterrupt from None


def interrupt(number: int, frame: FrameType | None) -> None:
    """Handle a signal: remember it, and raise KeyboardInterrupt."""
    _came.set()
    raise KeyboardInterrupt
