"""A comparison of studies as a file: CSV with a row a formula, or JSON with everything."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from distill.comparing.fronts import Comparison, Entry
from distill.errors import ConfigError
from distill.files import write_whole

VERSION = 1
"""Of the JSON; it changes with the meaning of a key."""

_COLUMNS = (
    "teacher", "output", "tolerance", "study", "name", "engine", "target", "seed", "seconds",
    "points", "hypervolume", "candidate", "complexity", "max_error", "on_joint_front", "beaten_by",
    "formula",
)  # fmt: skip

_COMPUTED = ("=", "+", "-", "@")
"""With these the cells begin that spreadsheets compute."""


def check_file(path: Path) -> None:
    """Refuse a name that says neither CSV nor JSON.

    Raises
    ------
    ConfigError : naming the key.
    """
    if path.suffix not in {".csv", ".json"}:
        raise ConfigError(
            f"`{path}` is neither a .csv nor a .json file.",
            where="out",
            hint="out=comparison.csv has a row a formula, out=comparison.json everything.",
        )


def write_comparisons(comparisons: Sequence[Comparison], path: Path) -> None:
    """Write the comparisons of all outputs, in the form that the file's name asks for.

    Raises
    ------
    ConfigError : for a name of another kind.
    StorageError : when the file cannot be written.
    """
    check_file(path)
    write_whole(path, (as_csv if path.suffix == ".csv" else as_json)(comparisons))


def as_csv(comparisons: Sequence[Comparison]) -> str:
    """A row for every formula on a front."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for comparison in comparisons:
        beaten = {_name(each.worse): _name(each.better) for each in comparison.dominations}
        for front in comparison.fronts:
            study = (front.letter, _text(front.name), _text(front.engine), _text(front.target))
            for entry in front.entries:
                name = _name(entry)
                writer.writerow(
                    (
                        _text(comparison.teacher),
                        _text(comparison.output),
                        comparison.tolerance,
                        *study,
                        front.seed,
                        front.seconds,
                        front.points,
                        front.hypervolume,
                        entry.label,
                        entry.complexity,
                        entry.max_error,
                        str(name not in beaten).lower(),
                        beaten.get(name, ""),
                        _formula(entry.formula),
                    )
                )
    return text.getvalue()


def as_json(comparisons: Sequence[Comparison]) -> str:
    """Everything; coverage as ``{"A": {"B": 0.5}}``, null where B's front is empty."""
    data = {"version": VERSION, "comparisons": [_data(each) for each in comparisons]}
    return json.dumps(data, indent=1, allow_nan=False) + "\n"


def _data(comparison: Comparison) -> dict[str, Any]:
    covered: dict[str, dict[str, float | None]] = {}
    for (a, b), share in comparison.coverage.items():
        covered.setdefault(a, {})[b] = None if math.isnan(share) else share
    nodes, decades = comparison.reference
    return {
        **asdict(comparison),
        "reference": {"complexity": nodes, "log10_max_error": decades},
        "coverage": covered,
    }


def _text(text: str) -> str:
    """Text of a cell, on one line, that no spreadsheet takes for something to compute."""
    line = " ".join(text.split())
    return f"'{line}" if line.startswith(_COMPUTED) else line


def _formula(text: str) -> str:
    """The same for a formula, which is read back as before."""
    return f"({text})" if text.startswith(_COMPUTED) else text


def _name(entry: Entry) -> str:
    return f"{entry.study} {entry.label}"
