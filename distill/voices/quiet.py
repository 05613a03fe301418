"""The quiet voice: one line when all is done. Errors are told by who called."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from distill.voices.console import PlainConsole
from distill.voices.voice import Result, Unheeding


class Quiet(Unheeding):
    """Tells the result in one line on the standard output."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or PlainConsole()

    def result(self, result: Result) -> None:
        """One line, however long."""
        self.console.print(Text(result.line), soft_wrap=True)
