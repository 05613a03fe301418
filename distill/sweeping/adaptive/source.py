"""The jobs of an adaptive sweep, as each worker draws them from the trials that all share."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from optuna.trial import Trial

from distill.errors import StorageError
from distill.sweeping.adaptive.pruning import Watched
from distill.sweeping.adaptive.storage import open_storage, storage_errors
from distill.sweeping.adaptive.trials import Search, Trials
from distill.sweeping.folder import SweepFolder
from distill.sweeping.jobs import Job
from distill.sweeping.record import JobRecord
from distill.voices.voice import Voice

FOLDER = "trials"
"""Of the sweep's folder: locks, and the journal where no other storage is given."""


POLL_SECONDS = 0.5
"""How long to wait before looking again at trials that another command does."""


@dataclass(frozen=True)
class AdaptiveSource:
    """Draws jobs until all trials are asked; a trial's number is its job's.

    Attributes
    ----------
    storage : ``sweep.storage``.
    attempts : how often a trial is begun whose workers die.
    session : names the command that the worker was started by, so that the same command given again
        begins such trials again.
    tolerance : of jobs that do not set their own.
    """

    folder: SweepFolder
    search: Search
    storage: str | None
    attempts: int
    session: str
    tolerance: float

    def jobs(self, task: int) -> Iterator[Job]:
        """What a worker is to do next, until nothing is left; ``task`` does not matter.

        Raises
        ------
        ConfigError : when the sweep of this name searched elsewhere.
        StorageError : when the storage cannot be used.
        """
        while not self._late():
            with self.storage_errors():
                held = self.trials.take(self.session, self.attempts, self.folder.ended())
            if held is None:
                if not self._elsewhere():
                    return
                time.sleep(POLL_SECONDS)
                continue
            try:
                yield Job(held.number, self.search.space.overrides(held.values))
            finally:
                held.lock.release()

    def watch(self, job: Job, voice: Voice) -> Voice:
        """The voice, with a judge beside it that may end the search."""
        if self.search.pruning.rule == "none":
            return voice
        return Watched(voice, SharedCurve(self, job.number), _tolerance(job, self.tolerance))

    def tell(self, record: JobRecord) -> None:
        """A job has ended; one without an answer stays to be done by the next command.

        Raises
        ------
        StorageError : when the storage cannot be used.
        """
        if answered(record):
            with self.storage_errors():
                self.trials.tell(record)

    def left(self) -> int:
        """How often trials may be begun still in this session; 0 when the sweep's time is up.

        Raises
        ------
        StorageError : when the storage cannot be used.
        """
        if self._late():
            return 0
        with self.storage_errors():
            return self.trials.left(self.session, self.attempts, self.folder.ended())

    def _elsewhere(self) -> bool:
        """Whether workers of another command, perhaps of one that was killed, do trials still."""
        with self.storage_errors():
            return self.trials.elsewhere(self.session, self.folder.ended())

    def _late(self) -> bool:
        """Whether a job was left out; those that ended and were not told are told now."""
        late = False
        for number in self.running():
            record = self.folder.record(number)
            if record is not None:
                # Perhaps its worker died before it could tell.
                self.tell(record)
                late |= record.status == "left_out"
        return late

    def running(self) -> list[int]:
        """The trials that were begun and have not ended, as far as the storage knows.

        Raises
        ------
        StorageError : when the storage cannot be used.
        """
        with self.storage_errors():
            return self.trials.running()

    def storage_errors(self) -> AbstractContextManager[None]:
        """Errors of the storage as :class:`StorageError`, in a ``with`` block."""
        return storage_errors(self.storage)

    @cached_property
    def trials(self) -> Trials:
        """The trials, opened when this process first needs them."""
        path = self.folder.path / FOLDER
        # In a database all sweeps are neighbours, of other folders too.
        where = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
        name = self.folder.name if self.storage is None else f"{self.folder.name} {where}"
        return Trials(self.search, open_storage(self.storage, path), name, path)

    def __getstate__(self) -> dict[str, Any]:
        """Another process opens the storage itself."""
        return {key: value for key, value in vars(self).items() if key != "trials"}


def answered(record: JobRecord) -> bool:
    """Whether a job came to something; one that only could not be logged did, too."""
    return record.status in {"done", "pruned"} or bool(record.result.get("studies"))


class SharedCurve:
    """A trial's curve; while the storage cannot be reached the search is not judged."""

    def __init__(self, source: AdaptiveSource, number: int) -> None:
        self._source, self._number = source, number

    def report(self, value: float, step: int) -> None:
        """Its best error so far, in tolerances."""
        with suppress(StorageError), self._source.storage_errors():
            self._trial.report(value, step)

    def should_prune(self) -> bool:
        """Whether it is hopeless beside the others."""
        with suppress(StorageError), self._source.storage_errors():
            return self._trial.should_prune()
        return False

    @cached_property
    def _trial(self) -> Trial:
        return self._source.trials.curve(self._number)


def _tolerance(job: Job, tolerance: float) -> float:
    given = [word.partition("=")[2] for word in job.overrides if word.startswith("tolerance=")]
    return float(given[-1]) if given else tolerance
