"""What all but the search costs: seconds and peak memory of each part, and how they grow.

    python benchmarks/overhead.py            # the split for 100 candidates on 100,000 points
    python benchmarks/overhead.py --growth   # with points, candidates and inputs, one at a time

Each case runs in a process of its own, so that its peak memory is its own. Seconds depend on the
machine; the growth tables are to be read as ratios within one run. Growth of at most the factor in
the first column is linear or better.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
from publishing import conditions, record

if TYPE_CHECKING:
    from distill.domain import Domain
    from distill.engines.base import Candidate
    from distill.stages.score import Scored
    from distill.teachers.checked import Checked

POINTS = [1_000, 10_000, 100_000, 1_000_000, 10_000_000]
CANDIDATES = [10, 30, 100, 300, 1_000]
INPUTS = [1, 2, 5, 10, 20]


def wave(x: np.ndarray) -> np.ndarray:
    """A smooth teacher of any number of inputs, (n, d) -> (n,)."""
    answers: np.ndarray = np.sin(x).sum(axis=1) + x[:, 0] * x[:, -1]
    return answers


@contextmanager
def timed(split: dict[str, float], part: str) -> Iterator[None]:
    """Add the seconds of the block to a part of the split."""
    started = time.perf_counter()
    yield
    split[part] = split.get(part, 0.0) + time.perf_counter() - started


def candidates_for(domain: Domain, count: int, seed: int = 0) -> list[Candidate]:
    """Polynomials of growing length with constants fitted by nobody: only their cost matters."""
    from distill.engines.base import Candidate
    from distill.formula import Formula

    rng = np.random.default_rng(seed)
    names = domain.names
    found = []
    for i in range(count):
        terms = [
            f"{rng.normal():.6g}*{names[rng.integers(len(names))]}^{rng.integers(1, 4)}"
            f"*{names[rng.integers(len(names))]}"
            for _ in range(1 + i % 12)
        ]
        text = f"{rng.normal():.6g} + " + " + ".join(terms)
        found.append(Candidate(Formula.parse(text, domain), "benchmark", f"number {i}"))
    return found


def case(points: int, candidates: int, inputs: int, whole: bool) -> dict[str, object]:
    """Run one case in this process: sampling and scoring, or (whole) everything to the evidence."""
    from distill.config.schema import SamplingConfig, ScoreConfig
    from distill.domain import Domain
    from distill.progress import Silent
    from distill.stages.sample import sample
    from distill.stages.score import score
    from distill.teachers.load import load_teacher

    split: dict[str, float] = {}
    if whole:
        teacher = load_teacher("wet_bulb")
    else:
        box = Domain.box(**{f"x{i}": (0, 2) for i in range(inputs)})
        teacher = load_teacher(wave, domain=box)
    domain = teacher.domain
    assert domain is not None  # shipped teachers have one
    silent = Silent()
    with timed(split, "sample"):
        sampling = SamplingConfig(points=points if not whole else 2048)
        drawn = sample(sampling, teacher, domain, 0, silent)
    found = candidates_for(domain, candidates)
    with timed(split, "score"):
        scored = score(ScoreConfig(points=points), drawn, found, [], teacher, 0, None, 0.1, silent)
    if whole:
        _whole(split, teacher, domain, scored)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {"split": split, "peak_mib": peak, "children_mib": children}


def _whole(split: dict[str, float], teacher: Checked, domain: Domain, scored: Scored) -> None:
    """Measure, log to MLflow, export and verify, all 100 candidates logged."""
    from distill.config.folder import read_option
    from distill.config.schema import ExportConfig, SelectConfig, StudyConfig
    from distill.delivery import scalar
    from distill.firmware.target import load_target
    from distill.progress import Silent
    from distill.stages.measure import measure
    from distill.stages.select import select
    from distill.study.choice import Choice, StudyContext
    from distill.study.study import Study
    from distill.tracking.log import log_study
    from distill.tracking.store import open_store

    silent = Silent()
    target = load_target(read_option("target", "pic32"))
    with timed(split, "measure"):
        costs = measure(target, ExportConfig(), scored, domain, 0.1, silent)
    with timed(split, "select"):
        selection = select(SelectConfig(), 0.1, "degC", scored, costs, target)
    config = StudyConfig(target=read_option("target", "pic32"))
    config.teacher.source = "wet_bulb"
    context = StudyContext(config, teacher, domain, 0)
    study = Study(
        context=context,
        key="benchmark",
        choices=tuple(
            Choice(c, scored.scores[c.id], costs.known.get(c.id), True, context)
            for c in scored.candidates
        ),
        selection=selection,
        history=(),
        points=(scored.x, scored.y),
    )
    with tempfile.TemporaryDirectory() as folder:
        with timed(split, "export"):
            plan = scalar.ExportPlan(
                None, None, domain, 0, 0.1, ExportConfig(), {"generator": "benchmark"}
            )
            exported = scalar.export(plan, teacher, target, silent)
            scalar.EXPORT.save(exported, Path(folder))
        with timed(split, "verify"):
            scalar.verify(exported.spec, Path(folder), teacher, 0, target, 1_000_000, silent)
        with timed(split, "mlflow"):
            log_study(study.record("benchmark"), open_store(Path(folder)))


def run(**case_of: object) -> SimpleNamespace:
    """One case in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--case", json.dumps(case_of)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr)
    return SimpleNamespace(**json.loads(done.stdout.splitlines()[-1]))


def show_split(figures: Path | None) -> None:
    """All but the search, 100 candidates on 100,000 points."""
    measured_on = conditions.now()
    result = run(points=100_000, candidates=100, inputs=2, whole=True)
    print("100 candidates, 100,000 fresh points, wet_bulb, pic32\n")
    for part, seconds in result.split.items():
        print(f"  {part:<10}{seconds:8.1f} s")
    print(f"  {'together':<10}{sum(result.split.values()):8.1f} s")
    print(f"\n  peak memory {result.peak_mib:,.0f} MiB (largest child {result.children_mib:,.0f})")
    what = "100 candidates, 100,000 fresh points, wet_bulb, pic32"
    seconds = [(part, f"{took:.1f} s") for part, took in result.split.items()]
    together = (f"all but the search: {what}", f"{sum(result.split.values()):.1f} s")
    memory = ("peak memory", f"{result.peak_mib:,.0f} MiB")
    record.save(figures, measured_on, [together, *seconds, memory])


def show_growth() -> None:
    """Sampling and scoring as one of points, candidates and inputs grows."""
    base = {"points": 100_000, "candidates": 100, "inputs": 2, "whole": False}
    for name, values in (("points", POINTS), ("candidates", CANDIDATES), ("inputs", INPUTS)):
        print(f"\n{name:>12}  {'factor':>8}  {'sample s':>9}  {'score s':>9}  {'x':>6}  {'MiB':>7}")
        before = None
        for value in values:
            few = {"candidates": 10} if name == "points" else {}
            result = run(**{**base, **few, name: value})
            total = sum(result.split.values())
            factor = f"x{value / before[0]:.1f}" if before else ""
            grown = f"x{total / before[1]:.1f}" if before else ""
            print(
                f"{value:>12,}  {factor:>8}  {result.split['sample']:>9.2f}  "
                f"{result.split['score']:>9.2f}  {grown:>6}  {result.peak_mib:>7,.0f}"
            )
            before = (value, total)


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--growth", action="store_true", help="how time and memory grow")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    record.add_option(parser)
    arguments = parser.parse_args()
    if arguments.case:
        print(json.dumps(case(**json.loads(arguments.case))))
    elif arguments.growth:
        show_growth()
    else:
        show_split(arguments.figures)


if __name__ == "__main__":
    main()
