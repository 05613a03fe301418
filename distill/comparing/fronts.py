"""Studies of one question compared: front against front, formula against formula. Pure.

A front holds what a study found, without published formulas, over complexity and the largest error
found. The measures are those of Zitzler and Thiele (1999), "Multiobjective evolutionary algorithms:
a comparative case study and the strength Pareto approach".
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from distill.comparing.questions import DOMAIN, OUTPUT, TEACHER, TOLERANCE, check_same, once
from distill.errors import ConfigError
from distill.scoring.pareto import front
from distill.tracking.record import PUBLISHED, StudyRecord

SMALLEST = 1e-6
"""Errors below this part of the tolerance count as it: they are rounding, and no search's merit."""

_DIGITS = 4
"""Of the constants in formulas; formulas that look the same count as found by all who have them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A formula on a study's front; ``study`` is its letter, ``label`` the candidate's short name.

    ``max_error`` is in the output's unit.
    """

    study: str
    label: str
    formula: str
    complexity: int
    max_error: float


@dataclass(frozen=True)
class Front:
    """One study: what was asked of it and what it found, cheapest first.

    ``seconds`` is when its search last had news, None where it told none; ``points`` is how many
    the search began with. ``hypervolume`` is in nodes times decades of error.
    """

    letter: str
    name: str
    key: str
    engine: str
    target: str
    seed: int | None
    seconds: float | None
    points: int | None
    candidates: int
    entries: tuple[Entry, ...]
    hypervolume: float

    def within(self, complexity: int) -> Entry | None:
        """The most accurate formula of at most that complexity."""
        return _within(self.entries, complexity)


@dataclass(frozen=True, slots=True)
class Joint:
    """A formula of the front of all studies together, and the letters of those who found it."""

    entry: Entry
    found_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Domination:
    """``better`` is nowhere worse than ``worse``, another study's, and somewhere better."""

    better: Entry
    worse: Entry


@dataclass(frozen=True)
class Comparison:
    """Studies of one output of one teacher, over one domain and with one tolerance.

    Attributes
    ----------
    reference : complexity and log10 of the error that hypervolumes are measured from: a node and a
        decade beyond the worst of all fronts.
    smallest : errors below this count as this in hypervolumes.
    joint : the front of all studies together, cheapest first; ``hypervolume`` is its own.
    dominations : every formula that another study beats, with the most accurate one that does.
    coverage : C(A, B) by letters: the part of B's front that a formula of A is as good as.
    """

    teacher: str
    output: str
    unit: str
    tolerance: float
    fronts: tuple[Front, ...]
    reference: tuple[int, float]
    smallest: float
    joint: tuple[Joint, ...]
    hypervolume: float
    dominations: tuple[Domination, ...]
    coverage: Mapping[tuple[str, str], float]

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets that the studies were for, each once."""
        return tuple(dict.fromkeys(front.target for front in self.fronts))

    @property
    def complexities(self) -> tuple[int, ...]:
        """Where the front of all studies together has its formulas."""
        return tuple(each.entry.complexity for each in self.joint)


def compare(studies: Sequence[StudyRecord]) -> tuple[Comparison, ...]:
    """Compare studies of one teacher, one output after the other.

    A study keeps its letter over all outputs.

    Raises
    ------
    ConfigError : for fewer than two studies, or when they do not answer the same question; it says
        what differs.
    """
    studies = once(studies)
    if len(studies) < 2:
        raise ConfigError(
            "one study is no comparison." if studies else "no study is given.",
            where="command line",
            hint="distill compare STUDY STUDY ..., or a pattern such as 'wet_bulb/*'.",
        )
    check_same(studies, TEACHER)
    outputs: dict[str, list[tuple[str, StudyRecord]]] = {}
    for number, study in enumerate(studies):
        outputs.setdefault(study.output_name, []).append((letter(number), study))
    if all(len(group) < 2 for group in outputs.values()):
        check_same(studies, OUTPUT)
    for group in outputs.values():
        check_same([study for _, study in group], DOMAIN, TOLERANCE)
    return tuple(_compared(group) for group in outputs.values())


def letter(number: int) -> str:
    """A, B, ..., Z, AA, AB, ... for 0, 1, ...

    >>> [letter(n) for n in (0, 25, 26, 52)]
    ['A', 'Z', 'AA', 'BA']
    """
    before, last = divmod(number, 26)
    return (letter(before - 1) if before else "") + chr(ord("A") + last)


def hypervolume(points: Sequence[tuple[float, float]], reference: tuple[float, float]) -> float:
    """The area that points (both minimised) dominate below the reference point, exactly.

    >>> hypervolume([(1, 3), (2, 1), (3, 2)], (4, 4))
    7.0
    >>> hypervolume([(4, 1)], (4, 4)), hypervolume([], (4, 4))
    (0.0, 0.0)
    """
    area, height = 0.0, reference[1]
    for x, y in sorted(points):
        if x < reference[0] and y < height:
            area += (reference[0] - x) * (height - y)
            height = y
    return area


def coverage(a: Sequence[Entry], b: Sequence[Entry]) -> float:
    """C(A, B), the part of front B that front A has a formula for that is as good or better.

    NaN where B is empty. Both are fronts, cheapest first.
    """
    if not b:
        return math.nan
    rivals = [(_within(a, entry.complexity), entry) for entry in b]
    return sum(r is not None and r.max_error <= e.max_error for r, e in rivals) / len(b)


def _compared(group: Sequence[tuple[str, StudyRecord]]) -> Comparison:
    study = group[0][1]
    smallest = SMALLEST * study.tolerance
    fronts = {name: _entries(name, each) for name, each in group}
    together = [entry for entries in fronts.values() for entry in entries]
    best = [together[i] for i in front([(e.complexity, e.max_error) for e in together])]
    best.sort(key=lambda e: e.complexity)
    reference = (
        1 + max((e.complexity for e in together), default=0),
        1 + max((_decades(e, smallest) for e in together), default=0.0),
    )

    def area(entries: Sequence[Entry]) -> float:
        return hypervolume([(e.complexity, _decades(e, smallest)) for e in entries], reference)

    return Comparison(
        teacher=study.teacher_name,
        output=study.output_name,
        unit=study.output_unit,
        tolerance=study.tolerance,
        fronts=tuple(_front(name, s, fronts[name], area(fronts[name])) for name, s in group),
        reference=reference,
        smallest=smallest,
        joint=tuple(Joint(entry, _finders(entry, together)) for entry in best),
        hypervolume=area(best),
        dominations=tuple(_dominations(best, together)),
        coverage={(a, b): coverage(fronts[a], fronts[b]) for a in fronts for b in fronts if a != b},
    )


def _front(name: str, study: StudyRecord, entries: tuple[Entry, ...], area: float) -> Front:
    sampling, engine = study.config.get("sampling") or {}, study.config.get("engine") or {}
    return Front(
        letter=name,
        name=study.name,
        key=study.key,
        engine=study.engine,
        target=study.target,
        seed=engine.get("seed"),
        seconds=max((news.seconds for news in study.history), default=None),
        points=sampling.get("points"),
        candidates=sum(c.engine != PUBLISHED for c in study.candidates),
        entries=entries,
        hypervolume=area,
    )


def _entries(name: str, study: StudyRecord) -> tuple[Entry, ...]:
    """The front of a study's own candidates, cheapest first."""
    found = [
        c for c in study.candidates if c.engine != PUBLISHED and math.isfinite(c.score.max_error)
    ]
    taken = [found[i] for i in front([(c.formula.complexity, c.score.max_error) for c in found])]
    return tuple(
        Entry(
            study=name,
            label=study.label(c),
            formula=c.formula.readable(_DIGITS),
            complexity=c.formula.complexity,
            max_error=c.score.max_error,
        )
        for c in sorted(taken, key=lambda c: c.formula.complexity)
    )


def _decades(entry: Entry, smallest: float) -> float:
    return math.log10(max(entry.max_error, smallest))


def _within(entries: Sequence[Entry], complexity: int) -> Entry | None:
    """The last of a front of at most that complexity: errors fall along a front."""
    end = bisect_right(entries, complexity, key=lambda e: e.complexity)
    return entries[end - 1] if end else None


def _finders(entry: Entry, together: Sequence[Entry]) -> tuple[str, ...]:
    """Who found the formula: those on whose front it looks the same."""
    return tuple(dict.fromkeys(e.study for e in together if e.formula == entry.formula))


def _dominations(best: Sequence[Entry], together: Sequence[Entry]) -> Iterator[Domination]:
    """Every formula that is beaten; what beats one at all is on the front of all, or beaten too."""
    for entry in together:
        rival = _within(best, entry.complexity)
        if rival is not None and (rival.max_error, rival.complexity) < (
            entry.max_error,
            entry.complexity,
        ):
            yield Domination(rival, entry)
