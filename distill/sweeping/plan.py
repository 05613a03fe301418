"""What a sweep is going to do, told before it begins."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from distill.figures import duration
from distill.sweeping.folder import SweepFolder
from distill.sweeping.jobs import Job

SHOWN = 20
"""Jobs that are listed; of more only how many there are is told."""


@dataclass(frozen=True)
class Planned:
    """What is going to run.

    Attributes
    ----------
    jobs : those of a grid; an adaptive sweep does not know them yet.
    count : how many there are in all, ``finished`` of them before.
    parallel : how many run side by side.
    seconds : of search by the number of a job, as far as they are known beforehand.
    deadline : when it is over at the latest, in seconds since 1970; None without a limit.
    """

    folder: SweepFolder
    jobs: tuple[Job, ...]
    count: int
    finished: int
    parallel: int
    seconds: Mapping[int, float]
    deadline: float | None

    def lines(self) -> list[str]:
        """The plan as a person reads it."""
        done = f", {self.finished:,} done before" if self.finished else ""
        side = f", {self.parallel} at a time" if self.parallel > 1 else ""
        jobs = "1 job" if self.count == 1 else f"{self.count:,} jobs"
        lines = [f"sweep {self.folder.name}: {jobs}{side}{done}"]
        for job in self.jobs[:SHOWN] if len(self.jobs) <= SHOWN else ():
            seconds = self.seconds.get(job.number)
            time_of = f"   about {duration(seconds)} of search" if seconds else ""
            lines.append(f"  {job.number:>3}  {' '.join(job.overrides)}{time_of}")
        if len(self.jobs) > SHOWN and self.seconds:
            least, most = min(self.seconds.values()), max(self.seconds.values())
            each = duration(least) if least == most else f"{duration(least)} to {duration(most)}"
            lines.append(f"  about {each} of search each")
        if self.deadline is not None:
            over = time.strftime("%a %H:%M:%S", time.localtime(self.deadline))
            lines.append(f"  over by {over} at the latest; what finishes early leaves its time")
        lines.append(f"  records and logs: {self.folder.path}")
        return lines

    def data(self) -> dict[str, Any]:
        """The plan for programs."""
        return {
            "sweep": self.folder.name,
            "folder": str(self.folder.path),
            "count": self.count,
            "finished": self.finished,
            "parallel": self.parallel,
            "deadline": self.deadline,
            "jobs": [
                {
                    "job": job.number,
                    "overrides": list(job.overrides),
                    "seconds": self.seconds.get(job.number),
                }
                for job in self.jobs
            ],
        }


def parallel_of(launcher: Mapping[str, Any], tasks: int) -> int:
    """How many tasks a launcher's config lets run side by side."""
    from joblib import effective_n_jobs

    if "n_jobs" in launcher:
        wanted = int(effective_n_jobs(launcher["n_jobs"]))
    else:
        wanted = int(launcher.get("array_parallelism") or 1)
    return max(1, min(wanted, tasks))


def expected(weights: Sequence[float], each: float) -> dict[int, float]:
    """Seconds of search by the number of a job, from those of an average one."""
    known = [weight for weight in weights if weight]
    mean = sum(known) / len(known) if known else 1.0
    return {n: each * weight / mean for n, weight in enumerate(weights) if weight}
