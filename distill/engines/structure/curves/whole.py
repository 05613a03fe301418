"""A search over whole formulas for what no known form explains, by Operon."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator

import numpy as np

from distill.domain import Domain
from distill.engines.base import Budget, Problem
from distill.engines.child import EngineError
from distill.engines.operon import NAMES, SLOW, Operon, OperonOptions
from distill.engines.structure.curves.points import Points
from distill.errors import ConfigError
from distill.formula.tree import Node
from distill.sampling.sample_set import SampleSet

log = logging.getLogger(__name__)

EVALUATIONS = 300_000
POPULATION = 500
MOST_NODES = 30


def formulas(
    points: Points, operators: Collection[str], target: float, seed: int, deadline: float | None
) -> Iterator[Node]:
    """Formulas in ``x``, each better than all before that are as simple; none without Operon."""
    usable = {name: 1.0 for name in sorted(operators) if name in NAMES and name not in SLOW}
    usable |= dict.fromkeys(("add", "sub", "mul", "div"), 1.0)
    low, high = float(points.x.min()), float(points.x.max())
    if not low < high or not np.ptp(points.y) > 0:
        return
    domain = Domain.box(x=(low, high))
    sample = SampleSet(domain, points.x[:, None], points.y, np.empty((0, 1)))
    problem = Problem(
        sample,
        tolerance=target * float(np.median(points.s)),
        operators=usable,
        max_complexity=MOST_NODES,
        budget=Budget(evaluations=EVALUATIONS),
        seed=seed,
    )
    options = OperonOptions(population_size=POPULATION, rows=len(points.x), threads=1)
    search = Operon(options).search(problem)
    try:
        for candidate in search:
            yield candidate.written.tree
            if deadline is not None and time.monotonic() > deadline:
                return
    except (EngineError, ConfigError) as error:
        log.warning("operon gave no formula for a curve: %s", error)
    finally:
        if hasattr(search, "close"):
            search.close()
