"""The guard: the cells of an even grid in which the formula must not answer.

In fixed point the cells are powers of two wide, so that a shift finds them. What is stored is the
smaller of one bit a cell and a list of boxes of cells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.arrays import Array, Flags
from distill.domain import Domain
from distill.firmware.axes import Axis, bounds
from distill.firmware.fixed.formats import hold, input_formats
from distill.firmware.graph import Arithmetic, dtype
from distill.firmware.holding import held


@dataclass(frozen=True, eq=False)
class Guard:
    """Which cells of an even grid over ``domain`` are guarded: ``flags`` of shape ``counts``."""

    domain: Domain
    flags: Flags
    arithmetic: Arithmetic = "float32"

    @property
    def counts(self) -> tuple[int, ...]:
        """Cells along each axis."""
        return self.flags.shape

    @property
    def empty(self) -> bool:
        """Whether the formula may answer everywhere."""
        return not self.flags.any()

    @property
    def fraction(self) -> float:
        """The guarded part of the cells."""
        return float(self.flags.mean())

    @property
    def read(self) -> tuple[int, ...]:
        """The axes on which the answer depends: none when it is the same everywhere."""
        if self.empty or self.flags.all():
            return ()
        return tuple(i for i, count in enumerate(self.counts) if count > 1)

    @cached_property
    def bits(self) -> npt.NDArray[np.uint8]:
        """The flags, packed: cell n is bit n % 8 of byte n // 8, the last axis running fastest."""
        return np.packbits(self.flags.ravel(), bitorder="little")

    @cached_property
    def boxes(self) -> npt.NDArray[np.unsignedinteger[Any]]:
        """The flags as boxes: the first and last cell along every axis that is read, flat."""
        kind = np.uint8 if max(self.counts) <= 256 else np.uint16
        boxes: npt.NDArray[np.unsignedinteger[Any]]
        boxes = np.array(_boxes(self.flags.squeeze()), dtype=np.int64).ravel().astype(kind)
        return boxes

    @cached_property
    def packed(self) -> npt.NDArray[np.unsignedinteger[Any]]:
        """What is stored: the smaller of ``bits`` and ``boxes``, or nothing."""
        if not self.read:
            return self.bits[:0]
        return self.boxes if self.as_boxes else self.bits

    @cached_property
    def as_boxes(self) -> bool:
        """Whether boxes are stored, not bits: of equal sizes boxes, which are read faster."""
        return bool(self.read) and self.boxes.nbytes <= self.bits.nbytes

    @property
    def bytes(self) -> int:
        """The size of what is stored on the device."""
        return int(self.packed.nbytes)

    def has_every_value(self, axis: int) -> bool:
        """Whether a whole-number axis has a cell for each of its values."""
        variable = self.domain.variables[axis]
        return variable.discrete and self.counts[axis] == variable.high - variable.low + 1

    def step(self, axis: int) -> float:
        """Cells per unit along an axis, as the C holds it."""
        variable = self.domain.variables[axis]
        low, high = bounds(variable, self.arithmetic)
        if self.has_every_value(axis):
            return 1.0
        return float(dtype(self.arithmetic)(self.counts[axis] / (high - low)))

    def shift(self, axis: int) -> int:
        """In fixed point: a cell is so many bits of the distance from the low bound wide."""
        return bits_of_cell(
            Axis(self.domain.variables[axis], self.arithmetic).span, self.counts[axis]
        )

    def cells(self, x: Array) -> npt.NDArray[np.int64]:
        """The numbers of the cells (n, d) of points as :func:`seen` gives them."""
        columns = []
        for i, variable in enumerate(self.domain.variables):
            if self.arithmetic == "fixed":
                axis = Axis(variable, "fixed")
                columns.append(axis.position(x[:, i]) >> self.shift(i))
                continue
            real = dtype(self.arithmetic)
            low = real(bounds(variable, self.arithmetic)[0])
            cell = ((x[:, i].astype(real) - low) * real(self.step(i))).astype(np.int64)
            columns.append(np.minimum(cell, self.counts[i] - 1))
        return np.column_stack(columns)

    def __call__(self, x: Array) -> Flags:
        """Whether the C turns to the table at x (n, d), shape (n,), to the bit; NaN: False."""
        rows = np.flatnonzero(~np.isnan(x).any(axis=1))
        result = np.zeros(len(x), dtype=bool)
        cells = self.cells(seen(x[rows], self.domain, self.arithmetic))
        result[rows] = self.flags[tuple(cells.T)]
        return result

    def compact(self) -> Guard:
        """The same guard with one cell along every axis that does not matter."""
        flags = self.flags
        for axis in range(flags.ndim):
            first = flags.take([0], axis)
            if (flags == first).all():
                flags = first
        return Guard(self.domain, flags, self.arithmetic)

    def box(self, cell: npt.ArrayLike) -> tuple[Array, Array]:
        """The lower and upper corner of a cell (d,), or of cells (n, d), in its shape."""
        low, high = self.domain.low, self.domain.high
        at = np.array(cell, dtype=float)
        if self.arithmetic == "fixed":
            size = np.array(
                [
                    math.ldexp(form.step, self.shift(i))
                    for i, form in enumerate(input_formats(self.domain))
                ]
            )
            return low + at * size, np.minimum(low + (at + 1) * size, high)
        size = (high - low) / np.array(self.counts)
        whole = [self.has_every_value(i) for i in range(len(self.counts))]
        first = np.where(whole, low + at, low + at * size)
        return first, np.where(whole, first, np.minimum(first + size, high))


def seen(x: Array, domain: Domain, arithmetic: Arithmetic) -> Array:
    """Points (n, d), no NaN among them, as the C sees them; in fixed point integers."""
    return hold(x, domain).astype(float) if arithmetic == "fixed" else held(x, domain, arithmetic)


def bits_of_cell(span: int, count: int) -> int:
    """The fewest bits a cell may be wide so that at most ``count`` cover the span."""
    return next(shift for shift in range(33) if (span >> shift) + 1 <= count)


def _boxes(flags: Flags) -> list[tuple[int, ...]]:
    """Boxes that cover the flagged cells and no others; of each the first and last cell an axis."""
    left, boxes = flags.copy(), []
    while left.any():
        first = np.unravel_index(int(left.argmax()), left.shape)
        ends = [int(i) for i in first]
        for axis in reversed(range(flags.ndim)):
            while ends[axis] + 1 < flags.shape[axis]:
                # The box's next layer along this axis must be flagged throughout.
                layer = tuple(
                    slice(ends[axis] + 1, ends[axis] + 2) if k == axis else slice(int(i), end + 1)
                    for k, (i, end) in enumerate(zip(first, ends, strict=True))
                )
                if not flags[layer].all():
                    break
                ends[axis] += 1
        left[tuple(slice(int(i), end + 1) for i, end in zip(first, ends, strict=True))] = False
        boxes.append(tuple(int(v) for pair in zip(first, ends, strict=True) for v in pair))
    return boxes
