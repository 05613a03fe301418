"""Jobs that log a study each into one fresh store at once: is all of it there, where it belongs?

python benchmarks/parallel_writers.py                                   # the local store
python benchmarks/parallel_writers.py --stores sqlite server            # and MLflow on PostgreSQL
python benchmarks/parallel_writers.py --write docs/parallel-writers.md  # both
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.synchronize import Barrier
from pathlib import Path

from publishing import conditions
from publishing import record as published

sys.path.insert(0, str(Path(__file__).parents[1]))

from mlflow import MlflowClient

from distill.errors import DistillError
from distill.tracking import drawings
from distill.tracking.log import log_study
from distill.tracking.record import StudyRecord
from distill.tracking.store import open_store
from tests.servers.mlflow_server import mlflow_server, with_tables
from tests.servers.postgres import postgres, programs
from tests.tracking.conftest import make_study

READ_ME = """\
# Parallel writers

Written by `python benchmarks/parallel_writers.py --write docs/parallel-writers.md`; not edited by
hand.

{writers} processes begin at the same moment on a store that has no experiment yet (the local one
does not even exist). Each logs a study of its own: its run, candidates ({candidates} in each) with
report and plots, the chosen one as a version of a registered model. They are of {teachers}
teachers, so that many write into one experiment and make versions of one model. Looked for
afterwards: runs that are missing, doubled, unfinished or in another teacher's experiment; versions
that are missing or doubled; aliases that are not on the newest version. {conditions}

| store | repetitions | studies logged | failed | runs lost or doubled | in the wrong experiment | \
versions wrong | seconds each |
|---|---|---|---|---|---|---|---|
"""
WRITERS, TEACHERS, REPETITIONS = 24, 3, 10


@dataclass(frozen=True)
class Found:
    """What went wrong in a repetition, and its seconds."""

    failed: int
    runs: int
    strangers: int
    versions: int
    seconds: float


def teacher_of(number: int) -> str:
    """The teacher of a writer's study."""
    return f"teacher_{number % TEACHERS}"


def write(record: StudyRecord, root: Path, uri: str | None, number: int, start: Barrier) -> None:
    """One job: wait for all others, then log a study of its own."""
    own = replace(record, key=f"{number:064x}", teacher_name=teacher_of(number))
    start.wait()
    try:
        log_study(own, open_store(root, uri))
    except DistillError as error:
        print(f"writer {number}: {error}", file=sys.stderr, flush=True)
        raise SystemExit(error.exit_code) from None


def repeat(record: StudyRecord, root: Path, uri: str | None, writers: int) -> Found:
    """All writers at once on a fresh store, and what is there afterwards."""
    # Forked, so that the libraries are there and the writers meet in the store, not before.
    context = multiprocessing.get_context("fork")
    start = context.Barrier(writers)
    jobs = [
        context.Process(target=write, args=(record, root, uri, number, start))
        for number in range(writers)
    ]
    began = time.perf_counter()
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    seconds = time.perf_counter() - began
    failed = sum(job.exitcode != 0 for job in jobs)
    return Found(failed, *check(open_store(root, uri).client(), record, writers), seconds)


def check(client: MlflowClient, record: StudyRecord, writers: int) -> tuple[int, int, int]:
    """How many runs are missing, doubled or unfinished, in a wrong experiment; versions wrong."""
    each = 1 + len(record.candidates)
    runs = strangers = versions = 0
    for name in map(teacher_of, range(TEACHERS)):
        keys = {f"{n:064x}" for n in range(writers) if teacher_of(n) == name}
        experiment = client.get_experiment_by_name(f"distill/{name}")
        assert experiment is not None  # every teacher has one
        found = client.search_runs([experiment.experiment_id], max_results=10_000)
        ours = [run for run in found if run.data.tags.get("distill.key") in keys]
        strangers += len(found) - len(ours)
        for key in keys:
            finished = [
                run.data.tags.get("distill.candidate", "")
                for run in ours
                if run.data.tags["distill.key"] == key and run.info.status == "FINISHED"
            ]
            # Lost ones and doubled ones alike.
            runs += abs(each - len(set(finished))) + len(finished) - len(set(finished))
        runs += sum(run.info.status != "FINISHED" for run in ours)
        model = f"distill-{name}"
        made = client.search_model_versions(f"name = '{model}'")
        chosen = {run.info.run_id for run in ours if run.data.tags.get("distill.chosen") == "true"}
        versions += abs(len(made) - len(keys)) + len(chosen - {v.run_id for v in made})
        newest = max((int(v.version) for v in made), default=0)
        aliased = client.get_model_version_by_alias(model, "champion")
        versions += int(aliased.version) != newest
    others = [e for e in client.search_experiments() if not e.name.startswith("distill/")]
    strangers += len(client.search_runs([e.experiment_id for e in others], max_results=10_000))
    return runs, strangers, versions


def small(candidates: int) -> StudyRecord:
    """A study with few candidates, one of them chosen."""
    study = make_study(tuple(range(1, candidates + 1)))
    return replace(study, candidates=study.candidates[:-1])


@contextmanager
def local(folder: Path) -> Iterator[Iterator[tuple[Path, str | None]]]:
    """Local stores, none of which exists."""
    yield ((folder / f"results-{number}", None) for number in itertools.count())


@contextmanager
def server(folder: Path) -> Iterator[Iterator[tuple[Path, str | None]]]:
    """MLflow over http with an empty PostgreSQL behind it, again and again."""
    programs_ = programs()
    if programs_ is None:
        raise SystemExit("PostgreSQL is not installed: apt install postgresql")
    with postgres(programs_) as cluster:
        with_tables(cluster, "template_of_mlflow")

        def emptied() -> Iterator[tuple[Path, str | None]]:
            while True:
                cluster.replace("mlflow", "template_of_mlflow")
                yield folder, running.url

        cluster.replace("mlflow", "template_of_mlflow")
        with mlflow_server(cluster.uri("mlflow"), folder, workers=1) as running:
            yield emptied()


STORES = {"sqlite": local, "server": server}
NAMES = {"sqlite": "local sqlite", "server": "MLflow over http, PostgreSQL"}


def headline(row: str) -> tuple[str, str]:
    """What became of a store's studies."""
    store, repetitions, studies, *wrong, seconds = published.cells(row)
    name = f"{studies} studies by parallel writers, {repetitions} times on a fresh store, {store}"
    return name, f"{sum(map(int, wrong))} failed, lost or misplaced; {seconds} s each time"


def main() -> int:
    """Print a row for each store, and write the page where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", nargs="+", choices=STORES)
    parser.add_argument("--writers", type=int, default=WRITERS)
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--candidates", type=int, default=1, help="of each study")
    parser.add_argument("--write", type=Path, help="also write the page here")
    published.add_option(parser)
    args = parser.parse_args()
    kinds = args.stores or (list(STORES) if args.write else ["sqlite"])
    measured_on = conditions.now()
    record, rows = small(args.candidates), []
    vars(drawings)["front_images"] = lambda record: {}  # the store is asked, not the processor
    with tempfile.TemporaryDirectory() as folder:
        log_study(record, open_store(Path(folder)))  # what writers load, they find loaded
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder, STORES[kind](Path(folder)) as stores:
            found = []
            for root, uri in itertools.islice(stores, args.repetitions):
                found.append(repeat(record, root, uri, args.writers))
                print(kind, found[-1], flush=True)
        sums = (sum(each) for each in zip(*map(dataclasses.astuple, found), strict=True))
        failed, runs, strangers, versions, seconds = sums
        rows.append(
            f"| {NAMES[kind]} | {len(found)} | {len(found) * args.writers} | {failed:.0f} "
            f"| {runs:.0f} | {strangers:.0f} | {versions:.0f} | {seconds / len(found):.0f} |"
        )
        print(rows[-1], flush=True)
    if args.write:
        head = READ_ME.format(
            writers=args.writers,
            teachers=TEACHERS,
            candidates=args.candidates,
            conditions=measured_on.text(),
        )
        args.write.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    published.save(args.figures, measured_on, map(headline, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
