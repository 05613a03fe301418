"""What a sweep on a cluster costs beside its jobs: starting them, and the tracking server's part.

python benchmarks/cluster_load.py                                # both, on a Slurm of one node
python benchmarks/cluster_load.py --parts slurm --tasks 64       # SLURM_CONF set: that cluster
python benchmarks/cluster_load.py --write docs/cluster-figures.md
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from publishing import conditions, record

if TYPE_CHECKING:
    from tests.servers.postgres import Postgres

sys.path.insert(0, str(Path(__file__).parents[1]))

HEAD = """\
# Figures of a cluster

Written by `python benchmarks/cluster_load.py --write docs/cluster-figures.md`; not edited by hand.
Processor seconds depend less on the load than seconds do. {conditions}
"""
SLURM = """
## Starting a task on Slurm

{tasks} tasks that do nothing for {slept:g} s, {slots} at a time, as elements of one array.

| | a task |
|---|---|
| Slurm, Python, submitit and Hydra: seconds beside its own | {wall:.2f} s |
| and loading distill, which a task does once for all its jobs | {loading:.2f} s |
| processor seconds of the two | {hydra:.2f} s, {cpu:.2f} s |
"""
TRACKING = """
## Logging a study to a server

MLflow over http on PostgreSQL, one worker process; {studies} studies of {candidates} candidates
each (report, plots, C and figures of every one, the chosen one registered), one after the other.

| a study | |
|---|---|
| seconds, of them processor seconds of the job | {seconds:.1f} s, {job:.1f} s |
| processor seconds of the server, and of PostgreSQL | {server:.2f} s, {database:.2f} s |
| requests | {requests:.0f} ({kinds}) |
| rows in PostgreSQL | {rows:.0f} ({tables}) |
| bytes in PostgreSQL, with indices | {bytes:.0f} KiB |
| files, and their bytes | {files:.0f}, {size:.0f} KiB |

So 10,000 such studies are {r10:.1f} million requests, {h10:.1f} hours of one server process,
{b10:.1f} GB in PostgreSQL and {f10:.0f} GB in {n10:.1f} million files.
"""
SLEPT, SLOTS = 1.0, 2


@dataclass(frozen=True)
class Start:
    """A task that notes when it began, with what a task of a sweep has loaded by then."""

    folder: Path

    def __call__(self, composed: object) -> None:
        """Note the processor time so far."""
        from hydra.core.hydra_config import HydraConfig

        called, began = time.process_time(), time.perf_counter()
        import distill.sweeping.task  # noqa: F401

        loading = time.perf_counter() - began
        said = {"hydra": called, "cpu": time.process_time(), "loading": loading}
        (self.folder / f"{HydraConfig.get().job.num}.json").write_text(json.dumps(said))
        time.sleep(SLEPT)


@contextmanager
def cluster() -> Iterator[None]:
    """The cluster of SLURM_CONF, or one of our own."""
    from tests.cluster.one_node import missing, one_node_slurm

    if "SLURM_CONF" not in os.environ and (reason := missing()):
        raise SystemExit(reason)
    with nullcontext() if "SLURM_CONF" in os.environ else one_node_slurm(cpus=SLOTS) as own:
        if own is not None:
            os.environ["SLURM_CONF"] = own.environment["SLURM_CONF"]
        yield


def slurm(tasks: int, folder: Path) -> str:
    """Start tasks, and see what that took."""
    from hydra import compose, initialize_config_dir
    from hydra._internal.callbacks import Callbacks
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import HydraContext

    from distill.config.folder import conf_directory
    from distill.sweeping.launch import launch

    words = ["hydra/launcher=slurm", f"hydra.launcher.array_parallelism={SLOTS}"]
    with cluster(), initialize_config_dir(str(conf_directory()), version_base="1.3"):
        config = compose("config", overrides=words, return_hydra_config=True)
        context = HydraContext(GlobalHydra.instance().config_loader(), Callbacks())
        began = time.time()
        launch(context, config, Start(folder), tasks, [], folder)
        wall = time.time() - began
    notes = [json.loads(file.read_text()) for file in folder.glob("*.json")]
    assert len(notes) == tasks
    mean = {key: sum(note[key] for note in notes) / tasks for key in notes[0]}
    return SLURM.format(
        tasks=tasks,
        slept=SLEPT,
        slots=SLOTS,
        wall=wall * SLOTS / tasks - SLEPT - mean["loading"],
        loading=mean["loading"],
        hydra=mean["hydra"],
        cpu=mean["cpu"] - mean["hydra"],
    )


def tracking(studies: int, candidates: int, folder: Path) -> str:
    """Log studies, and see what the server had to do for them."""
    from distill.tracking.log import log_study
    from distill.tracking.store import open_store
    from tests.servers.door import door
    from tests.servers.mlflow_server import mlflow_server, with_tables
    from tests.servers.postgres import postgres, programs
    from tests.tracking.conftest import make_study

    bin_ = programs()
    if bin_ is None:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    record = make_study(tuple(range(1, candidates)))
    asked: Counter[str] = Counter()

    def count(method: str, path: str) -> None:
        kind = path.partition("?")[0].rpartition("/mlflow/")[2].partition("/")[0]
        asked["files" if "mlflow-artifacts" in path else kind] += 1

    with postgres(bin_) as database:
        with_tables(database, "mlflow")
        with mlflow_server(database.uri("mlflow"), folder) as server, door(server.url) as gate:
            # The first one makes the experiment, and loads what all need.
            log_study(replace(record, key=f"{0:064x}"), open_store(folder, gate.url))
            gate.before = count
            assert database.process is not None  # it runs
            ids = [server.processes(), [database.process.pid]]
            before = (rows(database), size_of(database), tree(server.files), used(ids))
            began, own = time.perf_counter(), time.process_time()
            for number in range(1, studies + 1):
                log_study(replace(record, key=f"{number:064x}"), open_store(folder, gate.url))
            seconds, own = time.perf_counter() - began, time.process_time() - own
            after = (rows(database), size_of(database), tree(server.files), used(ids))
    new = {table: after[0][table] - before[0].get(table, 0) for table in after[0]}
    largest = sorted(new, key=lambda table: -new[table])[:4]
    each = {
        "seconds": seconds / studies,
        "job": own / studies,
        "server": (after[3][0] - before[3][0]) / studies,
        "database": (after[3][1] - before[3][1]) / studies,
        "requests": sum(asked.values()) / studies,
        "rows": sum(new.values()) / studies,
        "bytes": (after[1] - before[1]) / studies / 1024,
        "files": (after[2][0] - before[2][0]) / studies,
        "size": (after[2][1] - before[2][1]) / studies / 1024,
    }
    return TRACKING.format(
        **each,
        studies=studies,
        candidates=len(record.candidates),
        kinds=", ".join(f"{kind} {n / studies:.0f}" for kind, n in asked.most_common(4)),
        tables=", ".join(f"{table} {new[table] / studies:.0f}" for table in largest),
        r10=each["requests"] / 100,
        h10=each["server"] * 10_000 / 3600,
        b10=each["bytes"] / 100,
        f10=each["size"] / 100,
        n10=each["files"] / 100,
    )


def rows(database: Postgres) -> dict[str, int]:
    """How many rows each table has."""
    names = database.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", "mlflow")
    query = " UNION ALL ".join(f"SELECT '{n}', count(*) FROM {n}" for n in names.splitlines())
    lines = database.run(query, "mlflow").splitlines()
    return {name: int(count) for name, count in (line.split("\t") for line in lines)}


def size_of(database: Postgres) -> int:
    """Bytes of the database."""
    return int(database.run("SELECT pg_database_size('mlflow')"))


def tree(folder: Path) -> tuple[int, int]:
    """How many files a folder has, and their bytes."""
    sizes = [file.stat().st_size for file in folder.rglob("*") if file.is_file()]
    return len(sizes), sum(sizes)


def used(groups: list[list[int]]) -> list[float]:
    """Processor seconds of each group of processes, with those of their children."""
    ticks = os.sysconf("SC_CLK_TCK")
    spent: Counter[int] = Counter()
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # Behind the name, which may hold anything: state, parent, ..., four counts of ticks.
            fields = file.read_text().rpartition(")")[2].split()
            own, parent = int(file.parent.name), int(fields[1])
            for number, ids in enumerate(groups):
                if own in ids or parent in ids:
                    ended = fields[13:15] if own in ids else []
                    spent[number] += sum(map(int, [*fields[11:13], *ended]))
    return [spent[number] / ticks for number in range(len(groups))]


def main() -> int:
    """Print what was measured, and write the page where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=["slurm", "tracking"])
    parser.add_argument("--tasks", type=int, default=24)
    parser.add_argument("--studies", type=int, default=10)
    parser.add_argument("--candidates", type=int, default=20, help="of each study")
    parser.add_argument("--write", type=Path, help="also write the page here")
    record.add_option(parser)
    args = parser.parse_args()
    measured_on = conditions.now()
    page = HEAD.format(conditions=measured_on.text())
    print(page)
    for part in args.parts or ["slurm", "tracking"]:
        # Below /tmp, where PostgreSQL's user may enter it.
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if part == "slurm":
                found = slurm(args.tasks, folder)
            else:
                found = tracking(args.studies, args.candidates, folder)
        print(found, flush=True)
        page += found
    if args.write:
        args.write.write_text(page, encoding="utf-8")
    rows = [record.cells(line) for line in page.splitlines() if line.startswith("| ")]
    measured = ((row[0], row[1]) for row in rows if row[1:] not in ([""], ["a task"]))
    record.save(args.figures, measured_on, measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
