"""A store that another MLflow wrote."""

import sqlite3
from pathlib import Path

import pytest

from distill.errors import TrackingError
from distill.tracking.store import open_store


def revise(store, revision):
    database = sqlite3.connect(store.uri.removeprefix("sqlite:///"))
    database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    database.commit()
    database.close()


def test_a_newer_one_says_so(own_store):
    revise(own_store, "ffffffffffff")
    with pytest.raises(TrackingError, match="written by a newer MLflow") as caught:
        open_store(own_store.artifacts.parents[1])
    assert "ffffffffffff" in caught.value.what
    assert str(own_store.artifacts.parent) in caught.value.where


def test_an_older_one_says_how_it_is_upgraded(own_store):
    revise(own_store, "0584bdc529eb")
    with pytest.raises(TrackingError, match="written by an older MLflow") as caught:
        open_store(own_store.artifacts.parents[1])
    assert f"mlflow db upgrade {own_store.uri}" in caught.value.hint


def test_a_file_that_is_no_database_is_left_to_mlflow(tmp_path):
    folder = tmp_path / "mlflow"
    folder.mkdir()
    Path(folder / "mlflow.db").write_bytes(b"no database" * 100)
    assert open_store(tmp_path).local
