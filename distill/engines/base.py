"""The one protocol of all engines: a problem goes in, candidates stream out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from distill.chain.expression import Expression, read_expression
from distill.engines.findings import Finding
from distill.engines.oracle import Oracle
from distill.engines.rules import Rules
from distill.formula import Formula
from distill.sampling.sample_set import SampleSet

VERSION = 2


@dataclass(frozen=True, slots=True)
class Budget:
    """How much an engine may spend: seconds of wall clock, or evaluations (reproducible)."""

    seconds: float | None = None
    evaluations: int | None = None


@dataclass(frozen=True)
class Candidate:
    """A formula, the engine that proposed it, and how it was found (for people).

    ``formula`` may also be a closed form that is no formula one could read, such as a forest.
    ``metrics`` are names and values that the engine itself gives the formula, for comparing.
    """

    formula: Expression
    engine: str
    origin: str = ""
    metrics: tuple[tuple[str, float], ...] = ()

    @property
    def written(self) -> Formula:
        """The formula of a candidate that was searched for; closed forms are never searched for."""
        assert isinstance(self.formula, Formula)
        return self.formula

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits of the hash of the exact formula."""
        return hashlib.sha256(self.formula.text.encode()).hexdigest()[:12]

    def to_data(self) -> dict[str, object]:
        """A versioned plain form."""
        return {
            "version": VERSION,
            "formula": self.formula.to_data(),
            "engine": self.engine,
            "origin": self.origin,
            "metrics": [list(metric) for metric in self.metrics],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, object]) -> Candidate:
        """Read what :meth:`to_data` gave."""
        formula, metrics = data["formula"], data["metrics"]
        assert isinstance(formula, Mapping)
        assert isinstance(metrics, list)
        return cls(
            read_expression(formula),
            str(data["engine"]),
            str(data["origin"]),
            tuple((str(name), float(value)) for name, value in metrics),
        )


def formulas(candidates: Iterable[Candidate]) -> list[Formula]:
    """The formulas of those that have one."""
    return [c.formula for c in candidates if isinstance(c.formula, Formula)]


@dataclass(frozen=True)
class Problem:
    """What an engine is asked.

    ``operators`` maps each allowed operator's name to its relative cost on the target (an
    addition is about 1). ``tolerance`` is the wanted largest absolute error. ``oracle`` is the
    teacher itself where it can be asked, None for a table. ``known`` are formulas found before, by
    other engines, in earlier rounds or for other outputs. ``closed`` are the teacher's own closed
    forms, where they are known, for the engine that looks for nothing else. ``rules`` are what
    formulas have to keep to; those that break them are dropped afterwards, so an engine may ignore
    them, all but the form. ``tell`` is told which part of the budget is spent, from 0 to 1, by
    engines that know; ``explain`` the whole of what was found out about the teacher, whenever there
    is more, by engines that find out; ``doing`` what an engine does now, in a few words, and
    ``warn`` what its user must know. ``folder`` is a place for an engine's own files that outlives
    a kill, None for none.
    """

    sample: SampleSet
    tolerance: float
    operators: Mapping[str, float]
    max_complexity: int
    budget: Budget
    seed: int
    oracle: Oracle | None = None
    known: tuple[Formula, ...] = ()
    closed: tuple[Candidate, ...] = ()
    rules: Rules = field(default_factory=Rules)
    tell: Callable[[float], None] = lambda fraction: None
    explain: Callable[[Finding], None] = lambda finding: None
    doing: Callable[[str], None] = lambda text: None
    warn: Callable[[str], None] = lambda text: None
    folder: Path | None = None


class Engine(Protocol):
    """A way to find formulas. Construction takes only the engine's own options.

    An engine that keeps something between searches, such as a process, has a ``close()`` as well,
    which those who made it call at the end (:func:`distill.engines.closable.ended`).
    """

    @property
    def name(self) -> str: ...

    def search(self, problem: Problem) -> Iterator[Candidate]:
        """Yield candidates as they are found, within the budget.

        The iterator may be closed at any time (`close()`), which stops all work at once. With a
        budget in evaluations the same problem yields the same candidates to the bit.
        """
        ...
