"""Where the trials of an adaptive sweep are kept.

Without ``sweep.storage`` a journal in the sweep's folder: a file that is only ever appended to, so
that it works on file systems that nodes share, where databases in a file do not. A database is
given as a URL of SQLAlchemy.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from filelock import FileLock
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from distill.errors import ConfigError, StorageError
from distill.files import disk_errors

JOURNAL = "trials.journal"


def open_storage(url: str | None, folder: Path) -> BaseStorage:
    """The storage that a URL names, or the journal in the sweep's folder.

    Raises
    ------
    ConfigError : when the URL is none, or its database's driver is not installed.
    StorageError : when the folder cannot be written; of databases ask :func:`storage_errors`.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=ExperimentalWarning)
    if url is None:
        file = folder / JOURNAL
        with disk_errors(file):
            folder.mkdir(parents=True, exist_ok=True)
            lock = JournalLock(file)
            return JournalStorage(JournalFileBackend(str(file), lock_obj=lock))
    return _database(url)


class JournalLock(JournalFileOpenLock):
    """A lock that the operating system drops when its process dies.

    Optuna's own is a file that stays behind, and for half a minute all others wait for it. A line
    that was cut off by a kill or a full disk is taken away: nobody but the lock's holder writes.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._lock = FileLock(journal.with_name(f"{journal.name}.lock"))

    def acquire(self) -> bool:
        """Wait for the lock."""
        self._lock.acquire()
        _cut(self._journal)
        return True

    def release(self) -> None:
        """Let others write."""
        self._lock.release()


def _cut(journal: Path) -> None:
    """Cut a file after the end of its last whole line."""
    with journal.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return
        file.seek(size - 1)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)


def _database(url: str) -> BaseStorage:
    try:
        # A connection that a restarted server has dropped is noticed before it is used.
        return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
    except (ImportError, NoSuchModuleError) as error:
        raise ConfigError(
            f"the database's driver is not there: {_first_line(error.__cause__ or error)}.",
            where=f"sweep.storage={_shown(url)}",
            hint="install it; for PostgreSQL: pip install psycopg2-binary.",
        ) from None
    except ArgumentError:
        raise ConfigError(
            "the storage's address cannot be read.",
            where="config key `sweep.storage`",
            hint="for instance postgresql://user:password@host/database; null keeps the trials in "
            "the sweep's folder.",
        ) from None


@contextmanager
def storage_errors(url: str | None) -> Iterator[None]:
    """Turn what goes wrong in a storage into :class:`StorageError`."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        raise StorageError(
            f"the database of the trials cannot be used: {_first_line(error.__cause__ or error)}.",
            where="sweep.storage" if url is None else f"sweep.storage={_shown(url)}",
            hint="see that it runs and that you may write to it, then repeat the command.",
        ) from None
    except OSError as error:
        raise StorageError(
            f"the trials cannot be written: {error.strerror or error}.",
            where=str(error.filename or "the sweep's folder"),
            hint="free some space or give write access, then repeat the command.",
        ) from None


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)


def _first_line(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0].rstrip(".")
