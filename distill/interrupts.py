"""Ctrl-C and SIGTERM, remembered: libraries drop an exception, or make another of it.

OmegaConf's copies meet their own half-made nodes when KeyboardInterrupt comes between two lines of
theirs, C extensions clear what is raised, and Python drops what is raised while an object is
deleted. scipy's compiled parts print it, and go on with empty tables: all points of a Sobol
sequence are one corner then.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
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
    hook, printer = sys.unraisablehook, sys.excepthook
    timers: list[threading.Timer] = []

    def unraisable(dropped: UnraisableHookArgs) -> None:
        if issubclass(dropped.exc_type, KeyboardInterrupt):
            timers.append(threading.Timer(SOON, os.kill, (os.getpid(), signal.SIGTERM)))
            timers[-1].start()
        else:
            hook(dropped)

    def printing(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            printer(kind, error, trace)

    sys.unraisablehook, sys.excepthook = unraisable, printing
    try:
        yield
    finally:
        sys.unraisablehook, sys.excepthook = hook, printer
        for timer in timers:
            timer.cancel()
        forget()
        for number, handler in before.items():
            signal.signal(number, handler)


def no_more() -> None:
    """From here on no signal is heard: all is done but to leave, which must not end half-way."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


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
    remember()
    raise KeyboardInterrupt


def remember() -> None:
    """One comes now: what is raised for it may be lost."""
    _came.set()


def forget() -> None:
    """What came is dealt with."""
    _came.clear()
