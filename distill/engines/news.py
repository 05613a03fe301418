"""Which of many proposals are worth passing on: those that beat all simpler ones before them."""

from __future__ import annotations

import numpy as np

from distill.engines.rules import Rules
from distill.formula import Formula
from distill.sampling.sample_set import SampleSet

BETTER = 0.98

Best = tuple[dict[int, float], dict[int, float]]
"""The best RMSE and the best largest error so far, each by complexity."""


class News:
    """The best RMSE and largest error so far at each complexity, on a sample.

    Formulas that break ``rules`` never hide those that do not; the best of them are passed on all
    the same, so that a user can be told what the rules cost.
    """

    def __init__(self, sample: SampleSet, rules: Rules | None = None) -> None:
        self.sample = sample
        self.rules = rules or Rules()
        self._kept: Best = ({}, {})
        self._refused: Best = ({}, {})

    def better(self, formula: Formula) -> bool:
        """Whether one of its errors is 2 % below those of all as simple; if so, remember it."""
        off = formula(self.sample.x) - self.sample.y
        if not np.isfinite(off).all():
            return False
        size = formula.complexity
        errors = (float(np.sqrt(np.mean(off * off))), float(np.abs(off).max()))
        if not _beats(errors, size, self._kept):
            return False
        book = self._kept if self.rules.admits(formula, self.sample.x) else self._refused
        better = _beats(errors, size, book)
        for best in better:
            book[best][size] = errors[best]
        return bool(better)


def _beats(errors: tuple[float, float], size: int, book: Best) -> list[int]:
    """Which of the errors are better than all of formulas as simple."""
    better = []
    for i, (best, error) in enumerate(zip(book, errors, strict=True)):
        so_far = min((e for n, e in best.items() if n <= size), default=np.inf)
        if error < BETTER * so_far or (error == 0.0 < so_far):
            better.append(i)
    return better
