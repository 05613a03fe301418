"""The voice for programs: news and result as JSON lines, one object a line.

``docs/json-lines.md`` is the schema. Numbers that JSON does not have (infinite, not a number) stand
as null.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TextIO

from distill.errors import DistillError, exit_code_of
from distill.progress import Best
from distill.voices.pace import Pace
from distill.voices.voice import Result

VERSION = 1
"""Grows when a field goes or changes its meaning; new fields and events do not change it."""

SECONDS = 1.0
"""At most this often a stage tells how far it is, and what its front is."""


class JsonLines:
    """Writes a line for each event, and ``result`` as the last one, whatever happens.

    ``command`` is what runs, ``job`` the number of the job in a sweep.
    """

    def __init__(self, command: str, job: int | None = None, stream: TextIO | None = None) -> None:
        self.command, self.job, self._stream = command, job, stream or sys.stdout
        self._stage = ""
        self._pace = Pace(time.monotonic())
        self._told: dict[str, float] = {}
        self._front: Sequence[Best] | None = None
        self._result: Mapping[str, object] = {}

    def begin(self, stage: str, detail: str) -> None:
        """A stage starts to work."""
        self._stage, self._told, self._front = stage, {}, None
        self._pace = Pace(time.monotonic())
        self._write("begin", stage=stage, detail=detail)

    def advance(self, fraction: float | None, text: str) -> None:
        """How much of the stage is done and what it does now."""
        self._pace.at(fraction)
        if self._due("advance"):
            left = self._pace.left(time.monotonic())
            self._write(
                "advance", stage=self._stage, fraction=fraction, seconds_left=left, text=text
            )

    def front(self, best: Sequence[Best]) -> None:
        """The front so far."""
        self._front = best
        if self._due("front"):
            self._tell_front()

    def warn(self, text: str) -> None:
        """Something the user must know although the run goes on."""
        self._write("warning", text=text)

    def end(self, stage: str, detail: str, *, reused: bool) -> None:
        """A stage has its result."""
        if self._front is not None:
            self._tell_front()
        seconds = 0.0 if reused else time.monotonic() - self._pace.began
        self._write("end", stage=stage, detail=detail, reused=reused, seconds=seconds)

    def result(self, result: Result) -> None:
        """Keep the result for the last line, which also says how the command ended."""
        self._result = result.data

    def __enter__(self) -> JsonLines:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        code = 0 if error is None else exit_code_of(error)
        self._write(
            "result", command=self.command, exit_code=code, problem=_problem(error), **self._result
        )

    def _due(self, event: str) -> bool:
        """Whether the event was not told for a while; it counts as told then."""
        now = time.monotonic()
        if now - self._told.get(event, -math.inf) < SECONDS:
            return False
        self._told[event] = now
        return True

    def _tell_front(self) -> None:
        rows = [
            {"complexity": b.complexity, "max_error": b.error, "formula": b.formula}
            for b in self._front or ()
        ]
        self._front = None
        self._write("front", stage=self._stage, front=rows)

    def _write(self, event: str, **fields: object) -> None:
        head = {"version": VERSION, "event": event, "time": time.time(), "job": self.job}
        # One write a line, so that the jobs of a sweep do not write into each other's lines.
        self._stream.write(json.dumps(finite({**head, **fields}), allow_nan=False) + "\n")
        self._stream.flush()


def finite(data: object) -> object:
    """Plain data with None for every number that JSON does not have."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, Mapping):
        return {str(key): finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    return data


def _problem(error: BaseException | None) -> dict[str, str] | None:
    """An error as the person sees it; None without one."""
    if error is None:
        return None
    if isinstance(error, DistillError):
        return {"what": error.what, "where": error.where, "hint": error.hint}
    if isinstance(error, KeyboardInterrupt):
        hint = "the same command goes on from here."
        return {"what": "stopped.", "where": "", "hint": hint}
    return {"what": f"{type(error).__name__}: {error}", "where": "", "hint": ""}
