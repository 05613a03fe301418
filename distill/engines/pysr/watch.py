"""Following one search: what happened, how much of the budget is spent, whether it hangs."""

from __future__ import annotations

import time
from dataclasses import dataclass

from distill.engines.pysr.installed import WAYS_OUT
from distill.engines.pysr.printed import printed
from distill.engines.pysr.request import Request
from distill.engines.pysr.session import GONE, Event, Session
from distill.errors import ConfigError

LOOK = 0.25
"""Seconds between two looks."""

GRACE = 2.0
"""A search that goes on for so many seconds after its time is late."""

STALLED, WORKED = 180.0, 1.0
"""Without a limit of time, a search hangs that works for less than so much in so many seconds."""

REFUSALS = ("ValueError", "TypeError", "AssertionError", "NotImplementedError")
"""What PySR raises when it refuses a parameter; other errors are Julia's."""


@dataclass(frozen=True, slots=True)
class Crash:
    """How a search ended before it should have; ``again`` where another try may do better."""

    what: str
    hint: str
    again: bool


class Watch:
    """One search of a session."""

    def __init__(self, request: Request, session: Session, deadline: float | None) -> None:
        self.request, self.session, self.deadline = request, session, deadline
        self.done = False
        self.crash: Crash | None = None
        self._problem = request.problem
        self._started = time.monotonic()
        self._searching: float | None = None
        self._said = session.log.stat().st_size
        self._worked = (self._started, 0.0)

    @property
    def late(self) -> bool:
        """Whether the time is over, and the grace as well."""
        return self.deadline is not None and time.monotonic() > self.deadline + GRACE

    @property
    def goes_on(self) -> bool:
        """Whether the search has neither ended nor crashed nor taken too long."""
        return not (self.done or self.crash or self.late)

    def look(self) -> None:
        """Wait a moment for an event, and tell how it goes.

        Raises
        ------
        ConfigError : when PySR refuses a parameter.
        """
        event = self.session.event(LOOK)
        if event is not None:
            self._heard(event)
        self._tell()
        if self.deadline is None and self._searching is not None and self.goes_on:
            self._look_for_work()

    def _heard(self, event: Event) -> None:
        match event["event"]:
            case "importing":
                self._problem.doing("Julia starts")
            case "imported":
                self._problem.doing("Julia compiles the search")
            case "searching":
                self._searching = time.monotonic()
                self._worked = (self._searching, self.session.seconds_worked())
            case "done":
                self.done = True
            case "refused":
                self._refused(str(event.get("kind")), str(event.get("message")))
            case "no_pysr":
                self.crash = Crash(
                    f"Julia, or PySR in it, could not be started: {event.get('message')}.",
                    WAYS_OUT,
                    again=False,
                )
            case "ended" if event.get("why") == "memory":
                limit = int(event["limit"]) / 1e9
                self.crash = Crash(
                    f"PySR took more than the {limit:.1f} GB of memory that it may.",
                    "raise `engine.options.memory_gb`, or lower `engine.options.rows`.",
                    again=False,
                )
            case "ended":
                self._ended(f"ended with code {event.get('code')}")
            case word if word == GONE:
                self._ended("was killed")

    def _refused(self, kind: str, message: str) -> None:
        if kind in REFUSALS:
            raise ConfigError(
                f"PySR refuses what it is asked: {message or kind}",
                where="config key `engine.options`",
                hint=f"all that it was given stands in `job.json` beside {self.session.log}.",
            )
        self.crash = Crash(
            f"PySR failed: {kind}: {message[:500]}",
            f"see {self.session.log}; try fewer operators, or engine=structure.",
            again=False,
        )

    def _ended(self, how: str) -> None:
        last = self.session.last_words().splitlines()
        self.crash = Crash(
            f"PySR's process {how}: {last[-1] if last else 'it left no message'}",
            "try another seed, fewer operators, or engine=structure.",
            again=True,
        )

    def _tell(self) -> None:
        """The part of the budget that is spent, and how far Julia says it is."""
        budget, now = self._problem.budget, time.monotonic()
        if self._searching is None:
            self._problem.tell(min(1.0, (now - self._started) / (budget.seconds or float("inf"))))
            return
        populations = int(str(self.request.parameters["populations"]))
        # 1.x counts the iterations of each population, 2.x those of all.
        told = printed(self.session.log, self._said, 1 if self.request.guessing else populations)
        if told.speed:
            self._problem.doing(f"iteration {told.iterations}, {told.speed:,.0f} formulas a second")
        if budget.seconds is not None:
            self._problem.tell(min(1.0, (now - self._started) / budget.seconds))
        elif budget.evaluations is not None:
            done = told.speed * (now - self._searching)
            self._problem.tell(min(1.0, done / budget.evaluations))

    def _look_for_work(self) -> None:
        """A search that has not worked for long hangs."""
        since, worked = self._worked
        now = time.monotonic()
        if now - since < STALLED:
            return
        works = self.session.seconds_worked()
        if works - worked < WORKED:
            self.crash = Crash(
                f"PySR hangs: it has not worked for {STALLED:.0f} s.",
                "try another seed, or give engine.seconds.",
                again=True,
            )
        self._worked = (now, works)
