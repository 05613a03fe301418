"""Progress on the terminal: live where there is one, plain lines where the output is a file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from distill.figures import duration
from distill.progress import OUTPUT, Best
from distill.voices.console import PlainConsole
from distill.voices.pace import Pace
from distill.voices.voice import Result

PLAIN_SECONDS = 10.0
"""Without a terminal, one line about a running stage at most this often."""

SHOWN = 10
"""Rows of the running front that are shown, the most accurate."""

LONGEST = 200
"""Characters of a plain line."""

BAR = 32
"""Characters of the bar."""


class Terminal:
    """Shows the running stage, how far it is, the time left, and the best formulas so far.

    News go to ``console`` (the standard error output), the result to ``out`` (the standard output).
    """

    def __init__(self, console: Console | None = None, out: Console | None = None) -> None:
        self.console = console or PlainConsole(stderr=True)
        self._out = out
        self._live: Live | None = None
        self._stage = ""
        self._text = ""
        self._best: Sequence[Best] = ()
        self._told = time.monotonic()
        self._pace = Pace(self._told)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def begin(self, stage: str, detail: str) -> None:
        """A stage starts to work."""
        self._stop()
        self._stage, self._text, self._best = stage, detail, ()
        self._told = time.monotonic()
        self._pace = Pace(self._told)
        if self.console.is_terminal and stage != OUTPUT:
            # Drawn a few times a second by a thread of its own, in one write: no flicker, and no
            # cost for a stage that tells often.
            self._live = Live(
                console=self.console,
                refresh_per_second=4,
                transient=True,
                get_renderable=self._picture,
            )
            self._live.start()
        else:
            self._line(f"{stage:<8} {detail}")

    def advance(self, fraction: float | None, text: str) -> None:
        """How much of the stage is done and what it does now."""
        self._pace.at(fraction)
        self._text = text or self._text
        self._tell()

    def front(self, best: Sequence[Best]) -> None:
        """The front so far."""
        self._best = best
        self._tell()

    def warn(self, text: str) -> None:
        """Something the user must know although the run goes on."""
        self.console.print(Text(f"  warning: {text}", style="yellow"))

    def end(self, stage: str, detail: str, *, reused: bool) -> None:
        """A stage has its result."""
        seconds = time.monotonic() - self._pace.began
        self._stop()
        when = "reused" if reused else f"{seconds:.1f} s"
        self.console.print(
            Text.assemble(
                ("  ✓ ", "green"), (f"{stage:<8} ", "bold"), f"{detail} ", (f"({when})", "dim")
            )
        )

    def result(self, result: Result) -> None:
        """What the command came to, on the standard output."""
        self._stop()
        result.show(self._out or PlainConsole())

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _line(self, text: str) -> None:
        short = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
        self.console.print(f"  {short}", highlight=False, markup=False, soft_wrap=True)

    def _tell(self) -> None:
        """Without a live display, a line now and then."""
        if self._live is None and time.monotonic() - self._told > PLAIN_SECONDS:
            self._told = time.monotonic()
            best = f"; {_best(self._best)}" if self._best else ""
            self._line(f"… {self._stage:<8} {self._text}{self._share()}{self._left()}{best}")

    def _share(self) -> str:
        return "" if self._pace.fraction is None else f" {self._pace.fraction:.0%}"

    def _left(self) -> str:
        left = self._pace.left(time.monotonic())
        return "" if left is None else f", about {duration(left)} left"

    def _picture(self) -> RenderableType:
        """What the live display shows now."""
        head = Text(f"  … {self._stage:<8} {self._text}", "cyan", no_wrap=True, overflow="ellipsis")
        bar = Table.grid(padding=(0, 1))
        fraction = self._pace.fraction
        progress = ProgressBar(1.0, fraction or 0.0, BAR, pulse=fraction is None)
        bar.add_row(" " * 12, progress, Text(f"{self._share()}{self._left()}".strip(", ")))
        if not self._best:
            return Group(head, bar)
        table = Table(box=None, padding=(0, 2), style="dim", expand=True)
        table.add_column("nodes", justify="right", no_wrap=True)
        table.add_column("max error", justify="right", no_wrap=True)
        table.add_column("formula", no_wrap=True, overflow="ellipsis", ratio=1)
        for best in self._best[-SHOWN:]:
            table.add_row(f"{best.complexity}", f"{best.error:.4g}", Text(best.formula))
        count = Text(f"    {_best(self._best)}", "bold", no_wrap=True, overflow="ellipsis")
        return Group(head, bar, count, table)


def _best(front: Sequence[Best]) -> str:
    """The most accurate formula so far and the size of the front, in a line."""
    best = front[-1]
    size = "1 formula" if len(front) == 1 else f"{len(front)} formulas"
    return (
        f"{size} on the front, the best off by {best.error:.3g} "
        f"with {best.complexity} nodes: {best.formula}"
    )
