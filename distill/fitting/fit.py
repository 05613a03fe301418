"""The fit stage: rounds of search, refinement, and counterexamples that join the sample.

There are at most so many rounds as the config says; they end earlier when the largest error that
can be found of the best formula stops falling, or is nothing but rounding.

Each finished round is written to the journal, so that a killed run goes on with the next one.
With a budget in seconds the candidates of an unfinished round are kept as well, and the time they
took counts; with a budget in evaluations an unfinished round is repeated, so that the result is
the same to the bit however often the run was killed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace

import numpy as np

from distill.config.schema import EngineConfig
from distill.engines.base import Budget, Candidate, Engine, Problem, formulas
from distill.engines.closable import closable, ended
from distill.engines.findings import Finding
from distill.engines.oracle import OutOfQuestions
from distill.engines.refine import unique
from distill.engines.registry import ENGINES, make_engine
from distill.errors import ConfigError
from distill.fitting.asking import Asking, begin_asking, go_on_asking
from distill.fitting.budget import seconds_left, seconds_of_fitting, share
from distill.fitting.fitted import Fitted
from distill.fitting.keeping import Gate, max_error, rules_of
from distill.fitting.refining import POLISHED, best, refined
from distill.fitting.rounds import Rounds, absorb, joined, resume
from distill.fitting.telling import Telling
from distill.formula import Formula
from distill.formula.operators import OPERATORS
from distill.formula.tree import Symbol
from distill.runner import Work
from distill.sampling.sample_set import SampleSet
from distill.scoring.own_form import OwnForm, own_form
from distill.scoring.suspects import suspects
from distill.teachers.base import Teacher

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
        worth = best(found, state.sample, tolerance, POLISHED)
        seconds = seconds_of_fitting(config, state, news)
        better = refined(worth, state, tolerance, news, seconds, gate)
        asking.release()
        left = seconds_of_fitting(config, state, news)
        entry = _ended_round(better, state, asking, config, own, left) | {
            "seconds": news.seconds,
            "told": news.to_data(),
        }
        work.journal.append(entry)
        news.ended_round()
        absorb(state, entry)
    # The counterexamples of the last round are new to all candidates but those near the tolerance
    # matter most: their constants are fitted once more.
    worth = best(state.kept, state.sample, tolerance, POLISHED)
    last = refined(worth, state, tolerance, news, seconds_left(config, news), gate)
    # What keeps to the rules at some points may break them at those that joined since.
    final = gate.lets([*last, *state.kept], state.sample)
    kept = gate.searched(
        best(final, state.sample, tolerance, config.keep),
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
        budget=share(config, state, news),
        seed=config.seed * 1000 + state.rounds,
        oracle=asking.oracle,
        known=(*formulas(best(state.kept, state.sample, tolerance, POLISHED)), *hints),
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
    seconds: float | None,
) -> dict[str, object]:
    """The journal's entry of a round: its candidates and the points where the best are worst.

    Beside those that a search found there are points where least is proven, in so many seconds.
    """
    sample = state.sample
    everything = unique([*refined, *state.kept], sample.x)
    doubted = sorted(everything, key=lambda c: max_error(c, sample))[:DOUBTED]
    half = None if seconds is None else seconds / 2
    new = asking.worst(
        formulas(doubted), sample, config.counterexamples, config.seed + state.rounds, half
    )
    also = _suspected(formulas(doubted), sample, asking, config, own, half)
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
    seconds: float | None,
) -> SampleSet:
    """The teacher's answers in the boxes where a short proof bounds the formulas least."""
    domain, oracle = sample.domain, asking.oracle
    x, y = np.empty((0, len(domain))), np.empty(0)
    if own is not None and oracle is not None and oracle.left >= 1:
        n = int(min(max(1, config.counterexamples // 4), oracle.left))
        x = suspects(doubted, own, domain, boxes=SUSPECTED, n=n, seconds=seconds)
        y = oracle(x)
    known = np.isfinite(y)
    return SampleSet(domain, x[known], y[known], x[~known])
