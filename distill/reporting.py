"""``distill report``: the page of a recorded study."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from distill.errors import StorageError
from distill.files import write_whole
from distill.tracking.record import RECORD, CandidateRecord, StudyRecord, load_record
from distill.tracking.recorded import find_study


def write_report(name: str, root: Path, out: Path | None) -> Path:
    """Write the page of a recorded study; gives the file.

    ``name`` is what people call it: nothing for the newest, a teacher's name for its newest, a
    study's name, the start of a key, a folder. Without ``out`` it is ``report.html`` beside the
    record.

    Raises
    ------
    ConfigError : when there is no such study.
    StorageError : when its record is broken, or the file cannot be written.
    """
    from distill.tracking.report import study_report

    folder = find_study(root, name).folder
    record = with_other_targets(load_record(folder), folder)
    file = out or folder / "report.html"
    if file.is_dir():
        raise StorageError(
            "this is a folder.", where=str(file), hint="give a file, such as out=report.html."
        )
    write_whole(file, study_report(record))
    return file


def with_other_targets(record: StudyRecord, folder: Path) -> StudyRecord:
    """The record with what its candidates cost on targets of other studies of the same teacher.

    A formula is the same wherever it was measured: its id is the hash of it.
    """
    measured: dict[str, dict[str, Mapping[str, Any]]] = {}
    for file in sorted(folder.parent.glob(f"*/{RECORD}")):
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            if data["teacher"]["fingerprint"] != record.teacher_fingerprint:
                continue
            for candidate in data["candidates"]:
                measured.setdefault(candidate["id"], {}).update(candidate["cost"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # of another version, or broken: it adds nothing

    def completed(candidate: CandidateRecord) -> CandidateRecord:
        others = measured.get(candidate.id, {})
        return replace(candidate, cost={**candidate.cost, **{
            target: figures for target, figures in others.items() if target not in candidate.cost
        }})  # fmt: skip

    return replace(record, candidates=tuple(map(completed, record.candidates)))
