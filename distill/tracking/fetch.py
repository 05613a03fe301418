"""Getting back what a person picked in MLflow: a candidate by the id of its run."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distill.errors import DistillError, TrackingError
from distill.tracking.entries import (
    CANDIDATE,
    CANDIDATE_FILE,
    CONFIG_FILE,
    KEY,
    KIND,
    PARENT,
    STUDY,
)
from distill.tracking.record import CandidateRecord
from distill.tracking.store import EXPERIMENTS, Store, tracking_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_ID = re.compile(r"[0-9a-f]{1,32}\Z")
_LISTED = 12


@dataclass(frozen=True)
class CandidateRun:
    """A candidate as it was logged, the config of its study and where both came from."""

    run_id: str
    study_key: str
    candidate: CandidateRecord
    config: Mapping[str, Any]


def load_candidate_run(run_id: str, store: Store) -> CandidateRun:
    """Read the candidate of a run. The start of the id is enough where it is unique.

    Raises
    ------
    TrackingError : when there is no such run, several ids start so, it is a study's run (its
        candidates are listed), or its files are gone or broken.
    """
    wanted = run_id.strip().lower()
    if not _ID.match(wanted):
        raise _unknown(run_id, store, "a run's id has up to 32 digits and letters a to f")
    with tracking_errors(store):
        client = store.client()
        run = _find(client, wanted, store)
        kind = run.data.tags.get(KIND)
        if kind == STUDY:
            raise _is_study(client, run)
        parent = run.data.tags.get(PARENT)
        if kind != CANDIDATE or parent is None:
            raise _unknown(run_id, store, "this run was not logged by distill")
        where = f"run {run.info.run_id} in {store.uri}"
        data = _read(client, run.info.run_id, CANDIDATE_FILE, where)
        config = _read(client, parent, CONFIG_FILE, f"run {parent} in {store.uri}")
    try:
        candidate = CandidateRecord.from_data(data)
    except (DistillError, KeyError, TypeError, ValueError) as error:
        raise TrackingError(
            f"the candidate is broken or of another version: {error}", where=where, hint=_AGAIN
        ) from error
    return CandidateRun(run.info.run_id, run.data.tags[KEY], candidate, config)


_AGAIN = "log the study again with `distill log`."


def _find(client: MlflowClient, wanted: str, store: Store) -> Run:
    """The run whose id starts so."""
    experiments = [
        e.experiment_id
        for e in client.search_experiments(filter_string=f"name LIKE '{EXPERIMENTS}%'")
    ]
    found: list[Run] = []
    if experiments:
        pattern = wanted if len(wanted) == 32 else f"{wanted}%"
        found = list(
            client.search_runs(
                experiments, f"attributes.run_id LIKE '{pattern}'", max_results=_LISTED
            )
        )
    if not found:
        raise _unknown(wanted, store, "no run's id starts so")
    if len(found) > 1:
        names = "\n".join(f"    {r.info.run_id}  {r.info.run_name}" for r in found)
        raise TrackingError(
            f"`{wanted}` is the start of several runs:\n{names}",
            where=store.uri,
            hint="give more of the id.",
        )
    return found[0]


def _read(client: MlflowClient, run_id: str, name: str, where: str) -> dict[str, Any]:
    from mlflow.exceptions import MlflowException

    with tempfile.TemporaryDirectory() as folder:
        try:
            path = Path(client.download_artifacts(run_id, name, folder))
            data = json.loads(path.read_text(encoding="utf-8"))
        except (MlflowException, OSError, ValueError) as error:
            raise TrackingError(
                f"`{name}` of the run cannot be read: {str(error).splitlines()[0]}",
                where=where,
                hint=_AGAIN,
            ) from error
    if not isinstance(data, dict):
        raise TrackingError(f"`{name}` of the run is broken.", where=where, hint=_AGAIN)
    return data


def _is_study(client: MlflowClient, run: Run) -> TrackingError:
    children = client.search_runs(
        [run.info.experiment_id],
        f"tags.`{PARENT}` = '{run.info.run_id}'",
        max_results=_LISTED,
        order_by=["metrics.complexity ASC"],
    )
    names = "\n".join(f"    {r.info.run_id}  {r.info.run_name}" for r in children)
    return TrackingError(
        f"{run.info.run_id} is a study, not a candidate. Its candidates are\n{names}",
        where=f"run={run.info.run_id}",
        hint="give the id of one of them.",
    )


def _unknown(run_id: str, store: Store, why: str) -> TrackingError:
    return TrackingError(
        f"there is no candidate with the run id `{run_id}`: {why}.",
        where=store.uri,
        hint="copy the id from the page of the candidate's run in MLflow (`distill ui`).",
    )
