"""Engines one after the other, in a fixed order, with a budget in evaluations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from distill.engines.base import Budget, Candidate, Problem
from distill.engines.closable import closable
from distill.engines.portfolio.board import Board
from distill.engines.portfolio.member import Member
from distill.engines.structure.engine import AFTERWARDS
from distill.errors import DistillError

SHORTEST = 300_000
"""Evaluations of the shortest slice: a search that starts anew needs some to get anywhere."""


@dataclass(frozen=True)
class Turn:
    """A slice of one member's search, and its weight in what is left of the budget."""

    member: Member
    number: int
    weight: int


def turns(members: Sequence[Member], slices: int) -> list[Turn]:
    """Those who ask first and once, then slice after slice the others; each has the same share."""
    asking = [Turn(member, 0, slices) for member in members if member.asks]
    others = [member for member in members if not member.asks]
    return asking + [Turn(member, number, 1) for number in range(slices) for member in others]


def in_turn(
    members: Sequence[Member], slices: int, problem: Problem, board: Board
) -> Iterator[Candidate]:
    """What the members find; what one leaves of its share goes to those after it.

    Raises
    ------
    DistillError : the first failure, when all members failed.
    """
    whole = problem.budget.evaluations
    assert whole is not None
    left = float(whole)
    failed: dict[str, DistillError] = {}
    to_come = turns(members, min(slices, max(1, whole // (len(members) * SHORTEST))))
    while to_come:
        turn, member = to_come[0], to_come[0].member
        share = max(1, int(left * turn.weight / sum(t.weight for t in to_come)))
        meter = _Meter(share, whole - left, whole, problem.tell)
        search = member.search(
            replace(problem, tell=meter.tell), turn.number, Budget(evaluations=share), board
        )
        try:
            with closing(closable(search)) as found:
                yield from (candidate for candidate in found if member.worth(candidate, board))
        except DistillError as error:
            failed[member.name] = error
            problem.warn(member.dropped(error))
        to_come = [t for t in to_come[1:] if t.member.name not in failed]
        left -= meter.spent
        if member.asks and board.solved_by(member.name):
            left = min(left, AFTERWARDS * whole)
    if len(failed) == len(members):
        raise next(iter(failed.values()))


@dataclass
class _Meter:
    """What one turn spends of the evaluations; all of its share where the engine does not tell."""

    share: int
    before: float
    whole: int
    report: Callable[[float], None]
    told: float | None = None

    def tell(self, fraction: float) -> None:
        self.told = fraction
        self.report(min(1.0, (self.before + self.share * fraction) / self.whole))

    @property
    def spent(self) -> float:
        return self.share * (1.0 if self.told is None else self.told)
