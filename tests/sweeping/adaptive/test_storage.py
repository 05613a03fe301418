"""Where trials are kept, and what may happen to it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import optuna
import pytest

from distill.errors import ConfigError, StorageError
from distill.sweeping.adaptive.storage import JOURNAL, JournalLock, open_storage, storage_errors
from distill.sweeping.folder import SweepFolder
from tests.servers.postgres import postgres, programs
from tests.sweeping.adaptive.jobs import run, source


def test_a_line_cut_off_by_a_kill_is_taken_away(tmp_path: Path) -> None:
    study = optuna.create_study(storage=open_storage(None, tmp_path), study_name="s")
    study.tell(study.ask(), 1.0)
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(b'{"op_code":4,"worker_id":"an')
    again = optuna.load_study(storage=open_storage(None, tmp_path), study_name="s")
    again.tell(again.ask(), 2.0)
    whole = optuna.load_study(storage=open_storage(None, tmp_path), study_name="s")
    assert [trial.value for trial in whole.get_trials()] == [1.0, 2.0]


def test_a_journal_without_any_whole_line_is_empty(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_bytes(b'{"op_co')
    lock = JournalLock(tmp_path / JOURNAL)
    assert lock.acquire()
    lock.release()
    assert (tmp_path / JOURNAL).read_bytes() == b""


def _hold(journal: Path) -> None:
    JournalLock(journal).acquire()
    (journal.parent / "held").touch()
    time.sleep(600)


def test_a_process_killed_while_it_writes_keeps_nobody_waiting(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).touch()
    holder = multiprocessing.get_context("spawn").Process(target=_hold, args=[tmp_path / JOURNAL])
    holder.start()
    assert holder.pid is not None
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    lock = JournalLock(tmp_path / JOURNAL)
    # Optuna's own would wait for half a minute and then take the lock from whoever has it.
    lock._lock.timeout = 5
    assert lock.acquire()
    lock.release()


def test_an_address_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="address cannot be read") as caught:
        open_storage("trials.db", tmp_path)
    assert caught.value.where == "config key `sweep.storage`"


def test_a_database_without_its_driver(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="driver is not there") as caught:
        open_storage("nothing://me:secret@host/trials", tmp_path)
    assert "secret" not in str(caught.value)
    assert "host" in caught.value.where


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    url = "postgresql+psycopg2://me:secret@127.0.0.1:1/trials"
    with (
        pytest.raises(StorageError, match=r"cannot be used.*refused") as caught,
        storage_errors(url),
    ):
        open_storage(url, tmp_path)
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_full_disk_is_told_as_one() -> None:
    with (
        pytest.raises(StorageError, match="No space left on device") as caught,
        storage_errors(None),
    ):
        raise OSError(28, "No space left on device", "/studies/sweeps/s/trials.journal")
    assert caught.value.where == "/studies/sweeps/s/trials.journal"


def test_trials_in_a_postgresql_that_is_killed_between_two_of_them(tmp_path: Path) -> None:
    if (found := programs()) is None:
        # With DISTILL_NATIVE=required every skip fails, see tests/conftest.py.
        pytest.skip("PostgreSQL is not installed")
    whole = run(source(SweepFolder(tmp_path / "journal"), trials=6))
    with postgres(found) as server:
        url = server.uri("postgres")
        adaptive = source(SweepFolder(tmp_path / "database"), trials=3, storage=url)
        first = run(adaptive)
        server.kill()
        more = source(adaptive.folder, trials=6, storage=url)
        with pytest.raises(StorageError, match="cannot be used") as caught:
            run(more)
        assert caught.value.where == f"sweep.storage={url}"
        server.start()
        # The workers that had the database open before go on with it, too.
        assert run(adaptive) == []
        assert [*first, *run(more)] == whole
