"""Where MLflow keeps things: a local sqlite store made safely once, or a server that answers.

This is the only place that sets MLflow's environment and makes its client.
"""

from __future__ import annotations

import logging
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from distill.errors import TrackingError
from distill.files import disk_errors, disk_reason, sync
from distill.tracking.schema import check_schema

if TYPE_CHECKING:
    from mlflow import MlflowClient

LATER = "the results are kept on disk; `distill sync` puts them into MLflow later."
LONGEST_REASON = 300
EXPERIMENTS = "distill/"
"""Experiments are called ``distill/<teacher>``."""

_SQLITE = "sqlite:///"

# A dead server costs 247 s a call with MLflow's own values; what the user set stays.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # The standard output belongs to our own result.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


@dataclass(frozen=True, slots=True)
class Store:
    """An open store: ``uri`` for MLflow, ``artifacts`` the local folder of files.

    ``artifacts`` is None when a server keeps the files.
    """

    uri: str
    artifacts: Path | None

    @property
    def local(self) -> bool:
        """Whether the store is a file on this machine."""
        return self.artifacts is not None

    def client(self) -> MlflowClient:
        """A client of its own; MLflow's global state (active run, tracking URI) is not used."""
        return _client(self.uri)


def open_store(root: Path, uri: str | None = None) -> Store:
    """Open the store, making the local one if it is not there; safe in parallel processes.

    Parameters
    ----------
    root : the folder of the results; the local store is ``<root>/mlflow``.
    uri : None for the local store, ``sqlite:///FILE``, or a server's ``http(s)://`` address.

    Raises
    ------
    TrackingError : when the address is of another kind, the server does not answer in 5 s, or a
        newer MLflow wrote the store.
    StorageError : when the disk is full or the folder cannot be written.
    """
    place = address(root, uri)
    if place.startswith(("http://", "https://")):
        _check_server(place)
        return Store(place, None)
    if place.startswith(_SQLITE):
        return _open_sqlite(Path(place.removeprefix(_SQLITE)))
    raise TrackingError(
        f"`{uri}` is no address of an MLflow store.",
        where="config key `tracking.uri`",
        hint="give the http:// or https:// address of an MLflow server, sqlite:///FILE, "
        "or null for the store in the results folder.",
    )


def address(root: Path, uri: str | None) -> str:
    """The :attr:`Store.uri` of what :func:`open_store` would open, as far as it can be opened."""
    if uri is None:
        return f"{_SQLITE}{(root / 'mlflow' / 'mlflow.db').absolute()}"
    if uri.startswith(_SQLITE) and uri != _SQLITE:
        return f"{_SQLITE}{Path(uri.removeprefix(_SQLITE)).absolute()}"
    return uri.rstrip("/")


@contextmanager
def quiet(*loggers: str) -> Iterator[None]:
    """Keep the information (not the warnings) of some loggers off the terminal."""
    found = [logging.getLogger(name) for name in loggers]
    levels = [logger.level for logger in found]
    for logger in found:
        logger.setLevel(max(logger.level, logging.WARNING))
    try:
        yield
    finally:
        for logger, level in zip(found, levels, strict=True):
            logger.setLevel(level)


def load_mlflow() -> None:
    """Import MLflow with our settings, which takes a second or two.

    For who works in a thread: threads that import the same libraries at once may meet modules that
    are only half there.
    """
    _set_environment()
    import mlflow  # noqa: F401


@contextmanager
def tracking_errors(store: Store) -> Iterator[None]:
    """Turn what MLflow and its connection raise into :class:`TrackingError`."""
    _set_environment()
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError) as error:
        reason = (str(error).strip() or repr(error)).splitlines()[0]
        if len(reason) > LONGEST_REASON:
            # The cause stands at the end, what was asked for at the beginning.
            half = LONGEST_REASON // 2
            reason = f"{reason[:half]} … {reason[-half:]}"
        raise TrackingError(
            f"MLflow could not do its part: {reason}", where=store.uri, hint=LATER
        ) from error
    except OSError as error:
        disk = disk_reason(error)
        if disk is None:
            raise
        raise TrackingError(
            f"MLflow could not write: {disk}.",
            where=str(error.filename2 or error.filename or store.uri),
            hint=LATER,
        ) from error


def _open_sqlite(path: Path) -> Store:
    """The store in a database file, made under a lock and renamed when whole."""
    with disk_errors(path):
        artifacts = path.parent / "artifacts"
        artifacts.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            # Several writers that find no database would all create its tables and crash.
            with FileLock(path.with_name(f".{path.name}.lock")):
                if not path.exists():
                    _create_sqlite(path)
    check_schema(path)
    return Store(f"{_SQLITE}{path}", artifacts)


def _create_sqlite(path: Path) -> None:
    """Let MLflow fill a new file; a kill in the middle leaves nothing under the final name."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    store = Store(f"{_SQLITE}{temporary}", path.parent / "artifacts")
    try:
        # Making the tables writes a hundred lines otherwise.
        with tracking_errors(store), quiet("alembic", "mlflow.store.db.utils"):
            store.client().search_experiments(max_results=1)
        temporary.chmod(0o644)
        sync(temporary)
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)


def _check_server(uri: str) -> None:
    """Ask for ``/health``, which every MLflow server answers without a login."""
    try:
        with urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=5):
            return
    except urllib.error.HTTPError as error:
        reason = f"it answers with status {error.code}"
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "reason", error))
    raise TrackingError(
        f"the MLflow server cannot be used: {reason}.",
        where=f"config key `tracking.uri` = {uri}",
        hint=f"start it or correct the address; {LATER}",
    )


def _client(uri: str) -> MlflowClient:
    _set_environment()
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _set_environment() -> None:
    """MLflow reads some of its settings when it is imported, so this comes before."""
    for key, value in _ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    # It writes the traceback of what it raises besides, and who caught it has told the reason.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
