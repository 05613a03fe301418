"""Figures between two comments of a page that is otherwise written by hand."""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
END = "<!-- end of figures -->"


def put(page: str, script: str, figures: str) -> None:
    """Write what a script found into a page of ``docs/``, between its marks."""
    path, begin = DOCS / page, f"<!-- figures: benchmarks/{script} --write -->"
    head, mark, rest = path.read_text(encoding="utf-8").partition(begin)
    if not mark:
        raise SystemExit(f"{path} has no place for the figures: {begin}")
    path.write_text(f"{head}{begin}\n{figures}{END}{rest.partition(END)[2]}", encoding="utf-8")
