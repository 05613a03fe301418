"""Which studies answer the same question, and so can be compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from distill.errors import ConfigError
from distill.tracking.places import box
from distill.tracking.record import StudyRecord


@dataclass(frozen=True)
class Asked:
    """A part of what a study was asked: its name, what must be equal, and how it is told."""

    name: str
    value: Callable[[StudyRecord], object]
    told: Callable[[StudyRecord], str]


TEACHER = Asked(
    "teacher",
    lambda s: s.teacher_fingerprint,
    lambda s: f"{s.teacher_name} (fingerprint {s.teacher_fingerprint[:8]})",
)
OUTPUT = Asked("output", lambda s: s.output_name, lambda s: s.output_name)
DOMAIN = Asked("domain", lambda s: s.domain.to_json(), lambda s: box(s.domain))
TOLERANCE = Asked(
    "tolerance",
    lambda s: (s.tolerance, s.output_unit),
    lambda s: f"{s.tolerance:g} {s.output_unit}".rstrip(),
)


def once(studies: Sequence[StudyRecord]) -> list[StudyRecord]:
    """Each study once, in their order."""
    return list({study.key: study for study in studies}.values())


def by_question(studies: Sequence[StudyRecord]) -> list[list[StudyRecord]]:
    """The studies in groups of which each can be compared, in the order of their first ones.

    Studies of a teacher's several outputs stay together. The last group are those that nothing
    can be compared with; it may be empty.
    """
    groups: dict[tuple[object, ...], list[StudyRecord]] = {}
    for study in once(studies):
        question = (TEACHER.value(study), DOMAIN.value(study), study.tolerance)
        groups.setdefault(question, []).append(study)
    alone: list[StudyRecord] = []
    several: list[list[StudyRecord]] = []
    for group in groups.values():
        outputs = {study.output_name for study in group}
        if len(outputs) < len(group):
            several.append(group)
        else:
            alone += group
    return [*several, alone]


def check_same(studies: Sequence[StudyRecord], *parts: Asked) -> None:
    """Refuse studies that were asked different things.

    Raises
    ------
    ConfigError : with what differs, and in which study.
    """
    for part in parts:
        first = {part.value(study): study for study in reversed(studies)}
        if len(first) > 1:
            told = "\n".join(f"    {part.told(s)}: {s.name}" for s in reversed(first.values()))
            raise ConfigError(
                f"studies of different {part.name}s cannot be compared:\n{told}",
                where="command line",
                hint="compare studies of one teacher's output over one domain with one tolerance.",
            )
