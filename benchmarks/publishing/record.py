"""The headline figures of one benchmark's last run, as a file."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from publishing.conditions import Conditions

RESULTS = Path(__file__).parents[1] / "results"


@dataclass(frozen=True)
class Figure:
    """What was measured, and the value with its unit."""

    name: str
    value: str


@dataclass(frozen=True)
class Record:
    """A run: the benchmark's name, the command, on what, and what came out."""

    benchmark: str
    command: str
    conditions: Conditions
    figures: tuple[Figure, ...]


def add_option(parser: argparse.ArgumentParser) -> None:
    """The option that every benchmark with published figures has."""
    parser.add_argument("--figures", type=Path, help="write the headline figures here, as JSON")


def command() -> str:
    """The command of the run, from the top of the checkout, but for where its figures go."""
    script, *words = sys.argv
    if "--figures" in words:
        at = words.index("--figures")
        words = words[:at] + words[at + 2 :]
    return shlex.join(["python", f"benchmarks/{Path(script).name}", *words])


def save(path: Path | None, conditions: Conditions, figures: Iterable[tuple[str, str]]) -> None:
    """Write a run's headline figures, where a path is given; its name is the benchmark's."""
    if path is None:
        return
    found = tuple(Figure(name, value) for name, value in figures)
    data = asdict(Record(path.stem, command(), conditions, found))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load(path: Path) -> Record:
    """Read what :func:`save` wrote."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return Record(
        benchmark=data["benchmark"],
        command=data["command"],
        conditions=Conditions(**data["conditions"]),
        figures=tuple(Figure(**figure) for figure in data["figures"]),
    )


def cells(row: str) -> list[str]:
    """The cells of a row of a Markdown table."""
    return [cell.strip() for cell in row.strip().strip("|").split("|")]
