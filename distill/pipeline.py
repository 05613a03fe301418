"""The stages in a row: what ``distill run`` does, and what the Python API does.

teacher + domain -> sample -> fit -> score -> measure -> select   (``search``)
                 -> export -> verify                              (``ship``)
                 -> record and MLflow                             (``track``)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import distill
from distill import shipping, stages
from distill.building import arithmetics
from distill.config import StudyConfig, domain_from, plain
from distill.domain import Domain
from distill.engines.base import Candidate
from distill.errors import ConfigError, DomainError, ExportError, TeacherError, ToolchainError
from distill.firmware.alternatives import Alternative
from distill.firmware.bundle import Bundle
from distill.firmware.cost import Cost
from distill.firmware.evidence import Evidence
from distill.firmware.names import check_function_name
from distill.firmware.target import Target, load_target
from distill.fitted import FIT
from distill.fitting import fit
from distill.formula.operators import OPERATORS
from distill.progress import Progress
from distill.runner import Runner
from distill.study import Choice, Study, StudyContext
from distill.teachers.base import Teacher
from distill.teachers.load import load_teacher, shipped

# search ------------------------------------------------------------------------------------------


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
            hint="state them: domain=box '+domain.variables.NAME={low: 0, high: 1, unit: m}'.",
        )
    if config.teacher.output >= len(teacher.outputs):
        raise ConfigError(
            f"the teacher has {len(teacher.outputs)} outputs, "
            f"so there is no output {config.teacher.output}.",
            where="config key `teacher.output`",
            hint="outputs are counted from 0.",
        )
    context = StudyContext(config, teacher, box, config.teacher.output)
    _ = context.rules  # mistakes in them are told before anything is asked
    return context


def search(
    config: StudyConfig,
    progress: Progress,
    teacher: Teacher | None = None,
    domain: Domain | None = None,
) -> Study:
    """Sample, fit, score, measure and select.

    ``teacher`` and ``domain`` stand in for what the config names.

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
        stages.SAMPLE,
        {"sampling": plain(config.sampling), "domain": box, "output": output},
        [teacher.fingerprint],
        f"asking {teacher.name}",
        lambda work: stages.sample(config.sampling, teacher, domain, output, work.progress),
    )
    fitted = runner.run(
        FIT,
        {
            "engine": plain(config.engine),
            "tolerance": config.tolerance,
            "costs": costs_of,
            "unit": context.rules.output,
        },
        [sampled.key],
        f"searching with {config.engine.name}",
        lambda work: fit(
            config.engine, config.tolerance, sampled.result, teacher, output, work, costs_of
        ),
    )
    known, truth = literature(config, teacher)
    published = stages.published_candidates(known, domain)
    reference = load_reference(truth, domain)
    scored = runner.run(
        stages.SCORE,
        {
            "score": plain(config.score),
            "published": [c.to_data() for c in published],
            "tolerance": config.tolerance,
        },
        [fitted.key, reference.fingerprint if reference else ""],
        f"judging {len(fitted.result.candidates)} candidates",
        lambda work: stages.score(
            config.score,
            sampled.result,
            fitted.result.candidates,
            published,
            teacher,
            output,
            reference,
            config.tolerance,
            work.progress,
        ),
    )
    costs: Mapping[str, Cost] = {}
    keys = [scored.key]
    if target is not None:
        measured = runner.run(
            stages.MEASURE,
            {
                "target": dict(config.target),
                "export": {key: getattr(config.export, key) for key in stages.MEASURED_BY},
            },
            [scored.key],
            f"running the front on {target.name}",
            lambda work: stages.measure(
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
        stages.SELECT,
        {"select": plain(config.select), "tolerance": config.tolerance},
        keys,
        f"by the rule {config.select.rule}",
        lambda work: stages.select(
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


# ship --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shipped:
    """A bundle where the user wants it; the evidence, None when it was not asked for; the ways."""

    bundle: Bundle
    evidence: Evidence | None
    alternatives: tuple[Alternative, ...]


def ship(
    context: StudyContext,
    candidate: Candidate | None,
    max_error: float | None,
    target: Target,
    directory: Path,
    progress: Progress,
) -> Shipped:
    """Export a candidate (None: the table alone), verify the C, and put it into ``directory``.

    Raises
    ------
    ExportError : when the tolerance cannot be met within the limits.
    ToolchainError : when the C does not do what it should; the bundle stays with the results.
    """
    config, teacher = context.config, context.teacher
    runner = Runner(study_root(config, teacher), progress)
    plan = shipping.ExportPlan(
        candidate=candidate,
        max_error=max_error,
        domain=context.domain,
        output=context.output,
        tolerance=config.tolerance,
        options=config.export,
        provenance={
            "generator": f"distill {distill.__version__}",
            "teacher": teacher.name,
            "teacher fingerprint": teacher.fingerprint,
            "candidate": candidate.id if candidate else "none: the table alone",
            "engine": candidate.engine if candidate else "none",
        },
    )
    exported = runner.run(
        shipping.EXPORT,
        {**plan.to_data(), "target": dict(config.target)},
        [teacher.fingerprint],
        f"writing C for {target.name}",
        lambda work: shipping.export(plan, teacher, target, work.progress),
    )
    spec, ways = exported.result.spec, exported.result.alternatives
    if not config.export.verify:
        progress.warn("the C is neither compiled nor run, as export.verify=false asks for.")
        return Shipped(shipping.publish(spec, directory), None, ways)
    verified = runner.run(
        shipping.VERIFY,
        {"points": config.export.verify_points, "target": dict(config.target)},
        [exported.key],
        f"compiling and running the C here and on {target.name}",
        lambda work: shipping.verify(
            spec,
            exported.folder,
            teacher,
            context.output,
            target,
            config.export.verify_points,
            work.progress,
        ),
    )
    if not verified.result.passed:
        failed = [c for c in verified.result.checks if c.passed is False]
        raise ToolchainError(
            f"the C did not pass: {failed[0].name}: {failed[0].detail}.",
            where=str(exported.folder / shipping.BUNDLE),
            hint="it was not put into the export directory; all checks are in "
            f"{verified.folder / 'evidence.json'}.",
        )
    return Shipped(shipping.publish(spec, directory), verified.result, ways)


def export_directory(config: StudyConfig, teacher: Teacher, target: Target) -> Path:
    """Where the bundle goes: the config's directory, or ``build/<teacher>/<target>``."""
    given = config.export.directory
    return Path(given) if given else Path("build") / teacher.name / target.name
