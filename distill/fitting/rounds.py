"""What the rounds of a search have left so far, the same from the journal and from the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.config.schema import EngineConfig
from distill.engines.base import Candidate
from distill.engines.findings import Finding
from distill.fitting.fitted import read_finding
from distill.sampling.sample_set import SampleSet

FALLING = 0.95
"""The worst error falls when it is below this part of the smallest so far."""

EXACT = 1e-12
"""An error below this part of the largest answer is rounding."""


@dataclass
class Rounds:
    """What the rounds so far have left.

    Attributes
    ----------
    sample : the first points and all counterexamples.
    kept : the candidates of all rounds.
    unfinished : what a killed run had found of the next round.
    rounds : how many rounds are over.
    seconds : the time that they took.
    added : counterexamples in the sample.
    worst : after each round the largest error that was found of its best candidate.
    finding : the last that the engine found out about the teacher.
    told : what :meth:`~distill.fitting.telling.Telling.to_data` kept after the last round.
    """

    sample: SampleSet
    kept: list[Candidate] = field(default_factory=list)
    unfinished: list[Candidate] = field(default_factory=list)
    rounds: int = 0
    seconds: float = 0.0
    added: int = 0
    worst: list[float] = field(default_factory=list)
    finding: Finding | None = None
    told: Mapping[str, Any] | None = None

    @property
    def done(self) -> bool:
        """Whether another round would be of no use."""
        if not self.worst:
            return False
        if self.worst[-1] <= EXACT * float(np.abs(self.sample.y).max()):
            return True
        return len(self.worst) > 1 and self.worst[-1] > FALLING * min(self.worst[:-1])


def resume(
    config: EngineConfig, entries: Sequence[Mapping[str, object]], sample: SampleSet
) -> Rounds:
    """Go on where the journal of a killed run ends."""
    state = Rounds(sample)
    for entry in entries:
        if "round" in entry:
            absorb(state, entry)
        elif "found" in entry and config.seconds is not None:
            found = entry["found"]
            assert isinstance(found, Mapping)
            state.unfinished.append(Candidate.from_data(found))
            state.seconds = float(str(entry["seconds"]))
    return state


def absorb(state: Rounds, entry: Mapping[str, object]) -> None:
    """Take a finished round into the state; the same from the journal and from the search."""
    candidates, x, y, finding = (entry[key] for key in ("candidates", "x", "y", "finding"))
    assert isinstance(candidates, list)
    assert finding is None or isinstance(finding, Mapping)
    state.kept += [Candidate.from_data(c) for c in candidates]
    new = np.array(x, dtype=float).reshape(-1, len(state.sample.domain))
    state.sample = joined(state.sample, new, np.array(y, dtype=float))
    state.added += len(new)
    state.unfinished = []
    state.rounds += 1
    state.seconds = float(str(entry["seconds"]))
    state.worst.append(float(str(entry["worst"])))
    state.finding = read_finding(finding)
    told = entry["told"]
    assert isinstance(told, Mapping)
    state.told = told


def joined(sample: SampleSet, x: Array, y: Array) -> SampleSet:
    """The sample with more points."""
    return replace(sample, x=np.vstack([sample.x, x]), y=np.concatenate([sample.y, y]))
