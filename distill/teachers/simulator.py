"""Simulators and other slow functions: answers kept on disk, asked in parallel, calls counted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import NotDifferentiable, TeacherError
from distill.teachers import fingerprint
from distill.teachers.base import Output
from distill.teachers.checked import Raised
from distill.teachers.process import TooLate, Worker
from distill.teachers.simulator_cache import Answers
from distill.teachers.simulator_pool import share_out

FAILURES = (
    "Diverged", "ArithmeticError", "FloatingPointError", "OverflowError", "ZeroDivisionError",
    "ValueError", "LinAlgError",
)  # fmt: skip
"""What a simulator may raise where it has no answer. Anything else is a mistake in its code."""

WRITING = 0.5
"""Seconds after which answers are written to the disk: what a kill may cost."""


@dataclass
class Tally:
    """What happened so far: calls made, points answered, and points without an answer by reason."""

    calls: int = 0
    answered: int = 0
    failed: Counter[str] = field(default_factory=Counter)


def _nobody(points: int) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True)
class SlowTeacher:
    """A function by import path that is asked as seldom as possible.

    Equal points are asked once; answers are kept on disk by the exact bytes of the points. Points
    at which a simulator fails (a solver that gives up, an arithmetic error, no answer in time) are
    answered with NaN and counted; those that were too late are asked again another time.

    Attributes
    ----------
    calls : at how many points it may be asked in this process, those on disk not counted; None for
        any number.
    failing : whether a failure is the point's (nan), or the teacher's (raise).
    begin : told of points before they are asked, from several threads; an error ends the asking.
    hopeless : of so many points asked together one at least must have an answer, unless others had.
    asks : False answers from what is kept alone, NaN elsewhere.
    """

    workers: tuple[Worker, ...] = field(repr=False)
    answers: Answers = field(repr=False)
    name: str
    outputs: tuple[Output, ...]
    fingerprint: str
    timeout: float
    batch: int
    vectorized: bool
    calls: int | None
    failing: Literal["nan", "raise"]
    where: str
    domain: Domain | None = None
    tally: Tally = field(default_factory=Tally, repr=False, compare=False)
    begin: Callable[[int], None] = field(default=_nobody, repr=False, compare=False)
    hopeless: int = 2
    asks: bool = True
    can_be_asked: bool = True
    validation_error: float | None = None

    @property
    def calls_left(self) -> int | None:
        """At how many new points it may still be asked; None for any number."""
        return None if self.calls is None else self.calls - self.tally.calls

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the answers."""
        failed = sum(self.tally.failed.values())
        if not failed:
            return ()
        most = self.tally.failed.most_common(1)[0][0]
        return (
            f"{failed:,} of {failed + self.tally.answered:,} points have no answer, mostly: "
            f"{most}.",
        )

    def predict(self, x: Array) -> Array:
        """Answers at x (n, d), shape (n, k); NaN where the simulator failed.

        Raises
        ------
        TeacherError : when more points are new than may be asked, when the simulator fails at all
            of several points and never had an answer, or when its process ends.
        Raised : when the function raised what is not a failure at a point.
        """
        points, back = np.unique(x, axis=0, return_inverse=True)
        values, known = self.answers.find(points)
        new = np.flatnonzero(~known) if self.asks else np.empty(0, dtype=int)
        if self.calls_left is not None and len(new) > self.calls_left:
            raise TeacherError(
                f"{len(new):,} new points would be asked, but {self.tally.calls:,} of "
                f"{self.calls:,} calls are used.",
                where="config key `teacher.options.calls`",
                hint="raise teacher.options.calls, or ask less (sampling.points, score.points, "
                "engine.questions); answers that are kept on disk do not count.",
            )
        values[new] = self._ask(points[new])
        if len(x) >= self.hopeless and self._never_answered(x.shape[1]):
            raise TeacherError(
                f"the simulator has no answer at any of {len(x):,} points, mostly: "
                f"{self.tally.failed.most_common(1)[0][0]}.",
                where=self.where,
                hint="check the domain's bounds and units; of equations also `method` (Radau or "
                "BDF where they are stiff), `t_end`, `steps` and `timeout`.",
            )
        result: Array = values[back.reshape(-1)]
        return result

    def gradient(self, x: Array) -> Array:
        """Raise: a simulator only has values."""
        raise NotDifferentiable(
            f"the teacher `{self.name}` is a simulator without derivatives.",
            hint="differences of its values stand in for them where derivatives only save time.",
        )

    def _never_answered(self, inputs: int) -> bool:
        """Whether it failed here, and never had an answer, whoever asked."""
        return bool(self.tally.failed) and not self.answers.any_finite(inputs)

    def _ask(self, x: Array) -> Array:
        """Answers (n, k) at new points x (n, d), kept as they come."""
        values = np.full((len(x), len(self.outputs)), np.nan)
        batches = [x[at : at + self.batch] for at in range(0, len(x), self.batch)]
        fresh: list[int] = []
        written = time.monotonic()
        try:
            for i, answer in share_out(
                self.workers, batches, self.vectorized, self.timeout, self.begin
            ):
                rows = np.arange(i * self.batch, i * self.batch + len(batches[i]))
                self.tally.calls += len(rows)
                if isinstance(answer, Exception):
                    keep = self._failed(answer, len(rows))
                else:
                    values[rows] = self._numbers(answer, len(rows))
                    self._count(values[rows])
                    keep = True
                fresh += rows.tolist() if keep else []
                if time.monotonic() - written > WRITING:
                    self.answers.add(x[fresh], values[fresh])
                    fresh, written = [], time.monotonic()
        finally:
            self.answers.add(x[fresh], values[fresh])
        return values

    def _failed(self, error: Exception, points: int) -> bool:
        """Count a failure of points; tells whether it would be the same another time."""
        text = str(error)
        late = isinstance(error, TooLate)
        mine = late or (isinstance(error, Raised) and text.partition(":")[0] in FAILURES)
        if self.failing == "raise" or not mine:
            raise error
        reason = f"no answer within {self.timeout:g} s" if late else text.removeprefix("Diverged: ")
        self.tally.failed[reason.rstrip(".")] += points
        return not late

    def _count(self, values: Array) -> None:
        finite = int(np.isfinite(values).all(axis=1).sum())
        self.tally.answered += finite
        if finite < len(values):
            self.tally.failed["the answer is not finite"] += len(values) - finite

    def _numbers(self, answer: np.ndarray[Any, np.dtype[Any]], points: int) -> Array:
        k = len(self.outputs)
        if answer.dtype.kind == "c":
            raise TeacherError(
                "the teacher answers with complex numbers.",
                where=self.where,
                hint="return the real part, or NaN where there is no real answer.",
            )
        if answer.shape not in {(points,), (points, k)} or answer.size != points * k:
            found = answer.size // points if points and answer.shape[:1] == (points,) else None
            raise TeacherError(
                f"the teacher gives {found} outputs, {k} "
                f"({', '.join(o.name for o in self.outputs)}) expected."
                if found
                else f"asked for {points} points, the teacher answers with shape {answer.shape}.",
                where=self.where,
                hint="name every output of the teacher with the option `outputs`.",
            )
        values = answer.reshape(points, k).astype(np.float64)
        return np.where(np.isfinite(values), values, np.nan)


def load_slow(
    path: str,
    name: str,
    outputs: tuple[Output, ...],
    *,
    folder: Path | None,
    processes: int = 1,
    calls: int | None = None,
    timeout: float = 60.0,
    batch: int = 1,
    vectorized: bool = False,
    failing: Literal["nan", "raise"] = "nan",
    around: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> SlowTeacher:
    """A teacher from ``package.module:function``, with ``processes`` workers.

    Parameters
    ----------
    folder : where answers are kept; None for in memory alone.
    around, settings : what makes a function of what was imported, as :class:`Worker` takes them.

    Raises
    ------
    TeacherError : when the module cannot be imported or has no such function.
    """
    module, _, function = path.partition(":")
    workers = tuple(Worker(module, function, around, settings) for _ in range(processes))
    files = workers[0].start()
    own = fingerprint.of(
        path,
        vectorized,
        around,
        dict(settings or {}),
        _versions() if around else (),
        *(fingerprint.of_file(Path(file)) for file in files),
    )
    return SlowTeacher(
        workers=workers,
        answers=Answers(folder, own, len(outputs)),
        name=name,
        outputs=outputs,
        fingerprint=own,
        timeout=timeout,
        batch=batch,
        vectorized=vectorized,
        calls=calls,
        failing=failing,
        where=f"teacher `{path}`",
    )


def _versions() -> tuple[str, str]:
    from importlib.metadata import version

    return version("numpy"), version("scipy")
