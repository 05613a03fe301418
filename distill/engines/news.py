"""Which of many proposals are worth passing on: those that beat all simpler ones before them."""

from __future__ import annotations

import numpy as np

from distill.formula import Formula
from distill.sampling.sample_set import SampleSet

BETTER = 0.98


class News:
    """The best RMSE and largest error so far at each complexity, on a sample."""

    def __init__(self, sample: SampleSet) -> None:
        self.sample = sample
        self._best: list[dict[int, float]] = [{}, {}]

    def better(self, formula: Formula) -> bool:
        """Whether one of its errors is 2 % below those of all as simple; if so, remember it."""
        off = formula(self.sample.x) - self.sample.y
        if not np.isfinite(off).all():
            return False
        size = formula.complexity
        errors = (float(np.sqrt(np.mean(off * off))), float(np.abs(off).max()))
        better = False
        for best, error in zip(self._best, errors, strict=True):
            so_far = min((e for n, e in best.items() if n <= size), default=np.inf)
            if error < BETTER * so_far or (error == 0.0 < so_far):
                best[size] = error
                better = True
        return better
