"""Columns of numbers from CSV, Parquet or a DataFrame; every fault with its column and line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from distill.arrays import Array
from distill.errors import TeacherError

if TYPE_CHECKING:
    import pandas
    import pyarrow

MOST = 2**28
"""Numbers of a table that are read: a small Parquet file can state any number of rows."""

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}


def read_csv(path: Path) -> pyarrow.Table:
    """Columns of a CSV file with a header; separated by comma, semicolon or tab.

    Raises
    ------
    TeacherError : when it is no such file.
    """
    import pyarrow
    from pyarrow import csv

    try:
        with path.open(encoding="utf-8-sig") as file:
            header = file.readline()
        separator = max(_SEPARATORS, key=header.count)
        table = csv.read_csv(
            path,
            # Without it a quote that never ends loses the block it is in, silently.
            parse_options=csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=csv.ConvertOptions(strings_can_be_null=True),
        )
        return table.rename_columns([name.strip() for name in table.column_names])
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise TeacherError(
            f"not a readable CSV table: {str(error).splitlines()[0]}.",
            where=str(path),
            hint="one header line, then equally many numbers in every line, text in UTF-8.",
        ) from error


def read_parquet(path: Path) -> pyarrow.Table:
    """Columns of a Parquet file.

    Raises
    ------
    TeacherError : when it is none, or has absurdly many rows.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            rows, columns = file.metadata.num_rows, file.metadata.num_columns
            if rows * columns > MOST:
                raise TeacherError(
                    f"the table has {rows:,} rows of {columns:,} columns; {MOST:,} numbers are "
                    "read at most.",
                    where=str(path),
                    hint="keep some of the rows, and only the columns that are needed.",
                )
            table: pyarrow.Table = file.read()
            return table
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise TeacherError(
            f"not a readable Parquet file: {str(error).splitlines()[0]}",
            where=str(path),
            hint="write it again; it may have been cut off.",
        ) from error


def from_frame(frame: pandas.DataFrame) -> pyarrow.Table:
    """Columns of a DataFrame, its index left out.

    Raises
    ------
    TeacherError : for a column of mixed or unknown types.
    """
    import pyarrow

    columns = []
    for i, name in enumerate(frame.columns):
        try:
            columns.append(pyarrow.array(frame.iloc[:, i], from_pandas=True))
        except pyarrow.ArrowException as error:
            raise TeacherError(
                f"column `{name}` does not hold numbers only: {str(error).splitlines()[0]}.",
                where=f"DataFrame, column `{name}`",
                hint="make every value a number (pandas.to_numeric shows the odd ones).",
            ) from error
    return pyarrow.table(columns, names=[str(name) for name in frame.columns])


def check_shape(names: list[str], rows: int, where: str, source: Path | None) -> None:
    """Raise unless the names differ and there are two columns and two rows at least."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TeacherError(
            f"{Counter(names)[twice[0]]} columns are called `{twice[0]}`.",
            where=f"{where}, line 1" if source else where,
            hint="give every column a name of its own.",
        )
    if len(names) < 2:
        raise TeacherError(
            f"too few columns: {len(names)} ({', '.join(names)}), two needed at least.",
            where=where,
            hint="one column for each input and one for the output"
            + (f", separated by {', '.join(_SEPARATORS.values())}." if source else "."),
        )
    if rows < 2:
        raise TeacherError(
            f"too few rows: {rows}, two needed at least (and many more to be of use).",
            where=where,
            hint="give one row for each point; a CSV needs a header line above them.",
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Names the place of a row: the line of a CSV file, or the number of the row."""

    where: str
    source: Path | None

    def of(self, row: int, column: str) -> str:
        """Where the row (counted from 0) is, for people, who count from 1."""
        if self.source is None:
            return f"{self.where}, row {row + 1}, column `{column}`"
        # Blank lines hold no row; the header is the first line that does.
        with self.source.open(encoding="utf-8-sig", errors="replace") as file:
            filled = (i for i, line in enumerate(file, 1) if line.strip("\r\n"))
            line = next(number for count, number in enumerate(filled) if count == row + 1)
        return f"{self.where}, line {line}, column `{column}`"


def numbers(columns: pyarrow.Table, name: str, place: Place) -> Array:
    """One column as float64 (n,), all finite and not all the same."""
    import pyarrow
    from pyarrow import compute, types

    column = columns.column(columns.column_names.index(name))
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if types.is_null(column.type):
        raise TeacherError(
            f"column `{name}` is empty.", where=place.of(0, name), hint="fill it or leave it out."
        )
    if types.is_string(column.type) or types.is_large_string(column.type):
        raise _text(column, name, place)
    if not (
        types.is_integer(column.type)
        or types.is_floating(column.type)
        or types.is_boolean(column.type)
        or types.is_decimal(column.type)
    ):
        raise TeacherError(
            f"column `{name}` holds {column.type}, not numbers.",
            where=place.of(0, name),
            hint="turn it into numbers, or leave it out with the options `inputs` and `output`.",
        )
    if column.null_count:
        row = compute.index(column.is_null(), pyarrow.scalar(True)).as_py()
        raise TeacherError(
            f"column `{name}` has {column.null_count} missing value"
            + ("s, the first here." if column.null_count > 1 else "."),
            where=place.of(row, name),
            hint="fill or remove these rows; a formula cannot be fitted to what is not there.",
        )
    if types.is_boolean(column.type):
        column = column.cast(pyarrow.int8())
    values = column.cast(pyarrow.float64(), safe=False).to_numpy().astype(np.float64, copy=False)
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(np.argmax(bad))
        raise TeacherError(
            f"column `{name}` has {int(bad.sum())} values that are not finite, "
            f"the first {values[row]}.",
            where=place.of(row, name),
            hint="remove these rows.",
        )
    if values.min() == values.max():
        raise TeacherError(
            f"column `{name}` is constant: every row holds {values[0]:g}.",
            where=place.where,
            hint="leave a constant input out with the option `inputs`; "
            "a constant output needs no formula.",
        )
    return cast(Array, values + 0.0)  # -0.0 and 0.0 are the same point


def _text(column: pyarrow.ChunkedArray, name: str, place: Place) -> TeacherError:
    """The error for a column of text, at its first value that is no number."""
    for row, value in enumerate(column):
        text = value.as_py()
        if text is not None and not _is_number(text):
            return TeacherError(
                f"column `{name}` holds text: {text[:60]!r}.",
                where=place.of(row, name),
                hint="write decimals with a point."
                if _is_number(text.replace(",", "."))
                else "turn it into numbers, or leave it out with `inputs` and `output`.",
            )
    return TeacherError(
        f"column `{name}` holds numbers written as text.",
        where=place.where,
        hint="store it as a column of numbers.",
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
