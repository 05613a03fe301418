"""What jobs of a sweep leave, and the sweep's own file."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path

from distill.sweeping.folder import SWEEP, SweepFolder
from distill.sweeping.record import JobRecord
from fuzz.mutating import json_bytes
from fuzz.seeds import job_record
from fuzz.target import Target


def once(data: bytes) -> None:
    """A record by itself, then the same bytes as the list of all jobs."""
    text = data.decode("utf-8", errors="replace")
    with suppress(ValueError, KeyError, TypeError):  # as it says, and its readers expect
        JobRecord.from_json(text).to_json()
    with tempfile.TemporaryDirectory() as name:
        folder = SweepFolder(Path(name))
        (folder.path / SWEEP).write_bytes(data)
        for job in folder.jobs():
            folder.record(job.number)


def seeds() -> list[bytes]:
    """A record, and a sweep of two jobs."""
    jobs = {"identity": "ab", "jobs": [["engine=structure"], ["engine=operon"]]}
    return [job_record(), json.dumps(jobs).encode()]


TARGET = Target("records of sweeps", once, seeds, json_bytes)
