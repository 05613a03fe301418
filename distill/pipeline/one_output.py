"""The stages in a row: what ``distill run`` does, and what the Python API does.

teacher + domain -> sample -> fit -> score -> measure -> select   (``search``)

What follows, export and verify, is :mod:`distill.delivery.shipping`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from distill.building.order import arithmetics
from distill.config.schema import StudyConfig, plain
from distill.domain import Domain
from distill.engines.base import Candidate
from distill.engines.exact import NAME as EXACT
from distill.engines.exact import closed_candidates, counted_candidates
from distill.engines.rules import Rules
from distill.errors import ConfigError
from distill.extremum import every_point
from distill.firmware.target import Target, load_target
from distill.fitting.fit import fit
from distill.fitting.fitted import FIT
from distill.formula import Formula
from distill.formula.operators import OPERATORS
from distill.pipeline.opening import check_engine, literature, load_reference, open_context
from distill.progress import Progress
from distill.runner import Runner
from distill.sampling.sample_set import SampleSet
from distill.scoring.facts import Demands
from distill.stages.measure import MEASURE, MEASURED_BY, Costs, measure
from distill.stages.sample import SAMPLE, made_from, sample
from distill.stages.score import SCORE, published_candidates, score
from distill.stages.select import SELECT, select
from distill.study.choice import Choice
from distill.study.study import Study
from distill.teachers.base import (
    Teacher,
    chain_of,
    notes_of,
    why_no_chain,
)


def search(
    config: StudyConfig,
    progress: Progress,
    teacher: Teacher | None = None,
    domain: Domain | None = None,
    hints: Sequence[Formula] = (),
) -> Study:
    """Sample, fit, score, measure and select.

    ``teacher`` and ``domain`` stand in for what the config names; ``hints`` are formulas of other
    outputs of the teacher, which may share parts with those of this one.

    Raises
    ------
    DistillError : for everything that a user can do something about.
    """
    check_engine(config)
    context = open_context(config, teacher, domain)
    teacher, domain, output = context.teacher, context.domain, context.output
    target = load_target(config.target) if config.target else None
    costs_of = operator_costs(config, target)
    runner = Runner(study_root(config, teacher), progress)

    sampled = runner.run(
        SAMPLE,
        made_from(config.sampling, domain, output),
        [teacher.fingerprint],
        f"asking {teacher.name}",
        lambda work: sample(config.sampling, teacher, domain, output, work.progress),
    )
    closed = closed_forms(teacher, sampled.result, output)
    if not closed and config.engine.name == EXACT:
        reason = why_no_chain(teacher)
        raise ConfigError(
            "the teacher's own arithmetic is not known, so there is no exact formula of it"
            + (f": {reason.rstrip('.')}." if reason else "."),
            where="config key `engine`",
            hint="use engine=structure, which only asks the teacher; a domain of whole numbers "
            "alone (kind: boolean or integer) has an exact formula whatever the teacher is.",
        )
    fitted = runner.run(
        FIT,
        {
            "engine": plain(config.engine),
            "tolerance": config.tolerance,
            "costs": costs_of,
            "unit": context.rules.output,
            "hints": [hint.text for hint in hints],
            "questions": config.limits.questions,
        },
        [sampled.key],
        f"searching with {config.engine.name}",
        lambda work: fit(
            config.engine,
            config.tolerance,
            sampled.result,
            teacher,
            output,
            work,
            costs_of,
            closed,
            hints,
        ),
    )
    candidates = with_closed(fitted.result.candidates, closed, context.rules)
    known, truth = literature(config, teacher)
    published = published_candidates(known, domain)
    reference = load_reference(truth, domain)
    scored = runner.run(
        SCORE,
        {
            "score": plain(config.score),
            "published": [c.to_data() for c in published],
            "tolerance": config.tolerance,
            "questions": config.limits.questions,
        },
        [fitted.key, reference.fingerprint if reference else ""],
        f"judging {len(candidates)} candidates",
        lambda work: score(
            config.score,
            sampled.result,
            candidates,
            published,
            teacher,
            output,
            reference,
            config.tolerance,
            work.progress,
            demands_of(context.rules),
        ),
    )
    if not hints:  # with hints they were told for an output before
        for note in notes_of(teacher):
            progress.warn(note)
    costs = Costs()
    keys = [scored.key]
    if target is not None:
        measured = runner.run(
            MEASURE,
            {
                "target": dict(config.target),
                "export": {key: getattr(config.export, key) for key in MEASURED_BY},
            },
            [scored.key],
            f"running the front on {target.name}",
            lambda work: measure(
                target,
                config.export,
                scored.result,
                domain,
                config.tolerance,
                work.progress,
            ),
        )
        costs = measured.result
        keys.append(measured.key)
    selected = runner.run(
        SELECT,
        {"select": plain(config.select), "tolerance": config.tolerance},
        keys,
        f"by the rule {config.select.rule}",
        lambda work: select(
            config.select,
            config.tolerance,
            context.output_of_teacher.unit,
            scored.result,
            costs,
            target,
        ),
    )
    on_front = set(scored.result.front)
    return Study(
        context=context,
        key=selected.key,
        choices=tuple(
            Choice(c, scored.result.scores[c.id], costs.known.get(c.id), c.id in on_front, context)
            for c in scored.result.candidates
        ),
        selection=selected.result,
        history=tuple(
            (s.candidates, s.seconds, s.complexity, s.max_error) for s in fitted.result.history
        ),
        points=(scored.result.x, scored.result.y),
        findings=fitted.result.finding,
        unproven=scored.result.unproven,
    )


def closed_forms(teacher: Teacher, sample: SampleSet, output: int) -> list[Candidate]:
    """The exact candidates that there are without any search.

    The teacher's own arithmetic where that is known; minimised logic where the sample holds every
    point that there is.
    """
    known = closed_candidates(chain_of(teacher), sample.domain, output)
    every = every_point(sample.domain)
    if every is None or len(every) > len(sample.x):
        return known
    return [*known, *counted_candidates(teacher, sample.x, sample.y, sample.domain, output)]


def with_closed(
    found: Sequence[Candidate], closed: Sequence[Candidate], rules: Rules
) -> list[Candidate]:
    """What was found, and beside it the closed forms, so that the price of exactness is seen.

    Where formulas have to keep to rules, closed forms are left out that were not asked for.
    """
    ids = {candidate.id for candidate in found}
    return [*found, *(c for c in closed if c.id not in ids and not rules)]


def demands_of(rules: Rules) -> Demands:
    """What of the rules of a search can be proven of a formula."""
    asked = rules.constraints
    return Demands(asked.low, asked.high, asked.monotone)


def operator_costs(config: StudyConfig, target: Target | None) -> dict[str, float]:
    """What the search takes each operator to cost, by name; an addition is 1."""
    if target is None or config.engine.costs == "uniform":
        return dict.fromkeys(OPERATORS, 1.0)
    tables = [target.operations(a) for a in arithmetics(config.export)]
    return {name: min(table[name] for table in tables) for name in OPERATORS}


def study_root(config: StudyConfig, teacher: Teacher) -> Path:
    """The folder that keeps the results about one teacher."""
    return Path(config.root) / teacher.name
