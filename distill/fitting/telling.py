"""What a fit tells while it works: how far it is, better formulas and their history."""

from __future__ import annotations

import time
from dataclasses import astuple

import numpy as np

from distill.config.schema import EngineConfig
from distill.engines.base import Candidate
from distill.fitting.fitted import Step
from distill.fitting.keeping import max_error
from distill.fitting.rounds import Rounds
from distill.progress import Best
from distill.runner import Work
from distill.sampling.sample_set import SampleSet

SEARCHING = 0.8
"""About this part of a round is search, the rest fitting constants; so much of it may be."""


class Telling:
    """What is told of one fit, and the history that stays of it."""

    def __init__(self, config: EngineConfig, work: Work, state: Rounds) -> None:
        self.config, self.work, self.state = config, work, state
        self.started = time.monotonic() - state.seconds
        before = state.told or {"best": [], "history": [], "seen": 0}
        self.best = tuple(Best(*row) for row in before["best"])
        self.history = [Step(*row) for row in before["history"]]
        self.seen = int(before["seen"])
        self.part = 0.0
        self.text = ""

    @property
    def seconds(self) -> float:
        """How long the fit has taken, before it was killed as well."""
        return time.monotonic() - self.started

    @property
    def late(self) -> bool:
        """Whether the seconds are over; the first round always gets its least share."""
        over = self.config.seconds is not None and self.seconds >= self.config.seconds
        return over and self.state.rounds > 0

    @property
    def fraction(self) -> float:
        """The finished part of the stage; the rounds are taken to last equally long."""
        return min(1.0, (self.state.rounds + self.part) / self.config.rounds)

    def spent(self, part: float) -> None:
        """An engine has spent this part of its round's budget."""
        self.part = part * SEARCHING
        self._advance()

    def doing(self, text: str) -> None:
        """An engine says what it does now."""
        self.text = text
        self._advance()

    def to_data(self) -> dict[str, object]:
        """What a journal keeps of it, so that a search that was killed has its whole history."""
        return {
            "best": [astuple(best) for best in self.best],
            "history": [astuple(step) for step in self.history],
            "seen": self.seen,
        }

    def ended_round(self) -> None:
        """What was told of a round is over with it."""
        self.part, self.text = 0.0, ""

    def _advance(self) -> None:
        number = f"round {self.state.rounds + 1} of {self.config.rounds}"
        text = f"{self.config.name}, {number}"
        self.work.progress.advance(self.fraction, f"{text}: {self.text}" if self.text else text)

    def found(self, candidate: Candidate, sample: SampleSet) -> None:
        """A candidate was found; if it is on the front, it makes history."""
        self.seen += 1
        error, complexity = max_error(candidate, sample), candidate.formula.complexity
        as_simple = (best for best in self.best if best.complexity <= complexity)
        if not np.isfinite(error) or any(best.error <= error for best in as_simple):
            return
        simpler = (best for best in self.best if best.complexity < complexity)
        better = (best for best in self.best if best.error < error)
        self.best = (*simpler, Best(complexity, error, candidate.formula.readable()), *better)
        self.history.append(Step(self.seen, self.seconds, complexity, error))
        self.work.progress.front(self.best)
