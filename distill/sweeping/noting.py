"""What a sweep wants to know of a job: its result, and how long it searched."""

from __future__ import annotations

import time
from collections.abc import Mapping

from distill.fitting.fitted import FIT
from distill.voices.voice import Result, Unheeding


class Noting(Unheeding):
    """Keeps the result's data and the seconds of the search."""

    def __init__(self) -> None:
        self.data: Mapping[str, object] = {}
        self.searched = 0.0
        self._began = 0.0

    def begin(self, stage: str, detail: str) -> None:
        """A stage starts to work."""
        self._began = time.monotonic()

    def end(self, stage: str, detail: str, *, reused: bool) -> None:
        """A stage has its result."""
        if stage == FIT.name and not reused:
            self.searched += time.monotonic() - self._began

    def result(self, result: Result) -> None:
        """What the job came to."""
        self.data = result.data
