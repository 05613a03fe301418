"""How a command speaks: its news while it works, and what it came to in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console

from distill.progress import Progress, Silent


@dataclass(frozen=True)
class Result:
    """What a command came to: shown to a person, in one line, and as plain data for a program."""

    show: Callable[[Console], None]
    line: str
    data: Mapping[str, object]


class Voice(Progress, Protocol):
    """One way to speak. Used in a ``with`` block, whose error it sees when it ends."""

    def result(self, result: Result) -> None:
        """The command has its result; nothing follows but an error."""

    def __enter__(self) -> Voice: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Unheeding(Silent):
    """A voice without news, and with nothing to do when it ends: errors are told by who called."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the error to who called."""
