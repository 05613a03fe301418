"""Putting a study into MLflow: an experiment per teacher, a run per study, a child per candidate.

Logging can be repeated: runs are found by their tags and only what differs is written. A run
carries the digest of its content from the moment it is complete, so that a call after a crash
writes what is missing and no more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock

from distill.chain.closed_form import ClosedForm
from distill.engines.findings import lines
from distill.progress import Progress, Silent
from distill.tracking import entries
from distill.tracking.champion import champion_of, register_by_rule
from distill.tracking.drawings import Drawings, published_first
from distill.tracking.entries import DIGEST, ENGINE, ID, KEY, KIND, PARENT, STUDY
from distill.tracking.front_table import front_table
from distill.tracking.record import CandidateRecord, StudyRecord, digest
from distill.tracking.reproduction import REPRODUCTION_FILE, reproduction
from distill.tracking.runs import Content, Files, create, sync
from distill.tracking.store import EXPERIMENTS, Store, quiet, tracking_errors
from distill.tracking.strays import delete_strays
from distill.tracking.unfinished import Search, unfinished_runs
from distill.tracking.view import write_views

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

# A server is mostly waited for; a local store works in this process, one candidate after another.
_AT_ONCE = {"local": 1, "server": 4}


@dataclass(frozen=True, slots=True)
class Logged:
    """Where a study is in MLflow. ``run_ids`` maps candidates' ids to their runs.

    ``model_version`` is that of the chosen candidate in the registry, None without one.
    """

    experiment_id: str
    parent_run_id: str
    run_ids: Mapping[str, str]
    model_version: str | None


def log_study(
    record: StudyRecord, store: Store, progress: Progress | None = None, *, anew: bool = False
) -> Logged:
    """Log a study and all its candidates, or complete and update what is there of it.

    ``anew`` writes what is complete, too, because its files were lost.

    Raises
    ------
    TrackingError : when the store fails or its server is gone; call again later.
    """
    news = progress or Silent()
    with (
        tracking_errors(store),
        quiet("mlflow.store"),
        _one_at_a_time(store, record),
        Drawings(record) as drawn,
    ):
        client = store.client()
        experiment = ensure_experiment(client, store, record.teacher_name)
        runs = _runs_of(client, experiment, record.key)
        parent = runs.get((STUDY, ""))
        # The parent comes first and is complete last: children need its id.
        parent_id = _parent_id(client, experiment, record, parent)
        data = digest(record.to_data(), record.points.tobytes().hex(), record.truth.tobytes().hex())

        by_person = any(entries.chosen_by_person(run.data.tags) for run in runs.values())
        kept = entries.CHOICE if by_person else frozenset[str]()

        def write(candidate: CandidateRecord) -> str:
            content = _candidate_content(record, candidate, parent_id, drawn, kept)
            found = runs.get((candidate.id, candidate.engine))
            return sync(client, experiment, found, content, anew=anew)

        run_ids: dict[str, str] = {}
        with ThreadPoolExecutor(_AT_ONCE["local" if store.local else "server"]) as pool:
            candidates = published_first(record)
            writing = [pool.submit(write, candidate) for candidate in candidates]
            try:
                for i, (candidate, run) in enumerate(zip(candidates, writing, strict=True)):
                    news.advance(i / len(candidates), f"MLflow: {record.label(candidate)}")
                    run_ids[candidate.id] = run.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        version = None
        if record.chosen:
            chosen = champion_of(record, record.chosen, run_ids[record.chosen.id])
            version = register_by_rule(client, chosen)
        delete_strays(client, experiment, record.key, {parent_id, *run_ids.values()})
        # Before the study is complete: a server that dies here is asked for its views again.
        write_views(client, experiment, record, news)
        content = _study_content(record, data, drawn)
        sync(client, experiment, client.get_run(parent_id), content, anew=anew)
    return Logged(experiment, parent_id, run_ids, version)


def ensure_experiment(client: MlflowClient, store: Store, teacher_name: str) -> str:
    """The id of the teacher's experiment, made or brought back from deletion when needed.

    Safe when several processes do it at once.
    """
    from mlflow.exceptions import MlflowException

    name = EXPERIMENTS + teacher_name
    location = (store.artifacts / teacher_name).as_uri() if store.artifacts else None
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=location))
        except MlflowException:
            # Another process was faster; any other failure shows again in the next line.
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


@contextmanager
def _one_at_a_time(store: Store, record: StudyRecord) -> Iterator[None]:
    """Two processes that log one study to one local store would write its runs twice."""
    if store.artifacts is None:
        yield
        return
    locks = store.artifacts.parent / ".locks"
    locks.mkdir(exist_ok=True)
    with FileLock(locks / f"{record.key[:32]}.lock"):
        yield


def _runs_of(client: MlflowClient, experiment: str, key: str) -> dict[tuple[str, str], Run]:
    """The runs of a study: its own under (STUDY, ""), candidates under (id, engine).

    Of several the oldest that was ever complete counts, else the oldest.
    """
    runs: dict[tuple[str, str], Run] = {}
    token = None
    while True:
        page = client.search_runs(
            [experiment],
            f"tags.`{KEY}` = '{key}'",
            max_results=1000,
            order_by=["attributes.start_time DESC"],
            page_token=token,
        )
        for run in page:
            tags = run.data.tags
            study = tags.get(KIND) == STUDY
            place = (STUDY, "") if study else (tags.get(ID, ""), tags.get(ENGINE, ""))
            if place not in runs or DIGEST in tags or DIGEST not in runs[place].data.tags:
                runs[place] = run
        token = page.token
        if not token:
            return runs


def _parent_id(
    client: MlflowClient, experiment: str, record: StudyRecord, parent: Run | None
) -> str:
    """The study's own run: the one that is there, the one begun for its search, or a new one."""
    begun = unfinished_runs(client, experiment, Search.of(record))
    if parent is None and begun:
        parent = begun.pop(0)
        client.set_tag(parent.info.run_id, KEY, record.key)
    for run in begun:
        # Begun for what was logged before, because results on the disk were deleted, or a stray.
        client.delete_run(run.info.run_id)
    if parent is None:
        parent = create(client, experiment, record.name, entries.study_tags(record))
    return str(parent.info.run_id)


def _candidate_content(
    record: StudyRecord,
    candidate: CandidateRecord,
    parent_id: str,
    drawn: Drawings,
    kept: frozenset[str],
) -> Content:
    data = candidate.to_data()
    tags = entries.candidate_tags(record, candidate) | {PARENT: parent_id}

    def files(run_id: str) -> Files:
        return {
            entries.CANDIDATE_FILE: json.dumps({**data, "study": record.key}, indent=1),
            **_formula(candidate),
            **({"formula.c": candidate.c_source} if candidate.c_source else {}),
            **drawn.candidate(candidate, run_id),
        }

    return Content(
        name=entries.run_name(record, candidate),
        tags=tags,
        params=entries.candidate_params(candidate),
        metrics=entries.candidate_metrics(candidate),
        points=[],
        digest=digest(data, tags, record.tolerance, record.label(candidate)),
        files=files,
        once=kept,
    )


def _study_content(record: StudyRecord, data: str, drawn: Drawings) -> Content:
    table = front_table(record)
    columns = [list(row) for row in zip(*table.values(), strict=True)]

    def files(run_id: str) -> Files:
        return {
            entries.CONFIG_FILE: json.dumps(dict(record.config), indent=1),
            REPRODUCTION_FILE: json.dumps(reproduction(record), indent=1),
            "front.json": json.dumps({"columns": list(table), "data": columns}),
            **_findings(record),
            **drawn.study(),
        }

    # `MlflowClient.log_table` would append to the rows of an earlier call; this is its format.
    shown = json.dumps([{"path": "front.json", "type": "table"}])
    return Content(
        name=record.name,
        tags=entries.study_tags(record) | {"mlflow.loggedArtifacts": shown},
        params=entries.study_params(record),
        metrics=entries.study_metrics(record),
        points=entries.search_points(record),
        digest=data,
        files=files,
    )


def _findings(record: StudyRecord) -> Files:
    """What was found out about the teacher, for people and for programs; nothing without it."""
    if record.findings is None:
        return {}
    return {
        "findings.txt": "\n".join(lines(record.findings)) + "\n",
        "findings.json": json.dumps(record.findings.to_data(), indent=1),
    }


def _formula(candidate: CandidateRecord) -> Files:
    """The formula for typesetting; a closed form is not typeset."""
    if isinstance(candidate.formula, ClosedForm):
        return {}
    return {"formula.tex": candidate.formula.latex() + "\n"}
