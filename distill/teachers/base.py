"""What every teacher is: a function of (n, d) points with a name, outputs and a fingerprint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from distill.arrays import Array
from distill.chain.chain import Chain
from distill.domain import Domain
from distill.errors import TeacherError
from distill.identifiers import why_not_a_line


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a teacher: its name (a C identifier) and unit.

    Raises
    ------
    TeacherError : for a unit with control characters.
    """

    name: str
    unit: str = ""

    def __post_init__(self) -> None:
        if why := why_not_a_line(self.unit):
            raise TeacherError(
                f"{self.unit!a} is no unit: {why}.",
                where=f"the teacher's output `{ascii(self.name)[1:-1]}`",
                hint="write it in one line.",
            )


@runtime_checkable
class Teacher(Protocol):
    """The oracle that is distilled.

    Attributes
    ----------
    name : a C identifier; names the study and the generated files.
    outputs : the k outputs.
    domain : the domain the teacher comes with, or None when the user must state it.
    fingerprint : hexadecimal hash of weights and code; equal fingerprints answer equally.
    can_be_asked : False for a table, which only knows its own rows.
    validation_error : the teacher's own largest error against the truth it learned, in the unit of
        output 0, or None when unknown.
    """

    @property
    def name(self) -> str: ...
    @property
    def outputs(self) -> tuple[Output, ...]: ...
    @property
    def domain(self) -> Domain | None: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def can_be_asked(self) -> bool: ...
    @property
    def validation_error(self) -> float | None: ...

    def predict(self, x: Array) -> Array:
        """Answers at x (n, d), shape (n, k), float64. Non-finite where the teacher has none.

        Raises
        ------
        TeacherError : when it raises, answers with the wrong shape or with complex values, or
            does not answer in time.
        """
        ...

    def gradient(self, x: Array) -> Array:
        """Derivatives by the inputs at x (n, d), shape (n, k, d).

        Raises
        ------
        NotDifferentiable : when the teacher has none.
        """
        ...


@runtime_checkable
class Classifier(Protocol):
    """What a teacher that classifies has besides.

    Attributes
    ----------
    classes : their names, in the order of the labels. Of two classes there is one output, and
        label 1 where it is above 0; of more there is one output each, and the label is the number
        of the largest, of equals the first.
    """

    @property
    def classes(self) -> tuple[str, ...]: ...


@runtime_checkable
class Transparent(Protocol):
    """What a teacher has besides whose own arithmetic is known.

    Attributes
    ----------
    chain : from the inputs to all outputs; None where this one's is not known after all.
    """

    @property
    def chain(self) -> Chain | None: ...


@runtime_checkable
class Opaque(Protocol):
    """What a teacher has besides that may have a chain and has not.

    Attributes
    ----------
    why_no_chain : why, for people; empty where there is one.
    """

    @property
    def why_no_chain(self) -> str: ...


@runtime_checkable
class Named(Protocol):
    """What a teacher has besides that knows its inputs by name.

    Attributes
    ----------
    input_names : in order, C identifiers; None where this one does not say.
    """

    @property
    def input_names(self) -> tuple[str, ...] | None: ...


@runtime_checkable
class Rationed(Protocol):
    """What a teacher has besides that may only be asked so often.

    Attributes
    ----------
    calls_left : at how many new points; None for any number.
    """

    @property
    def calls_left(self) -> int | None: ...


@runtime_checkable
class Annotated(Protocol):
    """What a teacher has besides of which a user should know more than its answers.

    Attributes
    ----------
    notes : each a sentence.
    """

    @property
    def notes(self) -> tuple[str, ...]: ...


def classes_of(teacher: Teacher) -> tuple[str, ...]:
    """The names of a classifier's classes; empty where numbers are meant."""
    return teacher.classes if isinstance(teacher, Classifier) else ()


def chain_of(teacher: Teacher) -> Chain | None:
    """The teacher's own arithmetic, where it is known."""
    return teacher.chain if isinstance(teacher, Transparent) else None


def calls_left(teacher: Teacher) -> int | None:
    """At how many new points a teacher may still be asked; None for any number."""
    return teacher.calls_left if isinstance(teacher, Rationed) else None


def asked_freely(teacher: Teacher) -> bool:
    """Whether a teacher may be asked as often as anybody likes."""
    return teacher.can_be_asked and calls_left(teacher) is None


def notes_of(teacher: Teacher) -> tuple[str, ...]:
    """What a user should know of the teacher."""
    return teacher.notes if isinstance(teacher, Annotated) else ()


def why_no_chain(teacher: Teacher) -> str:
    """Why a teacher's own arithmetic is not known, where it says why; else empty."""
    return teacher.why_no_chain if isinstance(teacher, Opaque) else ""
