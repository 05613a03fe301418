"""A comparison of studies on the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from distill.commands.figures import count, figure
from distill.comparing.fronts import Comparison, Domination, Entry, Front

_T = TypeVar("_T")

MOST_ROWS = 16
"""Of formulas and of beaten ones; `out=FILE` has all."""

MOST_STEPS = 8
"""Complexities at which the fronts are held against each other."""

MOST_COVERED = 12
"""Studies of which every two are held against each other."""


def show_comparison(console: Console, comparison: Comparison) -> None:
    """Print the studies, their fronts against each other, and who beats whom."""
    console.print(
        Group(
            Text(),
            Text(_question(comparison), style="bold underline"),
            Text(),
            _studies(comparison),
            Text(),
            _steps(comparison),
            Text(),
            _joint(comparison),
            Text(),
            _dominations(comparison),
            Text(),
            _coverage(comparison),
        )
    )
    nodes, decades = comparison.reference
    if len(comparison.targets) > 1:
        console.print(
            Text(
                f"The studies are for different targets ({', '.join(comparison.targets)}): each "
                "search preferred the operators that are cheap on its own.",
                style="dim",
            )
        )
    console.print(
        Text(
            "volume: the hypervolume, nodes times decades of the largest error, from "
            f"({nodes:,} nodes, {10**decades:.3g}{_unit(comparison)}); errors below "
            f"{comparison.smallest:.3g} count as that.",
            style="dim",
        )
    )


def _question(comparison: Comparison) -> str:
    tolerance = f"tolerance {comparison.tolerance:g}{_unit(comparison)}"
    return f"{comparison.output} of {comparison.teacher}, {tolerance}"


def _unit(comparison: Comparison) -> str:
    return f" {comparison.unit}" if comparison.unit else ""


def _studies(comparison: Comparison) -> Table:
    columns = ["seed", "s", "points", "found", "on front", "best error", "volume", "of all"]
    table = _table("", *columns, text="study")  # whose name says the engine
    whole = comparison.hypervolume
    best = max(front.hypervolume for front in comparison.fronts)
    for front in comparison.fronts:
        last = front.entries[-1].max_error if front.entries else None
        table.add_row(
            front.letter,
            "-" if front.seed is None else str(front.seed),
            figure(front.seconds),
            count(front.points),
            count(front.candidates),
            count(len(front.entries)),
            figure(last),
            f"{front.hypervolume:,.1f}",
            f"{front.hypervolume / whole:.1%}" if whole else "-",
            Text(front.name),
            style="bold green" if front.hypervolume == best else "",
        )
    return table


def _steps(comparison: Comparison) -> Table:
    """The smallest error of each study within each complexity."""
    steps = _spread(sorted(set(comparison.complexities)), MOST_STEPS)
    table = _table("error within nodes", *(f"{nodes:,}" for nodes in steps))
    best = [_smallest([front.within(nodes) for front in comparison.fronts]) for nodes in steps]
    for front in comparison.fronts:
        found = [front.within(nodes) for nodes in steps]
        table.add_row(front.letter, *map(_mark, found, best))
    return table


def _smallest(found: Sequence[Entry | None]) -> float:
    return min(entry.max_error for entry in found if entry is not None)


def _mark(entry: Entry | None, best: float) -> Text:
    if entry is None:
        return Text("-", style="dim")
    return Text(f"{entry.max_error:.3g}", style="bold green" if entry.max_error == best else "")


def _joint(comparison: Comparison) -> RenderableType:
    table = _table("nodes", "max error", "found by", text="the front of all together")
    rows = comparison.joint
    shown = _spread(rows, MOST_ROWS)
    for each in shown:
        table.add_row(
            f"{each.entry.complexity:,}",
            figure(each.entry.max_error),
            ", ".join(each.found_by),
            Text(each.entry.formula),
            style="" if each.entry.max_error <= comparison.tolerance else "dim",
        )
    return Group(table, *_more(len(rows) - len(shown), "formulas"))


def _dominations(comparison: Comparison) -> RenderableType:
    """The beaten formulas, those that are beaten most clearly first."""
    beaten = sorted(comparison.dominations, key=_margin, reverse=True)
    if not beaten:
        return Text("No formula of one study is beaten by one of another.")
    table = _table("beaten", "nodes", "max error", "by", "nodes", "max error", text="which is")
    for each in beaten[:MOST_ROWS]:
        worse, better = each.worse, each.better
        table.add_row(
            f"{worse.study} {worse.label}",
            f"{worse.complexity:,}",
            figure(worse.max_error),
            f"{better.study} {better.label}",
            f"{better.complexity:,}",
            figure(better.max_error),
            Text(better.formula),
        )
    return Group(table, *_more(len(beaten) - MOST_ROWS, "beaten formulas"))


def _margin(beaten: Domination) -> float:
    """How many times as far off the beaten formula is."""
    better, worse = beaten.better.max_error, beaten.worse.max_error
    return worse / better if better else math.inf


def _coverage(comparison: Comparison) -> RenderableType:
    """How much of the column's front the row's is as good as."""
    if len(comparison.fronts) > MOST_COVERED:
        return Text("coverage: out=FILE.json has that of every two studies.", style="dim")
    table = _table("as good as", *(front.letter for front in comparison.fronts))
    for row in comparison.fronts:
        shares = [_share(comparison, row, column) for column in comparison.fronts]
        table.add_row(row.letter, *shares)
    return table


def _share(comparison: Comparison, row: Front, column: Front) -> str:
    share = comparison.coverage.get((row.letter, column.letter))
    return "" if share is None else "-" if math.isnan(share) else f"{share:.0%}"


def _spread(rows: Sequence[_T], most: int) -> list[_T]:
    """So many of them, the first and the last among them, evenly."""
    if len(rows) <= most:
        return list(rows)
    return [rows[round(i * (len(rows) - 1) / (most - 1))] for i in range(most)]


def _more(number: int, what: str) -> list[Text]:
    return [Text(f"and {number:,} more {what}; out=FILE.csv has all.", style="dim")] * (number > 0)


def _table(*columns: str, text: str = "") -> Table:
    """Figures to the right, a text at the end that gives way where the terminal is narrow."""
    table = Table(box=None, pad_edge=False, header_style="bold", expand=bool(text))
    for name in columns:
        # Headings of several words may break, figures never.
        table.add_column(
            Text(name), justify="right", min_width=max(map(len, name.split()), default=0)
        )
    if text:
        table.add_column(text, overflow="fold", ratio=1, min_width=12)
    return table
