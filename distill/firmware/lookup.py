"""Lookup tables on even grids: what they hold, and a model of the C that reads them, to the bit.

A continuous axis is read by linear interpolation. For values of 16 bits ``(x - low) * step`` is a
position with 16 fraction bits: the cell is its upper part, the weight its lower one. They are mixed
in integers, which costs a chip without a floating-point unit a tenth of mixing floats, and turned
into a real number once. Float values, for tolerances that need them, are mixed in floats. A
whole-number axis is read directly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.domain import Domain, Variable
from distill.errors import ExportError
from distill.firmware.graph import Arithmetic, dtype

FRACTION = 65_536
"""Positions between two breakpoints."""

LEVELS = 65_535
"""The largest stored value of 16 bits."""

BLOCK = 65_536
"""Rows read at once, so that the corners of many cells fit into memory."""

Values = npt.NDArray[np.uint16] | npt.NDArray[np.float32]


def bounds(variable: Variable, arithmetic: Arithmetic) -> tuple[float, float]:
    """The bounds as the C holds them: rounded to the nearest number of its arithmetic.

    Raises
    ------
    ExportError : when they fall together or cannot be held.
    """
    real = dtype(arithmetic)
    with np.errstate(over="ignore"):
        low, high = float(real(variable.low)), float(real(variable.high))
    whole = float(2**22 if arithmetic == "float32" else 2**30)
    if not (np.isfinite([low, high]).all() and low < high):
        raise ExportError(
            f"the range of `{variable.name}` is too narrow or too large for {arithmetic}.",
            where=f"domain variable `{variable.name}`",
            hint="use arithmetic: double, or shift and rescale the variable.",
        )
    if variable.discrete and max(abs(low), abs(high)) > whole:
        raise ExportError(
            f"whole numbers beyond {whole:,.0f} cannot be told apart in {arithmetic}.",
            where=f"domain variable `{variable.name}`",
            hint="use arithmetic: double, or a continuous variable.",
        )
    return low, high


def held(x: Array, domain: Domain, arithmetic: Arithmetic) -> Array:
    """Points (n, d) as the C sees them: rounded to its arithmetic, clamped, whole where whole.

    Halves are rounded up. NaN stays NaN.
    """
    real = dtype(arithmetic)
    columns = []
    with np.errstate(over="ignore"):
        rounded = x.astype(real)
    for i, variable in enumerate(domain.variables):
        low, high = bounds(variable, arithmetic)
        column = np.clip(rounded[:, i], real(low), real(high))
        if variable.kind == "boolean":
            column = np.where(np.isnan(column), column, column >= real(0.5))
        elif variable.kind == "integer":
            offset, shift = rounding_offsets(low)
            column = np.floor(column + real(offset)) - real(shift)
        columns.append(column.astype(float))
    return np.column_stack(columns)


def rounding_offsets(low: float) -> tuple[float, float]:
    """How the C rounds a whole-number input: truncate ``x + offset``, take ``shift`` away again.

    C truncates towards zero, so negative values are shifted into the positive ones first.
    """
    shift = max(0.0, -low)
    return shift + 0.5, shift


@dataclass(frozen=True, eq=False)
class Table:
    """Values on an even grid over ``domain``.

    ``counts`` breakpoints an axis: 1 where the axis does not matter, every value of a whole-number
    axis. ``values`` are flat, the last variable running fastest: uint16, standing for
    ``offset + scale * value``, or float32.

    Raises
    ------
    ExportError : when ``arithmetic`` cannot hold the bounds of a variable.
    """

    domain: Domain
    counts: tuple[int, ...]
    values: Values
    scale: float = 1.0
    offset: float = 0.0
    arithmetic: Arithmetic = "float32"

    def __post_init__(self) -> None:
        for variable in self.domain.variables:
            bounds(variable, self.arithmetic)

    @property
    def quantised(self) -> bool:
        """Whether the values are of 16 bits."""
        return bool(self.values.dtype == np.uint16)

    @property
    def bytes(self) -> int:
        """The size of the values on the device."""
        return int(self.values.nbytes)

    @cached_property
    def interpolated(self) -> tuple[int, ...]:
        """The axes that are interpolated along."""
        return tuple(
            i
            for i, variable in enumerate(self.domain.variables)
            if self.counts[i] > 1 and not variable.discrete
        )

    @cached_property
    def strides(self) -> tuple[int, ...]:
        """How far apart neighbours along each axis lie in ``values``."""
        return tuple(int(np.prod(self.counts[i + 1 :])) for i in range(len(self.counts)))

    def step(self, axis: int) -> float:
        """Positions (16-bit values) or cells (floats) per unit of an axis, as the C holds it."""
        low, high = bounds(self.domain.variables[axis], self.arithmetic)
        cells = (self.counts[axis] - 1) * (FRACTION if self.quantised else 1)
        return float(dtype(self.arithmetic)(cells / (high - low)))

    def __call__(self, x: Array) -> Array:
        """What the C answers at x (n, d), shape (n,): the same operations in the same order.

        Points outside are clamped; NaN in any input gives NaN.
        """
        result = np.full(len(x), np.nan)
        x = held(x, self.domain, self.arithmetic)
        rows = np.flatnonzero(np.isfinite(x).all(axis=1))
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            result[block] = self._read(x[block])
        return result

    def _read(self, x: Array) -> Array:
        real = dtype(self.arithmetic)
        at = np.zeros(len(x), dtype=np.int64)
        weights: dict[int, npt.NDArray[np.generic]] = {}
        for i, variable in enumerate(self.domain.variables):
            column = x[:, i].astype(real) - real(bounds(variable, self.arithmetic)[0])
            if i in self.interpolated:
                cell, weights[i] = self._place(i, column)
                at += cell.astype(np.int64) * self.strides[i]
            elif self.counts[i] > 1:
                at += column.astype(np.int64) * self.strides[i]
        corners = [self.values[at + offset] for offset in self.corner_offsets()]
        mixed = self._mix(corners, weights)
        if self.quantised:
            mixed = real(self.offset) + real(self.scale) * mixed.astype(real)
        return np.asarray(mixed, dtype=float)

    def _place(
        self, axis: int, column: npt.NDArray[np.floating]
    ) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.generic]]:
        """The cell along an axis, and how far in it: of 65,536, or as a real number."""
        last = np.uint32(self.counts[axis] - 2)
        position = column * dtype(self.arithmetic)(self.step(axis))
        if not self.quantised:
            cell = np.minimum(position.astype(np.uint32), last)
            return cell, position - cell.astype(position.dtype)
        fixed = position.astype(np.uint32)
        cell = fixed >> np.uint32(16)
        part = np.where(cell > last, np.uint32(FRACTION), fixed & np.uint32(FRACTION - 1))
        return np.minimum(cell, last), part

    def _mix(
        self, level: Sequence[npt.NDArray[np.generic]], weights: Mapping[int, npt.NDArray[Any]]
    ) -> npt.NDArray[Any]:
        """Multilinear interpolation of the 2^k corners, the last axis first."""
        kind = np.uint32 if self.quantised else dtype(self.arithmetic)
        mixed: list[npt.NDArray[Any]] = [values.astype(kind) for values in level]
        for i in reversed(self.interpolated):
            mix = _mix_levels if self.quantised else _mix_reals
            mixed = [mix(a, b, weights[i]) for a, b in zip(mixed[0::2], mixed[1::2], strict=True)]
        return mixed[0]

    def corner_offsets(self) -> list[int]:
        """Where the 2^k corners of a cell lie from its first one, the last axis running fastest."""
        offsets = [0]
        for i in self.interpolated:
            offsets = [o + far for o in offsets for far in (0, self.strides[i])]
        return offsets


def _mix_levels(a: npt.NDArray[Any], b: npt.NDArray[Any], part: npt.NDArray[Any]) -> Any:
    # At most 65535 * 65536 + 32768, which 32 bits hold.
    return (a * (np.uint32(FRACTION) - part) + b * part + np.uint32(FRACTION // 2)) >> np.uint32(16)


def _mix_reals(a: npt.NDArray[Any], b: npt.NDArray[Any], part: npt.NDArray[Any]) -> Any:
    return a + part * (b - a)


def breakpoints(domain: Domain, counts: tuple[int, ...]) -> list[Array]:
    """The even breakpoints of every axis; the middle of an axis that has one only."""
    axes = []
    for variable, count in zip(domain.variables, counts, strict=True):
        middle = (variable.low + variable.high) / 2
        single = np.array([np.floor(middle) if variable.discrete else middle])
        axes.append(np.linspace(variable.low, variable.high, count) if count > 1 else single)
    return axes


def grid_points(axes: list[Array]) -> Array:
    """All points of a grid, (n, d), the last axis running fastest."""
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)


def with_middles(axis: Array, variable: Variable) -> Array:
    """The breakpoints of an axis and the middles between them, where interpolation is worst."""
    if variable.discrete or len(axis) < 2:
        return axis
    between = np.array([(a + b) / 2 for a, b in pairwise(axis)])
    return np.sort(np.concatenate([axis, between]))


def make_table(
    truth: Callable[[Array], Array],
    domain: Domain,
    counts: tuple[int, ...],
    arithmetic: Arithmetic = "float32",
    *,
    quantised: bool = True,
) -> Table:
    """The table of ``truth`` ((n, d) -> (n,)) at even breakpoints.

    Raises
    ------
    ExportError : when the truth is not finite, or beyond float32, at a breakpoint.
    """
    x = grid_points(breakpoints(domain, counts))
    y = finite_truth(truth, domain, x)
    low, high = float(y.min()), float(y.max())
    if max(abs(low), abs(high)) > float(np.finfo(np.float32).max):
        raise ExportError(
            "the teacher's values are too large for a float32 table.",
            hint="rescale the output.",
        )
    if not quantised:
        return Table(domain, counts, y.astype(np.float32), arithmetic=arithmetic)
    real = dtype(arithmetic)
    offset = float(real(low))
    scale = float(real((high - low) / LEVELS)) or 1.0
    levels = np.clip(np.rint((y - offset) / scale), 0, LEVELS).astype(np.uint16)
    return Table(domain, counts, levels, scale, offset, arithmetic)


def finite_truth(truth: Callable[[Array], Array], domain: Domain, x: Array) -> Array:
    """The truth at x (n, d), shape (n,), which must be finite.

    Raises
    ------
    ExportError : naming the first point at which it is not.
    """
    y = np.asarray(truth(x), dtype=float)
    if y.shape != (len(x),):
        raise ExportError(
            f"the truth of a table answered with shape {y.shape} to {len(x)} points.",
            hint="give a function from (n, d) to (n,).",
        )
    bad = np.flatnonzero(~np.isfinite(y))
    if len(bad):
        point = ", ".join(
            f"{name} = {value:.9g}" for name, value in zip(domain.names, x[bad[0]], strict=True)
        )
        raise ExportError(
            f"the teacher has no finite value at {point}, so no table can hold it.",
            hint="leave such inputs out of the domain.",
        )
    return y
