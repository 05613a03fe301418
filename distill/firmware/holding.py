"""Inputs as the C sees them: rounded to its arithmetic, in their bounds, whole where whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from distill.arrays import Array
from distill.domain import Domain
from distill.firmware.axes import bounds
from distill.firmware.graph import Arithmetic, dtype


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
        column = moved_inside(rounded[:, i], real(low), real(high))
        if variable.kind == "boolean":
            column = np.where(np.isnan(column), column, column >= real(0.5))
        elif variable.kind == "integer":
            offset, shift = rounding_offsets(low)
            column = np.floor(column + real(offset)) - real(shift)
        columns.append(column.astype(float))
    return np.column_stack(columns)


def moved_inside(x: npt.NDArray[Any], low: ArrayLike, high: ArrayLike) -> npt.NDArray[Any]:
    """Numbers at their nearest bound, as C's comparisons leave them: -0 and NaN stay.

    NumPy's ``clip`` keeps the sign of a zero at a bound of 0 or loses it, by the number of rows.
    """
    return np.where(x < low, low, np.where(x > high, high, x))


def rounding_offsets(low: float) -> tuple[float, float]:
    """How the C rounds a whole-number input: truncate ``x + offset``, take ``shift`` away again.

    C truncates towards zero, so negative values are shifted into the positive ones first.
    """
    shift = max(0.0, -low)
    return shift + 0.5, shift
