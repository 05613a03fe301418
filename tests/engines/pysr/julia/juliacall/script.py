"""The script that a test has the stand-in play, and its steps.

STAND_IN_SCRIPT names a JSON file: `{"start": [...], "search": [...]}`, played when Julia starts and
in every search. A step is an object whose first key names it and holds its argument; further keys
are options. `{"once": [...]}` is played by the first process only. Without a script, a search finds
the best straight lines. What steps leave for the test lies beside the script.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from juliacall.front import Row, fitted, scored
from juliacall.templates import MAJOR
from juliacall.values import JuliaError

if TYPE_CHECKING:
    from juliacall.search import Search

DEFAULT = {"start": [], "search": [{"fit": "linear"}]}


def play(part: str, search: Search | None = None) -> None:
    """Play the steps of one part of the script."""
    place = os.environ.get("STAND_IN_SCRIPT")
    told = json.loads(Path(place).read_text()) if place else DEFAULT
    _play(told.get(part, []), search)


def beside(name: str) -> Path:
    """Return the path of a file beside the script."""
    return Path(os.environ["STAND_IN_SCRIPT"]).with_name(name)


def note(called: dict[str, Any]) -> None:
    """Leave beside the script what the last search was called with."""
    if "STAND_IN_SCRIPT" in os.environ:
        beside("called.json").write_text(json.dumps(called))


def _play(steps: Sequence[dict[str, Any]], search: Search | None) -> None:
    for step in steps:
        (name, argument), *more = step.items()
        STEPS[name](search, argument, **dict(more))


def once(search: Search, steps: Sequence[dict[str, Any]]) -> None:
    mark = beside("played")
    if not mark.exists():
        mark.touch()
        _play(steps, search)


# What Julia finds.


def fit(search: Search, what: str | Sequence[str], pause: float = 0.0) -> None:
    """Write true formulas one after the other: lines in each column, in texts, or the guesses."""
    if what == "guesses":
        rows = scored(search.data, search.guesses)
    elif what == "linear":
        rows = fitted(search.data, [] if search.data.template else list(search.data.columns))
    else:
        rows = fitted(search.data, what)
    rows = [row for row in rows if row.complexity <= search.options["maxsize"]]
    for i in range(len(rows)):
        search.write(rows[: i + 1])
        search.pause(pause)


def hall_of_fame(search: Search, rows: Sequence[Sequence[Any]]) -> None:
    search.write([Row(*row) for row in rows])


def huge(search: Search, count: int) -> None:
    """Write so many rows, and one that is too deep to be read."""
    rows = [Row(i, 1.0 / i, f"(x0 * {i}.5) - x1") for i in range(1, count)]
    search.write([*rows, Row(count, 0.0, "sin(" * 20_000 + "x0" + ")" * 20_000)])


def half(search: Search, rows: Sequence[Sequence[Any]]) -> None:
    """Be stopped half way through writing the file; the copy is still the one from before."""
    whole = search.text([Row(*row) for row in rows]).encode()
    search.file.write_bytes(whole[: len(whole) // 2])


def garbage(search: Search, hexadecimal: str) -> None:
    """Write these bytes as the hall of fame and its copy, and leave them at the end, too."""
    search.spoilt = True
    for file in search.files:
        file.write_bytes(bytes.fromhex(hexadecimal))


# What Julia says.


def say(search: Search | None, text: str, to: int = 1) -> None:
    os.write(to, text.encode())


def progress(search: Search, times: int, pause: float = 0.0) -> None:
    """Print as the search does every five seconds."""
    total = search.arguments["niterations"]
    if MAJOR == 1:  # cycles of one population, under the same name
        total *= search.options["npopulations"]
    for i in range(1, times + 1):
        percent = 100 * i / total
        lines = [
            "",
            "Expressions evaluated per second: 1.230e+04",
            f"Progress: {i} / {total} total iterations ({percent:.3f}%)",
            "═" * 80,
            f"{'Complexity':10}  {'Loss':9}  {'Score':9}  Equation",
            *(
                f"{r.complexity:<10d}  {r.loss:.3e}  0.000e+00  y = {r.equation}"
                for r in search.rows
            ),
            "═" * 80,
        ]
        say(search, "\n".join(lines) + "\n")
        search.pause(pause)


# How Julia lasts.


def sleep(search: Search | None, seconds: float) -> None:
    time.sleep(seconds) if search is None else search.pause(seconds)


def until_over(search: Search, step: float = 0.02) -> None:
    """Search on until one of the limits of the search is reached."""
    while not search.over():
        search.pause(step)


def hang(search: Search | None, seconds: float) -> None:
    """Hang with the interpreter free to run its other threads, deaf to all that asks politely."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(seconds)


def hold(search: Search | None, seconds: float) -> None:
    """Hang inside of a call that keeps the interpreter's lock, as PySR 1.5 does in every search."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    ctypes.PyDLL(None).sleep(int(seconds))


# How Julia ends.


def fail(search: Search | None, message: str) -> None:
    raise JuliaError(message)


def leave(search: Search | None, status: int) -> None:
    os._exit(status)


def die(search: Search | None, name: str) -> None:
    os.kill(os.getpid(), signal.Signals[name])


# What else Julia does to a machine.


def allocate(search: Search | None, megabytes: int) -> None:
    """Take memory and touch it, for as long as the process lives."""
    HELD.append(bytearray(b"\1") * (megabytes << 20))


def grandchild(search: Search | None, seconds: float, detached: bool = False) -> None:
    """Start a process, as `parallelism="multiprocessing"` does, and write down its id."""
    child = subprocess.Popen(
        [sys.executable, "-c", f"import time; time.sleep({seconds})"], start_new_session=detached
    )
    beside("grandchild").write_text(str(child.pid))


HELD: list[bytearray] = []

STEPS: dict[str, Callable[..., None]] = {
    "once": once,
    "fit": fit,
    "hall of fame": hall_of_fame,
    "huge": huge,
    "half": half,
    "garbage": garbage,
    "say": say,
    "progress": progress,
    "sleep": sleep,
    "until over": until_over,
    "hang": hang,
    "hold": hold,
    "fail": fail,
    "leave": leave,
    "die": die,
    "allocate": allocate,
    "grandchild": grandchild,
}
