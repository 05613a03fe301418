"""From a choice to C where the user wants it: export, verify, publish.

A formula of one output becomes a function of scalars with a table behind it (:mod:`.scalar`);
closed forms, and all outputs of a teacher together, become a function of arrays (:mod:`.vector`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import distill
from distill.building.vector import Content, alone
from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.steps.columns import Branches
from distill.config.schema import ExportConfig, StudyConfig
from distill.delivery import scalar, vector
from distill.delivery.vector import VectorPlan
from distill.engines.base import Candidate
from distill.errors import ExportError, ToolchainError
from distill.firmware.alternatives import Alternative
from distill.firmware.bundle import Bundle
from distill.firmware.evidence import Evidence
from distill.firmware.target import Target
from distill.firmware.vector.bundle import VectorBundle
from distill.firmware.vector.spec import VectorSpec
from distill.formula import Formula
from distill.pipeline.one_output import study_root
from distill.progress import Progress
from distill.runner import Runner, Stage
from distill.study.choice import Choice, StudyContext
from distill.study.study import Study
from distill.study.study_set import StudySet
from distill.teachers.base import Teacher, classes_of

E = TypeVar("E")
S = TypeVar("S")


@dataclass(frozen=True)
class Shipped:
    """A bundle where the user wants it; the evidence, None when it was not asked for; the ways."""

    bundle: Bundle | VectorBundle
    evidence: Evidence | None
    alternatives: tuple[Alternative, ...]

    @property
    def content(self) -> str:
        """Which of the alternatives' contents it is."""
        spec = self.bundle.spec
        if isinstance(spec, VectorSpec):
            return "formulas" if spec.chain is None else "closed"
        return "table" if spec.formula is None else "formula"


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
    if candidate is not None and isinstance(candidate.formula, ClosedForm):
        whole = alone(candidate.formula)
        vector = _vector_plan(context, whole, (context.output,), (max_error,), [candidate])
        return _ship_vector(context, vector, target, directory, progress)
    plan = scalar.ExportPlan(
        candidate=candidate,
        max_error=max_error,
        domain=context.domain,
        output=context.output,
        tolerance=_promised(config, max_error),
        options=_with_label(config.export, teacher),
        provenance=_provenance(teacher, [candidate] if candidate else []),
    )
    points = config.export.verify_points
    kind = _Kind(
        plan.to_data(),
        scalar.EXPORT,
        lambda news: scalar.export(plan, teacher, target, news),
        lambda spec, folder, news: scalar.verify(
            spec, folder, teacher, context.output, target, points, news
        ),
        scalar.publish,
    )
    return _delivered(context, kind, target, directory, progress)


def ship_all(whole: StudySet, target: Target, directory: Path, progress: Progress) -> Shipped:
    """Export the chosen formulas of all outputs as one C function, and verify it.

    Raises
    ------
    ExportError : when an output has nothing within the tolerance, or nothing fits the target.
    ToolchainError : when the C does not do what it should; the bundle stays with the results.
    """
    choices = whole.chosen
    if choices is None:
        lacking = [s for s in whole.studies if s.chosen is None]
        output = lacking[0].context.output_of_teacher.name
        raise ExportError(
            f"the output `{output}` has no formula to export: {lacking[0].selection.reason}",
            where="config key `teacher.output`",
            hint="raise the tolerance or the time, leave it out by distilling one output at a time "
            "(teacher.output=NAME: a table can stand in there), or use engine=exact.",
        )
    errors = tuple(choice.score.max_error for choice in choices)
    plan = _vector_plan(
        whole.context,
        _content(whole.studies, choices),
        tuple(range(len(choices))),
        errors,
        [choice.candidate for choice in choices],
    )
    return _ship_vector(whole.context, plan, target, directory, progress)


def _content(studies: Sequence[Study], choices: Sequence[Choice]) -> Content:
    """What computes all outputs at once: the formulas, or the teacher's own chain.

    A closed form computes all outputs on the way to its own, so one among them takes the place of
    the formulas. Closed forms of one output each stand beside each other.
    """
    formulas = tuple(c.formula for c in choices if isinstance(c.formula, Formula))
    if len(formulas) == len(choices):
        return formulas
    closed = [_closed(study, choice) for study, choice in zip(studies, choices, strict=True)]
    if len({form.chain for form in closed}) == 1 and len(closed) == closed[0].chain.outputs:
        return closed[0].chain
    return Chain(closed[0].chain.inputs, (Branches(tuple(map(alone, closed))),))


def _closed(study: Study, choice: Choice) -> ClosedForm:
    """The closed form that was chosen, or the one beside the chosen formula."""
    for each in (choice, *study.choices):
        if isinstance(each.formula, ClosedForm):
            return each.formula
    output = study.context.output_of_teacher.name
    raise ExportError(
        f"of the output `{output}` a formula was chosen and of another one a closed form, which "
        f"`{output}` does not have.",
        where="config key `teacher.output`",
        hint="distill them one at a time, or raise the tolerance.",
    )


def _vector_plan(
    context: StudyContext,
    content: Content,
    outputs: tuple[int, ...],
    max_errors: Sequence[float | None],
    candidates: Sequence[Candidate],
) -> VectorPlan:
    config, teacher = context.config, context.teacher
    known = tuple(float("inf") if error is None else error for error in max_errors)
    return VectorPlan(
        content=content,
        outputs=outputs,
        max_errors=known,
        domain=context.domain,
        tolerance=_promised(config, max(known)),
        options=config.export,
        provenance=_provenance(teacher, candidates),
    )


def _ship_vector(
    context: StudyContext, plan: VectorPlan, target: Target, directory: Path, progress: Progress
) -> Shipped:
    teacher, points = context.teacher, context.config.export.verify_points
    kind = _Kind(
        plan.to_data(),
        vector.EXPORT,
        lambda news: vector.export(plan, teacher, target, news),
        lambda spec, folder, news: vector.verify(
            spec, folder, teacher, plan.outputs, target, points, news
        ),
        vector.publish,
    )
    return _delivered(context, kind, target, directory, progress)


@dataclass(frozen=True)
class _Kind(Generic[E, S]):
    """A kind of bundle: what it depends on, and how it is exported, verified and published."""

    data: Mapping[str, object]
    stage: Stage[E]
    export: Callable[[Progress], E]
    verify: Callable[[S, Path, Progress], Evidence]
    publish: Callable[[S, Path], Bundle | VectorBundle]


def _delivered(
    context: StudyContext,
    kind: _Kind[Any, Any],
    target: Target,
    directory: Path,
    progress: Progress,
) -> Shipped:
    """Both stages, and the bundle where the user wants it."""
    config, teacher = context.config, context.teacher
    runner = Runner(study_root(config, teacher), progress)
    exported = runner.run(
        kind.stage,
        {
            **kind.data,
            "target": dict(config.target),
            "questions": config.limits.questions,
        },
        [teacher.fingerprint],
        f"writing C for {target.name}",
        lambda work: kind.export(work.progress),
    )
    spec, ways = exported.result.spec, exported.result.alternatives
    if not config.export.verify:
        progress.warn("the C is neither compiled nor run, as export.verify=false asks for.")
        return Shipped(kind.publish(spec, directory), None, ways)
    verified = runner.run(
        scalar.VERIFY,
        {"points": config.export.verify_points, "target": dict(config.target)},
        [exported.key],
        f"compiling and running the C here and on {target.name}",
        lambda work: kind.verify(spec, exported.folder, work.progress),
    )
    if not verified.result.passed:
        failed = verified.result.failed[0]
        raise ToolchainError(
            f"the C did not pass: {failed.name}: {failed.detail}.",
            where=str(exported.folder / scalar.BUNDLE),
            hint="it was not put into the export directory; all checks are in "
            f"{verified.folder / 'evidence.json'}.",
        )
    return Shipped(kind.publish(spec, directory), verified.result, ways)


def _promised(config: StudyConfig, max_error: float | None) -> float:
    """The tolerance of the C; where labels are what was promised, what its margin is off by."""
    if config.select.rule == "agrees" and max_error is not None:
        return max(config.tolerance, max_error * (1 + config.select.margin))
    return config.tolerance


def _with_label(options: ExportConfig, teacher: Teacher) -> ExportConfig:
    """A teacher that tells two classes apart means one of them where its output is above 0."""
    if options.label_above is None and len(classes_of(teacher)) == 2:
        return replace(options, label_above=0.0)
    return options


def _provenance(teacher: Teacher, candidates: Sequence[Candidate]) -> dict[str, str]:
    ids = ", ".join(candidate.id for candidate in candidates)
    engines = ", ".join(dict.fromkeys(candidate.engine for candidate in candidates))
    return {
        "generator": f"distill {distill.__version__}",
        "teacher": teacher.name,
        "teacher fingerprint": teacher.fingerprint,
        "candidate": ids or "none: the table alone",
        "engine": engines or "none",
    }


def export_directory(config: StudyConfig, teacher: Teacher, target: Target) -> Path:
    """Where the bundle goes: the config's directory, or ``build/<teacher>/<target>``."""
    given = config.export.directory
    return Path(given) if given else Path("build") / teacher.name / target.name
