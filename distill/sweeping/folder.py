"""The folder of a sweep: its list of jobs, and of each job the record, the log and the events.

sweep.json          what the sweep is
jobs/7.json         job 7 has ended: its record, written whole
logs/7.txt          what a terminal would have shown
events/7.jsonl      the same for programs (docs/json-lines.md)
locks/7.lock        held by the process that does job 7
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distill.errors import ConfigError, StorageError
from distill.files import write_whole
from distill.reading import json_of
from distill.sweeping.jobs import Job
from distill.sweeping.record import JobRecord

SWEEP = "sweep.json"
VERSION = 1


@dataclass(frozen=True)
class SweepFolder:
    """The files of one sweep, by the number of a job."""

    path: Path

    @property
    def name(self) -> str:
        """What the sweep is called."""
        return self.path.name

    def record_file(self, number: int) -> Path:
        """Where the record of a job will be when it has ended."""
        return self.path / "jobs" / f"{number}.json"

    def log_file(self, number: int) -> Path:
        """What a terminal would have shown of a job."""
        return self.path / "logs" / f"{number}.txt"

    def events_file(self, number: int) -> Path:
        """A job's events as JSON lines."""
        return self.path / "events" / f"{number}.jsonl"

    def code_folder(self, number: int) -> Path:
        """Where a job's C goes, unless ``export.directory`` says otherwise."""
        return self.path / "c" / str(number)

    def lock_file(self, number: int) -> Path:
        """Held by the process that does a job."""
        return self.path / "locks" / f"{number}.lock"

    def make(self, command: Sequence[str], jobs: Sequence[Job], identity: str) -> None:
        """Write down what the sweep is, unless it is there.

        Raises
        ------
        ConfigError : when a sweep of this name was made from something else.
        StorageError : when the folder cannot be read or written.
        """
        if (self.path / SWEEP).exists():
            if self._data()["identity"] != identity:
                raise ConfigError(
                    f"the sweep `{self.name}` is there, made from other words, models or code.",
                    where=str(self.path),
                    hint="give another sweep.name, or none: then it is named after what it is.",
                )
            return
        data = {
            "version": VERSION,
            "name": self.name,
            "identity": identity,
            "command": list(command),
            "jobs": [list(job.overrides) for job in jobs],
        }
        write_whole(self.path / SWEEP, json.dumps(data, indent=1))

    def jobs(self) -> list[Job]:
        """The jobs of a grid, by their numbers.

        Raises
        ------
        StorageError : when the sweep cannot be read.
        """
        rows = self._data()["jobs"]
        return [Job(number, words) for number, words in enumerate(rows)]

    def _data(self) -> Mapping[str, Any]:
        file = self.path / SWEEP
        try:
            data = json_of(file.read_text(encoding="utf-8"))
            jobs = [tuple(map(str, words)) for words in data["jobs"]]
            return {"identity": str(data["identity"]), "jobs": jobs}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StorageError(
                f"the sweep cannot be read: {error}.",
                where=str(file),
                hint="delete that file and repeat the command; what is finished stays finished.",
            ) from error

    def keep(self, record: JobRecord) -> None:
        """Write down what a job came to.

        Raises
        ------
        StorageError : when the folder cannot be written.
        """
        write_whole(self.record_file(record.job.number), record.to_json())

    def record(self, number: int) -> JobRecord | None:
        """What a job came to; None when it has not ended, or its record is damaged."""
        try:
            return JobRecord.from_json(self.record_file(number).read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def ended(self) -> set[int]:
        """The numbers of the jobs that have a record: one look at one folder."""
        return {
            int(file.stem) for file in (self.path / "jobs").glob("*.json") if file.stem.isdecimal()
        }

    def begun(self, number: int) -> int | None:
        """When a job last told something, in nanoseconds since 1970; None when it never began."""
        try:
            return self.events_file(number).stat().st_mtime_ns
        except OSError:
            return None

    def forget(self, number: int) -> None:
        """Let a job be done again."""
        self.record_file(number).unlink(missing_ok=True)
