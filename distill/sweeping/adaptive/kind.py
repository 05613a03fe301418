"""The kind of sweep whose jobs Optuna chooses."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.types import Override

from distill.config.schema import SweepConfig
from distill.sweeping.adaptive.objectives import check_objectives
from distill.sweeping.adaptive.source import AdaptiveSource, answered
from distill.sweeping.adaptive.space import Space, space_of
from distill.sweeping.adaptive.summary import found, found_data
from distill.sweeping.adaptive.trials import Search
from distill.sweeping.folder import SweepFolder
from distill.sweeping.jobs import Job
from distill.sweeping.record import JobRecord
from distill.sweeping.source import Source


@dataclass(frozen=True)
class AdaptiveKind:
    """Jobs drawn from a space; ``session`` names the command that draws them."""

    settings: SweepConfig
    space: Space
    tolerance: float
    session: str

    @property
    def listed(self) -> tuple[Job, ...]:
        """None is known beforehand."""
        return ()

    @property
    def probes(self) -> tuple[Job, ...]:
        """Every choice and the ends of all numbers."""
        ends = self.space.ends()
        return tuple(Job(number, self.space.overrides(each)) for number, each in enumerate(ends))

    @property
    def count(self) -> int:
        """As many as are to be asked, or there are."""
        return int(min(self.settings.trials, self.space.size))

    @property
    def told(self) -> Mapping[str, Any]:
        """What the next job follows from, beside the space."""
        return {"objectives": list(self.settings.objectives), "seed": self.settings.seed}

    def tasks(self, folder: SweepFolder) -> int:
        """The workers."""
        return self.settings.workers

    def starts(self, folder: SweepFolder) -> Iterator[tuple[Source, int]]:
        """The workers, again while that leads on; a trial is begun ``attempts`` times at most."""
        source, before = self.source(folder), math.inf
        while 0 < (left := source.left()) < before:
            yield source, self.settings.workers
            before = left

    def again(self, record: JobRecord) -> bool:
        """What had no time, and what failed without any result."""
        return not answered(record)

    def died(self, folder: SweepFolder) -> list[int]:
        """The trials that were begun and have no record."""
        return [n for n in self.source(folder).running() if folder.record(n) is None]

    def found(self, folder: SweepFolder) -> Mapping[str, Any]:
        """The front over all jobs, and which keys mattered."""
        return found_data(found(self.source(folder)))

    def source(self, folder: SweepFolder) -> AdaptiveSource:
        """Where the workers' jobs come from."""
        settings = self.settings
        search = Search(
            self.space,
            tuple(settings.objectives),
            settings.trials,
            settings.seed,
            settings.pruning,
        )
        return AdaptiveSource(
            folder, search, settings.storage, settings.attempts, self.session, self.tolerance
        )


def adaptive_kind(
    settings: SweepConfig, overrides: Sequence[Override], config: Mapping[str, Any]
) -> AdaptiveKind:
    """An adaptive sweep over the overrides that vary; ``config`` is the composed one.

    Raises
    ------
    ConfigError : for what cannot be searched, and for unknown objectives.
    """
    check_objectives(settings.objectives)
    space = space_of(overrides, config)
    return AdaptiveKind(settings, space, float(config["tolerance"]), uuid.uuid4().hex)
