"""Records of studies in their folders.

A record is kept on disk beside the study's results, so that logging can be done, repeated or
completed at any later time.
"""

from __future__ import annotations

import json
import shutil
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from distill.errors import DistillError, StorageError
from distill.files import disk_errors, write_whole
from distill.manifest import MANIFEST, damage, write_manifest
from distill.tracking.record import StudyRecord
from distill.tracking.slices import load_slices, save_slices

RECORD = "study.json"
POINTS = "points.npz"
BUNDLE = "bundle"

BROKEN = (
    DistillError, ValueError, LookupError, TypeError, AttributeError, OverflowError, EOFError,
    AssertionError, RecursionError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What reading a damaged record may end with."""


def save_record(record: StudyRecord, folder: Path) -> None:
    """Write ``points.npz``, ``slices.npz``, ``study.json`` and the manifest, which makes it whole.

    Raises
    ------
    StorageError : when the disk is full or the folder cannot be written.
    """
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(folder / POINTS, points=record.points, truth=record.truth)
        if record.bundle is not None:
            shutil.copytree(record.bundle, folder / BUNDLE, dirs_exist_ok=True)
    save_slices(folder, record.slices, record.guard)
    write_whole(folder / RECORD, json.dumps(record.to_data(), indent=1))
    write_manifest(folder)


def load_record(folder: Path) -> StudyRecord:
    """Read what :func:`save_record` wrote.

    Raises
    ------
    StorageError : when there is no record, or it is broken or of another version.
    """
    path = folder / RECORD
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        with np.load(folder / POINTS, allow_pickle=False) as arrays:
            points, truth = arrays["points"], arrays["truth"]
        slices, guard = load_slices(folder)
        record = replace(
            StudyRecord.from_data(data, points, truth),
            slices=slices,
            guard=guard,
            bundle=_bundle(folder / BUNDLE),
        )
        if (folder / MANIFEST).exists() and (why := damage(folder)):
            raise ValueError(why)
        return record
    except FileNotFoundError as error:
        raise StorageError(
            "no study is recorded here.",
            where=str(error.filename),
            hint="give the folder of a study; it holds study.json.",
        ) from None
    except StorageError as error:
        raise StorageError(error.what, where=error.where or str(path), hint=error.hint) from None
    except BROKEN as error:
        raise StorageError(
            f"the record of the study is broken: {type(error).__name__}: {error}.",
            where=str(path),
            hint="run the study again: it is written anew, from what was kept of it.",
        ) from error


def _bundle(folder: Path) -> Path | None:
    """The C in a record; through a link in it any file of this machine would go to MLflow."""
    if not folder.is_dir():
        return None
    if any(path.is_symlink() for path in (folder, *folder.rglob("*"))):
        raise ValueError(f"there is a link in `{folder.name}`")
    return folder
