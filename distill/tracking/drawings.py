"""Reports and plots of a study's runs; of many candidates they are made in a process beside.

MLflow's store takes as long as the drawing, and Python's lock lets threads do one or the other.
The process reads the record as it is kept on disk and goes through the candidates in the order in
which they are logged: ``python -m distill.tracking.drawings`` is its side.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np

from distill.engines.child import Child, EngineError, Message, receive_job, send
from distill.tracking.front_figure import front_images
from distill.tracking.plots import CandidatePlots
from distill.tracking.record import PUBLISHED, CandidateRecord, StudyRecord
from distill.tracking.record_folder import load_record, save_record
from distill.tracking.report import Figures, candidate_report, study_report
from distill.tracking.runs import Files

FEW = 24
"""Up to so many candidates are drawn sooner than a process has started."""

_REPORT = "report.html"
_NO_RUN = "0" * 32
"""Stands for the id of a run in a report that is written before there is one."""


class Drawings(ExitStack):
    """Makes the files on demand, for one thread after another; a process ends with the block."""

    def __init__(self, record: StudyRecord) -> None:
        super().__init__()
        self._record = record
        self._here: _Here | None = None
        self._beside: _Beside | None = None
        self._numbers = {(c.id, c.engine): k for k, c in enumerate(published_first(record))}
        self._one_at_a_time = Lock()

    def candidate(self, candidate: CandidateRecord, run_id: str) -> Files:
        """``report.html``, ``parity.png`` and ``residuals.png`` of a candidate."""
        number = self._numbers[candidate.id, candidate.engine]
        with self._one_at_a_time:
            if self._here is None and self._beside is None:
                self._begin(number)
            files = self._beside and self._beside.files(number)
            if files:
                report = files[_REPORT].replace(_NO_RUN.encode(), run_id.encode())
                return {**files, _REPORT: report}
            return self._drawn_here().candidate(candidate, run_id)

    def study(self) -> Files:
        """``report.html`` and the fronts of the study."""
        with self._one_at_a_time:
            files = self._beside and self._beside.files(len(self._numbers))
            return files or self._drawn_here().study()

    def _begin(self, first: int) -> None:
        """Start the process where there is much to do: with one missing the next are, too."""
        if len(self._numbers) - first > FEW:
            folder = Path(self.enter_context(tempfile.TemporaryDirectory()))
            save_record(replace(self._record, bundle=None), folder)
            job = {"folder": str(folder), "first": first}
            child = Child("distill.tracking.drawings", job, np.empty((0, 0)))
            self._beside = _Beside(folder, first, self.enter_context(child).messages(None))

    def _drawn_here(self) -> _Here:
        self._here = self._here or _Here(self._record)
        return self._here


class _Here:
    """Draws in this process."""

    def __init__(self, record: StudyRecord) -> None:
        self._record = record
        self._plots, self._figures = CandidatePlots(record), Figures(record, together=1)

    def candidate(self, candidate: CandidateRecord, run_id: str) -> dict[str, bytes]:
        report = candidate_report(self._record, candidate, run_id, self._figures)
        return {_REPORT: report.encode(), **self._plots.draw(candidate)}

    def study(self) -> dict[str, bytes]:
        return {_REPORT: study_report(self._record).encode(), **front_images(self._record)}


class _Beside:
    """What the process has drawn: a folder for each number, the study's behind the last one."""

    def __init__(self, folder: Path, first: int, news: Iterator[Message]) -> None:
        self._folder, self._first, self._news = folder, first, news
        self._drawn: set[int] = set()

    def files(self, number: int) -> dict[str, bytes] | None:
        """Wait for them; None where the process has died or does not draw them."""
        if number < self._first:
            return None
        try:
            while number not in self._drawn:
                self._drawn.add(next(self._news)["drawn"])
        except (EngineError, StopIteration):
            return None
        return {file.name: file.read_bytes() for file in (self._folder / str(number)).iterdir()}


def published_first(record: StudyRecord) -> list[CandidateRecord]:
    """So that a found formula that equals a published one keeps the id for itself."""
    return sorted(record.candidates, key=lambda c: c.engine != PUBLISHED)


def main() -> None:
    """Draw the record in the folder that the parent names, from its first number on."""
    job, _ = receive_job()
    folder, first = Path(job["folder"]), job["first"]
    record = load_record(folder)
    here, candidates = _Here(record), published_first(record)
    for number in range(first, len(candidates) + 1):
        last = number == len(candidates)
        files = here.study() if last else here.candidate(candidates[number], _NO_RUN)
        (folder / str(number)).mkdir()
        for name, data in files.items():
            (folder / str(number) / name).write_bytes(data)
        send({"drawn": number})


if __name__ == "__main__":
    main()
