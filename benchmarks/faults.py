"""A study that is killed, starved of disk and lied to, held against an undisturbed one.

    python benchmarks/faults.py --out faults.jsonl                 # goes on where it was ended
    python benchmarks/faults.py --only 'random moments' --blows 50
    python benchmarks/faults.py --out faults.jsonl --write         # docs/reliability.md from it

The study has the demo's shape (wet bulb, Operon, fixed point, PIC32, MLflow) and is small, so that
it can be done hundreds of times. Every trial disturbs it, then gives the same command again;
stages, record, bundle and MLflow must then hold what the undisturbed study's do, to the byte, but
for times and ids. A run that says 0 has to be complete at once; one that fails says why, with the
exit code that is documented; nothing half written and no process may stay. Disks and read-only
folders are mounted, which takes root; without it these trials are left out. ``--out`` gets a line a
trial; with ``--write`` no more is run.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import sys
import tempfile
import time
from pathlib import Path

from faults import page
from faults.disturbing import Bench, trials
from faults.running import preload
from publishing.conditions import now

STUDY = """
engine=operon engine.evaluations=1000 engine.rounds=2 engine.keep=4 engine.counterexamples=4
engine.max_complexity=12 engine.options.population_size=100 engine.options.generations=5
engine.options.rows=64 engine.operators=[add,sub,mul,square] sampling.points=64 tolerance=4
score=quick score.points=500 score.starts=2 score.proof_boxes=20 score.proof_candidates=2
target=pic32 export.arithmetic=fixed export.proof_boxes=20 export.verify_points=1000
root=studies export.directory=build/out
"""


def main() -> int:
    """Run what is not in the file yet; 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/faults.jsonl"))
    parser.add_argument("--blows", type=int, default=200, help="random moments in all")
    parser.add_argument("--chain", type=int, default=8, help="of these in one trial")
    parser.add_argument("--scratch", type=Path, help="a folder whose undisturbed study is reused")
    parser.add_argument("--only", default="", help="trials whose kind or name has this in it")
    parser.add_argument("--write", action="store_true", help="only write docs/reliability.md")
    given = parser.parse_args()
    if not given.write:
        _run(given)
    rows = _rows(given.out)
    if given.write:
        page.write(rows, now().text())
    return int(any(row["wrong"] for row in rows))


def _run(given: argparse.Namespace) -> None:
    done = {(row["kind"], row["name"]) for row in _rows(given.out)}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    preload()
    # No TemporaryDirectory: a run, forked from here, would delete it at its end.
    scratch = (given.scratch or Path(tempfile.mkdtemp(prefix="faults-"))).absolute()
    try:
        bench = Bench(scratch, tuple(shlex.split(STUDY)))
        bench.prepare()
        seconds, things = bench.seconds, len(bench.expected)
        print(f"undisturbed: {seconds:.1f} s, {things} things to compare", flush=True)
        for trial in trials(given.blows, given.chain):
            wanted = given.only in f"{trial.kind}, {trial.name}"
            if not wanted or (trial.kind, trial.name) in done:
                continue
            if trial.root and os.geteuid() != 0:
                print(f"left out, needs root: {trial.kind}, {trial.name}")
                continue
            began = time.monotonic()
            count, wrong = trial.do(bench)
            row = {"kind": trial.kind, "name": trial.name, "count": count, "wrong": wrong,
                   "seconds": round(time.monotonic() - began, 1)}  # fmt: skip
            with given.out.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(f"{trial.kind}, {trial.name}: {count}, {wrong or 'as undisturbed'}", flush=True)
    finally:
        if not given.scratch:
            shutil.rmtree(scratch)


def _rows(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


if __name__ == "__main__":
    sys.exit(main())
