"""The hall of fame that Julia writes, as candidates: those on the way, then all of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from distill.engines.base import Candidate
from distill.engines.news import News
from distill.engines.pysr.equations import Row, read_hall_of_fame
from distill.engines.pysr.request import NAME, Request
from distill.engines.skeleton_fit import fitted_forms
from distill.errors import FormulaError
from distill.formula import Formula

log = logging.getLogger(__name__)

FILE = "hall_of_fame.csv"


class Hall:
    """The file in ``folder``, read again when it has changed; every formula is proposed once."""

    def __init__(self, folder: Path, request: Request, news: News) -> None:
        self.folder, self.request, self.news = folder, request, news
        self.rows: tuple[Row, ...] = ()
        self._seen: tuple[object, ...] = ()
        self._read: dict[str, Formula | None] = {}
        self._proposed: set[str] = set()

    def better(self) -> Iterator[Candidate]:
        """Formulas that have come since the last call and beat all that are as simple."""
        for row in self._new_rows():
            formula = self._formula(row.equation)
            if formula is not None and self.news.better(formula):
                yield self._candidate(row, formula)
                yield from self._fitted(row)

    def rest(self) -> Iterator[Candidate]:
        """What stands there now and was not proposed."""
        self._new_rows()
        for row in self.rows:
            formula = self._formula(row.equation)
            if formula is not None and row.equation not in self._proposed:
                yield self._candidate(row, formula)

    def _new_rows(self) -> tuple[Row, ...]:
        seen = tuple(_state(self.folder / name) for name in (FILE, f"{FILE}.bak"))
        if seen == self._seen:
            return ()
        self._seen = seen
        self.rows = read_hall_of_fame(self.folder / FILE) or self.rows
        return tuple(row for row in self.rows if row.equation not in self._read)

    def _formula(self, equation: str) -> Formula | None:
        """What an equation says; None where it cannot be said here, or has no values."""
        if equation not in self._read:
            try:
                formula = self.request.formula(equation)
            except FormulaError as error:
                log.info("PySR's `%.200s` is left out: %s", equation, error.what)
                formula = None
            if formula is not None and not np.isfinite(formula(self.news.sample.x)).all():
                formula = None
            self._read[equation] = formula
        return self._read[equation]

    def _fitted(self, row: Row) -> Iterator[Candidate]:
        """The same form with all constants fitted in float64, where it is a given one.

        Constants of other formulas are fitted for all engines alike.
        """
        skeleton = self.request.problem.rules.skeleton
        if skeleton is None:
            return
        sample = self.news.sample
        # Every fifth point is kept back.
        checks = np.arange(len(sample)) % 5 == 4
        fitting = (sample.x[~checks], sample.y[~checks])
        checking = (sample.x[checks], sample.y[checks])
        parts, constants = self.request.filling(row.equation)
        for formula, how, _ in fitted_forms(skeleton, parts, constants, fitting, checking):
            yield Candidate(formula, NAME, f"{self.request.origin}; {how}")

    def _candidate(self, row: Row, formula: Formula) -> Candidate:
        self._proposed.add(row.equation)
        metrics = {
            "pysr_complexity": float(row.complexity),
            "pysr_loss": row.loss,
            "pysr_score": row.score,
        }
        return Candidate(formula, NAME, self.request.origin, tuple(metrics.items()))


def _state(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
