"""What a config names, loaded and checked: the teacher, its domain, the output, the literature."""

from __future__ import annotations

from distill.config.schema import StudyConfig, domain_from
from distill.domain import Domain
from distill.engines.registry import make_engine
from distill.errors import ConfigError, DomainError, ExportError, TeacherError
from distill.firmware.names import check_function_name
from distill.study.choice import StudyContext
from distill.teachers.base import (
    Named,
    Teacher,
)
from distill.teachers.load import load_teacher, shipped
from distill.teachers.rationed import rationed


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
    teacher = rationed(teacher, config.limits.questions)
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


def check_engine(config: StudyConfig) -> None:
    """Have the engine look at its options before anything is asked.

    Raises
    ------
    ConfigError : for an unknown engine, and for options that it refuses.
    """
    make_engine(config.engine.name, config.engine.options)


def inputs_told(teacher: Teacher) -> str:
    """Which inputs a teacher says it has, for a user who has to state their ranges."""
    names = teacher.input_names if isinstance(teacher, Named) else None
    return f"; its inputs: {', '.join(names)}." if names else "."


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
