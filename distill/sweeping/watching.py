"""Looking at a sweep while it runs, from what its jobs leave on disk; they may run anywhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from distill.reading import json_of
from distill.sweeping.folder import SweepFolder
from distill.sweeping.record import JobRecord

POLL_SECONDS = 0.5
"""A look at most this often, and so seldom that looking takes a tenth of the time."""


@dataclass
class Doing:
    """What a running job does now, after its last events."""

    overrides: tuple[str, ...] = ()
    stage: str = ""
    fraction: float | None = None
    seconds_left: float | None = None
    best: Mapping[str, Any] | None = None


class Show(Protocol):
    """Receives what happens in a sweep."""

    def event(self, line: str) -> None:
        """A job has written an event, a line of JSON."""

    def ended(self, record: JobRecord, count: int) -> None:
        """A job has ended; ``count`` have by now."""

    def running(self, jobs: Mapping[int, Doing]) -> None:
        """What runs now, by the number of the job; told at every look."""


@dataclass
class Watch:
    """What is known of a sweep's jobs; jobs that had ended before it began are not told again."""

    folder: SweepFolder
    show: Show
    _since: float = field(default_factory=time.time)
    _ended: set[int] = field(default_factory=set)
    _read: dict[int, int] = field(default_factory=dict)
    _doing: dict[int, Doing] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ended = self.folder.ended()

    def look(self) -> None:
        """Tell what has happened since the last look."""
        ended = sorted(self.folder.ended() - self._ended)
        for number in self._live() | set(ended):
            self._follow(number)
        for number in ended:
            record = self.folder.record(number)
            if record is not None:
                self._ended.add(number)
                self._doing.pop(number, None)
                self.show.ended(record, len(self._ended))
        self.show.running(dict(sorted(self._doing.items())))

    def _live(self) -> set[int]:
        """The jobs that have written events since the watch began and have not ended."""
        live = set()
        for file in (self.folder.path / "events").glob("*.jsonl"):
            number = int(file.stem) if file.stem.isdecimal() else -1
            with suppress(OSError):
                if number not in self._ended and file.stat().st_mtime >= self._since - 1:
                    live.add(number)
        return live - {-1}

    def _follow(self, number: int) -> None:
        """Read the new lines of a job; a line that is being written waits."""
        file = self.folder.events_file(number)
        try:
            with file.open("rb") as stream:
                at = self._read.get(number, 0)
                # A job that is done again begins its file anew.
                stream.seek(at if at <= stream.seek(0, 2) else 0)
                data = stream.read()
                whole = data[: data.rfind(b"\n") + 1]
                self._read[number] = stream.tell() - len(data) + len(whole)
        except OSError:
            return
        doing = self._doing.setdefault(number, Doing())
        for line in whole.decode(errors="replace").splitlines():
            self.show.event(line)
            with suppress(ValueError, TypeError, KeyError, AttributeError):
                _follow_event(doing, json_of(line))


def _follow_event(doing: Doing, event: Mapping[str, Any]) -> None:
    kind = event.get("event")
    if kind == "begin":
        doing.stage, doing.fraction, doing.seconds_left = str(event["stage"]), None, None
    elif kind == "advance":
        doing.fraction, doing.seconds_left = event.get("fraction"), event.get("seconds_left")
    elif kind == "front" and event.get("front"):
        doing.best = event["front"][-1]


@contextmanager
def watching(folder: SweepFolder, show: Show) -> Iterator[None]:
    """Tell ``show`` what happens in a sweep while the block runs, from a thread of its own."""
    watch, over = Watch(folder, show), threading.Event()

    def work() -> None:
        pause = POLL_SECONDS
        while not over.wait(pause):
            began = time.monotonic()
            watch.look()
            pause = max(POLL_SECONDS, 10 * (time.monotonic() - began))

    thread = threading.Thread(target=work, name="distill-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        watch.look()
