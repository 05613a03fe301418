"""Engines side by side, in threads, with a budget in seconds."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from distill.engines.base import Budget, Candidate, Problem
from distill.engines.beside import Beside
from distill.engines.child import EngineError
from distill.engines.portfolio.board import Board
from distill.engines.portfolio.member import Member
from distill.engines.structure.engine import AFTERWARDS

SHORTEST = 10.0
"""Seconds of the shortest slice: a search that starts anew needs some to get anywhere."""

GRACE = 3.0
"""Engines keep to their seconds by themselves; so much later they are stopped."""

TICK = 0.02
"""So many seconds pass between two looks at what was found."""


@dataclass(frozen=True)
class _Search:
    """A member at work."""

    member: Member
    beside: Beside


def side_by_side(
    members: Sequence[Member], slices: int, problem: Problem, board: Board
) -> Iterator[Candidate]:
    """What the members find, as it comes.

    Raises
    ------
    EngineError : the first failure, when all members failed.
    """
    seconds, started = problem.budget.seconds, time.monotonic()
    assert seconds is not None
    latest = started + seconds + GRACE
    said = _Said()
    heard = said.through(problem)
    searches = [
        _Search(m, Beside(partial(_slices, m, slices, board, heard, started), heard))
        for m in members
    ]
    failed: list[EngineError] = []
    working = list(searches)

    def drained(search: _Search) -> Iterator[Candidate]:
        member = search.member
        try:
            yield from (c for c in search.beside.drain() if member.worth(c, board))
        except EngineError as error:
            failed.append(error)
            problem.warn(member.dropped(error))

    try:
        for search in searches:
            search.beside.start()
        while working and (now := time.monotonic()) < latest:
            time.sleep(TICK)
            problem.tell(min(1.0, (now - started) / seconds))
            said.speak()
            for search in list(working):
                over = search.beside.finished
                yield from drained(search)
                if not over:
                    continue
                yield from drained(search)  # a failure is told after all that was found
                working.remove(search)
                if search.member.asks and board.solved_by(search.member.name):
                    # What is left to find are simpler formulas that are nearly as good.
                    now = time.monotonic()
                    latest = min(latest, now + max(AFTERWARDS * seconds, now - started))
    finally:
        for search in searches:
            search.beside.stop()
        for search in searches:
            search.beside.wait()
    said.speak()
    for search in working:
        yield from drained(search)
        yield from drained(search)
    if len(failed) == len(members):
        raise failed[0]


def _slices(
    member: Member, slices: int, board: Board, heard: Problem, started: float, problem: Problem
) -> Iterator[Candidate]:
    """The searches of one member, one after the other; each ends with its slice at the latest."""
    seconds = problem.budget.seconds
    assert seconds is not None
    most = max(1, int(seconds // SHORTEST))
    slices = 1 if member.asks else min(slices, most)
    explaining = replace(problem, explain=heard.explain)
    for number in range(slices):
        left = started + seconds * (number + 1) / slices - time.monotonic()
        if left > 0:
            yield from member.search(explaining, number, Budget(seconds=left), board)


class _Said:
    """What engines say in their threads, for one thread to pass on."""

    def __init__(self) -> None:
        self._words: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def through(self, problem: Problem) -> Problem:
        """The problem as they get it."""
        return replace(
            problem,
            explain=lambda finding: self._words.put(partial(problem.explain, finding)),
            doing=lambda text: self._words.put(partial(problem.doing, text)),
            warn=lambda text: self._words.put(partial(problem.warn, text)),
        )

    def speak(self) -> None:
        """Pass on what was said since the last time."""
        with suppress(queue.Empty):
            while True:
                self._words.get_nowait()()
