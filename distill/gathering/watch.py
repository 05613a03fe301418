"""How far all parts together are, read off the kept answers while they are asked."""

from __future__ import annotations

import threading
from types import TracebackType

import numpy as np

from distill.arrays import Array
from distill.gathering.part import Folder, PartRecord
from distill.progress import Progress
from distill.teachers.simulator_cache import Answers

SECONDS = 1.0
"""Between two looks."""


class Watch:
    """Tells how many points have answers, from a thread; has all parts stop when one cannot go on.

    Parameters
    ----------
    answers : of this thread alone.
    x : the points (n, d).

    Attributes
    ----------
    problem : the first record of a part that could not go on.
    """

    def __init__(
        self, answers: Answers, x: Array, folder: Folder, parts: int, progress: Progress
    ) -> None:
        self._answers, self._x, self._folder, self._parts = answers, x, folder, parts
        self._progress = progress
        self._open = np.arange(len(x))
        self._failed = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.problem: PartRecord | None = None

    def look(self) -> None:
        """Tell how many points have answers now."""
        values, known = self._answers.find(self._x[self._open])
        self._failed += int((~np.isfinite(values[known]).all(axis=1)).sum())
        self._open = self._open[~known]
        n = len(self._x)
        done = n - len(self._open)
        without = f", {self._failed:,} of them without an answer" if self._failed else ""
        self._progress.advance(done / n, f"{done:,} of {n:,} points asked{without}")

    def __enter__(self) -> Watch:
        self.look()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()
        self._find_problem()
        self.look()

    def _watch(self) -> None:
        while not self._stopped.wait(SECONDS):
            self.look()
            self._find_problem()

    def _find_problem(self) -> None:
        records = filter(None, map(self._folder.record, range(self._parts)))
        self.problem = self.problem or next((r for r in records if r.problem), None)
        if self.problem is not None:
            self._folder.end()
