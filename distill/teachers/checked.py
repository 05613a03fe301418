"""The one wrapper around every teacher: nothing a teacher says is believed unchecked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.chain.chain import Chain
from distill.domain import Domain
from distill.errors import DistillError, TeacherError
from distill.identifiers import why_not_a_line
from distill.teachers.base import (
    Named,
    Output,
    Teacher,
    calls_left,
    chain_of,
    classes_of,
    notes_of,
    why_no_chain,
)


class Raised(Exception):
    """A teacher in another process raised; the text names the exception's type too."""


@dataclass(frozen=True)
class Checked:
    """A teacher whose answers are float64 of shape (n, k), or a :class:`TeacherError`.

    Attributes
    ----------
    teacher : the teacher that is asked.
    domain : the domain it is distilled over; None as long as nobody has stated one.
    inputs : how many inputs it takes; None when only the domain can tell.
    batch : how many points it should be asked at a time.
    """

    teacher: Teacher
    domain: Domain | None = None
    inputs: int | None = None
    batch: int = 8192

    def __post_init__(self) -> None:
        for name in self.classes:
            if why := why_not_a_line(name):
                raise TeacherError(
                    f"{name!a} cannot name a class: {why}.",
                    where=f"teacher `{self.name}`",
                    hint="train the classifier with other labels.",
                )
        if self.domain is None:
            return
        if self.inputs is not None and len(self.domain) != self.inputs:
            raise TeacherError(
                f"wrong number of inputs: the teacher takes {self.inputs}, the domain has "
                f"{len(self.domain)} ({', '.join(self.domain.names)}).",
                where=f"teacher `{self.name}`",
                hint="state one variable for each input, in the teacher's order.",
            )
        object.__setattr__(self, "inputs", len(self.domain))

    @property
    def name(self) -> str:
        """A C identifier."""
        return self.teacher.name

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The k outputs."""
        return self.teacher.outputs

    @property
    def fingerprint(self) -> str:
        """Hash of weights and code."""
        return self.teacher.fingerprint

    @property
    def can_be_asked(self) -> bool:
        """False for a table."""
        return self.teacher.can_be_asked

    @property
    def validation_error(self) -> float | None:
        """The largest error against what the teacher learned, in the unit of output 0."""
        return self.teacher.validation_error

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of a classifier's classes; empty where numbers are meant."""
        return classes_of(self.teacher)

    @property
    def chain(self) -> Chain | None:
        """The teacher's own arithmetic, where it is known."""
        return chain_of(self.teacher)

    @property
    def why_no_chain(self) -> str:
        """Why its own arithmetic is not known; empty where it is, or where it says nothing."""
        return why_no_chain(self.teacher)

    @property
    def input_names(self) -> tuple[str, ...] | None:
        """The names of its inputs, where it says them."""
        return self.teacher.input_names if isinstance(self.teacher, Named) else None

    @property
    def calls_left(self) -> int | None:
        """At how many new points it may still be asked; None for any number."""
        return calls_left(self.teacher)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of it, each a sentence."""
        return notes_of(self.teacher)

    def predict(self, x: Array) -> Array:
        """Answers at x (n, d), shape (n, k), float64; non-finite where the teacher has none.

        Raises
        ------
        TeacherError : when the teacher raises, does not answer in time, or its answers have the
            wrong shape or are no real numbers.
        """
        x = self._points(x)
        if not len(x):
            return np.empty((0, len(self.outputs)))
        try:
            answer = self.teacher.predict(x.copy())
        except DistillError:
            raise
        except Exception as error:
            raise self._raised(x, error) from error
        return self._numbers(x, answer)

    def gradient(self, x: Array) -> Array:
        """Derivatives by the inputs at x (n, d), shape (n, k, d).

        Raises
        ------
        NotDifferentiable : when the teacher has none.
        TeacherError : as for :meth:`predict`.
        """
        x = self._points(x)
        if not len(x):
            return np.empty((0, len(self.outputs), x.shape[1]))
        try:
            slopes = self.teacher.gradient(x.copy())
        except DistillError:
            raise
        except Exception as error:
            raise TeacherError(
                f"the teacher's gradient raised {_text(error)}.", where=f"teacher `{self.name}`"
            ) from error
        wanted = (len(x), len(self.outputs), x.shape[1])
        if not isinstance(slopes, np.ndarray) or slopes.dtype.kind not in "fiu":
            raise TeacherError(
                f"the teacher's gradient is no array of numbers, but {type(slopes).__name__}.",
                where=f"teacher `{self.name}`",
                hint="give an array (n, k, d), or raise NotDifferentiable.",
            )
        if slopes.shape != wanted:
            raise TeacherError(
                f"the teacher's gradient has shape {slopes.shape}, not {wanted}.",
                where=f"teacher `{self.name}`",
            )
        return slopes

    def _points(self, x: Array) -> Array:
        x = np.asarray(x, dtype=np.float64)
        if x.ndim != 2 or (self.inputs is not None and x.shape[1] != self.inputs):
            wanted = "d" if self.inputs is None else str(self.inputs)
            found = f"{x.shape[1]} inputs" if x.ndim == 2 else f"an array of shape {x.shape}"
            raise TeacherError(
                f"wrong number of inputs: the teacher takes {wanted}, but got {found}.",
                where=f"teacher `{self.name}`",
                hint=f"ask with an array of shape (n, {wanted}), one row for each point.",
            )
        return x

    def _numbers(self, x: Array, answer: object) -> Array:
        where = f"teacher `{self.name}`"
        try:
            values = np.asarray(answer)
        except (TypeError, ValueError) as error:
            raise TeacherError(
                f"the answers of the teacher are no array: {error}.", where=where, hint=_SHAPES
            ) from error
        if values.dtype.kind == "c":
            raise TeacherError(
                f"the teacher answers with complex numbers{self._first_complex(x, values)}.",
                where=where,
                hint="return the real part, or NaN where there is no real answer.",
            )
        if values.dtype.kind not in "fiub":
            odd = [v for v in values.reshape(-1).tolist() if not isinstance(v, int | float)]
            if odd:
                raise not_numbers(type(odd[0]).__name__, repr(odd[0]), where)
            values = values.astype(np.float64)  # whole numbers past 64 bits
        if values.ndim == 1 and len(values) == len(x):
            values = values[:, None]
        k = len(self.outputs)
        if values.ndim == 2 and len(values) == len(x) and values.shape[1] != k:
            raise TeacherError(
                f"the teacher gives {values.shape[1]} outputs, {k} "
                f"({', '.join(o.name for o in self.outputs)}) expected.",
                where=where,
                hint="name every output of the teacher with the option `outputs`.",
            )
        if values.shape != (len(x), k):
            raise TeacherError(
                f"asked for {len(x)} points, the teacher answers with shape {values.shape} "
                f"instead of ({len(x)},) or ({len(x)}, {k}).",
                where=where,
                hint=_SHAPES,
            )
        return np.ascontiguousarray(values, dtype=np.float64)

    def _first_complex(self, x: Array, values: npt.NDArray[np.complexfloating]) -> str:
        if values.shape[:1] != (len(x),):
            return ""
        rows = values.reshape(len(x), -1)
        at = int(np.argmax((rows.imag != 0).any(axis=1)))
        shown = rows[at][np.argmax(rows[at].imag != 0)]
        return f", such as {shown:.6g} at {self._at(x[at])}"

    def _raised(self, x: Array, error: Exception) -> TeacherError:
        """The error for a teacher that raised on x, with the first point at which it does."""
        while len(x) > 1:
            first, second = x[: len(x) // 2], x[len(x) // 2 :]
            for part in (first, second):
                try:
                    self.teacher.predict(part.copy())
                except DistillError as other:
                    return other if isinstance(other, TeacherError) else TeacherError(str(other))
                except Exception as same:
                    x, error = part, same
                    break
            else:
                return TeacherError(
                    f"the teacher raised {_text(error)} on {len(x)} points together, the first "
                    f"{self._at(x[0])}, but on neither half of them.",
                    where=f"teacher `{self.name}`",
                    hint="let it answer points that do not depend on each other.",
                )
        return TeacherError(
            f"the teacher raised {_text(error)} at {self._at(x[0])}.",
            where=f"teacher `{self.name}`",
            hint="narrow the domain, or let it return NaN where it has no answer.",
        )

    def _at(self, point: Array) -> str:
        if self.domain is None:
            return f"({', '.join(f'{value:.17g}' for value in point)})"
        return ", ".join(
            f"{name} = {value:.17g}" for name, value in zip(self.domain.names, point, strict=True)
        )


def not_numbers(kind: str, shown: str, where: str) -> TeacherError:
    """The error for an answer that is made of something else than real numbers."""
    return TeacherError(
        f"the teacher answers with {kind} instead of a number: {shown}.", where=where, hint=_SHAPES
    )


_SHAPES = "take an array (n, d) and return n numbers, or an array (n, k) for k outputs."


def _text(error: Exception) -> str:
    if isinstance(error, Raised):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
