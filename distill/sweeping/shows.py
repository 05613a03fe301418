"""How a sweep is shown: to a person, in one line, or as JSON lines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from distill.figures import duration
from distill.sweeping.plan import Planned
from distill.sweeping.record import JobRecord
from distill.sweeping.summary import Outcome, Row, counts, outcomes_of, rows, summary_data
from distill.sweeping.watching import Doing, Show
from distill.voices.console import PlainConsole
from distill.voices.json_lines import VERSION, finite

SHOWN = 30
"""Rows of the last table, the best first."""

RUNNING = 12
"""Running jobs that are shown."""

WIDTH = 140
"""Columns of the table in a file."""

PLAIN_SECONDS = 30.0
"""Without a terminal, one line about the running jobs at most this often."""

MARKS = {"done": ("✓", "green"), "failed": ("✗", "red"), "pruned": ("·", "dim")}


class SweepShow(Show, Protocol):
    """One way to show a sweep."""

    def planned(self, plan: Planned) -> None:
        """What is going to run."""

    def warn(self, text: str) -> None:
        """Something to know although the sweep goes on."""

    def finished(
        self, name: str, records: Sequence[JobRecord], died: Sequence[int], steps: Sequence[str],
        exit_code: int, found: Mapping[str, Any],
    ) -> None:  # fmt: skip
        """The sweep is over; ``steps`` are the commands that it suggests.

        ``found`` is what an adaptive sweep found over all its jobs, empty for a grid.
        """

    def close(self) -> None:
        """Nothing more is shown of running jobs."""


class TerminalShow:
    """A line for each job that ends, below them the running ones, and a table in the end."""

    def __init__(self) -> None:
        # Jobs in this process send what libraries print into their logs; these stay as they are.
        self._console, self._out = (
            PlainConsole(file=sys.stderr),
            _wide(PlainConsole(file=sys.stdout)),
        )
        self._live: Live | None = None
        self._jobs: Mapping[int, Doing] = {}
        self._count, self._ended, self._told = 0, 0, time.monotonic()

    def planned(self, plan: Planned) -> None:
        """What is going to run."""
        self._count, self._ended = plan.count, plan.finished
        for line in plan.lines():
            self._console.print(Text(line), soft_wrap=True)
        if self._console.is_terminal:
            self._live = Live(
                console=self._console,
                refresh_per_second=4,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
                get_renderable=self._picture,
            )
            self._live.start()

    def event(self, line: str) -> None:
        """Do nothing: what runs is told by :meth:`running`."""

    def ended(self, record: JobRecord, count: int) -> None:
        """A job has ended."""
        self._ended = count
        mark, style = MARKS.get(record.status, ("-", "yellow"))
        came = "; ".join(map(_outcome_text, outcomes_of(record)))
        problem = record.problem.partition("\n")[0]
        self._console.print(
            Text.assemble(
                (f"  {mark} ", style),
                (f"{record.job.number:>3}  ", "bold"),
                f"{' '.join(record.job.overrides)}  {problem or came or record.status} ",
                (f"({duration(record.seconds)})", "dim"),
            ),
            soft_wrap=True,
        )

    def running(self, jobs: Mapping[int, Doing]) -> None:
        """What runs now."""
        self._jobs = jobs
        if self._live is None and jobs and time.monotonic() - self._told > PLAIN_SECONDS:
            self._told = time.monotonic()
            texts = "; ".join(f"{n} {_doing_text(doing)}" for n, doing in list(jobs.items())[:4])
            self._console.print(Text(f"  … {self._head()}: {texts}"), soft_wrap=True)

    def warn(self, text: str) -> None:
        """Something to know although the sweep goes on."""
        self._console.print(Text(f"  warning: {text}", style="yellow"), soft_wrap=True)

    def finished(
        self, name: str, records: Sequence[JobRecord], died: Sequence[int], steps: Sequence[str],
        exit_code: int, found: Mapping[str, Any],
    ) -> None:  # fmt: skip
        """The sweep is over."""
        self.close()
        table = _table(rows(records))
        self._out.print()
        if table.row_count:
            self._out.print(table)
        self._out.print(Text(f"sweep {name}: {counts(records, len(died))}", style="bold"))
        for line in _found_lines(found):
            self._out.print(Text(f"  {line}"), soft_wrap=True)
        for step in steps:
            self._out.print(Text(f"  {step}"), soft_wrap=True)

    def close(self) -> None:
        """Nothing more is shown of running jobs."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _head(self) -> str:
        return f"{self._ended:,} of {self._count:,} jobs ended, {len(self._jobs)} running"

    def _picture(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        for number, doing in list(self._jobs.items())[:RUNNING]:
            table.add_row(Text(f"    {number:>3}"), Text(_doing_text(doing)))
        return Group(Text(f"  … {self._head()}", "cyan"), table)


class QuietShow:
    """One line in the end."""

    def planned(self, plan: Planned) -> None:
        """Do nothing."""

    def event(self, line: str) -> None:
        """Do nothing."""

    def ended(self, record: JobRecord, count: int) -> None:
        """Do nothing."""

    def running(self, jobs: Mapping[int, Doing]) -> None:
        """Do nothing."""

    def warn(self, text: str) -> None:
        """Do nothing: what ended how is in the last line."""

    def finished(
        self, name: str, records: Sequence[JobRecord], died: Sequence[int], steps: Sequence[str],
        exit_code: int, found: Mapping[str, Any],
    ) -> None:  # fmt: skip
        """The sweep is over."""
        best = [row for row in rows(records) if row.best]
        texts = [
            f"{' '.join(row.record.job.overrides)}: {_outcome_text(row.outcomes[0])}"
            for row in best
        ]
        best_jobs = f"; best: {' | '.join(texts)}" if texts else ""
        PlainConsole(file=sys.stdout).print(
            Text(f"sweep {name}: {counts(records, len(died))}{best_jobs}"), soft_wrap=True
        )

    def close(self) -> None:
        """Do nothing."""


class JsonShow:
    """The events of all jobs as they come, and ``result`` of the whole as the last line."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout

    def planned(self, plan: Planned) -> None:
        """What is going to run."""
        self._write("plan", **plan.data())

    def event(self, line: str) -> None:
        """A job's line, as it is."""
        self._stream.write(line + "\n")
        self._stream.flush()

    def ended(self, record: JobRecord, count: int) -> None:
        """Do nothing: the job's own last event tells it."""

    def running(self, jobs: Mapping[int, Doing]) -> None:
        """Do nothing."""

    def warn(self, text: str) -> None:
        """Something to know although the sweep goes on."""
        self._write("warning", text=text)

    def finished(
        self, name: str, records: Sequence[JobRecord], died: Sequence[int], steps: Sequence[str],
        exit_code: int, found: Mapping[str, Any],
    ) -> None:  # fmt: skip
        """The sweep is over."""
        summary = summary_data(name, records, died) | ({"adaptive": found} if found else {})
        self._write("result", command="run", exit_code=exit_code, problem=None, **summary)

    def close(self) -> None:
        """Do nothing."""

    def _write(self, event: str, **fields: Any) -> None:
        head = {"version": VERSION, "event": event, "time": time.time(), "job": None}
        self._stream.write(json.dumps(finite({**head, **fields}), allow_nan=False) + "\n")
        self._stream.flush()


def _wide(console: Console) -> Console:
    """A file has room for the table, whatever the terminal has."""
    return console if console.is_terminal else PlainConsole(file=console.file, width=WIDTH)


def _outcome_text(outcome: Outcome) -> str:
    error = "?" if outcome.max_error is None else f"{outcome.max_error:.3g}"
    cost = f", {outcome.instructions:,.0f} instructions" if outcome.instructions else ""
    return f"off by {error} {outcome.unit}".rstrip() + f", {outcome.complexity} nodes{cost}"


def _found_lines(found: Mapping[str, Any]) -> Iterator[str]:
    if not found:
        return
    front = ", ".join(map(str, found["front"]))
    what = ", ".join(found["objectives"])
    yield f"front in {what}: job {front}" if front else "no job keeps the tolerance"
    if found["importance"]:
        parts = sorted(found["importance"].items(), key=lambda each: -each[1])
        yield "what mattered: " + ", ".join(f"{key} {part:.0%}" for key, part in parts)


def _doing_text(doing: Doing) -> str:
    part = "" if doing.fraction is None else f" {doing.fraction:.0%}"
    left = "" if doing.seconds_left is None else f", about {duration(doing.seconds_left)} left"
    best = ""
    if doing.best and doing.best.get("max_error") is not None:
        best = f"; best off by {doing.best['max_error']:.3g}, {doing.best['complexity']} nodes"
    return f"{doing.stage}{part}{left}{best}"


def _table(table_rows: Sequence[Row]) -> Table:
    """The choices of all jobs, the cheapest first; best ones are marked."""
    table = Table(box=None, padding=(0, 2))
    for name in ("job", "", "max error", "nodes", "instructions"):
        table.add_column(name, justify="left" if name == "" else "right", no_wrap=True)
    table.add_column("set", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("formula", no_wrap=True, overflow="ellipsis", ratio=1)
    flat = [(row, outcome) for row in table_rows for outcome in row.outcomes]
    flat.sort(
        key=lambda each: (not each[0].best, each[1].instructions or 0, each[1].complexity or 0)
    )
    for row, outcome in flat[:SHOWN]:
        table.add_row(
            str(row.record.job.number),
            "best" if row.best else ("" if outcome.within_tolerance else "misses"),
            "?" if outcome.max_error is None else f"{outcome.max_error:.4g}",
            f"{outcome.complexity}",
            "" if outcome.instructions is None else f"{outcome.instructions:,.0f}",
            Text(" ".join(row.record.job.overrides)),
            Text(outcome.formula),
        )
    if len(flat) > SHOWN:
        table.caption = f"{len(flat) - SHOWN:,} more"
    return table
