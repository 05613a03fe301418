"""What a person writes to mean a candidate in MLflow: a run, a registered model, or a study.

========================  =========================================================================
``4f1c...``               a candidate's run; the start of the id is enough where it is unique
``models:/NAME@ALIAS``    what the alias of a registered model points to, ``models:/NAME/3`` version
``wet_bulb/structure...`` a study by its name or the start of its key: its chosen candidate
========================  =========================================================================

A study's chosen candidate is the one that ``distill choose`` or the rule marked, unless a person
moved the alias ``champion`` or set the tag ``distill.chosen`` in MLflow's own pages.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from distill.errors import TrackingError
from distill.tracking.entries import (
    ALIAS,
    CANDIDATE,
    CHOSEN,
    CHOSEN_BY,
    KEY,
    KIND,
    MODEL,
    NOBODY,
    PARENT,
    STUDY,
    TEACHER,
)
from distill.tracking.model_versions import WHERE, aliased_run, run_of_version
from distill.tracking.store import EXPERIMENTS, Store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_ID = re.compile(r"[0-9a-f]{1,32}\Z")
_STUDY_KEY = re.compile(r"[0-9a-f]{4,64}\Z")
_LISTED = 12
_PAGE = 1000


def find_candidate(client: MlflowClient, reference: str, store: Store) -> Run:
    """The run of the candidate that is meant.

    Raises
    ------
    TrackingError : when there is none or several are meant; for a run or experiment that was
        deleted, a run of another project, a study's run id (its candidates are listed), a study
        without a choice, an unknown model, version or alias.
    MlflowException : when the store fails.
    """
    wanted = reference.strip()
    if wanted.startswith("models:"):
        return _checked(client, run_of_version(client, wanted, store), store)
    runs = _called_by_id(client, wanted.lower(), store)
    studies = [] if runs and len(wanted) == 32 else _studies_called(client, wanted)
    both = {run.info.run_id: run for run in (*runs, *studies)}
    if len(both) > 1:
        raise TrackingError(
            f"`{wanted}` is the start of several runs:\n{_listed(both.values())}",
            where=store.uri,
            hint="give more of the id.",
        )
    if runs:
        return _checked(client, runs[0], store)
    if studies:
        return _chosen(client, studies[0], store)
    raise _unknown(client, wanted, store)


def find_study_run(client: MlflowClient, reference: str, store: Store) -> Run:
    """The run of the study that is meant: by its id or name, or by one of its candidates'.

    Raises
    ------
    TrackingError : when there is none or several are meant, or it is not logged whole.
    MlflowException : when the store fails.
    """
    wanted = reference.strip()
    found = [] if wanted.startswith("models:") else _called_by_id(client, wanted.lower(), store)
    studies = [run for run in found if run.data.tags.get(KIND) == STUDY]
    if not found:
        studies = _studies_called(client, wanted)
    if len(studies) == 1 and KEY in studies[0].data.tags:
        return studies[0]
    if len(studies) > 1:
        raise TrackingError(
            f"`{wanted}` means several studies:\n{_listed(studies)}",
            where=store.uri,
            hint="give the id of one of them.",
        )
    return client.get_run(find_candidate(client, wanted, store).data.tags[PARENT])


def candidates_of(client: MlflowClient, study: Run) -> list[Run]:
    """The runs of a study's candidates, cheapest first."""
    runs = _runs(client, [study.info.experiment_id], f"tags.`{PARENT}` = '{study.info.run_id}'")
    return sorted(runs, key=lambda run: run.data.metrics.get("complexity", 0.0))


def _called_by_id(client: MlflowClient, wanted: str, store: Store) -> list[Run]:
    """Runs of distill whose id starts so; where there are only others, an error says why not."""
    if not _ID.match(wanted):
        return []
    starts = f"attributes.run_id LIKE '{wanted}%'"
    ours = _experiments(client)
    found = list(client.search_runs(ours, starts, max_results=_LISTED)) if ours else []
    if not found and len(wanted) >= _SURE:
        from mlflow.entities import ViewType

        every = [e.experiment_id for e in client.search_experiments(ViewType.ALL)]
        for run in client.search_runs(every, starts, ViewType.ALL, max_results=1):
            raise _not_usable(client, run, store)
    return found


_SURE = 8
"""So many digits of an id mean one run of any project, and not a few by chance."""


def _checked(client: MlflowClient, run: Run, store: Store) -> Run:
    """The run, if it is a candidate's that can be used."""
    if run.info.lifecycle_stage == "deleted":
        raise _not_usable(client, run, store)
    if run.data.tags.get(KIND) == STUDY:
        raise TrackingError(
            f"{run.info.run_id} is a study, not a candidate. Its candidates are\n"
            f"{_listed(candidates_of(client, run))}",
            where=f"run={run.info.run_id}",
            hint="give the id of one of them, or the study's name for its chosen one.",
        )
    if run.data.tags.get(KIND) != CANDIDATE or run.data.tags.get(PARENT) is None:
        raise _not_usable(client, run, store)
    return run


def _not_usable(client: MlflowClient, run: Run, store: Store) -> TrackingError:
    """Why a run that is there cannot be taken: deleted, or of another project."""
    run_id, number = run.info.run_id, run.info.experiment_id
    experiment = client.get_experiment(number)
    restore = f"`MLFLOW_TRACKING_URI={store.uri} mlflow"
    if experiment.lifecycle_stage == "deleted":
        return TrackingError(
            f"the experiment `{experiment.name}` of the run {run_id} was deleted in MLflow.",
            where=store.uri,
            hint=f"{restore} experiments restore --experiment-id {number}` brings it back.",
        )
    if run.info.lifecycle_stage == "deleted":
        return TrackingError(
            f"the run {run_id} was deleted in MLflow.",
            where=store.uri,
            hint=f"{restore} runs restore --run-id {run_id}` brings it back.",
        )
    return TrackingError(
        f"the run {run_id} is of another project: it was not logged by distill.",
        where=f"experiment `{experiment.name}` in {store.uri}",
        hint=WHERE,
    )


def _studies_called(client: MlflowClient, wanted: str) -> list[Run]:
    """The studies of that name, or whose key starts so."""
    key = wanted.lower() if _STUDY_KEY.match(wanted.lower()) else None
    return [
        run
        for run in _studies(client)
        if wanted in _names(run) or (key and run.data.tags[KEY].startswith(key))
    ]


def _chosen(client: MlflowClient, study: Run, store: Store) -> Run:
    """The candidate that was chosen in a study; a person's choice counts before the rule's."""
    runs = {run.info.run_id: run for run in candidates_of(client, study)}
    marked = [run for run in runs.values() if run.data.tags.get(CHOSEN) == "true"]
    ours = [run for run in marked if run.data.tags.get(CHOSEN_BY, NOBODY) != NOBODY]
    by_hand = {run.info.run_id: run for run in marked if run not in ours}
    for name in {run.data.tags[MODEL] for run in runs.values() if MODEL in run.data.tags}:
        run = runs.get(aliased_run(client, name))
        if run is not None and run not in ours:
            by_hand[run.info.run_id] = run
    chosen = list(by_hand.values()) or ours
    if len(chosen) == 1:
        return chosen[0]
    where = f"study `{study.info.run_name}` in {store.uri}"
    if not chosen:
        raise TrackingError(
            f"the study has no chosen candidate. Its candidates are\n{_listed(runs.values())}",
            where=where,
            hint="give the id of one of them.",
        )
    raise TrackingError(
        f"several candidates of the study are chosen:\n{_listed(chosen)}",
        where=where,
        hint=f"the tag `{CHOSEN}` and the alias `{ALIAS}` disagree; `distill choose run=RUN_ID` "
        "makes them agree.",
    )


def _unknown(client: MlflowClient, wanted: str, store: Store) -> TrackingError:
    named = {name: run for run in _studies(client) for name in _names(run)}
    close = difflib.get_close_matches(wanted, named, 3, 0.6)
    near = f" Studies of a similar name: {', '.join(f'`{name}`' for name in close)}."
    return TrackingError(
        f"there is no candidate `{wanted}`: no run's id, no study's name and no study's key starts "
        "so." + (near if close else ""),
        where=store.uri,
        hint=WHERE,
    )


def _names(study: Run) -> tuple[str, str]:
    name = study.info.run_name
    return name, f"{study.data.tags.get(TEACHER, '')}/{name}"


def _studies(client: MlflowClient) -> list[Run]:
    """All studies that are logged; those still searching have no key yet."""
    runs = _runs(client, _experiments(client), f"tags.`{KIND}` = '{STUDY}'")
    return [run for run in runs if KEY in run.data.tags]


def _experiments(client: MlflowClient) -> list[str]:
    found = client.search_experiments(filter_string=f"name LIKE '{EXPERIMENTS}%'")
    return [experiment.experiment_id for experiment in found]


def _runs(client: MlflowClient, experiments: Sequence[str], matching: str) -> Iterator[Run]:
    """All active runs that match, page by page."""
    token = None
    while experiments:
        page = client.search_runs(list(experiments), matching, max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _listed(runs: Iterable[Run]) -> str:
    listed = list(runs)
    more = [f"    and {len(listed) - _LISTED:,} more"] if len(listed) > _LISTED else []
    shown = [f"    {run.info.run_id}  {run.info.run_name}" for run in listed[:_LISTED]]
    return "\n".join([*shown, *more])
