"""The stages in a row: what ``distill run`` does, and what the Python API does.

teacher + domain -> sample -> fit -> score -> measure -> select   (``search``)

What follows, export and verify, is :mod:`distill.delivery`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from distill.building import arithmetics
from distill.config import StudyConfig, domain_from, plain
from distill.domain import Domain
from distill.engines.base import Candidate, formulas
from distill.engines.exact import NAME as EXACT
from distill.engines.exact import closed_candidates, counted_candidates
from distill.engines.rules import Rules
from distill.errors import ConfigError, DomainError, ExportError, TeacherError
from distill.extremum import every_point
from distill.firmware.cost import Cost
from distill.firmware.names import check_function_name
from distill.firmware.target import Target, load_target
from distill.fitted import FIT
from distill.fitting import fit
from distill.formula import Formula
from distill.formula.operators import OPERATORS
from distill.progress import Progress
from distill.runner import Runner
from distill.sampling.sample_set import SampleSet
from distill.stages.labels import LABELS, compare_all_labels
from distill.stages.measure import MEASURE, MEASURED_BY, measure
from distill.stages.sample import SAMPLE, sample
from distill.stages.score import SCORE, published_candidates, score
from distill.stages.select import SELECT, select
from distill.study import Choice, Study, StudyContext
from distill.study_set import StudySet
from distill.teachers.base import (
    Named,
    Teacher,
    asked_freely,
    chain_of,
    classes_of,
    notes_of,
    why_no_chain,
)
from distill.teachers.load import load_teacher, shipped


def open_context(
    config: StudyConfig, teacher: Teacher | None = None, domain: Domain | None = None
) -> StudyContext:
    """Load what the config names: the teacher and the domain.

    Raises
    ------
    TeacherError, DomainError, ConfigError : naming the key; also for rules that cannot be read.
    """
    if domain is None and config.domain.variables is not None:
        domain = domain_from(config.domain.variables)
    if teacher is None:
        teacher = load_teacher(
            config.teacher.source,
            kind=config.teacher.kind,
            domain=domain,
            **config.teacher.options,
        )
    try:
        check_function_name(teacher.name)
    except ExportError as error:
        raise ConfigError(
            error.what,
            where="config key `teacher.options.name`",
            hint=f"give another name: teacher.options.name=my_{teacher.name}.",
        ) from None
    box = domain or teacher.domain
    if box is None:
        raise DomainError(
            f"the teacher `{teacher.name}` does not say over which inputs it holds.",
            where="config key `domain.variables`",
            hint="state them: domain=box '+domain.variables.NAME={low: 0, high: 1, unit: m}'"
            + inputs_told(teacher),
        )
    context = StudyContext(config, teacher, box, output_number(config.teacher.output, teacher))
    _ = context.rules  # mistakes in them are told before anything is asked
    return context


def inputs_told(teacher: Teacher) -> str:
    """Which inputs a teacher says it has, for a user who has to state their ranges."""
    names = teacher.input_names if isinstance(teacher, Named) else None
    return f"; its inputs: {', '.join(names)}." if names else "."


ALL = "all"
"""What ``teacher.output`` says where all outputs are meant."""


def output_number(given: int | str, teacher: Teacher) -> int:
    """Which output ``teacher.output`` names: by its number, counted from 0, or by its name.

    Raises
    ------
    ConfigError : when there is no such output.
    """
    names = [output.name for output in teacher.outputs]
    if given in names:
        return names.index(str(given))
    if isinstance(given, int) and 0 <= given < len(names):
        return given
    raise ConfigError(
        f"the teacher has no output `{given}`.",
        where="config key `teacher.output`",
        hint=f"its outputs, counted from 0: {', '.join(names)}; `all` takes one after the other.",
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
    context = open_context(config, teacher, domain)
    teacher, domain, output = context.teacher, context.domain, context.output
    target = load_target(config.target) if config.target else None
    costs_of = operator_costs(config, target)
    runner = Runner(study_root(config, teacher), progress)
    box = json.loads(domain.to_json())

    sampled = runner.run(
        SAMPLE,
        {"sampling": plain(config.sampling), "domain": box, "output": output},
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
        ),
    )
    if not hints:  # with hints they were told for an output before
        for note in notes_of(teacher):
            progress.warn(note)
    costs: Mapping[str, Cost] = {}
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
            Choice(c, scored.result.scores[c.id], costs.get(c.id), c.id in on_front, context)
            for c in scored.result.candidates
        ),
        selection=selected.result,
        history=tuple(
            (s.candidates, s.seconds, s.complexity, s.max_error) for s in fitted.result.history
        ),
        points=(scored.result.x, scored.result.y),
        findings=fitted.result.finding,
    )


def search_all(
    config: StudyConfig,
    progress: Progress,
    teacher: Teacher | None = None,
    domain: Domain | None = None,
) -> StudySet:
    """Search for formulas of every output of the teacher, one after the other.

    What was found for one output is known in the search for the next: outputs of one model often
    share parts.

    Raises
    ------
    DistillError : for everything that a user can do something about.
    """
    first = open_context(with_output(config, 0), teacher, domain)
    teacher, domain = first.teacher, first.domain
    studies: list[Study] = []
    hints: list[Formula] = []
    for number, output in enumerate(teacher.outputs):
        progress.begin("output", f"{output.name}, {number + 1} of {len(teacher.outputs)}")
        study = search(with_output(config, number), progress, teacher, domain, hints)
        studies.append(study)
        hints += formulas(c.candidate for c in study.choices if c.on_front)[-HINTS:]
    whole = StudySet(tuple(studies))
    choices = whole.chosen
    if len(classes_of(teacher)) <= 2 or choices is None or not asked_freely(teacher):
        return whole
    expressions = [choice.formula for choice in choices]
    labels = Runner(study_root(config, teacher), progress).run(
        LABELS,
        {"candidates": [c.candidate.id for c in choices], "points": config.score.points},
        [study.key for study in studies],
        f"comparing labels with those of {teacher.name}",
        lambda work: compare_all_labels(config.score, teacher, domain, expressions),
    )
    return StudySet(tuple(studies), labels.result)


HINTS = 3
"""So many of the most accurate formulas of an output are known in the search for the next."""


def with_output(config: StudyConfig, output: int) -> StudyConfig:
    """The config of a study of one output."""
    return replace(config, teacher=replace(config.teacher, output=output))


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


def operator_costs(config: StudyConfig, target: Target | None) -> dict[str, float]:
    """What the search takes each operator to cost, by name; an addition is 1."""
    if target is None or config.engine.costs == "uniform":
        return dict.fromkeys(OPERATORS, 1.0)
    tables = [target.operations(a) for a in arithmetics(config.export)]
    return {name: min(table[name] for table in tables) for name in OPERATORS}


def study_root(config: StudyConfig, teacher: Teacher) -> Path:
    """The folder that keeps the results about one teacher."""
    return Path(config.root) / teacher.name


def literature(config: StudyConfig, teacher: Teacher) -> tuple[dict[str, str], str | None]:
    """Published formulas, and the import path of the reference: the config's, or the teacher's."""
    published, reference = config.teacher.published, config.teacher.reference
    own = next((s for s in shipped() if s.name == teacher.name), None)
    if own is not None and load_teacher(own.name).fingerprint == teacher.fingerprint:
        published = dict(own.published) if published is None else published
        reference = reference or own.reference
    return published or {}, reference


def load_reference(path: str | None, domain: Domain) -> Teacher | None:
    """The truth that the teacher learned, where it is known.

    Raises
    ------
    TeacherError : naming the config key.
    """
    if path is None:
        return None
    try:
        return load_teacher(path, domain=domain)
    except TeacherError as error:
        raise TeacherError(
            error.what, where=f"config key `teacher.reference`, {error.where}", hint=error.hint
        ) from error
