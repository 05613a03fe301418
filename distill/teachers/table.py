"""Tables of answers as teachers: CSV, Parquet or a DataFrame; they know their own rows only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.domain import Domain, Variable
from distill.errors import DomainError, NotDifferentiable, TeacherError
from distill.identifiers import why_not_identifier
from distill.teachers import fingerprint
from distill.teachers.base import Output, Teacher
from distill.teachers.checked import Checked
from distill.teachers.columns import Place, check_shape, numbers

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True)
class TableTeacher:
    """Rows x (n, d) with the answers y (n, k). Of equal points the first row counts."""

    x: Array
    y: Array
    name: str
    outputs: tuple[Output, ...]
    domain: Domain | None
    fingerprint: str
    can_be_asked: bool = False
    validation_error: float | None = None

    def predict(self, x: Array) -> Array:
        """The answers at rows of the table, shape (n, k).

        Raises
        ------
        TeacherError : for a point that is not in the table.
        """
        rows = self._index.find(x)
        if (rows < 0).any():
            point = ", ".join(f"{value:.17g}" for value in x[int(np.argmin(rows))])
            raise TeacherError(
                f"the table has no row for the point ({point}); it cannot be asked anywhere else.",
                where=f"teacher `{self.name}`",
                hint="ask for its own rows only (sampling design `data`).",
            )
        return self.y[rows]

    def gradient(self, x: Array) -> Array:
        """Raise: a table only has values."""
        raise NotDifferentiable(f"the table `{self.name}` has no derivatives.")

    @cached_property
    def _index(self) -> _Index:
        return _Index(self.x)


class _Index:
    """Finds rows of x (n, d) by exact equality, ranking one column after the other."""

    def __init__(self, x: Array) -> None:
        self.levels: list[tuple[Array, npt.NDArray[np.int64]]] = []
        code = np.zeros(len(x), dtype=np.int64)
        for column in x.T:
            values, rank = np.unique(column, return_inverse=True)
            pairs, code = np.unique(code * len(values) + rank, return_inverse=True)
            self.levels.append((values, pairs))
        self.first = np.unique(code, return_index=True)[1]

    def find(self, x: Array) -> npt.NDArray[np.int64]:
        """The first row equal to each point of x (m, d), or -1, shape (m,)."""
        code = np.zeros(len(x), dtype=np.int64)
        known = np.ones(len(x), dtype=bool)
        for column, (values, pairs) in zip(x.T, self.levels, strict=True):
            rank = np.searchsorted(values, column).clip(max=len(values) - 1)
            pair = code * len(values) + rank
            code = np.searchsorted(pairs, pair).clip(max=len(pairs) - 1)
            known &= (values[rank] == column) & (pairs[code] == pair)
        return np.where(known, self.first[code], -1)


def make_table(
    columns: pyarrow.Table,
    name: str,
    *,
    where: str,
    source: Path | None = None,
    domain: Domain | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> TableTeacher:
    """A teacher of the ``outputs`` (the last column) by the ``inputs`` (all others, in order).

    A stated domain names the inputs: they are the columns of the same names unless ``inputs``
    tells others. Without one the domain is the range of the data. ``source`` is a CSV file, whose
    lines are then named in messages.

    Raises
    ------
    TeacherError : for fewer than two rows or columns, names that occur twice or not at all,
        missing values, text, values that are not finite, constant columns.
    """
    names = [str(n) for n in columns.column_names]
    check_shape(names, columns.num_rows, where, source)
    if outputs is None:
        taken = set(inputs or (domain.names if domain else ()))
        outputs = [[n for n in names if n not in taken][-1] if taken < set(names) else names[-1]]
    if inputs is None:
        inputs = domain.names if domain else [n for n in names if n not in outputs]
    if isinstance(inputs, str):
        inputs = [inputs]
    for column in (*inputs, *outputs):
        if column not in names:
            raise TeacherError(
                f"the table has no column `{column}`.",
                where=where,
                hint=f"its columns: {', '.join(names)}; choose with the options `inputs` and "
                "`output` (or `outputs`, several).",
            )
    if len({*inputs, *outputs}) < len(inputs) + len(outputs):
        raise TeacherError(
            "a column is used twice among the inputs and the output: "
            f"{', '.join((*inputs, *outputs))}.",
            where=where,
            hint="name every column once in the options `inputs` and `output`.",
        )
    if not outputs:
        raise TeacherError(
            "no column is named for the answers.",
            where=where,
            hint="name one at least in the option `outputs`.",
        )
    if not inputs:
        raise TeacherError(
            "no column is left for the inputs.",
            where=where,
            hint="name fewer columns in the option `outputs`.",
        )
    place = Place(where, source)
    data = [numbers(columns, column, place) for column in (*inputs, *outputs)]
    x, y = np.column_stack(data[: len(inputs)]), np.column_stack(data[len(inputs) :])
    if domain is None:
        kinds = [columns.column(names.index(column)).type for column in inputs]
        domain = _range(inputs, kinds, x, where)
    elif len(domain) != len(inputs):
        raise TeacherError(
            f"wrong number of inputs: the table gives {len(inputs)} ({', '.join(inputs)}), the "
            f"domain has {len(domain)} ({', '.join(domain.names)}).",
            where=where,
            hint="name one input column for each variable, in the same order.",
        )
    return TableTeacher(
        x=x,
        y=y,
        name=name,
        outputs=tuple(Output(name) for name in _named(outputs)),
        domain=domain,
        fingerprint=fingerprint.of(x, y),
    )


def _named(columns: Sequence[str]) -> list[str]:
    """Names for outputs after their columns, where those can be names that differ."""
    fit = [name for name in columns if why_not_identifier(name) is None]
    if len(fit) == len(columns) == len({name.lower() for name in columns}):
        return fit
    return ["answer"] if len(columns) == 1 else [f"answer_{i}" for i in range(len(columns))]


def rows_of(teacher: Teacher) -> tuple[Array, Array]:
    """All rows of a table: points (n, d) and answers (n, k).

    Raises
    ------
    TeacherError : when the teacher is none.
    """
    inner = teacher.teacher if isinstance(teacher, Checked) else teacher
    if not isinstance(inner, TableTeacher):
        raise TeacherError(
            "a teacher that cannot be asked must be a table.", where=f"teacher `{teacher.name}`"
        )
    return inner.x, inner.y


def _range(inputs: Sequence[str], kinds: Sequence[object], x: Array, where: str) -> Domain:
    """The box of the data; columns of truth values become boolean variables."""
    from pyarrow import types

    try:
        return Domain(
            tuple(
                Variable(
                    name,
                    float(column.min()),
                    float(column.max()),
                    kind="boolean" if types.is_boolean(kind) else "continuous",
                )
                for name, kind, column in zip(inputs, kinds, x.T, strict=True)
            )
        )
    except DomainError as error:
        raise TeacherError(
            f"the table's columns cannot name a domain: {error.what}",
            where=where,
            hint="rename the column, or state the domain and the option `inputs`, "
            "the columns in the order of its variables.",
        ) from None
