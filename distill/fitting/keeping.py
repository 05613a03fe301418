"""What formulas have to keep to: read from the config, and held against what a search proposes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from distill.config.schema import EngineConfig
from distill.domain import Domain
from distill.engines.base import Candidate
from distill.engines.registry import ENGINES
from distill.engines.rules import Rules, read_rules
from distill.errors import ConfigError
from distill.sampling.sample_set import SampleSet
from distill.teachers.base import Output


def rules_of(config: EngineConfig, domain: Domain, output: Output) -> Rules:
    """The rules of a search for formulas of ``output``.

    Raises
    ------
    ConfigError, DomainError : naming the key, or what has a unit that is not understood.
    """
    filling = [entry.name for entry in ENGINES.values() if entry.fills]
    if config.skeleton is not None and config.name not in filling:
        raise ConfigError(
            f"the engine `{config.name}` cannot fill in a skeleton.",
            where="config key `engine.skeleton`",
            hint=f"take engine={' or '.join(filling)}, or set engine.skeleton=null.",
        )
    stated = (output.name, output.unit)
    return read_rules(config.units, config.constraints, config.skeleton, domain, stated)


def max_error(candidate: Candidate, sample: SampleSet) -> float:
    """The largest absolute error on the sample; infinite where the formula is not finite."""
    error = float(np.max(np.abs(candidate.formula(sample.x) - sample.y)))
    return error if np.isfinite(error) else float("inf")


@dataclass
class Gate:
    """Lets candidates pass that keep to the rules; remembers the best that did not."""

    rules: Rules
    best: Candidate | None = None
    error: float = float("inf")

    def lets(self, candidates: Iterable[Candidate], sample: SampleSet) -> list[Candidate]:
        """Those that break no rule at the points of the sample."""
        kept = []
        for candidate in candidates:
            if self.rules.admits(candidate.written, sample.x):
                kept.append(candidate)
            else:
                self._refuse(candidate, sample)
        return kept

    def searched(
        self, candidates: Sequence[Candidate], sample: SampleSet, tell: Callable[[float], None]
    ) -> list[Candidate]:
        """Those of which no point is found where they break a rule; told how far it is."""
        if not self.rules.constraints:
            return list(candidates)
        kept = []
        for number, candidate in enumerate(candidates):
            tell(number / len(candidates))
            if self.rules.broken(candidate.written):
                self._refuse(candidate, sample)
            else:
                kept.append(candidate)
        return kept

    @property
    def complaint(self) -> str:
        """What the most accurate formula that was refused breaks, and where."""
        if self.best is None:
            return "the search proposed nothing."
        formula = self.best.written
        return (
            f"the most accurate formula that was found, off by {self.error:.4g} on the sample, "
            f"is refused: {self.rules.broken(formula)}. It is {formula.readable(5)}."
        )

    def _refuse(self, candidate: Candidate, sample: SampleSet) -> None:
        error = max_error(candidate, sample)
        if self.best is None or error < self.error:
            self.best, self.error = candidate, error
