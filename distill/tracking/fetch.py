"""Getting back what a person picked in MLflow, a candidate or a study, from its artifacts alone."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distill.errors import DistillError, TrackingError
from distill.reading import json_of
from distill.tracking.entries import CANDIDATE_FILE, CONFIG_FILE, KEY, PARENT
from distill.tracking.record import CandidateRecord
from distill.tracking.references import find_candidate, find_study_run
from distill.tracking.reproduction import REPRODUCTION_FILE
from distill.tracking.reproduction import VERSION as REPRODUCTION_VERSION
from distill.tracking.store import Store, tracking_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True)
class CandidateRun:
    """A candidate as it was logged, the config of its study and where both came from.

    ``tags`` are those of the candidate's run, ``study_run_id`` is the run of its study.
    """

    run_id: str
    run_name: str
    study_run_id: str
    study_key: str
    candidate: CandidateRecord
    config: Mapping[str, Any]
    tags: Mapping[str, str]


def load_candidate_run(reference: str, store: Store) -> CandidateRun:
    """Read the candidate that is meant (see :mod:`distill.tracking.references`).

    Raises
    ------
    TrackingError : when there is none or several are meant, or its files are gone or broken.
    """
    with tracking_errors(store):
        client = store.client()
        run = find_candidate(client, reference, store)
        run_id, tags = run.info.run_id, run.data.tags
        where = f"run {run_id} in {store.uri}"
        again = f"`distill sync study={tags[KEY][:16]}` logs the study again."
        data = _read(client, run_id, CANDIDATE_FILE, where, again)
        study = f"run {tags[PARENT]} in {store.uri}"
        config = _read(client, tags[PARENT], CONFIG_FILE, study, again)
    try:
        candidate = CandidateRecord.from_data(data)
    except (DistillError, KeyError, TypeError, ValueError) as error:
        raise TrackingError(
            f"the candidate is broken or of another version: {error}", where=where, hint=again
        ) from error
    return CandidateRun(run_id, run.info.run_name, tags[PARENT], tags[KEY], candidate, config, tags)


def _read(client: MlflowClient, run_id: str, name: str, where: str, again: str) -> dict[str, Any]:
    """A file of a run; ``again`` is the hint where it is lost."""
    from mlflow.exceptions import MlflowException

    with tempfile.TemporaryDirectory() as folder:
        try:
            path = Path(client.download_artifacts(run_id, name, folder))
            data = json_of(path.read_text(encoding="utf-8"))
        except (MlflowException, OSError, ValueError) as error:
            raise TrackingError(
                f"`{name}` of the run cannot be read: {str(error).splitlines()[0]}",
                where=where,
                hint=again,
            ) from error
    if not isinstance(data, dict):
        raise TrackingError(f"`{name}` of the run is broken.", where=where, hint=again)
    return data


@dataclass(frozen=True)
class StudyRun:
    """A study as it was logged: its config, where it came from, and what it came to."""

    run_id: str
    run_name: str
    config: Mapping[str, Any]
    reproduction: Mapping[str, Any]


def load_study_run(reference: str, store: Store) -> StudyRun:
    """Read the study that is meant, by its run, its name or a candidate of it.

    Raises
    ------
    TrackingError : when there is none or several are meant, its files are gone or broken, or an
        older distill logged it.
    """
    with tracking_errors(store):
        client = store.client()
        run = find_study_run(client, reference, store)
        run_id = run.info.run_id
        where = f"run {run_id} in {store.uri}"
        again = f"`distill sync study={run.data.tags[KEY][:16]}` logs the study again."
        config = _read(client, run_id, CONFIG_FILE, where, again)
        data = _read(client, run_id, REPRODUCTION_FILE, where, again)
    if data.get("version") != REPRODUCTION_VERSION:
        raise TrackingError(
            f"what is logged of the study is of version {data.get('version')!r}, not "
            f"{REPRODUCTION_VERSION}.",
            where=where,
            hint="use the distill that logged it.",
        )
    return StudyRun(run_id, run.info.run_name, config, data)
