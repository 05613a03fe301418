"""A lookup table's interpolant in real numbers, read as data, put on a tape."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Literal

import numpy as np
from flint import arb

from distill.arrays import Array
from distill.checking.balls import ONE, UNDEFINED, ZERO, ends
from distill.checking.fields import (
    damaged,
    keys,
    one_of,
    record,
    whole,
)
from distill.checking.fields import number as read_number
from distill.checking.fields import numbers as read_numbers
from distill.checking.formulas import Put, operate
from distill.checking.tape import Tape
from distill.checking.terms import Term

VERSION = 1
KINDS = ("single", "whole", "linear", "cubic")

SIXTH = ((1, -3, 3, -1), (4, 0, -6, 3), (1, 3, 3, -3), (0, 0, 0, 1))
"""Six times the weights of a uniform cubic B-spline's four values, by powers of the place."""


@dataclass(frozen=True)
class Axis:
    """One input: where cells begin and end, or the whole numbers that have a value."""

    kind: Literal["single", "whole", "linear", "cubic"]
    breakpoints: tuple[float, ...]

    @property
    def order(self) -> int:
        """How many neighbouring values are mixed."""
        return {"single": 1, "whole": 1, "linear": 2, "cubic": 4}[self.kind]

    @property
    def values(self) -> int:
        """How many values stand along it."""
        if self.order == 1:
            return max(1, len(self.breakpoints))
        return len(self.breakpoints) + self.order - 2

    def cells(self, low: float, high: float) -> tuple[int, int] | None:
        """The first and the last cell that [low, high] has a part of; None outside of all."""
        if self.kind == "single":
            return 0, 0
        points = self.breakpoints
        if not points[0] <= low <= high <= points[-1]:
            return None
        if self.kind == "whole":
            first, last = bisect_left(points, low), bisect_right(points, high) - 1
            return (first, last) if first <= last else None
        first = min(bisect_right(points, low), len(points) - 1) - 1
        return first, max(first, bisect_left(points, high) - 1)


@dataclass(frozen=True, eq=False)
class Table:
    """``offset + scale * levels`` mixed; ``levels`` has one dimension for each axis."""

    axes: tuple[Axis, ...]
    levels: Array
    offset: float
    scale: float


def read_table(data: object, inputs: int) -> Table:
    """Read a table of a certificate.

    Raises
    ------
    CertificateError : when it is none, or not one of so many inputs.
    """
    given = keys(record(data, "table"), "table", {"version", "axes", "offset", "scale", "values"})
    if given["version"] != VERSION:
        raise damaged("table", f"it is not of version {VERSION}")
    rows = given["axes"]
    if not isinstance(rows, list) or len(rows) != inputs:
        raise damaged("table", f"it needs one axis for each of the {inputs} inputs")
    axes = tuple(_axis(record(row, "table axis")) for row in rows)
    values = read_numbers(given["values"], "table values")
    shape = tuple(axis.values for axis in axes)
    if prod(shape) != len(values):
        raise damaged("table", f"{len(values)} values do not fill a grid of {shape}")
    levels = np.array(values).reshape(shape)
    return Table(
        axes,
        levels,
        read_number(given["offset"], "table offset"),
        read_number(given["scale"], "table scale"),
    )


def _axis(row: Mapping[str, object]) -> Axis:
    where = "table axis"
    kind = one_of(row.get("kind"), where, KINDS)
    if kind == "single":
        keys(row, where, {"kind"})
        return Axis("single", ())
    if kind == "whole":
        keys(row, where, {"kind", "first", "count"})
        first, count = read_number(row["first"], where), whole(row["count"], where)
        if not first.is_integer() or not 1 <= count <= 2**24:
            raise damaged(where, "its whole numbers are none, or too many")
        return Axis("whole", tuple(first + k for k in range(count)))
    keys(row, where, {"kind", "breakpoints"})
    points = read_numbers(row["breakpoints"], where)
    if len(points) < 2 or any(a >= b for a, b in pairwise(points)):
        raise damaged(where, "its breakpoints are not increasing")
    return Axis("linear" if kind == "linear" else "cubic", tuple(points))


def put_table(table: Table) -> Put:
    """The function that puts the table on a tape whose inputs are the table's, one by one.

    In one cell it is a polynomial; over several, any number between the least and the largest of
    the values that count there, because weights are never negative and sum up to 1.
    """
    offset, scale = arb(table.offset), arb(table.scale)

    def put(tape: Tape, inputs: Sequence[Term]) -> Term:
        found = [
            axis.cells(float(x.low), float(x.high))
            for axis, x in zip(table.axes, inputs, strict=True)
        ]
        cells = [cell for cell in found if cell is not None]
        if len(cells) < len(found):
            return tape.any_of(UNDEFINED, UNDEFINED)
        corner = table.levels[
            tuple(
                slice(first, last + axis.order)
                for axis, (first, last) in zip(table.axes, cells, strict=True)
            )
        ]
        if any(first != last for first, last in cells):
            least, most = arb(float(corner.min())), arb(float(corner.max()))
            return tape.any_of(*ends((offset + scale * least, offset + scale * most)))
        terms = [tape.constant(arb(v)) for v in corner.ravel().tolist()]
        for i in reversed(range(len(table.axes))):
            axis = table.axes[i]
            if axis.order > 1:
                terms = _mixed(tape, axis, cells[i][0], inputs[i], terms)
        return tape.scaled(terms[0], scale, offset)

    return put


def _mixed(tape: Tape, axis: Axis, cell: int, x: Term, terms: Sequence[Term]) -> list[Term]:
    """Every two (four) neighbours become one."""
    start, end = arb(axis.breakpoints[cell]), arb(axis.breakpoints[cell + 1])
    place = tape.scaled(tape.scaled(x, ONE, -start), ONE / (end - start))
    if axis.kind == "linear":
        return [
            tape.added(a, tape.product(place, tape.minus(b, a)))
            for a, b in zip(terms[::2], terms[1::2], strict=True)
        ]
    powers = [place, operate(tape, "square", [place]), operate(tape, "cube", [place])]
    mixed = []
    for at in range(0, len(terms), 4):
        four = terms[at : at + 4]
        parts = [
            tape.total(four, [arb(row[power]) / 6 for row in SIXTH], ZERO) for power in range(4)
        ]
        for power, part in zip(powers, parts[1:], strict=True):
            parts[0] = tape.added(parts[0], tape.product(power, part))
        mixed.append(parts[0])
    return mixed
