"""How far what the C's table answers can be from its interpolant in real numbers, anywhere.

Every step of the C is bounded at its worst: the input on its way through the door, its position,
the cell's weight, the mixing (of integers after the integers' own rule), and the readout.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.firmware.axes import ONE
from distill.firmware.lookup import Table
from distill.firmware.mixing import level_thirds
from distill.proving.table_layout import layout, unit_roundoff

HALF = 0.5
"""What rounding to the nearest integer may lose."""

GENEROUS = 1 + 1e-6
"""Covers what adding bounds up in float64 loses, and weights a rounding beyond 1."""


def table_rounding(table: Table, *, float_result: bool) -> float:
    """A bound of ``|what the C's table answers - its interpolant|`` on the whole domain.

    Parameters
    ----------
    float_result : whether the integers of fixed point are turned into floats in the end.

    The answer is in the output's unit. Inputs are floats of the C's arithmetic, or what fixed point
    rounds to its own numbers.
    """
    levels = table.values.astype(float).reshape(table.counts)
    if table.values.dtype == np.uint8:
        levels = levels * 256.0
    unit = abs(table.scale) if table.quantised else 1.0
    shift = placing = 0.0
    steepest = {}
    for i in table.interpolated:
        found = layout(table, i)
        rise = rises(levels, i, table.axes[i].order)
        steepest[i] = float(rise.max())
        placing += float((found.weight_error * rise).max())
        shift += found.position_error * float((rise / found.widths).max())
    mixing = _levels_mixed(table, steepest) if table.quantised else _reals_mixed(table, steepest)
    return GENEROUS * (unit * (placing + shift + mixing) + _readout(table, float_result))


def rises(levels: Array, axis: int, order: int) -> Array:
    """The largest step between neighbouring values that any place in a cell mixes, (cells,)."""
    steps = np.abs(np.diff(levels, axis=axis))
    others = tuple(i for i in range(levels.ndim) if i != axis)
    along: Array = steps.max(axis=others)
    beside = order - 1
    cells = len(along) - beside + 1
    whole: Array = np.stack([along[k : k + cells] for k in range(beside)]).max(axis=0)
    return whole


@cache
def _thirds_error() -> tuple[float, float]:
    """How far the first three and the other two weights of a cubic cell are off, of 1."""
    w: npt.NDArray[np.uint32] = np.arange(ONE + 1, dtype=np.uint32)
    t = w / ONE
    exact = [(t + 2) / 3, (t + 1) / 3, t / 3, (t + 1) / 2, t / 2]
    off = [float(np.abs(u / ONE - e).max()) for u, e in zip(level_thirds(w), exact, strict=True)]
    return max(off[:3]) + 2.0**-50, max(off[3:]) + 2.0**-50


def _levels_mixed(table: Table, steepest: dict[int, float]) -> float:
    """What mixing integers loses, in levels: each mix rounds once, a cubic cell's weights too."""
    error = 0.0
    first, second = _thirds_error()
    for i in reversed(table.interpolated):
        if table.axes[i].order == 2:
            error += HALF
            continue
        rise = steepest[i] + 2 * error
        one = error + first * rise + HALF
        two = one + second * (steepest[i] + 2 * one) + HALF
        error = two + HALF
    return error


def _reals_mixed(table: Table, steepest: dict[int, float]) -> float:
    """What mixing floats loses: a difference, a product and a sum, each rounded; weights too."""
    unit = unit_roundoff(table)
    largest = float(np.abs(table.values.astype(float)).max())
    mixes = {2: 1, 4: 3}
    error = 0.0
    for i in table.interpolated:
        order = table.axes[i].order
        error += 8 * unit * largest * mixes[order]
        if order > 2:
            error += 8 * unit * (steepest[i] + 2 * error)
    return error + math.ldexp(1.0, -140)


def _readout(table: Table, float_result: bool) -> float:
    """What turning a level into the result loses, in the output's unit."""
    unit = unit_roundoff(table) if table.arithmetic != "fixed" else 2.0**-24
    if table.arithmetic == "fixed":
        assert table.output is not None  # fixed point has one
        _, _, right = table.readout
        rounded = HALF * table.output.step if right else 0.0
        return rounded + (unit * (table.largest + rounded) if float_result else 0.0)
    if not table.quantised:
        return 0.0
    return 4 * unit * table.largest
