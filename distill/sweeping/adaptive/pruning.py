"""Ending searches that are hopeless beside the others.

Optuna's pruners judge one curve a trial, and no trials of several objectives. So every search has
a curve of its own, whatever the objectives: the best error so far, in tolerances, after each
twentieth of its budget. What has reached the tolerance is not ended: then it is cost that counts,
which is known only at the end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol

from optuna.pruners import BasePruner, MedianPruner, NopPruner

from distill.config.schema import PruningConfig
from distill.fitting.fitted import FIT
from distill.progress import OUTPUT, Best
from distill.sweeping.source import Hopeless
from distill.voices.voice import Result, Voice

STEPS = 20
"""A search is looked at so many times."""


class Curve(Protocol):
    """The curve of a search: a trial of Optuna."""

    def report(self, value: float, step: int) -> None:
        """Its best error so far, in tolerances."""

    def should_prune(self) -> bool:
        """Whether it is hopeless beside the others."""


def pruner_of(config: PruningConfig) -> BasePruner:
    """The judge that ``sweep.pruning`` describes."""
    if config.rule == "none":
        return NopPruner()
    return MedianPruner(
        n_startup_trials=config.trials, n_warmup_steps=math.ceil(config.fraction * STEPS)
    )


class Watched:
    """A voice that draws the curve of the search, and ends the search when that is hopeless.

    ``tolerance`` is in the output's unit. The searches of several outputs are one curve, one after
    the other.
    """

    def __init__(self, voice: Voice, curve: Curve, tolerance: float) -> None:
        self._voice, self._curve, self._tolerance = voice, curve, tolerance
        self._output = 0
        self._outputs_begun = 0
        self._searching = False
        self._best = math.inf
        self._step = 0

    def begin(self, stage: str, detail: str) -> None:
        """A stage starts to work."""
        self._voice.begin(stage, detail)
        if stage == OUTPUT:
            self._output, self._outputs_begun = self._outputs_begun, self._outputs_begun + 1
        if stage == FIT.name:
            self._searching, self._best, self._step = True, math.inf, 0

    def advance(self, fraction: float | None, text: str) -> None:
        """How far the search is: at the next step of its curve it is judged.

        Raises
        ------
        Hopeless : when the search is to end.
        """
        self._voice.advance(fraction, text)
        if self._searching and fraction is not None:
            reached = self._step
            self._draw(min(STEPS, int(fraction * STEPS)))
            if self._step > reached and self._best > 1 and self._curve.should_prune():
                raise Hopeless(
                    f"ended after {fraction:.0%} of its search: others were better by then; "
                    f"it was off by {self._best * self._tolerance:.4g}."
                )

    def front(self, best: Sequence[Best]) -> None:
        """The front so far."""
        self._voice.front(best)
        if self._searching:
            self._best = min(self._best, best[-1].error / self._tolerance)

    def warn(self, text: str) -> None:
        """Something the user must know although the run goes on."""
        self._voice.warn(text)

    def end(self, stage: str, detail: str, *, reused: bool) -> None:
        """A stage has its result; a search that ended early stays where it came to."""
        self._voice.end(stage, detail, reused=reused)
        if self._searching and stage == FIT.name:
            self._draw(STEPS)
            self._searching = False

    def result(self, result: Result) -> None:
        """The command has its result."""
        self._voice.result(result)

    def __enter__(self) -> Watched:
        self._voice.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._voice.__exit__(kind, error, traceback)

    def _draw(self, step: int) -> None:
        """The curve up to a step; where nothing was found yet there is none to judge."""
        for each in range(self._step + 1, step + 1):
            if math.isfinite(self._best):
                self._curve.report(self._best, self._output * STEPS + each)
        self._step = max(self._step, step)
