"""The portfolio engine: several engines under one budget, with one front.

An engine that asks the teacher searches once; the others search in slices, and every slice begins
with the front so far and with the parts that it is made of. With a budget in seconds all work side
by side. With one in evaluations they take turns in a fixed order, so that the same problem gives
the same candidates to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from distill.engines.base import Candidate, Engine, Problem
from distill.engines.closable import ended
from distill.engines.options import KEY
from distill.engines.portfolio.board import Board
from distill.engines.portfolio.in_turn import in_turn
from distill.engines.portfolio.member import Member
from distill.engines.portfolio.options import PortfolioOptions
from distill.engines.portfolio.side_by_side import side_by_side
from distill.engines.pysr.processes import usable_cores
from distill.errors import ConfigError

MOST_THREADS = 8
"""Operon gains little from more."""


@dataclass(frozen=True)
class Offer:
    """An engine that can become a member: ``make`` takes its options.

    ``asks`` and ``fills`` are as in the registry. ``lacks`` says why it cannot run here at once,
    and what to do; nothing where it can.
    """

    make: Callable[[Mapping[str, object]], Engine]
    asks: bool = False
    fills: bool = False
    lacks: Callable[[], str] = lambda: ""


@dataclass(frozen=True)
class Portfolio:
    """The engine. Its candidates bear the name of the engine that found them.

    Raises
    ------
    ConfigError : for an option that one of the engines does not have.
    """

    options: PortfolioOptions
    offers: Mapping[str, Offer] = field(compare=False, repr=False)
    members: list[Member] = field(default_factory=list, init=False, compare=False, repr=False)
    _warnings: list[str] = field(default_factory=list, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # A user who names an engine wants it, and waits for what has to be downloaded.
        named = self.options.engines
        lacking = {} if named else {name: offer.lacks() for name, offer in self.offers.items()}
        names = [n for n in self.offers if (n in named if named else not lacking[n])]
        for name, reason in lacking.items():
            if reason:
                self._warnings.append(f"the portfolio runs without {name}: {reason}")
        self.members.extend(self._member(name, names) for name in names)

    @property
    def name(self) -> str:
        """``portfolio``."""
        return "portfolio"

    def search(self, problem: Problem) -> Iterator[Candidate]:
        """What beats all before it that is as simple, whoever found it; and all of those who ask.

        An engine that fails is left out from there on, with a warning.

        Raises
        ------
        DistillError : when all of them failed.
        ConfigError : when there is a skeleton and none of them fills it in.
        """
        while self._warnings:
            problem.warn(self._warnings.pop(0))
        able = self._able(problem)
        run = in_turn if problem.budget.seconds is None else side_by_side
        yield from run(able, self.options.slices, problem, Board(problem))

    def close(self) -> None:
        """End what the engines kept between searches."""
        with ExitStack() as stack:
            for member in self.members:
                stack.enter_context(ended(member.engine))

    def _member(self, name: str, names: Sequence[str]) -> Member:
        offer = self.offers[name]
        options = {**_in_company(name, names), **self.options.of.get(name, {})}
        try:
            engine = offer.make(options)
        except ConfigError as error:
            where = error.where.replace(KEY, f"{KEY}.{name}")
            raise ConfigError(error.what, where=where, hint=error.hint) from error
        return Member(name, engine, offer.asks, offer.fills)

    def _able(self, problem: Problem) -> list[Member]:
        """The members that can have a part in this problem."""
        able = [m for m in self.members if m.fills or problem.rules.skeleton is None]
        if able:
            return able
        filling = [name for name, offer in self.offers.items() if offer.fills]
        raise ConfigError(
            f"no engine of this portfolio ({', '.join(m.name for m in self.members)}) can fill in "
            "a skeleton.",
            where="config key `engine.skeleton`",
            hint=f"add {' or '.join(filling)} to `{KEY}.engines`.",
        )


def _in_company(name: str, names: Sequence[str]) -> dict[str, object]:
    """Options that suit an engine beside the others."""
    if name == "structure" and "operon" in names:
        return {"operon": False}  # that one gets the pieces
    if name == "operon":
        return {"threads": max(1, min(MOST_THREADS, usable_cores() - len(names) + 1))}
    return {}
