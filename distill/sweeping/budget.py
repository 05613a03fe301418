"""Sharing out the time of a whole sweep (``sweep.hours``) over its jobs.

Nobody knows beforehand how long a search takes: one finds the exact formula in seconds, the next
uses all it has. So each job gets its share when it begins, of what is left by then. Shares are in
the ratio of the jobs' own ``engine.seconds``; what a job takes beside its search (scoring, proofs,
verification) is put aside first, as much as the finished jobs took on average.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from distill.errors import ConfigError
from distill.figures import duration
from distill.files import write_whole
from distill.reading import json_of
from distill.sweeping.record import JobRecord

LEAST = 1.0
"""Seconds of search below which a job is not worth beginning."""

BESIDE = 20.0
"""Seconds a job is taken to need beside its search before any has finished."""


@dataclass(frozen=True)
class Plan:
    """The time that all jobs have together.

    Attributes
    ----------
    deadline : when all is to be done, in seconds since 1970.
    parallel : how many jobs run side by side.
    weights : of each job by its number, its own ``engine.seconds``; 0 where it counts evaluations.
    """

    deadline: float
    parallel: int
    weights: tuple[float, ...]

    def weight(self, number: int) -> float:
        """Of a job; jobs that are not known beforehand all weigh the same."""
        return self.weights[number] if number < len(self.weights) else 1.0


@dataclass(frozen=True)
class Begun:
    """A job that has begun: when, in seconds since 1970, and how long it may search."""

    number: int
    began: float
    seconds: float


def share(
    plan: Plan,
    number: int,
    waiting: Sequence[int],
    running: Sequence[Begun],
    beside: float,
    now: float,
) -> float:
    """Seconds that a job may search which begins now.

    Parameters
    ----------
    waiting : the jobs that have not begun, this one among them.
    running : those that have begun and not ended.
    beside : seconds that a job takes beside its search.
    """
    left = plan.deadline - now
    taken = sum(max(0.0, each.began + each.seconds + beside - now) for each in running)
    searching = left * plan.parallel - taken - beside * len(waiting)
    weights = sum(plan.weight(each) for each in waiting)
    if not weights:
        return 0.0
    return min(searching * plan.weight(number) / weights, left - beside)


def time_beside(records: Sequence[JobRecord]) -> float:
    """Seconds that jobs took on average beside their search."""
    known = [r.seconds - r.searched for r in records if r.searched and r.status == "done"]
    return sum(known) / len(known) if known else BESIDE


def check(plan: Plan, jobs: int, now: float) -> float:
    """Seconds of search that a job of average weight gets.

    Raises
    ------
    ConfigError : when that is too little to begin with.
    """
    seconds = (plan.deadline - now) * plan.parallel / max(1, jobs) - BESIDE
    searching = any(plan.weight(number) for number in range(max(1, len(plan.weights))))
    if searching and seconds < LEAST:
        needed = jobs * (BESIDE + 10) / plan.parallel
        raise ConfigError(
            f"{jobs:,} jobs, {plan.parallel} at a time, have no time to search: each needs about "
            f"{BESIDE:.0f} s beside its search.",
            where="config key `sweep.hours`",
            hint=f"give at least sweep.hours={math.ceil(needed / 36) / 100:g} "
            f"({duration(needed)}), or fewer jobs.",
        )
    return seconds


@dataclass(frozen=True)
class Shares:
    """Hands out the shares of a plan; its files are in a folder that all processes see."""

    folder: Path
    plan: Plan

    def begin(
        self, number: int, own: float | None, left: Collection[int], beside: float
    ) -> float | None:
        """Seconds that a job may search; None when its time is up.

        A job that died gets the same again, so that the rounds it had finished are not lost.

        Parameters
        ----------
        own : its ``engine.seconds``; with None it counts evaluations, and takes what it takes.
        left : the numbers of jobs that have not ended, this one among them.
        beside : seconds that a job takes beside its search.
        """
        now = time.time()
        if own is None:
            return math.inf if now < self.plan.deadline else None
        begun = {each.number: each for each in self._begun() if each.number in left}
        before = begun.pop(number, None)
        if before is not None and now + before.seconds + beside <= self.plan.deadline:
            seconds = before.seconds
        else:
            waiting = [each for each in left if each not in begun]
            seconds = share(self.plan, number, waiting, list(begun.values()), beside, now)
        if seconds < LEAST:
            return None
        seconds = round(seconds, 1)
        record = Begun(number, now, seconds)
        write_whole(self._file(number), json.dumps(asdict(record)))
        return seconds

    def _file(self, number: int) -> Path:
        return self.folder / "begun" / f"{number}.json"

    def _begun(self) -> Iterator[Begun]:
        """The jobs that have begun; a file that cannot be read is as good as none."""
        for file in (self.folder / "begun").glob("*.json"):
            with suppress(OSError, ValueError, KeyError, TypeError):
                data = json_of(file.read_text(encoding="utf-8"))
                yield Begun(int(data["number"]), float(data["began"]), float(data["seconds"]))
