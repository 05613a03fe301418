"""What reading a table costs, estimated: enough to order tables, not to promise figures."""

from __future__ import annotations

import numpy as np

from distill.firmware.axes import Axis, Even, Whole
from distill.firmware.graph import Arithmetic
from distill.firmware.uneven_axes import Placed, PowerOfTwo

# Instructions on a 32-bit core without floating-point unit (zig cc -Os for MIPS32r2, counted).
SCALE = {"fixed": 0.0, "float32": 170.0, "double": 260.0}
"""An input made a position: subtract, multiply, convert."""

RESULT = {"fixed": 5.0, "float32": 190.0, "double": 280.0}
"""A level made the result: convert, multiply, add."""

MIX = {"uint8": 7.0, "uint16": 6.0, "uint32": 14.0, "float32": 330.0}
READ = {"uint8": 3.0, "uint16": 2.0, "uint32": 2.0, "float32": 2.0}
CALL = 12.0


def instructions(axes: tuple[Axis, ...], stored: str, arithmetic: Arithmetic) -> float:
    """Instructions of one answer, about."""
    total, corners, mixes = CALL + RESULT[arithmetic], 1, 0
    for axis in axes:
        if axis.order == 1 and not isinstance(axis, Whole):
            continue
        total += 4 + SCALE[arithmetic]
        total += _search(axis)
        if axis.order == 2:
            mixes += corners
        elif axis.order == 4:
            mixes += 6 * corners
            total += 6
        corners *= axis.order
    if stored == "float32":
        total -= RESULT[arithmetic]
    return total + corners * READ[stored] + mixes * MIX[stored]


def _search(axis: Axis) -> float:
    if isinstance(axis, Even):
        return 5.0
    if isinstance(axis, PowerOfTwo):
        return 3.0 if len(axis.starts) == 1 else 10 + 2.5 * len(axis.starts)
    if isinstance(axis, Placed):
        return 12 + min(2.5 * axis.cells, 9 * float(np.log2(axis.cells + 1)))
    return 0.0
