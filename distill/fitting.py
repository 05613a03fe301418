"""The fit stage: rounds of search, refinement, and counterexamples that join the sample.

Each finished round is written to the journal, so that a killed run goes on with the next one.
With a budget in seconds the candidates of an unfinished round are kept as well, and the time they
took counts; with a budget in evaluations an unfinished round is repeated, so that the result is
the same to the bit however often the run was killed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path

import numpy as np

from distill.config import EngineConfig
from distill.engines.base import Budget, Candidate, Problem
from distill.engines.refine import refine, unique
from distill.engines.registry import make_engine
from distill.errors import ConfigError
from distill.files import write_whole
from distill.formula.operators import OPERATORS
from distill.runner import Stage, Work
from distill.sampling.counterexamples import counterexamples
from distill.sampling.sample_set import SampleSet
from distill.scoring.pareto import front
from distill.teachers.base import Teacher

VERSION = 1

POLISHED = 16
"""Candidates of a round's front whose constants are fitted for the smallest worst error."""

SEARCHING = 0.8
"""About this part of a round is search, the rest fitting constants."""

DOUBTED = 6
"""The most accurate candidates of a round, whose worst points join the sample."""


@dataclass(frozen=True, slots=True)
class Step:
    """When a better formula was found: candidates seen, seconds, its complexity and max error."""

    candidates: int
    seconds: float
    complexity: int
    max_error: float


@dataclass(frozen=True)
class Fitted:
    """What a search gave: candidates from simple to accurate, and how it went."""

    candidates: tuple[Candidate, ...]
    history: tuple[Step, ...]
    counterexamples: int


@dataclass
class _State:
    """What the rounds so far have left."""

    sample: SampleSet
    kept: list[Candidate] = field(default_factory=list)
    unfinished: list[Candidate] = field(default_factory=list)
    rounds: int = 0
    seconds: float = 0.0
    added: int = 0


def fit(
    config: EngineConfig,
    tolerance: float,
    sample: SampleSet,
    teacher: Teacher,
    output: int,
    work: Work,
    costs: Mapping[str, float],
) -> Fitted:
    """Search for formulas of output ``output`` of the teacher.

    ``sample`` is what the engines see first; ``tolerance`` the wanted largest absolute error;
    ``costs`` what each operator costs on the target, an addition being 1.

    Raises
    ------
    ConfigError : for an unknown engine, option or operator.
    """
    engine = make_engine(config.name, config.options)
    for name in config.operators:
        if name not in OPERATORS:
            raise ConfigError(
                f"`{name}` is not an operator.",
                where="config key `engine.operators`",
                hint=f"allowed: {', '.join(OPERATORS)}.",
            )
    state = _resume(config, work.journal.entries(), sample)
    news = _News(config, work, state)
    while state.rounds < config.rounds:
        problem = Problem(
            sample=state.sample,
            tolerance=tolerance,
            operators={name: costs[name] for name in config.operators},
            max_complexity=config.max_complexity,
            budget=_share(config, state),
            seed=config.seed * 1000 + state.rounds,
            tell=news.spent,
        )
        found = list(state.unfinished)
        with closing(_closable(engine.search(problem))) as search:
            for candidate in search:
                if candidate.formula.complexity > config.max_complexity:
                    continue
                found.append(candidate)
                news.found(candidate, state.sample)
                if config.seconds is not None:
                    work.journal.append({"found": candidate.to_data(), "seconds": news.seconds})
        best = _best(found, state.sample, tolerance, POLISHED)
        refined = _refined(best, state, tolerance, news)
        worst = _worst(refined, state.sample, teacher, output, config, state.rounds)
        entry = {
            "round": state.rounds,
            "candidates": [c.to_data() for c in refined],
            "x": worst.x.tolist(),
            "y": worst.y.tolist(),
            "seconds": news.seconds,
        }
        work.journal.append(entry)
        news.part = 0.0
        _absorb(state, entry)
    # The counterexamples of the last round are new to all candidates but those near the tolerance
    # matter most: their constants are fitted once more.
    last = _refined(_best(state.kept, state.sample, tolerance, POLISHED), state, tolerance, news)
    final = unique([*last, *state.kept], state.sample.x)
    return Fitted(
        tuple(_best(final, state.sample, tolerance, config.keep)), tuple(news.history), state.added
    )


def _resume(config: EngineConfig, entries: list[dict[str, object]], sample: SampleSet) -> _State:
    state = _State(sample)
    for entry in entries:
        if "round" in entry:
            _absorb(state, entry)
        elif config.seconds is not None:
            found = entry["found"]
            assert isinstance(found, Mapping)
            state.unfinished.append(Candidate.from_data(found))
            state.seconds = float(str(entry["seconds"]))
    return state


def _absorb(state: _State, entry: Mapping[str, object]) -> None:
    """Take a finished round into the state; the same from the journal and from the search."""
    candidates, x, y = entry["candidates"], entry["x"], entry["y"]
    assert isinstance(candidates, list)
    state.kept += [Candidate.from_data(c) for c in candidates]
    new = np.array(x, dtype=float).reshape(-1, len(state.sample.domain))
    state.sample = replace(
        state.sample,
        x=np.vstack([state.sample.x, new]),
        y=np.concatenate([state.sample.y, np.array(y, dtype=float)]),
    )
    state.added += len(new)
    state.unfinished = []
    state.rounds += 1
    state.seconds = float(str(entry["seconds"]))


def _share(config: EngineConfig, state: _State) -> Budget:
    """What the next round may spend of what is left."""
    left = config.rounds - state.rounds
    if config.seconds is not None:
        return Budget(seconds=max(0.5, (config.seconds - state.seconds) / left))
    assert config.evaluations is not None
    return Budget(evaluations=max(1, config.evaluations // config.rounds))


def _closable(search: Iterator[Candidate]) -> Generator[Candidate]:
    """A generator around any iterator, so that closing it closes the engine's."""
    try:
        yield from search
    finally:
        close = getattr(search, "close", None)
        if close is not None:
            close()


def max_error(candidate: Candidate, sample: SampleSet) -> float:
    """The largest absolute error on the sample; infinite where the formula is not finite."""
    error = float(np.max(np.abs(candidate.formula(sample.x) - sample.y)))
    return error if np.isfinite(error) else float("inf")


def _best(
    candidates: list[Candidate], sample: SampleSet, tolerance: float, count: int
) -> list[Candidate]:
    """Front after front of error against complexity until ``count`` are taken, simplest first.

    Of a front that does not fit whole, those whose errors are nearest to the tolerance are taken.
    """
    left = [(c, c.formula.complexity, max_error(c, sample)) for c in unique(candidates, sample.x)]
    left = [row for row in left if np.isfinite(row[2])]
    taken: list[tuple[Candidate, int, float]] = []
    while left and len(taken) < count:
        layer = set(front([(row[1], row[2]) for row in left]))
        nearest = sorted(
            (row for i, row in enumerate(left) if i in layer),
            key=lambda row: abs(np.log((row[2] + 1e-300) / tolerance)),
        )
        taken += nearest[: count - len(taken)]
        left = [row for i, row in enumerate(left) if i not in layer]
    return [row[0] for row in sorted(taken, key=lambda row: (row[1], row[2]))]


def _refined(
    candidates: list[Candidate], state: _State, tolerance: float, news: _News
) -> list[Candidate]:
    result: list[Candidate] = []
    sample = state.sample
    for number, candidate in enumerate(candidates):
        news.work.progress.advance(
            news.fraction, f"fitting constants of candidate {number + 1} of {len(candidates)}"
        )
        better = refine(
            candidate, sample, tolerance=tolerance, minimax=True, snap=True, seconds=None
        )
        for each in better:
            news.found(each, sample)
        result += [candidate, *better]
    return result


def _worst(
    candidates: list[Candidate],
    sample: SampleSet,
    teacher: Teacher,
    output: int,
    config: EngineConfig,
    number: int,
) -> SampleSet:
    """The worst points of the most accurate candidates, with the teacher's answers."""
    nothing = np.empty((0, len(sample.domain)))
    if not teacher.can_be_asked or not config.counterexamples or not candidates:
        return SampleSet(sample.domain, nothing, np.empty(0), nothing)
    doubted = sorted(candidates, key=lambda c: max_error(c, sample))[:DOUBTED]
    x = counterexamples(
        [c.formula for c in doubted],
        teacher,
        sample.domain,
        n=config.counterexamples,
        seed=config.seed + number,
        output=output,
    )
    y = teacher.predict(x)[:, output]
    finite = np.isfinite(y)
    return SampleSet(sample.domain, x[finite], y[finite], x[~finite])


class _News:
    """Tells of better formulas as they come, and keeps the history."""

    def __init__(self, config: EngineConfig, work: Work, state: _State) -> None:
        self.config, self.work, self.state = config, work, state
        self.started = time.monotonic() - state.seconds
        self.best: dict[int, float] = {}
        self.history: list[Step] = []
        self.seen = 0
        self.part = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def fraction(self) -> float:
        """The finished part of the stage; the rounds are taken to last equally long."""
        return min(1.0, (self.state.rounds + self.part) / self.config.rounds)

    def spent(self, part: float) -> None:
        """An engine has spent this part of its round's budget."""
        self.part = part * SEARCHING
        number = f"round {self.state.rounds + 1} of {self.config.rounds}"
        self.work.progress.advance(self.fraction, f"{self.config.name}, {number}")

    def found(self, candidate: Candidate, sample: SampleSet) -> None:
        self.seen += 1
        error, complexity = max_error(candidate, sample), candidate.formula.complexity
        if all(error < e for c, e in self.best.items() if c <= complexity) and np.isfinite(error):
            self.best = {c: e for c, e in self.best.items() if c < complexity or e < error} | {
                complexity: error
            }
            self.history.append(Step(self.seen, self.seconds, complexity, error))
            self.work.progress.front(dict(sorted(self.best.items())))


def save_fitted(fitted: Fitted, folder: Path) -> None:
    """Write a fit to a folder."""
    data = {
        "version": VERSION,
        "candidates": [c.to_data() for c in fitted.candidates],
        "history": [astuple(s) for s in fitted.history],
        "counterexamples": fitted.counterexamples,
    }
    write_whole(folder / "candidates.json", json.dumps(data, indent=1))


def load_fitted(folder: Path) -> Fitted:
    """Read what :func:`save_fitted` wrote."""
    data = json.loads((folder / "candidates.json").read_text(encoding="utf-8"))
    return Fitted(
        tuple(Candidate.from_data(c) for c in data["candidates"]),
        tuple(Step(*row) for row in data["history"]),
        int(data["counterexamples"]),
    )


FIT: Stage[Fitted] = Stage(
    "fit",
    save_fitted,
    load_fitted,
    lambda fitted: (
        f"{len(fitted.candidates)} candidates, "
        f"{fitted.counterexamples} counterexamples joined the sample"
    ),
)
