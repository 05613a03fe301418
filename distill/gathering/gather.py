"""Asking all points in parts over a launcher, until each is answered or has no answer."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout
from omegaconf import DictConfig

from distill.arrays import Array
from distill.config.schema import StudyConfig
from distill.errors import BUG, ClusterError, ConfigError, DistillError, TeacherError
from distill.files import disk_errors
from distill.gathering.part import AskParts, Folder, PartRecord
from distill.gathering.points import open_first, points_asked, slow_one
from distill.gathering.watch import Watch
from distill.interrupts import not_lost
from distill.pipeline.all_outputs import ALL
from distill.pipeline.one_output import study_root
from distill.progress import Progress
from distill.runner import Done, Runner
from distill.sampling.sample_set import SampleSet
from distill.stages.sample import SAMPLE, made_from, sample
from distill.teachers.simulator import SlowTeacher
from distill.teachers.simulator_cache import Answers

Launch: TypeAlias = Callable[[Callable[[DictConfig], None], int, Path], None]
"""Runs a function so many times and waits: the function, how often, and a folder for logs."""

STAGE = "ask"
"""What the asking is called among the stages."""

ATTEMPTS = 3
"""So many times in a row parts may die without any new answer."""

SEEN = 90.0
"""Seconds in which what a machine wrote is seen by all: network file systems may take a minute."""


@dataclass(frozen=True)
class Gathered:
    """What was asked, and the samples that came of it.

    Attributes
    ----------
    points : how many points were wanted, how many of them were ``asked`` now (again, after a kill),
        and how many have no answer.
    failed : of those asked now, points without an answer by reason.
    answers : the folder that keeps the answers.
    samples : by the names of the outputs.
    """

    points: int
    asked: int
    without: int
    failed: Mapping[str, int]
    answers: Path
    samples: Mapping[str, Done[SampleSet]]


def gather(config: StudyConfig, launch: Launch, progress: Progress) -> Gathered:
    """Ask a slow teacher all points of the design, and keep the sample for ``distill run``.

    What was answered before is not asked again. A part that dies is asked again; the budget
    ``teacher.options.calls`` holds for all parts together, with what was asked in vain.

    Raises
    ------
    ConfigError : for a teacher whose answers are not kept, or not where all machines see them.
    TeacherError : when more points are new than may be asked.
    ClusterError : when parts die again and again.
    DistillError : what kept a part from asking.
    """
    context = open_first(config)
    domain = context.domain
    checked, teacher = slow_one(context.teacher)
    whole = config.teacher.output == ALL
    outputs = range(len(teacher.outputs)) if whole else [context.output]
    runner = Runner(study_root(config, teacher), progress)
    made = {output: made_from(config.sampling, domain, output) for output in outputs}
    x = points_asked(config, domain)
    sampled = all(runner.has(SAMPLE, own, [teacher.fingerprint]) for own in made.values())
    asking = _Asking(config, teacher, x, runner.root, launch, progress)
    if not sampled or config.sampling.ahead != "none":
        asking.all()
    closed = replace(checked, teacher=replace(teacher, asks=False))
    return Gathered(
        points=len(x),
        asked=asking.asked,
        without=int((~np.isfinite(teacher.answers.find(x)[0]).all(axis=1)).sum()),
        failed=asking.failed,
        answers=_folder_of(teacher),
        samples={
            teacher.outputs[output].name: runner.run(
                SAMPLE,
                own,
                [teacher.fingerprint],
                f"taking the answers of {teacher.name}",
                lambda work, output=output: sample(  # type: ignore[misc]
                    config.sampling, closed, domain, output, work.progress
                ),
            )
            for output, own in made.items()
        },
    )


@dataclass
class _Asking:
    """One command's way through all parts.

    Attributes
    ----------
    x : all points (n, d); part i has every ``of``-th of them from the i-th on.
    asked : questions so far, in all parts, those in vain included.
    """

    config: StudyConfig
    teacher: SlowTeacher
    x: Array
    root: Path
    launch: Launch
    progress: Progress
    asked: int = 0
    failed: Counter[str] = field(default_factory=Counter)

    def all(self) -> None:
        """Ask until every part has ended."""
        missing = int((~self._known()).sum())
        if not missing:
            return
        of = min(self.config.sampling.jobs, missing)
        parts = f" in {of} parts" if of > 1 else ""
        self.progress.begin(STAGE, f"{self.teacher.name} at {missing:,} new points{parts}")
        with self._alone() as base:
            folder = Folder(Path(tempfile.mkdtemp(prefix="asking-", dir=base)))
            logs = base / "launcher"
            try:
                self._ask_parts(folder, of, logs)
            finally:
                folder.end()
            shutil.rmtree(logs, ignore_errors=True)
        self.progress.end(STAGE, f"{self.asked:,} questions", reused=False)

    def _ask_parts(self, folder: Folder, of: int, logs: Path) -> None:
        in_vain = 0
        while parts := self._open_parts(folder, of):
            missing = self._within_budget()
            task = AskParts(folder, parts, of, self.teacher.fingerprint)
            with Watch(self._own_answers(), self.x, folder, of, self.progress) as watch:
                said = self._launched(task, folder, logs)
                self.asked = folder.asked() if folder.path.is_dir() else self.asked
            if watch.problem is not None:
                raise _error_of(watch.problem)
            self._wait_until_seen(folder, of)
            dead = self._open_parts(folder, of)
            in_vain = 0 if int((~self._known()).sum()) < missing else in_vain + 1
            if dead and in_vain == ATTEMPTS:
                raise ClusterError(
                    f"{len(dead)} of {of} parts died {ATTEMPTS} times without a new answer"
                    + (f" ({said.rstrip('.')})." if said else "."),
                    where=str(logs),
                    hint="see the launcher's logs there; memory, a limit of time? What is answered "
                    "is kept: the same command goes on.",
                )
            if dead:
                self.progress.warn(f"{len(dead)} of {of} parts died; they are asked again.")
        for record in filter(None, map(folder.record, range(of))):
            self.failed.update(record.failed)

    def _open_parts(self, folder: Folder, of: int) -> tuple[int, ...]:
        """The parts with points that nobody has asked."""
        known = self._known()
        return tuple(i for i in range(of) if not known[i::of].all() and folder.record(i) is None)

    def _within_budget(self) -> int:
        """How many points are missing.

        Raises
        ------
        TeacherError : when they are more than may be asked.
        """
        missing, calls = int((~self._known()).sum()), self.teacher.calls
        if calls is not None and self.asked + missing > calls:
            raise TeacherError(
                f"{missing:,} new points would be asked, but {self.asked:,} of {calls:,} calls "
                "are used.",
                where="config key `teacher.options.calls`",
                hint="raise teacher.options.calls, or ask less (sampling.points, sampling.ahead); "
                "answers that are kept on disk do not count.",
            )
        return missing

    def _launched(self, task: AskParts, folder: Folder, logs: Path) -> str:
        """Run a task for each open part, and wait; what the launcher said when it failed."""
        said = ""
        try:
            with not_lost():
                self.launch(task, len(task.parts), logs)
        except DistillError:
            raise
        except Exception as error:  # a dead part ends some launchers; others are still asked
            said = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        for number in task.parts:
            if folder.path.is_dir():
                with folder.lock(number):
                    pass
        return said

    def _wait_until_seen(self, folder: Folder, of: int) -> None:
        """Wait until the answers that parts have kept can be read here.

        Raises
        ------
        ConfigError : when they never can.
        """
        end = time.monotonic() + SEEN
        for number in range(of):
            record = folder.record(number)
            while record is not None and self._known()[number::of].sum() < record.kept:
                if time.monotonic() > end:
                    raise ConfigError(
                        f"what {record.host} has kept cannot be seen here: "
                        f"{_folder_of(self.teacher)} is not the same folder there.",
                        where="config key `teacher.options.cache`",
                        hint="name a folder on a file system that all machines share.",
                    )
                time.sleep(0.5)

    def _known(self) -> npt.NDArray[np.bool_]:
        return self.teacher.answers.find(self.x)[1]

    def _own_answers(self) -> Answers:
        kept = self.teacher.answers
        return Answers(kept.folder, kept.fingerprint, kept.outputs)

    @contextmanager
    def _alone(self) -> Iterator[Path]:
        """The folder of this teacher's parts, where one command asks at a time."""
        base = self.root / "parts" / self.teacher.fingerprint[:16]
        with disk_errors(base):
            base.mkdir(parents=True, exist_ok=True)
            lock = FileLock(base / ".lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                self.progress.warn("another command asks this teacher; waiting for it.")
                lock.acquire(poll_interval=0.5)
        try:
            # Parts of a command that was killed stop when their folder is gone.
            for left in base.glob("asking-*"):
                Folder(left).end()
            yield base
        finally:
            lock.release()


def _folder_of(teacher: SlowTeacher) -> Path:
    assert teacher.answers.folder is not None
    return teacher.answers.folder


def _error_of(record: PartRecord) -> Exception:
    """What kept a part from asking, as it was there."""
    assert record.problem is not None
    if record.exit_code == BUG:
        return RuntimeError(record.problem["what"])
    error = DistillError(**record.problem)
    error.exit_code = record.exit_code
    return error
