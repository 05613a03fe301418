"""How much faster a sweep of short jobs is on two processes, and what a job that is done costs.

    python benchmarks/sweep.py [--jobs 64] [--write docs/sweep-figures.md]

Each sweep is the whole command, from an empty folder: every job searches for a formula of one line,
judges, compiles and records it. The same sweep is then given again, when all of it is done.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from publishing import conditions, record

TEACHER = "def answer(x):\n    return 2 * x[:, 0] + x[:, 1] ** 2\n"

WORDS = (
    "teacher=function", "teacher.source=line:answer", "domain=box",
    "+domain.variables.x={low: 0, high: 1}", "+domain.variables.y={low: 0, high: 1}",
    "engine=polynomial", "engine.rounds=1", "score=quick", "target=host", "tracking=off",
    "tolerance=0.01", "export.verify_points=20000",
)  # fmt: skip

LAUNCHERS = {
    "one process": (),
    "two processes (joblib)": ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
}


@dataclass(frozen=True)
class Took:
    """Seconds of a sweep, and of the same command again."""

    first: float
    again: float


def sweep(folder: Path, jobs: int, launcher: tuple[str, ...]) -> float:
    """Seconds of one command."""
    command = [
        sys.executable, "-m", "distill.cli", "run", "--quiet", "-m", *WORDS,
        f"sampling.points=range(32,{32 + jobs})", *launcher,
    ]  # fmt: skip
    began = time.perf_counter()
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def measured(jobs: int, launcher: tuple[str, ...]) -> Took:
    """A sweep from nothing, and again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "line.py").write_text(TEACHER)
        return Took(sweep(folder, jobs, launcher), sweep(folder, jobs, launcher))


def page(jobs: int, took: dict[str, Took], measured_on: conditions.Conditions) -> str:
    """The figures as Markdown."""
    one = next(iter(took.values())).first
    rows = [
        f"| {name} | {each.first:.0f} s | {each.first / jobs:.2f} s | {one / each.first:.2f} | "
        f"{each.again:.1f} s |"
        for name, each in took.items()
    ]
    return "\n".join(
        [
            "# Figures of sweeps",
            "",
            "Written by `python benchmarks/sweep.py --write docs/sweep-figures.md`, not by hand.",
            "",
            f"{jobs} short jobs: search, scores, C for the host with its checks, no MLflow.",
            measured_on.text(),
            "",
            "| | all jobs | a job | times as fast | the same command again |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def figures(jobs: int, took: dict[str, Took]) -> Iterator[tuple[str, str]]:
    """What each launcher came to."""
    one = next(iter(took.values())).first
    for name, each in took.items():
        fast = "" if each.first == one else f", {one / each.first:.2f} times as fast"
        yield f"{jobs} short jobs, {name}", f"{each.first:.0f} s{fast}"
        yield f"the same command again, {name}", f"{each.again:.1f} s"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=64)
    parser.add_argument("--write", type=Path)
    record.add_option(parser)
    given = parser.parse_args()
    measured_on = conditions.now()
    took = {name: measured(given.jobs, launcher) for name, launcher in LAUNCHERS.items()}
    text = page(given.jobs, took, measured_on)
    print(text)
    if given.write:
        given.write.write_text(text, encoding="utf-8")
    record.save(given.figures, measured_on, figures(given.jobs, took))


if __name__ == "__main__":
    main()
