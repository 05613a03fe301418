"""Which formulas engines find again, side by side.

    python benchmarks/recovery.py --set feynman --seconds 30 --jobs 2   # structure, operon, gplearn
    python benchmarks/recovery.py --set nguyen,keijzer --only Nguyen-7 --engine operon
    python benchmarks/recovery.py --set embedded --tolerance --engine structure,operon
    python benchmarks/recovery.py --set feynman --networks        # a trained network in between
    python benchmarks/recovery.py --set feynman --engine structure,operon,pysr
    python benchmarks/recovery.py --set feynman --csv recovery.csv

A problem counts as recovered when a formula's RMSE, divided by the truth's standard deviation, is
below 1e-6 on held-out points of the box and of a box 1.5 times as wide, as far as the truth is
defined there. Every problem runs in a process of its own, on one thread of linear algebra, and is
ended at twice its seconds; Julia starts and compiles before they begin. An engine that this machine
cannot run is left out, with the reason. With ``--networks`` the engines ask a trained network
(``benchmarks/recovery/networks.py``) and are judged by the truth; with ``--tolerance`` they look
for the cheapest formula whose largest error is within a part of the truth's range. The CSV is
written anew after each problem. Peers and libraries come with `pip install 'distill[bench]'`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

from publishing import conditions, record
from recovery import report
from recovery.problems import RecoveryProblem, load, names
from recovery.solving import COMPILING, Outcome, Task

from distill.engines.registry import ENGINES
from distill.errors import ConfigError, DistillError

STARTING = 20.0
"""Seconds that Python, the libraries and the judge may take beside the search."""

ALONE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def chosen(groups: Sequence[str], only: Sequence[str]) -> list[RecoveryProblem]:
    """The problems of these sets, or those of them that have these names.

    Raises
    ------
    ConfigError : for an unknown set or name.
    """
    every = names() if "all" in groups else groups
    problems = [problem for group in every for problem in load(group)]
    known = {problem.name for problem in problems}
    for name in only:
        if name not in known:
            raise ConfigError(
                f"`{name}` is no problem of {', '.join(every)}.",
                where="option `--only`",
                hint="names stand in benchmarks/recovery/sets.",
            )
    return [p for p in problems if not only or p.name in only]


def usable(engines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those that can run here, and a line on each of the others: why not, and what to do."""
    lacking = {e: ENGINES[e].lacks() for e in engines if e in ENGINES}
    left_out = [f"{engine} is left out: {reason}" for engine, reason in lacking.items() if reason]
    return [engine for engine in engines if not lacking.get(engine)], left_out


def limit_of(task: Task) -> float:
    """Seconds after which its process is ended."""
    return 2 * task.seconds + STARTING + COMPILING.get(task.engine, 0.0)


def outcome_of(task: Task) -> Outcome:
    """Solve a task in a process of its own; a killed or crashed one is an outcome that says so."""
    here = Path(__file__).parent
    process = subprocess.Popen(
        [sys.executable, "-m", "recovery.solving", json.dumps(asdict(task))],
        env=os.environ | {"PYTHONPATH": str(here)} | dict.fromkeys(ALONE, "1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    note = ""
    try:
        answer, complaints = process.communicate(timeout=limit_of(task))
    except subprocess.TimeoutExpired:
        process.kill()
        answer, complaints = process.communicate()
        note = "ended: it took twice its seconds"
    lines = answer.splitlines()
    if lines and not note:
        return Outcome(**json.loads(lines[-1]))
    last = complaints.strip().splitlines()
    note = note or f"crashed: {last[-1] if last else process.returncode}"
    return Outcome(task.group, task.name, task.engine, note=note)


def run(tasks: Sequence[Task], jobs: int) -> Iterator[Outcome]:
    """The outcomes as they come."""
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(outcome_of, task) for task in tasks]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            # After Ctrl-C nothing new begins; what runs was interrupted as well.
            pool.shutdown(wait=False, cancel_futures=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line asks for and print the tables."""
    options = parser().parse_args(arguments)
    measured_on = conditions.now()
    engines, left_out = usable(options.engine.split(","))
    for reason in left_out:
        print(reason)
    tasks = [
        Task(
            group=problem.group,
            name=problem.name,
            engine=engine,
            seconds=options.seconds,
            threads=max(1, (os.cpu_count() or 1) // options.jobs),
            network=options.networks,
            fraction=options.tolerance,
            stop=options.stop,
        )
        for problem in chosen(options.set.split(","), options.only)
        for engine in engines
    ]
    outcomes: list[Outcome] = []
    try:
        for outcome in run(tasks, options.jobs):
            outcomes.append(outcome)
            print(report.line(outcome), flush=True)
            if options.csv:
                report.write_csv(outcomes, options.csv)
    except KeyboardInterrupt:
        print(f"interrupted after {len(outcomes)} of {len(tasks)}")
    outcomes.sort(key=lambda o: [(t.group, t.name, t.engine) for t in tasks].index(_key(o)))
    if options.csv and outcomes:
        report.write_csv(outcomes, options.csv)
    print()
    print(report.summary(outcomes, tolerance=options.tolerance > 0))
    if options.tolerance and outcomes:
        print()
        print(report.side_by_side(outcomes))
    if len(outcomes) == len(tasks):
        record.save(options.figures, measured_on, report.headlines(outcomes))


def _key(outcome: Outcome) -> tuple[str, str, str]:
    return outcome.group, outcome.name, outcome.engine


def parser() -> argparse.ArgumentParser:
    """The command line."""
    line = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    line.add_argument("--set", default="feynman", help=f"of {', '.join(names())}, or all")
    line.add_argument("--engine", default="structure,operon,gplearn")
    line.add_argument("--seconds", type=float, default=30.0, help="of search for each problem")
    line.add_argument("--jobs", type=int, default=1, help="problems at a time")
    line.add_argument("--only", nargs="*", default=[], metavar="NAME", help="these problems")
    line.add_argument("--networks", action="store_true", help="ask a trained network")
    line.add_argument(
        "--tolerance",
        type=float,
        nargs="?",
        const=1e-3,
        default=0.0,
        help="look for the cheapest formula within this part of the range (0.001)",
    )
    line.add_argument("--stop", action="store_true", help="end a search when the truth is found")
    line.add_argument("--csv", type=Path, help="where all outcomes are written")
    record.add_option(line)
    return line


if __name__ == "__main__":
    try:
        main()
    except DistillError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
