"""Stand-ins for jobs: what a run says of itself, and a made-up function that sweeps search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser

from distill.config.schema import PruningConfig
from distill.sweeping.adaptive.source import AdaptiveSource
from distill.sweeping.adaptive.space import Space, space_of
from distill.sweeping.adaptive.trials import Search
from distill.sweeping.folder import SweepFolder
from distill.sweeping.jobs import Job
from distill.sweeping.record import JobRecord

WORDS = ("engine=operon,structure", "sampling.points=tag(log,interval(256,4096))",
         "engine.max_complexity=range(10,40)")  # fmt: skip


def space(*words: str, config: Mapping[str, Any] | None = None) -> Space:
    return space_of(OverridesParser.create().parse_overrides(list(words)), config or {})


def candidate(
    error: float | None, instructions: float | None = 50.0, **more: Any
) -> dict[str, Any]:
    return {
        "id": "c", "formula": "x", "complexity": 5, "engine": "operon", "on_front": True,
        "within_tolerance": True, "max_error": error, "certified_error": None, "rmse": 0.01,
        "agreement": None, "instructions": instructions, "flash_bytes": 100, "measured": True,
        **more,
    }  # fmt: skip


def study(chosen: Mapping[str, Any] | None, others: Sequence[Any] = ()) -> dict[str, Any]:
    candidates = [*([chosen] if chosen else []), *others]
    return {"tolerance": 0.1, "unit": "", "chosen": chosen, "candidates": candidates}


def done(job: Job, *studies: Mapping[str, Any], seconds: float = 1.0) -> JobRecord:
    return JobRecord(job, "done", seconds=seconds, result={"studies": list(studies)})


def worked(job: Job) -> JobRecord:
    """A job of the space WORDS: more points are more accurate, more nodes slower."""
    values = dict(word.split("=") for word in job.overrides)
    points, nodes = int(values["sampling.points"]), int(values["engine.max_complexity"])
    error = 100 / points + (0.02 if values["engine"] == "operon" else 0.0) + 0.2 / nodes
    return done(job, study(candidate(error, 10.0 * nodes) if error <= 0.1 else None,
                           [candidate(error, 10.0 * nodes)]))  # fmt: skip


def source(
    folder: SweepFolder, trials: int = 12, words: Sequence[str] = WORDS, **more: Any
) -> AdaptiveSource:
    search = Search(
        space(*words),
        tuple(more.pop("objectives", ("max_error", "instructions"))),
        trials,
        more.pop("seed", 0),
        more.pop("pruning", PruningConfig()),
    )
    given = {"storage": None, "attempts": 2, "session": "first", "tolerance": 0.1, **more}
    return AdaptiveSource(folder, search, **given)


def run(adaptive: AdaptiveSource, task: int = 0) -> list[Job]:
    """What a worker does, with the made-up function for jobs."""
    jobs = []
    for job in adaptive.jobs(task):
        jobs.append(job)
        record = worked(job)
        adaptive.folder.keep(record)
        adaptive.tell(record)
    return jobs
