"""How a table is laid out along one input, and where an input falls: a model of the C, to the bit.

The input becomes a position, an unsigned integer that is 0 at the low bound: in fixed point its
distance from the bound, otherwise ``(x - low) * step`` truncated. The position gives a cell and
the weight in it, of 65,536. What differs is how: evenly (one multiplication), by cells whose
widths are powers of two (a shift and a mask; few runs of equal cells are searched), or by free
breakpoints (a search and a stored reciprocal).

Linear cells mix the values at their two ends. Cubic ones are cells of a uniform cubic B-spline
(de Boor 1978), which mixes four coefficients: weights are never negative, so integers cannot
overflow, and equal errors take fewer values than interpolation through the same breakpoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.domain import Variable
from distill.errors import ExportError
from distill.firmware.fixed.formats import input_bounds, input_format
from distill.firmware.graph import Arithmetic, dtype

Spacing = Literal["even", "power_of_two", "placed"]

ONE = 65_536
"""The weight of a whole cell."""

Indices = npt.NDArray[np.int64]
Weights = npt.NDArray[np.uint32]


def bounds(variable: Variable, arithmetic: Arithmetic) -> tuple[float, float]:
    """The bounds as the C holds them: rounded to the nearest number of its arithmetic.

    Raises
    ------
    ExportError : when they fall together or cannot be held.
    """
    if arithmetic == "fixed":
        whole_low, whole_high = input_bounds(variable)
        step = input_format(variable).step
        low, high, limit = whole_low * step, whole_high * step, 2.0**30
    else:
        real = dtype(arithmetic)
        with np.errstate(over="ignore"):
            low, high = float(real(variable.low)), float(real(variable.high))
        limit = float(2**22 if arithmetic == "float32" else 2**30)
    if not (np.isfinite([low, high]).all() and low < high):
        raise ExportError(
            f"the range of `{variable.name}` is too narrow or too large for {arithmetic}.",
            where=f"domain variable `{variable.name}`",
            hint="use arithmetic: double, or shift and rescale the variable.",
        )
    if variable.discrete and max(abs(variable.low), abs(variable.high)) > limit:
        raise ExportError(
            f"whole numbers beyond {limit:,.0f} cannot be told apart in {arithmetic}.",
            where=f"domain variable `{variable.name}`",
            hint="use arithmetic: double, or a continuous variable.",
        )
    return low, high


@dataclass(frozen=True)
class Axis:
    """One input of a table. An axis of this class itself holds one value: it does not matter."""

    variable: Variable
    arithmetic: Arithmetic

    def __post_init__(self) -> None:
        bounds(self.variable, self.arithmetic)

    @property
    def values(self) -> int:
        """How many values the table holds along it."""
        return 1

    @property
    def order(self) -> int:
        """How many neighbouring values are mixed: 1, 2 (linear) or 4 (cubic)."""
        return 1

    @property
    def units(self) -> float:
        """The position of the high bound when the input is a float."""
        return 0.0

    @property
    def arrays(self) -> dict[str, npt.NDArray[np.unsignedinteger[Any]]]:
        """What the C stores to find the cell, by a suffix for its name."""
        return {}

    @property
    def bytes(self) -> int:
        """The size of ``arrays``."""
        return sum(int(array.nbytes) for array in self.arrays.values())

    @cached_property
    def low(self) -> int | float:
        """The position's zero: an integer in fixed point."""
        if self.arithmetic == "fixed":
            return input_bounds(self.variable)[0]
        return bounds(self.variable, self.arithmetic)[0]

    @cached_property
    def span(self) -> int:
        """The largest position."""
        if self.arithmetic == "fixed":
            low, high = input_bounds(self.variable)
            return high - low
        return int(self.units)

    @cached_property
    def step(self) -> float:
        """Positions per unit of a float input, as the C holds it."""
        low, high = bounds(self.variable, self.arithmetic)
        return float(dtype(self.arithmetic)(self.units / (high - low)))

    def position(self, x: npt.NDArray[Any]) -> Indices:
        """The positions (n,) of held inputs: integers in fixed point, else reals."""
        if self.arithmetic == "fixed":
            return (x - self.low).astype(np.int64)
        return self.real_position(x).astype(np.int64)

    def real_position(self, x: npt.NDArray[Any]) -> npt.NDArray[np.floating]:
        """The positions before they are truncated, in the C's arithmetic."""
        real = dtype(self.arithmetic)
        distance = x.astype(real) - real(self.low)
        scaled: npt.NDArray[np.floating] = distance * real(self.step)
        return scaled

    def input_at(self, position: Array) -> Array:
        """The inputs, as real numbers, at positions: exact in fixed point."""
        if self.arithmetic == "fixed":
            return np.asarray((position + self.low) * input_format(self.variable).step)
        return np.asarray(position / self.step + self.low)

    def place(self, x: npt.NDArray[Any]) -> tuple[Indices, Weights]:
        """The first of the values that are mixed, and the weight (0 to 65,536), for inputs (n,)."""
        return np.zeros(len(x), dtype=np.int64), np.zeros(len(x), dtype=np.uint32)

    def breakpoints(self) -> Array:
        """The inputs at which cells begin or end, not beyond the bounds."""
        middle = (self.variable.low + self.variable.high) / 2
        return np.array([np.floor(middle) if self.variable.discrete else middle])

    def _at(self, positions: Array) -> Array:
        return np.clip(self.input_at(positions), self.variable.low, self.variable.high)

    @property
    def reach(self) -> float:
        """Where the last cell ends, by the length of the axis: values there are extrapolated."""
        return 1.0

    def describe(self) -> str:
        """Such as ``17 even`` or ``5 cubic``."""
        return "1"


@dataclass(frozen=True)
class Whole(Axis):
    """Every value of a whole-number input, read directly."""

    @property
    def values(self) -> int:
        """How many values the table holds along it."""
        return int(self.variable.high - self.variable.low) + 1

    @cached_property
    def step(self) -> float:
        """Positions per unit of a float input, as the C holds it."""
        return 1.0

    def place(self, x: npt.NDArray[Any]) -> tuple[Indices, Weights]:
        """The first value that is mixed, and the weight."""
        return self.position(x), np.zeros(len(x), dtype=np.uint32)

    def breakpoints(self) -> Array:
        """The inputs at which cells begin or end."""
        return np.arange(self.variable.low, self.variable.high + 1)

    def describe(self) -> str:
        """Such as ``17 even``."""
        return f"{self.values} whole"


@dataclass(frozen=True)
class Cells(Axis):
    """What the spacings have in common: ``cells`` of them, linear or cubic."""

    @property
    def cells(self) -> int:
        """How many cells there are."""
        raise NotImplementedError

    @property
    def values(self) -> int:
        """How many values the table holds along it."""
        return self.cells + self.order - 1

    def describe(self) -> str:
        """Such as ``17 even``."""
        return f"{self.values} {self.name}"

    @property
    def name(self) -> str:
        """The spacing in words."""
        raise NotImplementedError


@dataclass(frozen=True)
class Even(Cells):
    """Cells of equal width: one multiplication gives cell and weight.

    In fixed point the position is first shifted to 16 bits, so that a product of 32 bits does.
    """

    count: int
    cubic: bool = False

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self.count

    @property
    def name(self) -> str:
        """The spacing in words."""
        return "cubic" if self.cubic else "even"

    @property
    def order(self) -> int:
        """How many neighbouring values are mixed."""
        return 4 if self.cubic else 2

    @property
    def units(self) -> float:
        """The position of the high bound when the input is a float."""
        return float(self.count * ONE)

    @cached_property
    def cell_step(self) -> float:
        """Cells per unit of a float input, for tables that are mixed in floats."""
        low, high = bounds(self.variable, self.arithmetic)
        return float(dtype(self.arithmetic)(self.count / (high - low)))

    @property
    def coarse(self) -> int:
        """By how many bits the position of fixed point is shifted to have 16."""
        return max(0, self.span.bit_length() - 16)

    @cached_property
    def multiplier(self) -> tuple[int, int]:
        """M and r: the cell and the weight are ``(position >> coarse) * M >> r``.

        The largest M below 2^16 that keeps the high bound inside the last cell.
        """
        top, end = self.span >> self.coarse, self.count * ONE
        for right in range(16, -1, -1):
            factor = ((end << right) - 1) // top
            if 0 < factor < ONE:
                return factor, right
        raise ExportError(
            f"`{self.variable.name}` has too few steps for {self.count} even cells.",
            hint="use fewer cells.",
        )

    def place(self, x: npt.NDArray[Any]) -> tuple[Indices, Weights]:
        """The first value that is mixed, and the weight."""
        if self.arithmetic == "fixed":
            factor, right = self.multiplier
            place = ((self.position(x) >> self.coarse) * factor) >> right
            return place >> 16, (place & (ONE - 1)).astype(np.uint32)
        place = self.position(x)
        cell, last = place >> 16, self.count - 1
        weight = np.where(cell > last, ONE, place & (ONE - 1)).astype(np.uint32)
        return np.minimum(cell, last), weight

    def place_real(self, x: npt.NDArray[Any]) -> tuple[Indices, npt.NDArray[np.floating]]:
        """Cell and weight where values are floats and weights are too."""
        real = dtype(self.arithmetic)
        position = (x.astype(real) - real(self.low)) * real(self.cell_step)
        cell = np.minimum(position.astype(np.int64), self.count - 1)
        return cell, position - cell.astype(real)

    def breakpoints(self) -> Array:
        """The inputs at which cells begin or end."""
        if self.arithmetic == "fixed":
            factor, right = self.multiplier
            ends = np.arange(self.count + 1) * float(ONE << right) / factor
            return self._at(ends * 2.0**self.coarse)
        return np.linspace(self.variable.low, self.variable.high, self.count + 1)
