"""`docs/figures.md`: the headline figures of every benchmark's last run, in one place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from publishing.record import Record

HEAD = """\
# Figures

Written by `make bench` from the last run of each benchmark (`benchmarks/results/`); not edited by
hand. `benchmarks/README.md` says how each is run and how long it takes, the linked pages have all
the rest. Instructions, bytes and errors are the same on every machine; seconds are not.
"""

CONDITIONS = """\
## On what

| benchmark | day | machine | load at the start | versions |
|---|---|---|---|---|
"""


def page(records: Iterable[Record], pages: Mapping[str, str | None]) -> str:
    """The page; `pages` has each benchmark's own page in `docs/`, in the order of the sections."""
    known = {record.benchmark: record for record in records}
    shown = [known[name] for name in pages if name in known]
    parts = [HEAD, *(section(record, pages[record.benchmark]) for record in shown)]
    return "\n".join([*parts, CONDITIONS + "".join(map(conditions, shown))])


def section(record: Record, detailed: str | None) -> str:
    """One benchmark: its figures, its command, where the rest is."""
    rows = "".join(f"| {figure.name} | {figure.value} |\n" for figure in record.figures)
    more = f"; more in [{detailed}]({detailed})" if detailed else ""
    return (
        f"## {record.benchmark}\n\n| figure | value |\n|---|---|\n{rows}\n"
        f"{record.conditions.day}, `{record.command}`{more}.\n"
    )


def conditions(record: Record) -> str:
    """A row of the last table."""
    on = record.conditions
    load = "not noted" if on.load is None else f"{on.load:.1f}"
    return f"| {record.benchmark} | {on.day} | {on.machine} | {load} | {on.software} |\n"
