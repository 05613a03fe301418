"""Where a table's cells begin in real numbers, and how far the C may be off along each input.

The C turns an input into a position, in integers or in floats that round, and the position into a
cell and a weight of 65,536. Along one input its answer is therefore the interpolant's at an input
that is off by ``position_error`` positions at most, with weights that are off by
``weight_error`` at most, cell by cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.firmware.axes import ONE, Axis, Even, Whole
from distill.firmware.fixed.formats import input_format
from distill.firmware.graph import dtype
from distill.firmware.lookup import Table
from distill.firmware.uneven_axes import Placed, PowerOfTwo
from distill.proving.interpolant import GridAxis, Interpolant, Kind

FLOAT64 = 2.0**-52
"""What one operation of float64 may lose here, relatively, and twice that."""


@dataclass(frozen=True, eq=False)
class Layout:
    """One interpolated input of a table.

    Attributes
    ----------
    grid : its cells in real numbers.
    widths : positions in every cell (cells,).
    position_error : how many positions the C's input may seem to be off.
    weight_error : how far the C's weights may be off in every cell (cells,), of 1.
    """

    grid: GridAxis
    widths: Array
    position_error: float
    weight_error: Array


def unit_roundoff(table: Table) -> float:
    """The relative error of one operation in the arithmetic of a table's reals."""
    return float(np.finfo(dtype(table.arithmetic)).eps) / 2


def layout(table: Table, i: int) -> Layout:
    """Input ``i`` of a table, which has cells along it."""
    axis = table.axes[i]
    starts, scale, weight_error = _cells(table, axis)
    widths = np.diff(starts)
    low, high = float(axis.variable.low), float(axis.variable.high)
    breakpoints = _inputs(axis, starts * scale[0], scale[1])
    # Cells reach the bounds of the domain, which the C's own bounds may miss by a rounding.
    pinned = breakpoints.copy()
    pinned[0], pinned[-1] = min(pinned[0], low), max(pinned[-1], high)
    moved = float(np.abs(pinned - breakpoints).max())
    size = max(abs(low), abs(high), float(np.abs(pinned).max()))
    steps = scale[1] / scale[0]
    error = (moved + 8 * FLOAT64 * size) * steps + _position_error(table, axis, starts)
    kind: Kind = "cubic" if axis.order == 4 else "linear"
    return Layout(GridAxis(kind, pinned, axis.variable.discrete), widths, error, weight_error)


def interpolant(table: Table) -> Interpolant:
    """What the table means in real numbers."""
    axes = []
    for i, axis in enumerate(table.axes):
        if axis.order > 1:
            axes.append(layout(table, i).grid)
        elif isinstance(axis, Whole):
            axes.append(GridAxis("whole", axis.breakpoints(), discrete=True))
        else:
            axes.append(GridAxis("single", np.zeros(0), axis.variable.discrete))
    scale = table.scale * (256.0 if table.values.dtype == np.uint8 else 1.0)
    levels = table.values.astype(float).reshape(table.counts)
    if not table.quantised:
        return Interpolant(tuple(axes), levels)
    return Interpolant(tuple(axes), levels, table.offset, scale)


def _cells(table: Table, axis: Axis) -> tuple[Array, tuple[float, float], Array]:
    """Where cells begin and the last one ends, in positions of a kind of their own.

    With them: how many of the axis's positions one of them is, how many of the axis's positions
    one unit of the input is, and what each cell's weights may be off by.
    """
    real = axis.arithmetic != "fixed"
    per_unit = axis.step if real else 1 / input_format(axis.variable).step
    if isinstance(axis, Even):
        ends = np.arange(axis.cells + 1.0)
        exact = np.zeros(axis.cells)
        if not table.quantised:
            return ends, (1.0, axis.cell_step), exact + unit_roundoff(table)
        if real:
            return ends * ONE, (1.0, per_unit), exact
        factor, right = axis.multiplier
        starts = ends * float(ONE << right) / factor
        return starts, (2.0**axis.coarse, per_unit), exact + 1 / ONE
    if isinstance(axis, PowerOfTwo):
        begins: list[int] = []
        shifts: list[int] = []
        for run, (start, shift) in enumerate(zip(axis.starts, axis.shifts, strict=True)):
            last = run + 1 == len(axis.starts)
            count = (axis.cells if last else axis.firsts[run + 1]) - axis.firsts[run]
            begins += [start + (k << shift) for k in range(count)]
            shifts += [shift] * count
        ends = np.array([*begins, begins[-1] + (1 << shifts[-1])], dtype=float)
        finer = np.array(shifts) > 16
        return ends, (1.0, per_unit), np.where(finer, 1 / ONE, 0.0)
    assert isinstance(axis, Placed)  # no other axis has cells
    ends = np.array([*axis.starts, axis.ends[-1]], dtype=float)
    return ends, (2.0**axis.coarse, per_unit), _placed_weights(axis)


def _placed_weights(axis: Placed) -> Array:
    """How far the weights of free cells are off at their own positions: all of them are tried."""
    error = np.zeros(axis.cells)
    for cell, (width, reciprocal) in enumerate(zip(axis.widths, axis.reciprocals, strict=True)):
        distance = np.arange(int(width) + 1)
        weight = ((distance * int(reciprocal)) >> axis.exponent) / ONE
        error[cell] = np.abs(weight - distance / width).max()
    return error


def _inputs(axis: Axis, positions: Array, per_unit: float) -> Array:
    """The inputs at positions; of fixed point the products are exact, of floats counted."""
    if axis.arithmetic == "fixed":
        return np.asarray((positions + axis.low) / per_unit)
    return np.asarray(positions / per_unit + axis.low)


def _position_error(table: Table, axis: Axis, starts: Array) -> float:
    """What the C loses on the way to a position of :func:`_cells`."""
    if axis.arithmetic == "fixed":
        # Inputs are rounded to half a step of their format, in which whole numbers are exact.
        given = 0.0 if axis.variable.discrete else 0.5
        coarse = 0 if isinstance(axis, PowerOfTwo) else getattr(axis, "coarse", 0)
        return (given + 2.0**coarse - 1) / 2.0**coarse
    # A difference and a product, both rounded.
    rounded = 2.01 * unit_roundoff(table) * (float(starts[-1]) + 1)
    return rounded if not table.quantised else rounded + 1.0
