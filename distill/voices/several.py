"""Several voices at once: a log for people beside events for programs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType

from distill.progress import Best
from distill.voices.voice import Result, Voice


class Several:
    """Tells everything to each of its voices, in their order."""

    def __init__(self, *voices: Voice) -> None:
        self._voices = voices
        self._open = ExitStack()

    def begin(self, stage: str, detail: str) -> None:
        """A stage starts to work."""
        for voice in self._voices:
            voice.begin(stage, detail)

    def advance(self, fraction: float | None, text: str) -> None:
        """How much of the stage is done and what it does now."""
        for voice in self._voices:
            voice.advance(fraction, text)

    def front(self, best: Sequence[Best]) -> None:
        """The front so far."""
        for voice in self._voices:
            voice.front(best)

    def warn(self, text: str) -> None:
        """Something the user must know although the run goes on."""
        for voice in self._voices:
            voice.warn(text)

    def end(self, stage: str, detail: str, *, reused: bool) -> None:
        """A stage has its result."""
        for voice in self._voices:
            voice.end(stage, detail, reused=reused)

    def result(self, result: Result) -> None:
        """What the command came to."""
        for voice in self._voices:
            voice.result(result)

    def __enter__(self) -> Several:
        for voice in self._voices:
            self._open.enter_context(voice)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, traceback)
