"""The engine: PySR searches in its process, and what it finds is read from its hall of fame.

A search that crashes is begun again with what it had found; one that hangs, or takes too much
time or memory, is ended. Julia stays between the rounds of a search (:mod:`~.session`).
"""

from __future__ import annotations

import itertools
import logging
import shutil
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from distill.engines.base import Candidate, Problem
from distill.engines.child import EngineError
from distill.engines.news import News
from distill.engines.pysr.hall import Hall
from distill.engines.pysr.installed import Installed, first_use, require
from distill.engines.pysr.job import read_inputs, write_job
from distill.engines.pysr.options import PysrOptions
from distill.engines.pysr.processes import free_memory, usable_cores
from distill.engines.pysr.request import NAME, Request, make_request
from distill.engines.pysr.session import Session
from distill.engines.pysr.watch import Crash, Watch
from distill.formula import Formula

log = logging.getLogger(__name__)

RESERVE = 1.0
"""A search should end so many seconds before its time is over: populations finish their cycles."""

SEARCH = "search-"
"""So the names of searches' folders begin."""

MAX_CRASHES = 3

FREE = (
    "dimensional_constraint_penalty", "early_stop_condition", "elementwise_loss", "guesses",
    "loss_function_expression", "random_state",
)  # fmt: skip
"""Parameters that may be others when a search goes on; of the rest Julia wants the same."""

MEMORY = 0.75
"""The part of the free memory that a search may take where no limit is given."""


@dataclass(frozen=True)
class _Search:
    """A job of the worker: what was asked, where it works, and what is seen of it."""

    request: Request
    folder: Path
    hall: Hall
    watch: Watch


@dataclass
class _Running:
    """A Julia; the last search that ended well, whose model it holds; one that has not ended."""

    session: Session
    last: _Search | None = None
    unfinished: _Search | None = None


@dataclass
class _Hunt:
    """One call of ``search``, over all its attempts.

    Attributes
    ----------
    deadline : None for a budget in evaluations. What stands in the hall of fame on the way depends
        on when one looks, so that nothing but its end counts then.
    found : what was proposed so far.
    hall : that of the last attempt.
    """

    installed: Installed
    deadline: float | None
    home: Path
    news: News
    found: list[Formula] = field(default_factory=list)
    hall: Hall | None = None

    def noted(self, candidates: Iterator[Candidate]) -> Iterator[Candidate]:
        """The same candidates."""
        for candidate in candidates:
            self.found.append(candidate.written)
            yield candidate


@dataclass
class Pysr:
    """The engine. It keeps a Julia between searches, until :meth:`close`."""

    options: PysrOptions = field(default_factory=PysrOptions)
    _running: _Running | None = field(default=None, init=False)
    _temporary: tempfile.TemporaryDirectory[str] | None = field(default=None, init=False)
    _told: bool = field(default=False, init=False)

    @property
    def name(self) -> str:
        """``pysr``."""
        return NAME

    def search(self, problem: Problem) -> Iterator[Candidate]:
        """Candidates as Julia finds them, then the whole hall of fame.

        With a budget in seconds Julia's start counts, and what a killed run had found comes first.

        Raises
        ------
        ConfigError : when PySR is not installed, or refuses what it is asked.
        EngineError : when Julia cannot be started, or ends again and again with nothing found.
        """
        installed = require()
        seconds = problem.budget.seconds
        deadline = None if seconds is None else time.monotonic() + seconds
        home = self._home(problem)
        hunt = _Hunt(installed, deadline, home, News(problem.sample, problem.rules))
        yield from self._left_behind(problem, hunt)
        for crashes in range(1, MAX_CRASHES + 1):
            # With a budget in evaluations another try is the same search again.
            known = (*hunt.found, *problem.known) if seconds is not None else problem.known
            crash = yield from self._attempt(replace(problem, known=known), hunt)
            if crash is None:
                return
            over = deadline is not None and time.monotonic() > deadline
            if crashes == MAX_CRASHES or over or not crash.again:
                break
            log.warning("PySR begins again: %s", crash.what)
        assert crash is not None
        if hunt.hall is not None:
            yield from hunt.noted(hunt.hall.rest())
        if not hunt.found:
            raise EngineError(crash.what, where=str(_log(home)), hint=crash.hint)
        problem.warn(f"{crash.what} What it had found is kept; {crash.hint}")

    def close(self) -> None:
        """End Julia and remove what it left; a next search would start another."""
        self._stop()
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def _stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.session.close()

    def _attempt(self, problem: Problem, hunt: _Hunt) -> Generator[Candidate, None, Crash | None]:
        """One search of the worker; returns how it crashed, None when it ended well."""
        running = self._started(problem, hunt)
        if running.unfinished is not None:
            running.unfinished.watch.deadline = hunt.deadline
            crash = yield from self._followed(running, running.unfinished, hunt)
            if crash is not None or running.unfinished is not None:
                return crash
        going_on = self._going_on(running, problem, hunt)
        if going_on is None:
            threads = running.session.threads
            request = make_request(problem, self.options, hunt.installed, threads)
            folder = _fresh(hunt.home)
        else:
            request, folder = going_on
        job = write_job(
            folder, request, deadline=hunt.deadline, reserve=RESERVE, go_on=going_on is not None
        )
        hall = Hall(folder, request, hunt.news)
        watch = Watch(request, running.session, hunt.deadline)
        running.session.submit(job)
        return (yield from self._followed(running, _Search(request, folder, hall, watch), hunt))

    def _followed(
        self, running: _Running, search: _Search, hunt: _Hunt
    ) -> Generator[Candidate, None, Crash | None]:
        """What a search finds until it ends or must be ended; returns how it crashed.

        One that is late because Julia has only just started goes on until the next call.
        """
        watch, hall = search.watch, search.hall
        running.unfinished, kept = search, False
        hunt.hall = hall
        try:
            while watch.goes_on:
                watch.look()
                if hunt.deadline is not None:
                    yield from hunt.noted(hall.better())
            kept = watch.done or (watch.late and not hall.rows)
            if watch.done or hunt.deadline is not None:
                yield from hunt.noted(hall.rest())
        finally:
            if not kept:
                self._stop()
        if watch.done:
            running.unfinished, running.last = None, search
        elif kept:
            search.request.problem.warn(
                "Julia needed all of this time to start and to compile, so PySR has found nothing "
                "yet. A next round goes on from here; give `engine.seconds` more."
            )
        return watch.crash

    def _started(self, problem: Problem, hunt: _Hunt) -> _Running:
        """The Julia that runs, or a new one."""
        threads = 1 if problem.budget.seconds is None else self.options.threads or usable_cores()
        running = self._running
        if running is not None and running.session.alive and running.session.threads == threads:
            return running
        self._stop()
        line = first_use(hunt.installed)
        if line and not self._told:
            problem.warn(line)
            self._told = True
        limit = int(self.options.memory_gb * 1e9) or int(MEMORY * free_memory())
        session = Session(_log(hunt.home), threads=threads, memory=limit)
        self._running = _Running(session)
        return self._running

    def _going_on(
        self, running: _Running, problem: Problem, hunt: _Hunt
    ) -> tuple[Request, Path] | None:
        """The search that goes on from the last one, and its folder; None where none can.

        With a budget in evaluations none does: a run that was killed in between could not.
        """
        last = running.last
        if not self.options.warm_start or problem.budget.seconds is None or last is None:
            return None
        threads = running.session.threads
        request = make_request(problem, self.options, hunt.installed, threads, last.request.inputs)
        return (request, last.folder) if _model(request) == _model(last.request) else None

    def _left_behind(self, problem: Problem, hunt: _Hunt) -> Iterator[Candidate]:
        """What searches of a killed run had found; with a budget in evaluations nothing counts."""
        if self._running is not None:
            return
        folders = sorted(hunt.home.glob(f"{SEARCH}*"))
        if problem.budget.seconds is not None and folders:
            request = make_request(replace(problem, known=()), self.options, hunt.installed, 1)
            for folder in folders:
                inputs = read_inputs(folder, problem.sample.domain)
                if inputs is not None:
                    asked = replace(request, inputs=inputs)
                    yield from hunt.noted(Hall(folder, asked, hunt.news).better())
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)

    def _home(self, problem: Problem) -> Path:
        """Where the files are kept: the study's folder, or one that goes with the engine."""
        if problem.folder is not None:
            problem.folder.mkdir(parents=True, exist_ok=True)
            return problem.folder.absolute()
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="distill-pysr-")
        return Path(self._temporary.name)


def _log(home: Path) -> Path:
    """What Julia prints."""
    return home / "julia.log"


def _model(request: Request) -> Mapping[str, object]:
    """What must be the same for a search to go on."""
    kept = {name: value for name, value in request.parameters.items() if name not in FREE}
    return kept | {"inputs": request.inputs, "template": request.template}


def _fresh(home: Path) -> Path:
    """A folder that no search had."""
    return next(
        folder
        for folder in (home / f"{SEARCH}{number}" for number in itertools.count(1))
        if not folder.exists()
    )
