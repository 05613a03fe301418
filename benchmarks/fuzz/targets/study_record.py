"""Recorded studies: what `distill report` and `distill compare` read."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

from distill.comparing.files import as_csv, as_json
from distill.comparing.fronts import compare
from distill.tracking.record_folder import RECORD, load_record
from distill.tracking.recorded import recorded_studies
from distill.tracking.report.page import study_report
from fuzz.mutating import json_bytes
from fuzz.seeds import recorded_study
from fuzz.target import Target


@cache
def folder() -> Path:
    """A recorded study in a folder of results, in memory where the machine has that."""
    memory = Path("/dev/shm")
    root = Path(tempfile.mkdtemp(prefix="distill-fuzz-", dir=memory if memory.is_dir() else None))
    return recorded_study(root / "net" / "study" / "0123456789abcdef")


def once(data: bytes) -> None:
    """Put it in the place of the record; list, load, compare and draw it."""
    place = folder()
    (place / RECORD).write_bytes(data)
    recorded_studies(place.parents[2])
    record = load_record(place)
    found = compare([record, record])
    as_csv(found)
    as_json(found)
    study_report(record)


def seeds() -> list[bytes]:
    """The record of a small study."""
    return [(folder() / RECORD).read_bytes()]


def clear() -> None:
    """Remove the folder."""
    shutil.rmtree(folder().parents[2], ignore_errors=True)


TARGET = Target("recorded studies", once, seeds, json_bytes)
