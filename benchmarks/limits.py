"""How far the limits of a run are passed, measured with runs that would take far more.

    python benchmarks/limits.py --out limits.jsonl           # goes on where it was ended
    python benchmarks/limits.py --only engine.seconds
    python benchmarks/limits.py --out limits.jsonl --write   # docs/reliability.md from it

Each trial is `distill run` in a fresh folder, given as a user gives it, with a search, a proof, a
teacher that would go on far longer, or hold, ask or say far more than it may. Times are those that
`--json` tells of the stages; memory is what the processes of the run hold, looked at twenty times a
second from beside. `--out` gets a line a trial; with `--write` no more is run. A busy machine adds
to all times.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from limits.cases import cases
from limits.page import figures
from publishing.conditions import Conditions, now
from publishing.marked import put


def main() -> int:
    """Try what is not in the file yet; 1 where a limit was not kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/limits.jsonl"))
    parser.add_argument("--only", default="", help="trials whose limit or name has this in it")
    parser.add_argument("--write", action="store_true", help="only write docs/reliability.md")
    given = parser.parse_args()
    if not given.write:
        _run(given.out, given.only)
    rows = _rows(given.out)
    if given.write:
        put("reliability.md", "limits.py", figures(_in_order(rows)))
    return int(not all(row["kept"] for row in rows))


def _run(out: Path, only: str) -> None:
    done = {row["name"] for row in _rows(out)}
    out.parent.mkdir(parents=True, exist_ok=True)
    for case in cases():
        if only not in case.name or case.name in done:
            continue
        on = now()
        # No TemporaryDirectory: a run that is forked from here would delete it at its end.
        scratch = Path(tempfile.mkdtemp(prefix="limits-"))
        try:
            found = case.run(scratch / "study")
        finally:
            shutil.rmtree(scratch)
        row = {
            "name": case.name, "limit": case.limit, "given": case.given, "what": case.what,
            "found": found.text, "kept": found.kept, "code": found.code, "about": _about(on),
            "load": on.load,
        }  # fmt: skip
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(f"{case.name}: {found.text}, exit code {found.code}", flush=True)


def _about(on: Conditions) -> str:
    return f"Measured on {on.day}: {on.machine}; {on.software}."


def _in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows as they are tried, in whatever order they were asked for."""
    names = [case.name for case in cases()]
    return sorted(
        (row for row in rows if row["name"] in names), key=lambda r: names.index(r["name"])
    )


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


if __name__ == "__main__":
    sys.exit(main())
