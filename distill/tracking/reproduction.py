"""What is logged of a study so that it can be done again: its origin, and what it came to.

``reproduction.json`` stands beside the config in the study's run. Both together are all that
``distill reproduce`` reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from distill.reading import json_of
from distill.tracking.record import CandidateRecord, StudyRecord

VERSION = 1
REPRODUCTION_FILE = "reproduction.json"
_RECORD = "bundle.json"


def reproduction(record: StudyRecord) -> dict[str, Any]:
    """A versioned plain form: teacher, versions, machine, and every result to the last bit."""
    return {
        "version": VERSION,
        "key": record.key,
        "teacher": {
            "name": record.teacher_name,
            "fingerprint": record.teacher_fingerprint,
            "file": dict(record.teacher_file),
        },
        "output": record.output_name,
        "versions": dict(record.versions),
        "results": results(record),
    }


def results(record: StudyRecord) -> dict[str, Any]:
    """What a study came to: candidates in their order, the choice, and the files of the C."""
    chosen = record.chosen
    return {
        "candidates": [_candidate(candidate) for candidate in record.candidates],
        "chosen": None if chosen is None else chosen.id,
        "outputs": _outputs_of_bundle(record),
        "files": _bundle_files(record),
    }


def _candidate(candidate: CandidateRecord) -> dict[str, Any]:
    formula = candidate.candidate_data["formula"]
    # JSON, so that what was read back and what is new are the same.
    return {
        "id": candidate.id,
        "engine": candidate.engine,
        "formula": candidate.formula.text,
        "data": _hash(formula),
        "score": json.loads(json.dumps(candidate.score.to_data())),
        "cost": json.loads(json.dumps({t: dict(f) for t, f in candidate.cost.items()})),
        "c": hashlib.sha256(candidate.c_source.encode()).hexdigest(),
    }


def _hash(data: object) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _bundle_files(record: StudyRecord) -> dict[str, str]:
    """The SHA-256 of every file of the C; empty where none was made."""
    if record.bundle is None or not record.bundle.is_dir():
        return {}
    return {
        path.relative_to(record.bundle).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(record.bundle.rglob("*"))
        if path.is_file()
    }


def _outputs_of_bundle(record: StudyRecord) -> int:
    """How many outputs the C gives: several were searched one after the other."""
    path = None if record.bundle is None else record.bundle / _RECORD
    if path is None or not path.is_file():
        return 1
    data: Mapping[str, Any] = json_of(path.read_text(encoding="utf-8"))
    return len(data.get("outputs", "1"))
