"""What a running stage tells, and to whom: the protocol every stage reports through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

OUTPUT = "output"
"""The stage's name that :meth:`Progress.begin` gets where the search for one of several outputs
begins; such a stage has no end."""


@dataclass(frozen=True, slots=True)
class Best:
    """A formula on the front so far: nodes, largest absolute error on the sample, its text."""

    complexity: int
    error: float
    formula: str


class Progress(Protocol):
    """Receives the news of a run. All calls are cheap and may come often."""

    def begin(self, stage: str, detail: str) -> None:
        """A stage starts to work."""

    def advance(self, fraction: float | None, text: str) -> None:
        """How much of the stage is done (0 to 1, None when unknown) and what it does now."""

    def front(self, best: Sequence[Best]) -> None:
        """The front so far: simplest first, each more accurate than those before it."""

    def warn(self, text: str) -> None:
        """Something the user must know although the run goes on."""

    def end(self, stage: str, detail: str, *, reused: bool) -> None:
        """A stage has its result."""


class Silent:
    """Tells nobody."""

    def begin(self, stage: str, detail: str) -> None:
        """Do nothing."""

    def advance(self, fraction: float | None, text: str) -> None:
        """Do nothing."""

    def front(self, best: Sequence[Best]) -> None:
        """Do nothing."""

    def warn(self, text: str) -> None:
        """Do nothing."""

    def end(self, stage: str, detail: str, *, reused: bool) -> None:
        """Do nothing."""
