"""Values on a grid as a table stores them: the levels, and what one level stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import ExportError
from distill.firmware.axes import Axis, Even, Whole
from distill.firmware.fixed.formats import QFormat, finest
from distill.firmware.graph import Arithmetic, dtype
from distill.firmware.grids import breakpoints, finite_truth, grid_points
from distill.firmware.lookup import HIGHEST, Table, Values


def even_axes(domain: Domain, counts: Sequence[int], arithmetic: Arithmetic) -> tuple[Axis, ...]:
    """Axes of so many even breakpoints; whole-number inputs are read directly."""
    return tuple(
        Axis(variable, arithmetic)
        if count == 1
        else Whole(variable, arithmetic)
        if variable.discrete
        else Even(variable, arithmetic, count - 1)
        for variable, count in zip(domain.variables, counts, strict=True)
    )


def even_table(
    truth: Callable[[Array], Array],
    domain: Domain,
    counts: tuple[int, ...],
    arithmetic: Arithmetic = "float32",
    *,
    quantised: bool = True,
) -> Table:
    """The table of ``truth`` ((n, d) -> (n,)) at even breakpoints, whose values it holds.

    Raises
    ------
    ExportError : when the truth is not finite, or beyond float32, at a breakpoint.
    """
    axes = even_axes(domain, counts, arithmetic)
    values = finite_truth(truth, domain, grid_points(breakpoints(axes)))
    return store(domain, axes, values, "uint16" if quantised else "float32", arithmetic)


def store(
    domain: Domain,
    axes: tuple[Axis, ...],
    values: Array,
    kind: str,
    arithmetic: Arithmetic,
    output: QFormat | None = None,
) -> Table:
    """The table of real values, flat, stored as ``kind``.

    In fixed point the result's format is ``output``, or one whose step is near a level's.

    Raises
    ------
    ExportError : when the values are beyond the arithmetic.
    """
    low, high = float(values.min()), float(values.max())
    if max(abs(low), abs(high)) > float(np.finfo(np.float32).max):
        raise ExportError(
            "the teacher's values are too large for a float32 table.",
            hint="rescale the output.",
        )
    if kind == "float32":
        return Table(domain, axes, values.astype(np.float32), arithmetic=arithmetic)
    unit = 256 if kind == "uint8" else 1
    most = HIGHEST[kind]
    if arithmetic == "fixed":
        output = output or _output(low, high, unit * most, kind)
        if not holds_values(output, values):
            raise ExportError(
                f"values up to {np.abs(values).max():g} do not fit the output format {output}.",
                hint="use an output format of fewer fraction bits.",
            )
        offset, scale = _fixed_scale(output, low, high, unit * most, kind)
    else:
        real = dtype(arithmetic)
        offset = float(real(low))
        scale = float(real((high - low) / (unit * most))) or 1.0
    levels = np.clip(np.rint((values - offset) / (scale * unit)), 0, most)
    stored: Values = levels.astype(np.dtype(kind))
    return Table(domain, axes, stored, scale, offset, arithmetic, output)


def holds_values(output: QFormat | None, values: Array) -> bool:
    """Whether a fixed-point result can be any of the values: their differences fit 31 bits, too."""
    return output is None or float(np.abs(values).max()) < (2.0**30 - 2.0**18) * output.step


def _output(low: float, high: float, levels: int, kind: str) -> QFormat:
    holds = finest(low, high, 29)
    if kind == "uint32" or high <= low:
        return holds
    wanted = int(np.ceil(-np.log2((high - low) / levels)))
    return QFormat(min(wanted, holds.fraction))


def _fixed_scale(
    output: QFormat, low: float, high: float, levels: int, kind: str
) -> tuple[float, float]:
    """Offset and scale as the C has them: whole units of the output, and M * 2^-r of them."""
    offset = float(np.floor(low / output.step)) * output.step
    if kind == "uint32":
        return offset, output.step
    ratio = (high - offset) / levels / output.step
    # Of 8 bits: a product with a level of 16 bits leaves room for rounding; exact by definition.
    right = max(0, min(24, 7 - int(np.floor(np.log2(ratio))))) if ratio > 0 else 0
    factor = max(1, int(np.ceil(ratio * 2.0**right)))
    return offset, factor * 2.0**-right * output.step
