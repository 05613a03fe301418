"""The console that everything is shown on: text from files and servers stays text there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from distill.identifiers import visible


class PlainConsole(Console):
    """A console of rich's that spells out control characters and reads no markup.

    Names, units and messages come from model files, tables and MLflow; what moves a cursor there,
    clears the screen or turns the direction of writing would let them show what is not so.
    """

    def __init__(
        self, *, file: IO[str] | None = None, stderr: bool = False, width: int | None = None
    ) -> None:
        super().__init__(file=file, stderr=stderr, width=width, markup=False, emoji=False)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """What rich itself needs to control the terminal passes; text does not."""
        for segment in super().render(renderable, options):
            if segment.control is None:
                yield Segment(visible(segment.text), segment.style)
            else:
                yield segment
