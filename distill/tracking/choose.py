"""A person's choice in MLflow: the alias of the registered model and the tags of the runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from distill.errors import TrackingError
from distill.tracking.champion import champion_version, register_by_person, registered
from distill.tracking.entries import (
    CHOSEN,
    MODEL,
    OUTPUT,
    PARETO,
    TEACHER,
    UNIT,
    choice_tags,
)
from distill.tracking.fetch import CandidateRun
from distill.tracking.model_page import Champion
from distill.tracking.references import candidates_of
from distill.tracking.store import Store, tracking_errors


@dataclass(frozen=True)
class Chosen:
    """What a choice came to.

    ``version`` of the registered model ``model`` has the alias now, ``before`` had it, None where
    nothing had. ``unmarked`` are the names of the runs of the study that were the chosen ones.
    """

    model: str
    version: str
    before: str | None
    unmarked: tuple[str, ...]


def champion_of_run(run: CandidateRun, bundle: Path | None = None) -> Champion:
    """A logged candidate as it is registered, with the folder of its C where it was made.

    Raises
    ------
    TrackingError : when it was logged before candidates could be chosen by people.
    """
    if MODEL not in run.tags:
        raise TrackingError(
            "the candidate was logged by an older distill, which did not say what it belongs to.",
            where=f"run {run.run_id}",
            hint="run the study again with `distill run`.",
        )
    target = run.config.get("target") or {}
    return Champion(
        model=run.tags[MODEL],
        teacher=run.tags[TEACHER],
        output=run.tags[OUTPUT],
        unit=run.tags.get(UNIT, ""),
        tolerance=float(run.config["tolerance"]),
        target=str(target.get("name", "")),
        study=run.tags["distill.study"],
        study_key=run.study_key,
        run_id=run.run_id,
        candidate=run.candidate,
        bundle=bundle,
    )


def is_registered(run: CandidateRun, store: Store) -> bool:
    """Whether the candidate has a version of a registered model already.

    Raises
    ------
    TrackingError : when the store fails.
    """
    with tracking_errors(store):
        return registered(store.client(), run.tags.get(MODEL, ""), run.run_id) is not None


def choose_candidate(champion: Champion, run: CandidateRun, store: Store) -> Chosen:
    """Make a candidate the champion: register it unless it is, move the alias, mark the runs.

    Can be repeated: what was done by a call that was stopped is not done again.

    Raises
    ------
    TrackingError : when the store fails.
    """
    with tracking_errors(store):
        client = store.client()
        current = champion_version(client, champion.model)
        version = register_by_person(client, champion)
        unmarked = []
        for other in candidates_of(client, client.get_run(run.study_run_id)):
            chosen = other.info.run_id == run.run_id
            if not chosen and other.data.tags.get(CHOSEN) != "true":
                continue
            if not chosen:
                unmarked.append(str(other.info.run_name))
            on_front = other.data.tags.get(PARETO) == "true"
            for name, value in choice_tags(chosen, on_front).items():
                client.set_tag(other.info.run_id, name, value)
    before = None if current is None else str(current.version)
    return Chosen(champion.model, version, before, tuple(unmarked))
