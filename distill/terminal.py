"""Progress on the terminal: live where there is one, plain lines where the output is a file."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

PLAIN_SECONDS = 10.0
"""Without a terminal, one line about a running stage at most this often."""

SHOWN = 12
"""Rows of the running front that are shown."""


class Terminal:
    """Shows the running stage, the best error at each complexity so far, and the time left."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._live: Live | None = None
        self._stage = ""
        self._detail = ""
        self._text = ""
        self._fraction: float | None = None
        self._best: dict[int, float] = {}
        self._started = self._told = time.monotonic()

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
        self._stage, self._detail, self._text = stage, detail, ""
        self._fraction, self._best = None, {}
        self._started = self._told = time.monotonic()
        if self.console.is_terminal:
            self._live = Live(console=self.console, refresh_per_second=4, transient=True)
            self._live.start()
            self._show()
        else:
            self.console.print(f"  {stage:<8} {detail}", highlight=False, markup=False)

    def advance(self, fraction: float | None, text: str) -> None:
        """How much of the stage is done and what it does now."""
        self._fraction, self._text = fraction, text
        self._show()

    def front(self, best: Mapping[int, float]) -> None:
        """The best error so far at each complexity."""
        self._best = dict(best)
        self._show()

    def warn(self, text: str) -> None:
        """Something the user must know although the run goes on."""
        self.console.print(Text(f"  warning: {text}", style="yellow"))

    def end(self, stage: str, detail: str, *, reused: bool) -> None:
        """A stage has its result."""
        seconds = time.monotonic() - self._started
        self._stop()
        when = "reused" if reused else f"{seconds:.1f} s"
        self.console.print(
            Text.assemble(
                ("  ✓ ", "green"), (f"{stage:<8} ", "bold"), f"{detail} ", (f"({when})", "dim")
            )
        )

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _left(self) -> str:
        if not self._fraction or self._fraction < 0.02:
            return ""
        seconds = (time.monotonic() - self._started) * (1 / self._fraction - 1)
        return f", about {seconds:.0f} s left" if seconds >= 1 else ""

    def _headline(self) -> str:
        share = f" {self._fraction:.0%}" if self._fraction is not None else ""
        text = self._text or self._detail
        return f"{self._stage:<8} {text}{share}{self._left()}"

    def _show(self) -> None:
        if self._live is not None:
            self._live.update(self._picture())
        elif time.monotonic() - self._told > PLAIN_SECONDS:
            self._told = time.monotonic()
            best = f"; best error so far {min(self._best.values()):.3g}" if self._best else ""
            self.console.print(f"  … {self._headline()}{best}", highlight=False, markup=False)

    def _picture(self) -> Group:
        parts: list[Text | Table] = [Text(f"  … {self._headline()}", style="cyan")]
        if self._best:
            table = Table("complexity", "best max error", box=None, padding=(0, 2), style="dim")
            for complexity, error in list(self._best.items())[-SHOWN:]:
                table.add_row(f"{complexity}", f"{error:.4g}")
            parts.append(table)
        return Group(*parts)
