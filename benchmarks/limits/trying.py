"""One run of ``distill run`` as a user gives it, watched from beside."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.running import Ended, Going, marked, start

from distill.voices import json_lines
from limits.teachers import QUICK_NOW, write_functions

LOOK = 0.05
"""Seconds between two looks at a run's processes."""

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Watch:
    """What was seen of a run's processes: the most memory, when it was too much, what was said.

    ``limit`` is in bytes; ``told`` are the most bytes on disk of what a teacher printed,
    ``left`` those at the last look.
    """

    limit: float = float("inf")
    peak: int = 0
    over: float | None = None
    told: int = 0
    left: int = 0

    def look(self, going: Going) -> None:
        """Look now."""
        now = time.monotonic()
        processes = marked(going.mark)
        held = sum(map(resident, processes))
        self.peak = max(self.peak, held)
        if held > self.limit and self.over is None:
            self.over = now
        for process, words in processes.items():
            if "teachers/worker.py" in words:
                self.left = printed(process)
                self.told = max(self.told, self.left)


@dataclass(frozen=True)
class Tried:
    """How a run ended, and what was seen of it; ``at`` is when, by ``time.monotonic``."""

    ended: Ended
    watch: Watch
    at: float
    folder: Path
    events: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    def seconds(self, stage: str) -> float:
        """How long a stage took; one that failed, until the end of the command."""
        of = [e for e in self.events if e.get("stage") == stage]
        began = next(e["time"] for e in of if e["event"] == "begin")
        ends = [e["time"] for e in of if e["event"] == "end"]
        return float((ends or [self.events[-1]["time"]])[-1] - began)

    def proving(self, stage: str) -> float:
        """How long a stage said that it was proving, in a run that told everything."""
        began = next(i for i, e in enumerate(self.events) if e.get("stage") == stage)
        of = list(itertools.takewhile(lambda e: e["event"] != "end", self.events[began:]))
        times = [e["time"] for e in [*of, self.events[began + len(of)]]]
        told = zip(of, itertools.pairwise(times), strict=True)
        proving = (b - a for e, (a, b) in told if e.get("text", "").startswith("proving"))
        return float(sum(proving))


def tried(
    folder: Path, words: Sequence[str], watch: Watch | None = None, *, telling_all: bool = False
) -> Tried:
    """Give the command in a folder and wait for its end; after its search no function is slow.

    With ``telling_all`` it tells all that it does, not just once a second; it is then forked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_functions(folder)
    watch = watch or Watch()
    if telling_all:
        json_lines.SECONDS = 0.0
    program = not telling_all
    going = start(folder / "said", ["run", "--json", *words], folder, program=program)

    due = 0.0

    def seen() -> bool:
        nonlocal due
        if time.monotonic() < due:
            return False
        due = time.monotonic() + LOOK
        watch.look(going)
        if not (folder / QUICK_NOW).exists() and _searched(going):
            (folder / QUICK_NOW).touch()
        return False

    going.wait(seen)
    at = time.monotonic()
    ended = going.end()
    return Tried(ended, watch, at, folder, ended.events)


def _searched(going: Going) -> bool:
    """Whether its search is over."""
    said = (going.folder / "out").read_bytes()
    return any(
        b'"event": "end"' in line and b'"stage": "fit"' in line for line in said.splitlines()
    )


def resident(process: int) -> int:
    """Bytes of memory that a process holds."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE_BYTES
    return 0


def printed(process: int) -> int:
    """Bytes on disk of what a process has printed so far."""
    with suppress(OSError):
        return Path(f"/proc/{process}/fd/2").stat().st_blocks * 512
    return 0
