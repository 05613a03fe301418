"""An engine in a portfolio: how it is asked, and what it is told of the others' findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace

from distill.engines.base import Budget, Candidate, Engine, Problem
from distill.engines.closable import closable
from distill.engines.operon import Operon
from distill.engines.oracle import OutOfQuestions
from distill.engines.portfolio.board import Board
from distill.engines.structure.engine import Structure
from distill.errors import DistillError
from distill.formula.tree import Node

SEEDS = 1000
"""Seeds of slices are so far apart: those between belong to the rounds of a fit."""


@dataclass(frozen=True)
class Member:
    """An engine, and what sort of one it is.

    Attributes
    ----------
    asks : whether it asks the teacher by itself. It searches once, for what it learns comes from
        there, and all that it proposes counts: a rounder constant may cost a little error and be
        the true one.
    fills : whether it fills in skeletons.
    """

    name: str
    engine: Engine
    asks: bool = False
    fills: bool = False

    def search(
        self, problem: Problem, number: int, budget: Budget, board: Board
    ) -> Iterator[Candidate]:
        """The engine's slice ``number``, from all that is known; gives and takes parts, too."""
        part = replace(
            problem,
            budget=budget,
            known=board.known,
            seed=problem.seed + SEEDS * number,
            doing=lambda text: problem.doing(f"{self.name}: {text}"),
            folder=None if problem.folder is None else problem.folder / self.name,
        )
        with (
            closing(closable(self._asked(part, number, board))) as search,
            suppress(OutOfQuestions),
        ):
            yield from search

    def worth(self, candidate: Candidate, board: Board) -> bool:
        """Put it on the board; whether it is passed on."""
        return board.add(candidate, self.name) or self.asks

    def dropped(self, error: DistillError) -> str:
        """What is told when the engine failed and the others go on."""
        return f"the portfolio goes on without {self.name}: {error.what} {error.hint}".rstrip()

    def _asked(self, problem: Problem, number: int, board: Board) -> Iterator[Candidate]:
        if isinstance(self.engine, Structure):

            def offer(pieces: Sequence[Node]) -> None:
                board.pieces = tuple(pieces)

            return self.engine.search(problem, offer)
        if isinstance(self.engine, Operon):
            # In every other slice only: parts that do not belong there are in the way.
            blocks = board.blocks(self.name) if number % 2 else ()
            return self.engine.search(problem, blocks=blocks)
        return self.engine.search(problem)
