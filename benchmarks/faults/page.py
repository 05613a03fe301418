"""``docs/reliability.md``: what was done to a study, how often, and what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- figures: benchmarks/faults.py --write -->", "<!-- end of figures -->"


SHOWN = 120
"""Characters that are shown of what was wrong."""


def write(rows: Sequence[Mapping[str, Any]], about: str) -> None:
    """Put the figures into the page, between its marks."""
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n{figures(rows, about)}{END}{tail}", encoding="utf-8")


def figures(rows: Sequence[Mapping[str, Any]], about: str) -> str:
    """The table, and what was wrong."""
    lines = [
        about,
        "",
        "| disturbance | trials | disturbances | as undisturbed |",
        "|---|---|---|---|",
    ]
    for kind in dict.fromkeys(row["kind"] for row in rows):
        these = [row for row in rows if row["kind"] == kind]
        good = sum(not row["wrong"] for row in these)
        count = sum(row["count"] for row in these)
        lines.append(f"| {kind} | {len(these)} | {count} | {good} of {len(these)} |")
    wrong = [f"- {r['kind']}, {r['name']}: {_short(w)}" for r in rows for w in r["wrong"]]
    told = ["", "What was wrong:", "", *wrong] if wrong else []
    return "\n".join([*lines, *told, ""])


def _short(text: str) -> str:
    """One line, which of a traceback has the end."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"... {line[-SHOWN:]}"
