"""A real Julia, for the tests of this folder: without one all are skipped, with the reason.

Nothing is downloaded unless DISTILL_JULIA=download allows it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distill.domain import Domain
from distill.engines.base import Budget, Candidate, Problem
from distill.engines.pysr import installed
from distill.engines.pysr.engine import Pysr
from distill.engines.pysr.equations import Row, read_hall_of_fame
from distill.engines.pysr.options import read_options
from distill.formula import Formula
from distill.sampling.sample_set import SampleSet

HERE = Path(__file__).parent
MARK = "DISTILL_TEST_MARK"
GONE_WITHIN = 20.0
"""Seconds that processes may take to end on a busy machine before they count as left behind."""


def _lacks() -> str:
    allowed = os.environ.get("DISTILL_JULIA") == "download"
    return "" if allowed and installed.find() is not None else installed.lacks()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = _lacks()
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.julia)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def release() -> tuple[int, int]:
    """The version of PySR."""
    return installed.require().release


# Problems and what is found.


def make_problem(
    truth: str,
    box: Mapping[str, tuple[object, ...]],
    operators: Collection[str] | Mapping[str, float],
    *,
    points: int = 200,
    tolerance: float = 1e-6,
    most: int = 20,
    seconds: float | None = None,
    evaluations: int | None = None,
    seed: int = 0,
) -> Problem:
    """A problem whose answer is a formula; without a budget it has that of a quick search."""
    domain = Domain.box(**box)
    x = domain.sample(points, seed=3)
    if seconds is None:
        evaluations = evaluations or 20_000
    return Problem(
        sample=SampleSet(domain, x, Formula.parse(truth, domain)(x), np.empty((0, len(domain)))),
        tolerance=tolerance,
        operators=operators if isinstance(operators, Mapping) else dict.fromkeys(operators, 1.0),
        max_complexity=most,
        budget=Budget(seconds, evaluations),
        seed=seed,
    )


@pytest.fixture(scope="session")
def problem() -> Callable[..., Problem]:
    return make_problem


@dataclass(frozen=True)
class Found:
    """What a search proposed, and the files of it."""

    problem: Problem
    candidates: tuple[Candidate, ...]
    folder: Path

    @property
    def rows(self) -> tuple[Row, ...]:
        """The hall of fame at the end."""
        return read_hall_of_fame(self.folder / "hall_of_fame.csv")

    @property
    def told(self) -> Any:
        """What PySR was given."""
        return json.loads((self.folder / "job.json").read_text())

    @property
    def errors(self) -> list[float]:
        """The largest error of each candidate."""
        return [self.error(candidate) for candidate in self.candidates]

    @property
    def best(self) -> Candidate:
        return self.candidates[int(np.argmin(self.errors))]

    def error(self, candidate: Candidate) -> float:
        """The largest error on the sample."""
        sample = self.problem.sample
        return float(np.abs(candidate.written(sample.x) - sample.y).max())

    def loss(self, candidate: Candidate) -> float:
        """The mean square, over the rows that PySR saw and by their weights."""
        x, y = (np.load(self.folder / f"{name}.npy") for name in ("x", "y"))
        weights = self.folder / "weights.npy"
        squares = (candidate.written(x[:, : len(self.problem.sample.domain)]) - y) ** 2
        return float(np.average(squares, weights=np.load(weights) if weights.exists() else None))


@dataclass
class Search:
    """Searches, with one Julia for those with evaluations and one for those with seconds."""

    root: Path
    engines: dict[bool, Pysr] = field(default_factory=lambda: {True: Pysr(), False: Pysr()})
    count: int = 0

    def __call__(self, problem: Problem, **options: object) -> Found:
        engine = self.engines[problem.budget.seconds is None]
        # A model that is kept would go on with another test's problem.
        engine.options = read_options({"warm_start": False, **options}, installed.require())
        self.count += 1
        home = self.root / str(self.count)
        found = tuple(engine.search(replace(problem, folder=home)))
        return Found(problem, found, newest(home))

    def close(self) -> None:
        for engine in self.engines.values():
            engine.close()


def newest(home: Path) -> Path:
    """The folder of the last search below a home."""
    return max(home.glob("search-*"), key=lambda folder: int(folder.name.partition("-")[2]))


@pytest.fixture(scope="session")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    made = Search(tmp_path_factory.mktemp("searches"))
    yield made
    made.close()


# Processes.


@dataclass(frozen=True)
class Marked:
    """All processes that were started with a mark in their environment, whoever adopted them."""

    mark: str

    def alive(self) -> dict[int, str]:
        """Their ids and command lines; zombies have ended."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if f"{MARK}={self.mark}".encode() in (folder / "environ").read_bytes():
                    command = (folder / "cmdline").read_bytes()
                    found[int(folder.name)] = command.replace(b"\0", b" ").decode()
        return found

    def workers(self) -> list[int]:
        """Those with a Julia in them."""
        return [pid for pid, command in self.alive().items() if "pysr.worker" in command]

    def left(self) -> dict[int, str]:
        """Those that have not ended, after a while."""
        deadline = time.monotonic() + GONE_WITHIN
        while (left := self.alive()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return left


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Marked]:
    """Marks what a test starts; what is still there at its end is killed."""
    found = Marked(uuid.uuid4().hex)
    monkeypatch.setenv(MARK, found.mark)
    yield found
    for pid in found.alive():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def wait_for() -> Callable[..., Path]:
    """Wait for a file that a process writes, which says to a file what it does."""

    def wait(
        root: Path, pattern: str, process: subprocess.Popen[Any], said: Path, seconds: float = 300.0
    ) -> Path:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            # Folders may go while they are looked through.
            with suppress(OSError):
                for path in root.glob(pattern):
                    if path.stat().st_size:
                        return path
            assert process.poll() is None, f"it ended without a {pattern}:\n{said.read_text()}"
            time.sleep(0.1)
        raise AssertionError(f"no {pattern} within {seconds:.0f} s:\n{said.read_text()}")

    return wait
