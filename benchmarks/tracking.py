"""MLflow with 200 candidates: how long logging takes, the prepared view, and parallel jobs.

python benchmarks/tracking.py                                    # logging, model, view
python benchmarks/tracking.py --sections parallel                # 24 writers, 10 times
python benchmarks/tracking.py --screenshot view.png              # keep what the browser showed
python benchmarks/tracking.py --write docs/tracking-figures.md   # everything

Of a machine that does other things besides, processor seconds say more than seconds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from publishing import conditions
from publishing import record as published

from distill.progress import Silent

if TYPE_CHECKING:
    from distill.arrays import Array
    from distill.domain import Domain
    from distill.engines.base import Candidate
    from distill.tracking.record import StudyRecord

READ_ME = """\
# Figures of tracking

Written by `python benchmarks/tracking.py --write docs/tracking-figures.md`; not edited by hand.

The study: the shipped teacher, {count} formulas, each scored at 20,000 points, and measured on
a PIC32 where `measure` does so. With everything means metrics, params,
tags, report, LaTeX, C and plots of each, the best one registered as a model.
Processor seconds (of this process, without a server's or a child's) depend less on the load than
seconds. {conditions}
"""

CANDIDATES = 200
WRITERS = 24
LOADED = 100
"""Runs that MLflow's pages load at first."""
SECONDS_LOGGED, SECONDS_AGAIN, SECONDS_VIEW = 15.0, 1.0, 5.0
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Clock:
    """Seconds and processor seconds of a block."""

    def __enter__(self) -> Clock:
        self._start = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._start[0]
        self.processor = time.process_time() - self._start[1]

    def row(self, what: str, target: str = "") -> str:
        """The row of a table."""
        return f"| {what} | {self.seconds:.2f} | {self.processor:.2f} | {target} |"


def polynomials(domain: Domain, x: Array, y: Array, count: int) -> list[Candidate]:
    """Least squares of y (n,) on drawn monomials of two inputs x (n, 2), ever more of them."""
    from distill.engines.base import Candidate
    from distill.formula import Formula

    rng = np.random.default_rng(0)
    powers = [(i, j) for i in range(5) for j in range(5)][1:]
    chances = np.array([0.6 ** (i + j) for i, j in powers])
    found: dict[str, Candidate] = {}
    while len(found) < count:
        terms = 1 + len(found) * 10 // count
        drawn = rng.choice(len(powers), terms, replace=False, p=chances / chances.sum())
        used = [(0, 0), *(powers[k] for k in sorted(drawn))]
        if rng.random() < 0.5:  # no two alike, where few terms leave few to draw
            used = used[1:]
        basis = np.column_stack([x[:, 0] ** i * x[:, 1] ** j for i, j in used])
        size = np.abs(basis).max(axis=0)
        weight = rng.uniform(0.2, 1, len(y))
        constants = (
            np.linalg.lstsq(basis / size * weight[:, None], y * weight, rcond=None)[0] / size
        )
        pieces = [
            "*".join(
                [f"({c:.9g})", *(f"{n}^{e}" for n, e in zip(domain.names, used_, strict=True) if e)]
            )
            for c, used_ in zip(constants.tolist(), used, strict=True)
        ]
        candidate = Candidate(
            Formula.parse(" + ".join(pieces), domain), "polynomial", f"{terms} terms"
        )
        found[candidate.id] = candidate
    return list(found.values())


def study_of(count: int) -> StudyRecord:
    """The record of a study with so many candidates, as a run has it before it is logged."""
    from distill.config.folder import read_option
    from distill.config.schema import (
        ExportConfig,
        SamplingConfig,
        ScoreConfig,
        SelectConfig,
        StudyConfig,
    )
    from distill.firmware.target import load_target
    from distill.scoring.pareto import front
    from distill.stages.measure import measure
    from distill.stages.sample import sample
    from distill.stages.score import score
    from distill.stages.select import select
    from distill.study.choice import Choice, StudyContext
    from distill.study.slicing import draw
    from distill.study.study import Study
    from distill.teachers.load import load_teacher

    news, tolerance = Silent(), 1.0
    teacher = load_teacher("wet_bulb")
    domain = teacher.domain
    assert domain is not None  # shipped teachers have one
    config = StudyConfig(target=read_option("target", "pic32"), tolerance=tolerance)
    config.teacher.source = "wet_bulb"
    context = StudyContext(config, teacher, domain, 0)
    asked = sample(SamplingConfig(points=2048), teacher, domain, 0, news)
    found = polynomials(domain, asked.x, context.truth(asked.x), count)
    points = ScoreConfig(points=20_000)
    scored = score(points, asked, found, [], teacher, 0, None, tolerance, news)
    target = load_target(config.target)
    costs = measure(target, ExportConfig(), scored, domain, tolerance, news)
    selection = select(SelectConfig(), tolerance, "degC", scored, costs, target)
    # All are logged, not the front alone: a front of 200 is what a long search of PySR comes to.
    choices = tuple(
        Choice(c, scored.scores[c.id], costs.known.get(c.id), True, context)
        for c in scored.candidates
    )
    study = Study(context, "benchmark", choices, selection, (), (scored.x, scored.y))
    record = replace(study.record("be" * 32), slices=draw(study, None).slices)
    best = set(front([(c.formula.complexity, c.score.max_error) for c in record.candidates]))
    return replace(
        record,
        candidates=tuple(replace(c, on_front=i in best) for i, c in enumerate(record.candidates)),
    )


def logging(record: StudyRecord, root: Path) -> Iterator[str]:
    """A new store, everything into it, and once more."""
    from distill.tracking.log import log_study
    from distill.tracking.store import open_store

    yield "| | seconds | processor seconds | target |"
    yield "|---|---|---|---|"
    with Clock() as clock:
        store = open_store(root)
    yield clock.row("make the store, with importing MLflow")
    with Clock() as clock:
        logged = log_study(record, store)
    count = len(record.candidates)
    yield clock.row(f"log {count} candidates with everything", f"{SECONDS_LOGGED:g} s when idle")
    with Clock() as clock:
        again = log_study(record, store)
    yield clock.row("log them again: nothing to do", f"{SECONDS_AGAIN:g} s when idle")
    if again != logged:
        raise SystemExit("the second call logged something else than the first")


def model(record: StudyRecord, root: Path) -> Iterator[str]:
    """The registered model: its files, and how long they take on their way."""
    from distill.tracking.champion import champion_of, save_model
    from distill.tracking.store import open_store
    from distill.tracking.ui import running

    store = open_store(root)
    champion = champion_of(record, record.chosen or record.candidates[-1], "0" * 32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        with Clock() as saved:
            save_model(champion, path)
        files = [f for f in path.rglob("*") if f.is_file()]
        yield f"{len(files)} files, {sum(f.stat().st_size for f in files) / 1024:,.0f} KiB.\n"
        yield "| | seconds | processor seconds | target |"
        yield "|---|---|---|---|"
        yield saved.row("write it")
        client = store.client()
        experiment = client.get_experiment_by_name(f"distill/{record.teacher_name}")
        assert experiment is not None  # the study was logged
        run = client.create_run(experiment.experiment_id).info.run_id
        with Clock() as clock:
            client.log_artifacts(run, str(path), "model")
        yield clock.row("put it into a local store")
        client.delete_run(run)
        with running(store, free_port()) as server:
            far = open_store(root, server.url).client()
            made = far.create_experiment("proxied", artifact_location="mlflow-artifacts:/proxied")
            run = far.create_run(made).info.run_id
            with Clock() as clock:
                far.log_artifacts(run, str(path), "model")
            yield clock.row("put it into a server over http, which keeps the files")
            far.delete_experiment(made)
    with Clock() as clock:
        command = "import mlflow; mlflow.pyfunc.load_model"
        champion_uri = f"models:/distill-{record.teacher_name}@champion"
        subprocess.run(
            [sys.executable, "-c", f"{command}({champion_uri!r})"], check=True,
            env=os.environ | {"MLFLOW_TRACKING_URI": store.uri, "MLFLOW_REGISTRY_URI": store.uri},
            capture_output=True,
        )  # fmt: skip
    yield clock.row("load it in a new process, with importing MLflow")


def view(record: StudyRecord, root: Path, screenshot: Path | None) -> Iterator[str]:
    """The prepared view in Debian's Chromium, until a scatter shows its points."""
    from playwright.sync_api import sync_playwright

    from distill.tracking.store import open_store
    from distill.tracking.ui import running
    from distill.tracking.view import runs_url, view_key, view_url

    store = open_store(root)
    name = f"distill/{record.teacher_name}"
    known = store.client().get_experiment_by_name(name)
    assert known is not None  # the study was logged
    experiment = known.experiment_id
    yield (
        f"Until the scatter shows the {LOADED} runs that MLflow loads at once, the front first. "
        "MLflow's own list of runs is what its pages take before there is any chart.\n"
    )
    yield "| | seconds | target |"
    yield "|---|---|---|"
    with running(store, free_port()) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        start = time.perf_counter()
        page.goto(runs_url(server.url, experiment))
        page.wait_for_selector("a[href*='/runs/']", timeout=120_000)
        yield f"| MLflow's own list of runs | {time.perf_counter() - start:.2f} | |"
        page.close()
        link = view_url(server.url, experiment, view_key(record.key))
        for visit in ("first visit", "second visit"):
            page = browser.new_page(viewport={"width": 1600, "height": 1000})
            start = time.perf_counter()
            page.goto(link)
            page.wait_for_function(
                "Math.max(0, ...[...document.querySelectorAll('.js-plotly-plot')].map(plot =>"
                "  (plot.data || []).filter(d => (d.type || '').startsWith('scatter'))"
                "    .reduce((sum, d) => sum + (d.x || []).length, 0)))"
                f" >= {min(LOADED, len(record.candidates))}",
                timeout=120_000,
            )
            yield f"| {visit} | {time.perf_counter() - start:.2f} | {SECONDS_VIEW:g} s when idle |"
            if screenshot:
                page.wait_for_timeout(3000)
                page.screenshot(path=screenshot)
            page.close()
        browser.close()


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from distill.tracking.log import log_study
from distill.tracking.record_folder import load_record
from distill.tracking.store import open_store
record, number = load_record(Path(sys.argv[1])), int(sys.argv[3])
record = replace(record, key=f"{number:064x}", teacher_name=f"teacher_{number % 3}")
log_study(record, open_store(Path(sys.argv[2])))
"""


def parallel(record: StudyRecord, root: Path, repetitions: int) -> Iterator[str]:
    """Writers of one study each, of three teachers, that begin together on one fresh store."""
    from distill.tracking.record_folder import save_record
    from distill.tracking.store import open_store

    few = replace(record, candidates=record.candidates[-3:])
    save_record(few, root / "few")
    lost = wrong = failed = 0
    with Clock() as clock:
        for repetition in range(repetitions):
            place = root / f"parallel-{repetition}"
            place.mkdir()
            jobs = [
                subprocess.Popen(
                    [sys.executable, "-c", WRITER, str(root / "few"), str(place), str(k)]
                )
                for k in range(WRITERS)
            ]
            failed += sum(job.wait() != 0 for job in jobs)
            client = open_store(place).client()
            for experiment in client.search_experiments():
                for run in client.search_runs([experiment.experiment_id], max_results=1000):
                    tags = run.data.tags
                    wrong += (
                        experiment.name != f"distill/teacher_{int(tags['distill.key'], 16) % 3}"
                    )
                    lost -= run.info.status == "FINISHED"
            lost += WRITERS * (1 + len(few.candidates))
    yield (
        f"{WRITERS} processes with a study each into one fresh store, {repetitions} times: "
        f"**{failed} failed, {lost} runs lost or incomplete, {wrong} in the wrong experiment**; "
        f"{clock.seconds / repetitions:.0f} s each time."
    )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """Print the sections asked for, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ("logging", "model", "view", "parallel")
    parser.add_argument("--sections", nargs="+", choices=names)
    parser.add_argument("--candidates", type=int, default=CANDIDATES)
    parser.add_argument("--repetitions", type=int, default=10, help="of the parallel jobs")
    parser.add_argument("--record", type=Path, help="keep the study here and take it from here")
    parser.add_argument("--screenshot", type=Path, help="what the browser showed")
    parser.add_argument("--write", type=Path, help="also write the page here")
    published.add_option(parser)
    args = parser.parse_args()
    wanted = args.sections or (names if args.write else names[:3])
    measured_on = conditions.now()
    record = recorded(args.record, args.candidates)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        sections: dict[str, tuple[str, Callable[[], Iterator[str]]]] = {
            "logging": ("Logging into a new local store", lambda: logging(record, root)),
            "model": ("The registered model", lambda: model(record, root)),
            "view": ("The prepared view", lambda: view(record, root, args.screenshot)),
            "parallel": ("Parallel jobs", lambda: parallel(record, root, args.repetitions)),
        }
        if "logging" not in wanted and set(wanted) & {"model", "view"}:
            list(logging(record, root))
        lines = []
        for name in wanted:
            title, run = sections[name]
            lines += ["", f"## {title}", ""]
            print("\n".join(lines[-3:]), flush=True)
            for line in run():
                print(line, flush=True)
                lines.append(line)
    if args.write:
        head = READ_ME.format(count=args.candidates, conditions=measured_on.text())
        args.write.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    published.save(args.figures, measured_on, headlines(lines))
    return 0


def headlines(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The rows that have a target, and what became of parallel jobs."""
    for line in lines:
        row = published.cells(line)
        if line.startswith("|") and row[-1].endswith("when idle"):
            name = f"the prepared view, {row[0]}" if row[0].endswith("visit") else row[0]
            yield name, f"{row[1]} s (target {row[-1]})"
        if line.startswith(f"{WRITERS} processes"):
            name, _, found = line.partition(": ")
            yield name, found.replace("**", "").rstrip(".")


def recorded(folder: Path | None, count: int) -> StudyRecord:
    """The study, made anew unless it is kept in the folder."""
    from distill.tracking.record_folder import load_record, save_record

    if folder is None:
        return study_of(count)
    if not (folder / "study.json").exists():
        save_record(study_of(count), folder)
    return load_record(folder)


if __name__ == "__main__":
    sys.exit(main())
