"""Logging what is on disk: one study, or every one that the store does not have."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from distill.errors import StorageError
from distill.files import disk_errors, forget_left, write_whole
from distill.manifest import MANIFEST
from distill.progress import Progress
from distill.reading import json_of
from distill.tracking.entries import KEY, KIND, STUDY
from distill.tracking.log import log_study
from distill.tracking.record import digest
from distill.tracking.record_folder import RECORD, load_record
from distill.tracking.recorded import find_studies
from distill.tracking.store import EXPERIMENTS, Store, address, open_store, tracking_errors
from distill.tracking.strays import delete_late

if TYPE_CHECKING:
    from mlflow import MlflowClient

LOGGED = "logged.json"
"""Beside a record: the store that has it, and its runs there."""

Place = Mapping[str, Any]


@dataclass(frozen=True)
class Synced:
    """What was logged now, by the record's folder, and the records that cannot be read."""

    places: Mapping[Path, Place]
    unreadable: tuple[StorageError, ...]


def logged_place(folder: Path, root: Path, uri: str | None) -> Place | None:
    """Where a recorded study is in a store, as far as a look at the disk tells; None if nowhere."""
    try:
        place = json_of((folder / LOGGED).read_text(encoding="utf-8"))
        known, written = str(place["uri"]), place.pop("digest")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if known != address(root, uri) or written != digest(place):
        return None
    file = Path(known.removeprefix("sqlite:///"))
    return place if not known.startswith("sqlite:///") or file.exists() else None


def track(
    folder: Path, root: Path, uri: str | None, progress: Progress, *, again: bool = False
) -> Place:
    """Log a recorded study unless this store has it; gives where it is there.

    ``again`` looks into the store even so, because something was begun there.

    Raises
    ------
    TrackingError : when the store cannot be reached; ``distill sync`` does it later.
    StorageError : when the record cannot be read.
    """
    with alone(folder):
        known = None if again else logged_place(folder, root, uri)
        return known or _log(folder, open_store(root, uri), progress)


def sync(root: Path, uri: str | None, progress: Progress) -> Synced:
    """Log every recorded study below ``root`` that the store does not have whole.

    The store is asked, so that one which lost its data gets everything again; what a person deleted
    there stays deleted. Records that cannot be read are left out.

    Raises
    ------
    TrackingError : when the store cannot be reached, or fails on the way; what was logged until
        then stays, and the next call goes on.
    """
    folders = [file.parent for file in sorted(root.glob(f"*/study/*/{RECORD}"))]
    if not folders:
        return Synced({}, ())
    store = open_store(root, uri)
    known = _whole(store)
    _tidy(store, known)
    places: dict[Path, Place] = {}
    unreadable: list[StorageError] = []
    for folder in folders:
        if folder.name in known:
            continue
        try:
            with alone(folder):
                # Another process may have done it while this one waited.
                if folder.name not in _whole(store, folder.name):
                    places[folder] = _log(folder, store, progress)
        except StorageError as error:
            unreadable.append(error)
            progress.warn(str(error))
    return Synced(places, tuple(unreadable))


def log_again(wanted: str, root: Path, uri: str | None, progress: Progress) -> Synced:
    """Log the recorded studies that are meant once more, whole as they may seem in the store.

    ``wanted`` is as for :func:`~distill.tracking.recorded.find_studies`. For files that got lost
    there, and for runs that were deleted.

    Raises
    ------
    ConfigError : when there is no such study.
    TrackingError : when the store cannot be reached, or fails on the way.
    StorageError : when a record cannot be read.
    """
    folders = [study.folder for study in find_studies(root, wanted)]
    store = open_store(root, uri)
    places: dict[Path, Place] = {}
    for folder in folders:
        with alone(folder):
            places[folder] = _log(folder, store, progress, anew=True)
    return Synced(places, ())


def _log(folder: Path, store: Store, progress: Progress, *, anew: bool = False) -> Place:
    record = load_record(folder)
    progress.begin("log", f"{record.teacher_name}, {record.name} to MLflow")
    logged = log_study(record, store, progress, anew=anew)
    place = {
        "uri": store.uri,
        "experiment": logged.experiment_id,
        "run": logged.parent_run_id,
        "candidates": dict(logged.run_ids),
    }
    write_whole(folder / LOGGED, json.dumps({**place, "digest": digest(place)}, indent=1))
    progress.end("log", f"{len(logged.run_ids)} candidates in MLflow", reused=False)
    return place


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One process at a time; two that log one study to a server would write its runs twice.

    Raises
    ------
    StorageError : when the folder cannot be written.
    """
    lock = FileLock(folder.with_name(f".{folder.name}.log.lock"))
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(poll_interval=0.2)
    try:
        for name in (RECORD, MANIFEST, LOGGED):
            forget_left(folder / name)
        yield
    finally:
        lock.release()


def _whole(store: Store, start: str = "") -> set[str]:
    """The first 16 digits of the keys of studies that the store has whole, or had.

    With ``start`` only of those that begin so. A study's run is finished after all its candidates.
    """
    wanted = f"tags.`{KIND}` = '{STUDY}' and tags.`{KEY}` LIKE '{start}%'"
    with tracking_errors(store):
        from mlflow.entities import ViewType

        client = store.client()
        ids = _experiments(client)
        keys: set[str] = set()
        token = None
        while ids:
            page = client.search_runs(
                ids, wanted, run_view_type=ViewType.ALL, max_results=1000, page_token=token
            )
            for run in page:
                if run.info.status == "FINISHED" or run.info.lifecycle_stage == "deleted":
                    keys.add(run.data.tags[KEY][:16])
            token = page.token
            if not token:
                break
    return keys


def _tidy(store: Store, known: Collection[str]) -> None:
    """Take away what the server made of requests after it was too late."""
    with tracking_errors(store):
        client = store.client()
        delete_late(client, _experiments(client), known)


def _experiments(client: MlflowClient) -> list[str]:
    """Of all teachers, deleted ones too."""
    from mlflow.entities import ViewType

    found = client.search_experiments(
        view_type=ViewType.ALL, filter_string=f"name LIKE '{EXPERIMENTS}%'"
    )
    return [experiment.experiment_id for experiment in found]
