"""The fit stage: rounds of search, refinement, and counterexamples that join the sample.

There are at most so many rounds as the config says; they end earlier when the largest error that
can be found of the best formula stops falling, or is nothing but rounding.

Each finished round is written to the journal, so that a killed run goes on with the next one.
With a budget in seconds the candidates of an unfinished round are kept as well, and the time they
took counts; with a budget in evaluations an unfinished round is repeated, so that the result is
the same to the bit however often the run was killed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace

import numpy as np

from distill.asking import Asking, begin_asking, go_on_asking
from distill.config import EngineConfig
from distill.engines.base import Budget, Candidate, Engine, Problem, formulas
from distill.engines.closable import closable, ended
from distill.engines.findings import Finding
from distill.engines.oracle import OutOfQuestions
from distill.engines.refine import refine, unique
from distill.engines.registry import ENGINES, make_engine
from distill.errors import ConfigError
from distill.fitted import Fitted
from distill.formula import Formula
from distill.formula.operators import OPERATORS
from distill.formula.tree import Symbol
from distill.keeping import Gate, max_error, rules_of
from distill.rounds import Rounds, absorb, joined, resume
from distill.runner import Work
from distill.sampling.sample_set import SampleSet
from distill.scoring.own_form import OwnForm, own_form
from distill.scoring.pareto import front
from distill.scoring.suspects import suspects
from distill.teachers.base import Teacher
from distill.telling import SEARCHING, Telling

POLISHED = 16
"""Candidates of a round's front whose constants are fitted for the smallest worst error."""

DOUBTED = 6
"""The most accurate candidates after a round, whose worst points join the sample."""

SUSPECTED = 512
"""Boxes of the short proof that tells of each of these where it may be worse than was found."""


def fit(
    config: EngineConfig,
    tolerance: float,
    sample: SampleSet,
    teacher: Teacher,
    output: int,
    work: Work,
    costs: Mapping[str, float],
    closed: Sequence[Candidate] = (),
    hints: Sequence[Formula] = (),
) -> Fitted:
    """Search for formulas of output ``output`` of the teacher.

    ``sample`` is what the engines see first; ``tolerance`` the wanted largest absolute error;
    ``costs`` what each operator costs on the target, an addition being 1. ``closed`` are the
    teacher's own closed forms; ``hints`` formulas of its other outputs, which may share parts.

    Raises
    ------
    ConfigError : for an unknown engine, option or operator, and for rules that cannot be read.
    """
    for name in config.operators:
        if name not in OPERATORS:
            raise ConfigError(
                f"`{name}` is not an operator.",
                where="config key `engine.operators`",
                hint=f"allowed: {', '.join(OPERATORS)}.",
            )
    with ended(make_engine(config.name, config.options)) as engine:
        if not ENGINES[config.name].rounds:
            return _asked_once(engine, config, tolerance, sample, closed, work)
        return _in_rounds(engine, config, tolerance, sample, teacher, output, work, costs, hints)


def _in_rounds(
    engine: Engine,
    config: EngineConfig,
    tolerance: float,
    sample: SampleSet,
    teacher: Teacher,
    output: int,
    work: Work,
    costs: Mapping[str, float],
    hints: Sequence[Formula],
) -> Fitted:
    """What an engine finds in round after round, refined."""
    gate = Gate(rules_of(config, sample.domain, teacher.outputs[output]))
    entries = work.journal.entries()
    state = resume(config, entries, sample)
    news = Telling(config, work, state)
    asking = _asking(config, entries, sample, teacher, output, work)
    own = own_form(teacher, sample.domain, output)[0] if config.counterexamples > 0 else None
    while state.rounds < config.rounds and not state.done and not news.late:
        found = _searched(engine, config, costs, tolerance, state, asking, news, gate, hints)
        best = _best(found, state.sample, tolerance, POLISHED)
        seconds = _seconds_of_fitting(config, state, news)
        refined = _refined(best, state, tolerance, news, seconds, gate)
        asking.release()
        entry = _ended_round(refined, state, asking, config, own) | {"seconds": news.seconds}
        work.journal.append(entry)
        news.ended_round()
        absorb(state, entry)
    # The counterexamples of the last round are new to all candidates but those near the tolerance
    # matter most: their constants are fitted once more.
    best = _best(state.kept, state.sample, tolerance, POLISHED)
    last = _refined(best, state, tolerance, news, _seconds_left(config, news), gate)
    # What keeps to the rules at some points may break them at those that joined since.
    final = gate.lets([*last, *state.kept], state.sample)
    kept = gate.searched(
        _best(final, state.sample, tolerance, config.keep),
        state.sample,
        lambda part: work.progress.advance(part, "searching where formulas break the rules"),
    )
    if not kept and gate.rules:
        work.progress.warn(f"no formula keeps to the rules: {gate.complaint}")
    return Fitted(
        tuple(kept),
        tuple(news.history),
        state.added,
        asking.asked,
        asking.error,
        state.finding,
    )


def _asked_once(
    engine: Engine,
    config: EngineConfig,
    tolerance: float,
    sample: SampleSet,
    closed: Sequence[Candidate],
    work: Work,
) -> Fitted:
    """What an engine proposes that needs neither rounds nor refinement."""
    problem = Problem(
        sample,
        tolerance,
        {},
        config.max_complexity,
        Budget(config.seconds, config.evaluations),
        config.seed,
        closed=tuple(closed),
        tell=lambda part: work.progress.advance(part, config.name),
    )
    with closing(closable(engine.search(problem))) as search:
        return Fitted(tuple(search), (), 0)


def _asking(
    config: EngineConfig,
    entries: list[dict[str, object]],
    sample: SampleSet,
    teacher: Teacher,
    output: int,
    work: Work,
) -> Asking:
    """How the teacher may be asked: as the journal says, or settled now."""
    asks = ENGINES[config.name].asks
    begun = next((e["asking"] for e in entries if "asking" in e), None)
    if begun is None:
        work.progress.advance(0.0, "asking how exact the teacher is")
        asking = begin_asking(config, sample, teacher, output, asks=asks, tell=work.progress.warn)
        work.journal.append({"asking": asking.to_data()})
        return asking
    assert isinstance(begun, Mapping)
    asking = go_on_asking(begun, config, sample, teacher, output, asks=asks)
    rounds = [e for e in entries if "round" in e]
    if rounds:
        asking.asked = int(str(rounds[-1]["asked"]))
    return asking


def _searched(
    engine: Engine,
    config: EngineConfig,
    costs: Mapping[str, float],
    tolerance: float,
    state: Rounds,
    asking: Asking,
    news: Telling,
    gate: Gate,
    hints: Sequence[Formula],
) -> list[Candidate]:
    """What the engine finds in one round, with what a killed run had found of it.

    What breaks the rules is left out.
    """
    asking.reserve(config.counterexamples * (config.rounds - state.rounds))

    def explain(finding: Finding) -> None:
        state.finding = finding

    operators = {name: costs[name] for name in config.operators}
    problem = Problem(
        sample=state.sample,
        tolerance=tolerance,
        operators=gate.rules.usable(operators, [Symbol(n) for n in state.sample.domain.names]),
        max_complexity=config.max_complexity,
        budget=_share(config, state, news),
        seed=config.seed * 1000 + state.rounds,
        oracle=asking.oracle,
        known=(*formulas(_best(state.kept, state.sample, tolerance, POLISHED)), *hints),
        rules=gate.rules,
        tell=news.spent,
        explain=explain,
        doing=news.doing,
        warn=news.work.progress.warn,
        folder=news.work.journal.folder / config.name,
    )
    found = list(state.unfinished)
    news.spent(0.0)
    # An engine that has no questions left has found what it could.
    with closing(closable(engine.search(problem))) as search, suppress(OutOfQuestions):
        for candidate in search:
            if candidate.formula.complexity > config.max_complexity:
                continue
            if not gate.lets([candidate], state.sample):
                continue
            found.append(candidate)
            news.found(candidate, state.sample)
            if config.seconds is not None:
                news.work.journal.append({"found": candidate.to_data(), "seconds": news.seconds})
    return found


def _ended_round(
    refined: list[Candidate],
    state: Rounds,
    asking: Asking,
    config: EngineConfig,
    own: OwnForm | None,
) -> dict[str, object]:
    """The journal's entry of a round: its candidates and the points where the best are worst.

    Beside those that a search found there are points where least is proven.
    """
    sample = state.sample
    everything = unique([*refined, *state.kept], sample.x)
    doubted = sorted(everything, key=lambda c: max_error(c, sample))[:DOUBTED]
    new = asking.worst(
        formulas(doubted), sample, config.counterexamples, config.seed + state.rounds
    )
    also = _suspected(formulas(doubted), sample, asking, config, own)
    new = replace(new, x=np.vstack([new.x, also.x]), y=np.concatenate([new.y, also.y]))
    grown = joined(sample, new.x, new.y)
    return {
        "round": state.rounds,
        "candidates": [c.to_data() for c in refined],
        "x": new.x.tolist(),
        "y": new.y.tolist(),
        "worst": min((max_error(c, grown) for c in doubted), default=float("inf")),
        "asked": asking.asked,
        "finding": None if state.finding is None else state.finding.to_data(),
    }


def _suspected(
    doubted: Sequence[Formula],
    sample: SampleSet,
    asking: Asking,
    config: EngineConfig,
    own: OwnForm | None,
) -> SampleSet:
    """The teacher's answers in the boxes where a short proof bounds the formulas least."""
    domain, oracle = sample.domain, asking.oracle
    x, y = np.empty((0, len(domain))), np.empty(0)
    if own is not None and oracle is not None and oracle.left >= 1:
        n = int(min(max(1, config.counterexamples // 4), oracle.left))
        x = suspects(doubted, own, domain, boxes=SUSPECTED, n=n)
        y = oracle(x)
    known = np.isfinite(y)
    return SampleSet(domain, x[known], y[known], x[~known])


def _share(config: EngineConfig, state: Rounds, news: Telling) -> Budget:
    """What the search of the next round may spend of what is left."""
    left = _seconds_left(config, news)
    if left is not None:
        # After the last round there is no search, but constants are fitted once more.
        rounds = config.rounds - state.rounds + (1 - SEARCHING)
        return Budget(seconds=max(0.5, SEARCHING * left / rounds))
    assert config.evaluations is not None
    return Budget(evaluations=max(1, config.evaluations // config.rounds))


def _seconds_of_fitting(config: EngineConfig, state: Rounds, news: Telling) -> float | None:
    """What fitting the constants of a round may spend of what is left after its search."""
    left = _seconds_left(config, news)
    if left is None:
        return None
    return left * (1 - SEARCHING) / (config.rounds - state.rounds + 1 - 2 * SEARCHING)


def _seconds_left(config: EngineConfig, news: Telling) -> float | None:
    return None if config.seconds is None else max(0.0, config.seconds - news.seconds)


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
            key=lambda row: _distance(row[2], tolerance),
        )
        taken += nearest[: count - len(taken)]
        left = [row for i, row in enumerate(left) if i not in layer]
    return [row[0] for row in sorted(taken, key=lambda row: (row[1], row[2]))]


def _distance(error: float, tolerance: float) -> float:
    return float(abs(np.log((error + 1e-300) / tolerance)))


def _refined(
    candidates: list[Candidate],
    state: Rounds,
    tolerance: float,
    news: Telling,
    seconds: float | None,
    gate: Gate,
) -> list[Candidate]:
    """The candidates and their relatives with better constants, in so many seconds.

    When these are over the rest stays as it is; what is nearest to the tolerance comes first.
    Formulas of a given form stay as they are: their constants are fitted where the form is known.
    """
    if gate.rules.skeleton is not None:
        return candidates
    result: list[Candidate] = []
    sample = state.sample
    deadline = None if seconds is None else time.monotonic() + seconds
    order = sorted(candidates, key=lambda c: _distance(max_error(c, sample), tolerance))
    for number, candidate in enumerate(order):
        if deadline is not None and number and time.monotonic() > deadline:
            result += order[number:]
            break
        news.work.progress.advance(
            news.fraction, f"fitting constants of candidate {number + 1} of {len(candidates)}"
        )
        share = None
        if deadline is not None:
            share = max(0.0, deadline - time.monotonic()) / (len(candidates) - number)
        better = refine(
            candidate, sample, tolerance=tolerance, minimax=True, snap=True, seconds=share
        )
        better = gate.lets(better, sample)
        for each in better:
            news.found(each, sample)
        result += [candidate, *better]
    return result
