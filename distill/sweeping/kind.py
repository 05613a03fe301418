"""How the jobs of a sweep are found: all beforehand, or one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from distill.sweeping.folder import SweepFolder
from distill.sweeping.jobs import Job
from distill.sweeping.record import JobRecord
from distill.sweeping.source import GridSource, Source

MANY = 8
"""Values of a key beyond which not each of them is tried beforehand: composing takes its time."""


class Kind(Protocol):
    """One way to find jobs."""

    @property
    def listed(self) -> tuple[Job, ...]:
        """The jobs that are known beforehand."""

    @property
    def probes(self) -> tuple[Job, ...]:
        """Jobs that hold between them every value that varies, of numbers the ends."""

    @property
    def count(self) -> int:
        """How many jobs there are at most."""

    @property
    def told(self) -> Mapping[str, Any]:
        """What else makes it another sweep."""

    def tasks(self, folder: SweepFolder) -> int:
        """How many tasks there are for what is left, those that cannot run side by side as well."""

    def starts(self, folder: SweepFolder) -> Iterator[tuple[Source, int]]:
        """What to start, and in how many tasks: again as long as jobs are left that died."""

    def again(self, record: JobRecord) -> bool:
        """Whether the same command does a job again that has ended."""

    def died(self, folder: SweepFolder) -> list[int]:
        """The jobs that should have ended and have not."""

    def found(self, folder: SweepFolder) -> Mapping[str, Any]:
        """What was found over all jobs, where that is more than the jobs; as plain data."""


@dataclass(frozen=True)
class GridKind:
    """Every combination, ``size`` of them a task; what dies is started ``attempts`` times."""

    listed: tuple[Job, ...]
    size: int
    attempts: int

    @property
    def probes(self) -> tuple[Job, ...]:
        """Jobs that hold every value that varies; of a key with many, the first and the last."""
        values: dict[str, dict[str, None]] = {}
        for word in (word for job in self.listed for word in job.overrides):
            values.setdefault(word.partition("=")[0], {})[word] = None
        wanted: set[str] = set()
        for words in map(list, values.values()):
            wanted.update(words if len(words) <= MANY else (words[0], words[-1]))
        found = list(self.listed[:1])
        wanted.difference_update(*(job.overrides for job in found))
        for job in self.listed[1:]:
            if new := wanted.intersection(job.overrides):
                found.append(job)
                wanted -= new
        return tuple(found)

    @property
    def count(self) -> int:
        """All jobs."""
        return len(self.listed)

    @property
    def told(self) -> Mapping[str, Any]:
        """Nothing: the jobs are the sweep."""
        return {}

    def tasks(self, folder: SweepFolder) -> int:
        """So many rows of jobs."""
        return -(-len(self.died(folder)) // self.size)

    def starts(self, folder: SweepFolder) -> Iterator[tuple[Source, int]]:
        """The jobs that have not ended, a row for each task.

        Some launchers give up all jobs when one process dies. The jobs that had not begun are then
        started again first, and those that had one by one, so that none dies with its neighbour.
        """
        deaths: Counter[int] = Counter()
        alone = False
        while left := [n for n in self.died(folder) if deaths[n] < self.attempts]:
            fresh = [number for number in left if not deaths[number]]
            batch = fresh or (left[:1] if alone else left)
            before = {number: folder.begun(number) for number in batch}
            rows = [tuple(batch[at : at + self.size]) for at in range(0, len(batch), self.size)]
            yield GridSource(folder, tuple(rows)), len(rows)
            lost = [number for number in self.died(folder) if number in before]
            begun = [number for number in lost if folder.begun(number) != before[number]]
            alone = alone or len(begun) < len(lost)
            deaths.update(begun or lost)

    def again(self, record: JobRecord) -> bool:
        """What failed, had no time, or whose results are gone."""
        return record.status in {"failed", "left_out"} or not results_there(record)

    def died(self, folder: SweepFolder) -> list[int]:
        """The jobs without a record."""
        ended = folder.ended()
        return [job.number for job in self.listed if job.number not in ended]

    def found(self, folder: SweepFolder) -> Mapping[str, Any]:
        """Nothing more."""
        return {}


def results_there(record: JobRecord) -> bool:
    """Whether the folders that a record names are still on disk."""
    return all(Path(study["folder"]).is_dir() for study in record.result.get("studies") or ())
