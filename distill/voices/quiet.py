"""The quiet voice: one line when all is done. Errors are told by who called."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.text import Text

from distill.progress import Silent
from distill.voices.voice import Result


class Quiet(Silent):
    """Tells the result in one line on the standard output."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()

    def result(self, result: Result) -> None:
        """One line, however long."""
        self.console.print(Text(result.line), soft_wrap=True)

    def __enter__(self) -> Quiet:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the error to who called."""
