"""Where the jobs of a task come from: the list of a grid, or Optuna."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from distill.sweeping.folder import SweepFolder
from distill.sweeping.jobs import Job
from distill.sweeping.record import JobRecord
from distill.voices.voice import Voice


class Hopeless(KeyboardInterrupt):
    """A search is to be ended because others are far better.

    Of the kind of Ctrl-C, because that is what it is to engines: they clean up and do not catch it.
    """


class Source(Protocol):
    """Which jobs a task does. It is handed to other processes, so it holds plain data."""

    def jobs(self, task: int) -> Iterator[Job]:
        """What this task is to do, one after the other."""

    def watch(self, job: Job, voice: Voice) -> Voice:
        """What a job speaks to: the voice, or one around it that may raise :class:`Hopeless`."""

    def tell(self, record: JobRecord) -> None:
        """A job has ended."""


@dataclass(frozen=True)
class GridSource:
    """The jobs of a grid by their numbers, a row for each task."""

    folder: SweepFolder
    numbers: tuple[tuple[int, ...], ...]

    def jobs(self, task: int) -> Iterator[Job]:
        """The task's row."""
        jobs = self.folder.jobs()
        return (jobs[number] for number in self.numbers[task])

    def watch(self, job: Job, voice: Voice) -> Voice:
        """The voice itself: no job of a grid is ended."""
        return voice

    def tell(self, record: JobRecord) -> None:
        """Do nothing: the record is on disk."""
