"""The figures of ``docs/reliability.md`` about limits, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def figures(rows: Sequence[Mapping[str, Any]]) -> str:
    """A table for each day and machine on which it was tried, and what was not kept."""
    abouts = dict.fromkeys(row["about"] for row in rows)
    tables = [_table(about, [row for row in rows if row["about"] == about]) for about in abouts]
    broken = [
        f"- {_key(r['limit'])}, {r['given']}, {r['what']}: {r['found']}" for r in _broken(rows)
    ]
    told = "\n".join(["Not kept:", "", *broken]) if broken else "Every one was kept."
    return "\n\n".join([*tables, told]) + "\n"


def _table(about: str, rows: Sequence[Mapping[str, Any]]) -> str:
    loads = [row["load"] for row in rows]
    lines = [f"{about} The load was {min(loads):.1f} to {max(loads):.1f} before the trials.", ""]
    lines += ["| limit | given | tried with | found | exit code |", "|---|---|---|---|---|"]
    for row in rows:
        cells = [str(row[name]) for name in ("given", "what", "found", "code")]
        lines.append("| " + " | ".join([_key(row["limit"]), *cells]) + " |")
    return "\n".join(lines)


def _key(limit: str) -> str:
    """A config key as code; words as they are."""
    return f"`{limit}`" if "." in limit else limit


def _broken(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for row in rows if not row["kept"]]
