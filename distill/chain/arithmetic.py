"""How steps compute: every operation rounded to float32 or double, many points at a time.

Points stand in columns, (d, b): what C does in an inner loop for one point is one operation on a
row here, so that sums run in the order of the C and NumPy still works on many numbers at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.chain.base import Real
from distill.errors import FormulaError

Reals = npt.NDArray[np.floating[Any]]
"""float32 or float64."""

_CACHED = 1 << 16
"""Numbers that an intermediate result may have, so that it stays in the processor's cache."""


def rounded(values: Array, real: Real) -> Reals:
    """The values in the arithmetic; too large ones become infinite in float32."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32 if real == "float32" else np.float64)


def at_most(values: Array, real: Real) -> Reals:
    """The largest numbers of the arithmetic that are not above the values.

    ``x <= value`` and ``x <= at_most(value)`` are the same for every x of the arithmetic.
    """
    nearest = rounded(values, real)
    if real == "double":
        return nearest
    with np.errstate(over="ignore"):
        below = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest.astype(np.float64) > values, below, nearest)


def computed(
    kernel: Callable[[Reals], Reals],
    x: Array,
    real: Real,
    *,
    inputs: int,
    outputs: int,
    width: int = 0,
) -> Array:
    """The kernel's answers at x (n, inputs), shape (n, outputs), in float64.

    Parameters
    ----------
    kernel : takes columns (inputs, b) of the arithmetic, gives columns (outputs, b).
    width : how many numbers for each point its largest intermediate result has, where that is
        more than the outputs.

    Raises
    ------
    FormulaError : when x has another number of columns.
    """
    if x.ndim != 2 or x.shape[1] != inputs:
        raise FormulaError(f"points of shape {x.shape} for a step of {inputs} inputs.")
    block = max(64, _CACHED // max(width, inputs, outputs, 1))
    result = np.empty((len(x), outputs))
    with np.errstate(all="ignore"):
        for start in range(0, len(x), block):
            rows = x[start : start + block]
            result[start : start + block] = kernel(np.ascontiguousarray(rounded(rows, real).T)).T
    return result


def larger(a: Reals, b: Reals) -> Reals:
    """``b > a || b != b ? b : a``: the larger one, the first of equals; a NaN wins and stays."""
    return np.where((b > a) | np.isnan(b), b, a)
