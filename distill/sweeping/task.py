"""What a launcher starts: jobs one after the other, each with a log and a record on disk."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from typing import TextIO, cast

from filelock import FileLock
from hydra.core.hydra_config import HydraConfig
from hydra.types import HydraContext
from omegaconf import DictConfig

from distill.commands import running
from distill.config.schema import StudyConfig
from distill.errors import DistillError, exit_code_of
from distill.files import disk_errors
from distill.identifiers import visible
from distill.interrupts import not_lost
from distill.sweeping.budget import Shares, time_beside
from distill.sweeping.capped import CappedText
from distill.sweeping.composing import study_of
from distill.sweeping.folder import SweepFolder
from distill.sweeping.jobs import Job
from distill.sweeping.noting import Noting
from distill.sweeping.record import JobRecord, launcher_job
from distill.sweeping.source import Hopeless, Source
from distill.tracking.origin import Origin
from distill.voices.console import PlainConsole
from distill.voices.json_lines import JsonLines
from distill.voices.several import Several
from distill.voices.terminal import Terminal

WIDTH = 120
"""Columns of a log."""

LOOKED_AT = 50
"""Finished jobs from which the next ones learn how long a job takes beside its search."""


@dataclass(frozen=True)
class Task:
    """The jobs of one process, or of one element of a Slurm array.

    Attributes
    ----------
    context, config : Hydra's, to compose each job's config; ``fixed`` are the words that all have.
    shares : of the time, where the sweep has a limit.
    jobs : how many the sweep has in all.
    """

    folder: SweepFolder
    source: Source
    context: HydraContext
    config: DictConfig
    fixed: tuple[str, ...]
    shares: Shares | None
    jobs: int

    def __call__(self, composed: DictConfig) -> None:
        """Do the jobs of the task whose number Hydra tells."""
        for job in self.source.jobs(int(HydraConfig.get().job.num)):
            with self._alone(job):
                # Another process, of this command or of the same one given twice, may have done it.
                record = self.folder.record(job.number)
                if record is None:
                    record = self._done(job)
                    self.folder.keep(record)
            self.source.tell(record)

    def config_of(self, job: Job) -> StudyConfig:
        """The study that a job is.

        Raises
        ------
        ConfigError : naming the key.
        """
        words = [*self.fixed, f"sweep.name={self.folder.name}", *job.overrides]
        return study_of(self.context, self.config, words)

    @contextmanager
    def _alone(self, job: Job) -> Iterator[None]:
        file = self.folder.lock_file(job.number)
        with disk_errors(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(file)
            lock.acquire(poll_interval=0.5)
        try:
            yield
        finally:
            lock.release()

    def _done(self, job: Job) -> JobRecord:
        """Do a job; whatever it ends with is in its record, but for Ctrl-C."""
        began = time.monotonic()
        noting = Noting()
        record = JobRecord(job, "done")
        with self._log(job) as (log, events):
            voice = Several(
                JsonLines("run", job.number, events), Terminal(_on(log), _on(log)), noting
            )
            try:
                with voice, not_lost():
                    record = self._run(job, record, voice)
            except DistillError as error:
                print(visible(f"distill: {error}"), file=log)
                record = replace(
                    record, status="failed", exit_code=error.exit_code, problem=str(error)
                )
            except Exception as error:
                print(visible(traceback.format_exc()), file=log)
                problem = (
                    f"this is a mistake of distill, not yours: {type(error).__name__}: {error}"
                )
                record = replace(
                    record, status="failed", exit_code=exit_code_of(error), problem=problem
                )
        return replace(
            record,
            seconds=round(time.monotonic() - began, 3),
            searched=round(noting.searched, 3) or None,
            result=noting.data,
        )

    def _run(self, job: Job, record: JobRecord, voice: Several) -> JobRecord:
        """Run the study, for as long as its share of the time lasts."""
        config = self.config_of(job)
        if self.shares is not None:
            ended = self.folder.ended()
            left = {*range(self.jobs), job.number} - ended
            newest = [r for n in sorted(ended)[-LOOKED_AT:] if (r := self.folder.record(n))]
            seconds = self.shares.begin(
                job.number, config.engine.seconds, left, time_beside(newest)
            )
            if seconds is None:
                voice.warn("not begun: the time of the sweep is up.")
                return replace(record, status="left_out")
            if config.engine.seconds is not None:
                config.engine.seconds = seconds
        if config.export.directory is None:
            # Jobs side by side would write into one folder.
            config.export.directory = str(self.folder.code_folder(job.number))
        origin = Origin(job.number, self.folder.log_file(job.number), record.host, launcher_job())
        try:
            running.run_and_show(config, job.overrides, self.source.watch(job, voice), origin)
        except Hopeless as stop:
            voice.warn(f"ended as hopeless: {stop}" if str(stop) else "ended as hopeless.")
            return replace(record, status="pruned")
        return record

    @contextmanager
    def _log(self, job: Job) -> Iterator[tuple[TextIO, TextIO]]:
        """The job's log, which also gets what libraries print, and its events."""
        log, events = self.folder.log_file(job.number), self.folder.events_file(job.number)
        with disk_errors(log):
            for file in (log, events):
                file.parent.mkdir(parents=True, exist_ok=True)
            with (
                log.open("a", encoding="utf-8") as whole,
                events.open("w", encoding="utf-8") as rows,
            ):
                text = cast(TextIO, CappedText(whole))
                head = f"job {job.number}: {' '.join(job.overrides)}"
                print(visible(head), file=text, flush=True)
                with redirect_stdout(text), redirect_stderr(text):
                    yield text, rows


def _on(file: TextIO) -> PlainConsole:
    return PlainConsole(file=file, width=WIDTH)
