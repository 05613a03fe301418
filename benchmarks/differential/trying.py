"""Batches of cases: everything is checked, what is refused is counted, what is wrong is told."""

from __future__ import annotations

import re
import signal
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

import numpy as np

from differential.compiling import build, run, text_of
from differential.exports import Export, check_export, inputs, makers, ready
from differential.generating import Case
from differential.printers import check_printers
from differential.problem import Checked, Mistake
from distill.errors import DistillError
from distill.firmware.toolchains import HostCompiler

LONGEST = 120
"""Seconds of the processor that one printer may take for one formula."""


@dataclass
class Tally:
    """What came of a batch: by printer the formulas, points and largest use of what is allowed."""

    formulas: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    used: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    mistakes: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, checked: Checked) -> None:
        """One printer that agreed."""
        self.formulas[checked.printer] += 1
        self.points[checked.printer] += checked.points
        self.used[checked.printer] = max(self.used[checked.printer], checked.used)

    def to_data(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "formulas": dict(self.formulas),
            "points": dict(self.points),
            "used": dict(self.used),
            "refused": [[*key, count] for key, count in self.refused.items()],
            "mistakes": self.mistakes,
        }

    def take(self, data: dict[str, Any]) -> None:
        """Add what :meth:`to_data` gave."""
        self.formulas.update(data["formulas"])
        self.points.update(data["points"])
        for printer, used in data["used"].items():
            self.used[printer] = max(self.used[printer], used)
        for printer, reason, count in data["refused"]:
            self.refused[printer, reason] += count
        self.mistakes += [(n, printer, what) for n, printer, what in data["mistakes"]]


class _Late(Exception):
    """A printer took too long."""


@contextmanager
def _in_time() -> Iterator[None]:
    def late(signum: int, frame: FrameType | None) -> None:
        raise _Late(f"it took more than {LONGEST} s")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def _judged(tally: Tally, case: Case, printer: str) -> Iterator[None]:
    """A refusal is counted, a mistake is kept, and so is every other exception."""
    try:
        with _in_time():
            yield
    except DistillError as error:
        tally.refused[printer, reason_of(error)] += 1
    except Mistake as mistake:
        tally.mistakes.append((case.number, mistake.printer, str(mistake)))
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
        tally.mistakes.append((case.number, printer, what))


def reason_of(error: DistillError) -> str:
    """A refusal without its names and numbers."""
    text = re.sub(r"`[^`]*`", "...", error.what.splitlines()[0])
    text = re.sub(r" at \w+ = .*, so ", " at a point, so ", text)
    return re.sub(r"-?\d[\d,.]*(e[-+]?\d+)?", "N", text)


def try_batch(
    cases: Sequence[Case], compilers: Sequence[HostCompiler], printers: Sequence[str] = ()
) -> Tally:
    """Check cases; with ``printers`` only these exports of them."""
    tally = Tally()
    made: list[tuple[Case, Export, str]] = []
    for case in cases:
        if not printers:
            with _judged(tally, case, "printers"):
                for checked in check_printers(case.formula, _few(case)):
                    tally.add(checked)
        for printer, make in makers(case, f"f{case.number}").items():
            if not printers or printer in printers:
                with _judged(tally, case, printer):
                    export = ready(make())
                    made.append((case, export, text_of(export)))
    with TemporaryDirectory(prefix="distill-differential-") as name:
        for compiler in compilers if made else ():
            library = build([text for *_, text in made], compiler, Path(name))
            for case, export, _ in made:
                with _judged(tally, case, export.printer):
                    x = inputs(export, case)
                    answers = run(library, export, x)
                    for checked in check_export(export, case, x, answers):
                        tally.add(_named(checked, compiler, compilers[0]))
    return tally


def _named(checked: Checked, compiler: HostCompiler, first: HostCompiler) -> Checked:
    """What another compiler than the first says counts by itself."""
    if compiler is first:
        return checked
    return Checked(f"{checked.printer}, {compiler.family}", checked.points, checked.used)


def _few(case: Case) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Points of the domain at which the printers are compared, some corners among them."""
    domain = case.formula.domain
    rng = np.random.default_rng(case.number)
    inside = domain.low + (domain.high - domain.low) * rng.random((8, len(domain)))
    inside = np.where([v.discrete for v in domain.variables], np.rint(inside), inside)
    return np.vstack([inside, domain.corners()[:4], domain.clip(np.zeros((1, len(domain))))])
