"""How a search may ask the teacher: how often, how exact the answers are, and where it is wrong.

What was settled at the start is kept in the journal: a search that goes on after a kill asks under
the same rules, and does not ask again how exact the teacher is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.config.schema import EngineConfig
from distill.domain import Domain
from distill.engines.noise import ErrorEstimate, estimate_error
from distill.engines.oracle import Oracle, OutOfQuestions
from distill.engines.surrogate import surrogate
from distill.figures import duration
from distill.formula import Formula
from distill.sampling.counterexamples import counterexamples
from distill.sampling.sample_set import SampleSet
from distill.teachers.base import Output, Teacher, calls_left

PRICING, LONGEST_PRICING = 0.1, 2.0
"""The part of the seconds, and the seconds, in which it is measured what an answer costs."""

ASKING = 0.5
"""The part of the seconds that a slow teacher may take for its answers."""

MANY = 100_000
"""A teacher that can be asked so often in the seconds needs no limit. A whole run asks about as
often where nothing limits it.
"""

LONG = 1800.0
"""Seconds that a run may spend on its questions before a user is told of it."""

SEARCHED = 0.5
"""The part of a teacher's last calls that a search may use up: formulas are judged by the rest."""

RESERVED = 0.25
"""At most this part of limited questions is kept from the engine, for counterexamples."""

PRICED = 1024
"""At so many points it is measured at most what an answer costs."""

CLIMBING = 1_000_000
"""With fewer questions left the worst points are not searched by asking."""

POOL = 4096
"""Points at which formulas are compared where the teacher cannot be asked at that many."""


@dataclass
class Asking:
    """One output of the teacher, or a smooth model of its rows, and the rules for asking it.

    Attributes
    ----------
    oracle : what engines ask; None for a table without a good smooth model.
    error : how exact the answers are, where the engine wants to know; they are the oracle's.
    questions : how often the teacher may be asked in all; None for any number.
    """

    oracle: Oracle | None
    error: ErrorEstimate | None
    questions: int | None
    teacher: Teacher

    @property
    def asked(self) -> int:
        """How often the teacher itself was asked."""
        return self.oracle.asked if self.oracle and self.teacher.can_be_asked else 0

    @asked.setter
    def asked(self, number: int) -> None:
        if self.oracle:
            self.oracle.asked = number

    def reserve(self, points: int) -> None:
        """Keep so many of limited questions from the engine."""
        if self.oracle and self.questions is not None:
            kept = min(points, int(RESERVED * self.questions))
            self.oracle.questions = max(self.questions - kept, 0)

    def release(self) -> None:
        """Let all questions be asked that are left."""
        if self.oracle:
            self.oracle.questions = self.questions

    def worst(
        self,
        formulas: Sequence[Formula],
        sample: SampleSet,
        n: int,
        seed: int,
        seconds: float | None = None,
    ) -> SampleSet:
        """At most n points at which the formulas are most wrong, with the teacher's answers.

        They are searched for ``seconds``, as long as it takes with None.
        """
        oracle, domain = self.oracle, sample.domain
        x, y = np.empty((0, len(domain))), np.empty(0)
        if oracle is not None and self.teacher.can_be_asked and n and formulas:
            if oracle.left >= CLIMBING:
                x = counterexamples(
                    formulas, _Counted(oracle), domain, n=n, seed=seed, seconds=seconds
                )
            else:
                x = _disputed(formulas, domain, int(min(n, oracle.left)), seed)
            y = oracle(x)
        known = np.isfinite(y)
        return SampleSet(sample.domain, x[known], y[known], x[~known])

    def to_data(self) -> dict[str, object]:
        """What a journal keeps; :func:`go_on_asking` takes it."""
        return {
            "error": None if self.error is None else asdict(self.error),
            "questions": self.questions,
            "asked": self.asked,
        }


def begin_asking(
    config: EngineConfig,
    sample: SampleSet,
    teacher: Teacher,
    output: int,
    *,
    asks: bool,
    tell: Callable[[str], None],
) -> Asking:
    """Settle how the teacher may be asked.

    ``asks`` says that the engine asks by itself: then the teacher's own error is estimated, and a
    table gets a smooth model where there is a good one. ``tell`` is told what a user should know.
    """
    if not teacher.can_be_asked:
        return _between_rows(config, sample, teacher) if asks else Asking(None, None, None, teacher)
    questions = _fewest(config.questions, _ration(teacher))
    oracle = Oracle(teacher, sample.domain, output, questions=questions)
    if questions is None and config.seconds is not None:
        oracle.questions = _affordable(oracle, config.seconds, tell)
    elif questions is None:
        _tell_slow(oracle, config.seed, tell)
    error = None
    if asks:
        try:
            error = estimate_error(oracle, sample, config.teacher_error, config.seed)
        except OutOfQuestions:  # a few questions, and all are spent
            error = ErrorEstimate(0.0, "exact")
        oracle.error = error.value
    return Asking(oracle, error, oracle.questions, teacher)


def go_on_asking(
    data: Mapping[str, Any],
    config: EngineConfig,
    sample: SampleSet,
    teacher: Teacher,
    output: int,
    *,
    asks: bool,
) -> Asking:
    """Ask under the rules that :meth:`Asking.to_data` kept, or fewer where now less is left."""
    if not teacher.can_be_asked:
        return begin_asking(config, sample, teacher, output, asks=asks, tell=lambda text: None)
    kept, asked = data["error"], int(data["asked"])
    error = None if kept is None else ErrorEstimate(float(kept["value"]), kept["kind"])
    rationed = _ration(teacher)
    questions = _fewest(data["questions"], None if rationed is None else asked + rationed)
    oracle = Oracle(
        teacher, sample.domain, output, error.value if error else 0.0, questions=questions
    )
    oracle.asked = asked
    return Asking(oracle, error, questions, teacher)


def _between_rows(config: EngineConfig, sample: SampleSet, teacher: Teacher) -> Asking:
    model = surrogate(sample, config.seed)
    if model is None:
        return Asking(None, None, None, teacher)
    model.error = max(model.error, config.teacher_error or 0.0)
    return Asking(model, ErrorEstimate(model.error, "smoothed"), None, teacher)


def _ration(teacher: Teacher) -> int | None:
    """How many of the teacher's last calls a search may use up; None for any number."""
    left = calls_left(teacher)
    return None if left is None else int(SEARCHED * left)


def _fewest(*questions: int | None) -> int | None:
    """The smallest limit; None where there is none."""
    return min((q for q in questions if q is not None), default=None)


def _affordable(oracle: Oracle, seconds: float, tell: Callable[[str], None]) -> int | None:
    """How often a teacher can be asked in a part of the seconds; None when it is quick."""
    # Never the same points twice: kept answers, also of an earlier run, cost nothing.
    chance = int(time.time_ns() % 2**32)
    begun, points = time.monotonic(), 1
    most_seconds = min(PRICING * seconds, LONGEST_PRICING)
    while True:
        cost = _seconds(oracle, oracle.domain.sample(points, chance + points)) / points
        if ASKING * seconds / max(cost, 1e-9) > MANY:
            return None
        if time.monotonic() - begun > most_seconds or points >= PRICED:
            break
        points *= 4
    most = oracle.asked + max(1, int(ASKING * seconds / cost))
    tell(
        f"an answer of the teacher takes about {cost:.2g} s: the search may ask {most:,} times "
        "(engine.questions sets another number)."
    )
    return most


def _tell_slow(oracle: Oracle, seed: int, tell: Callable[[str], None]) -> None:
    """Say what a run takes of a slow teacher whose questions nothing limits."""
    # The first answer may wait for a process to start.
    cost = min(_seconds(oracle, x[None]) for x in oracle.domain.sample(2, seed + PRICED))
    if cost * MANY > LONG:
        tell(
            f"an answer of the teacher takes about {cost:.2g} s, and nothing limits how often it "
            f"is asked: {MANY:,} answers, as many as a run may want, take {duration(cost * MANY)}. "
            "limits.questions=5000 makes do with so many; teacher.options.calls=5000, which "
            "simulators and functions by import path have, counts those alone that are not kept."
        )


def _seconds(oracle: Oracle, x: Array) -> float:
    """How long answers take."""
    started = time.monotonic()
    oracle(x)
    return time.monotonic() - started


def _disputed(formulas: Sequence[Formula], domain: Domain, n: int, seed: int) -> Array:
    """At most n points, spread over the domain, where the formulas differ most from each other."""
    if n < 1:
        return np.empty((0, len(domain)))
    # Neighbours in a Sobol sequence lie far apart: each part of it covers the whole domain.
    each = max(1, POOL // n)
    x = domain.sample(n * each, seed)
    values = np.array([formula(x) for formula in formulas])
    with np.errstate(all="ignore"):
        dispute = np.ptp(values, axis=0)
    dispute = np.where(np.isfinite(dispute), dispute, np.inf).reshape(n, each)
    chosen: Array = x.reshape(n, each, -1)[np.arange(n), np.argmax(dispute, axis=1)]
    return chosen


@dataclass(frozen=True)
class _Counted:
    """The oracle in the shape of a teacher of one output, so that every question is counted."""

    oracle: Oracle
    can_be_asked: bool = True

    @property
    def name(self) -> str:
        return self.oracle.teacher.name

    @property
    def outputs(self) -> tuple[Output, ...]:
        return (self.oracle.teacher.outputs[self.oracle.output],)

    @property
    def domain(self) -> Domain | None:
        return self.oracle.domain

    @property
    def fingerprint(self) -> str:
        return self.oracle.teacher.fingerprint

    @property
    def validation_error(self) -> float | None:
        return self.oracle.teacher.validation_error

    def predict(self, x: Array) -> Array:
        return self.oracle(x)[:, None]

    def gradient(self, x: Array) -> Array:
        return self.oracle.gradient(x)[:, None, :]
