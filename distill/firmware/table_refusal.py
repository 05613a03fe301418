"""Why there is no table, what it would take, and what fits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from distill.errors import ExportError
from distill.firmware.axes import Axis
from distill.firmware.grids import grid_points
from distill.firmware.lookup import Table
from distill.firmware.table_axes import axis_points
from distill.firmware.table_fit import Basis, fit_values, seen_inputs
from distill.firmware.table_search import MAX_VALUES, Search
from distill.firmware.table_storing import holds_values, store


def refusal(search: Search, found: Table | None, max_bytes: int) -> ExportError:
    """Why there is no table, what it would take, and what fits."""
    names = search.domain.names
    if found is not None:
        needs = (
            f"a table within {search.tolerance:g} takes {found.bytes:,} bytes ({found.shape}), "
            f"but {max_bytes:,} are allowed"
        )
    elif search.too_many_inputs():
        each = [
            min(
                (
                    o.axis.values
                    for o in search.options[i]
                    if o.error <= search.tolerance / len(search.matters)
                ),
                default=2,
            )
            for i in search.matters
        ]
        size = 2 * float(np.prod(np.array(each, dtype=float)))
        needs = (
            f"one grid over the {len(search.matters)} inputs that matter would take about "
            f"{size:.2g} bytes to stay within {search.tolerance:g}, but {max_bytes:,} are allowed"
        )
    else:
        needs = f"no table of up to {MAX_VALUES:,} values stays within {search.tolerance:g}"
    fitting = within(search, max_bytes)
    if fitting is None:
        reaches = "no table fits that size at all"
    else:
        reaches = (
            f"the best found that fits ({fitting[0].shape}; {fitting[0].bytes:,} bytes) "
            f"is off by {fitting[1]:.3g}"
        )
    hint = "allow more bytes, a larger tolerance or a smaller domain."
    if len(search.matters) > 2:
        order = sorted(search.matters, key=lambda i: search.flat[i])[:3]
        least = ", ".join(f"`{names[i]}` ({search.flat[i]:.3g})" for i in order)
        hint = f"export a formula, or hold the inputs that matter least where they are: {least}."
    return ExportError(f"{needs}; {reaches}.", where="export.table_bytes", hint=hint)


def within(search: Search, max_bytes: int) -> tuple[Table, float] | None:
    """The best table found of at most ``max_bytes``, and its largest error."""
    chosen = [0] * len(search.domain)
    fronts = [sorted(found, key=lambda o: (o.axis.values, -o.error)) for found in search.options]

    def size(picks: Sequence[int]) -> int:
        axes = [front[k].axis for front, k in zip(fronts, picks, strict=True)]
        return 2 * int(np.prod([a.values for a in axes], dtype=float)) + sum(a.bytes for a in axes)

    def fits(picks: Sequence[int]) -> bool:
        counts = [_lattice(front[k].axis) for front, k in zip(fronts, picks, strict=True)]
        return size(picks) <= max_bytes and float(np.prod(counts, dtype=float)) <= MAX_VALUES

    if not fits(chosen):
        return None
    while True:
        steps = []
        for i, front in enumerate(fronts):
            here = front[chosen[i]]
            for k in range(chosen[i] + 1, len(front)):
                picks = [*chosen[:i], k, *chosen[i + 1 :]]
                if front[k].error < here.error and fits(picks):
                    growth = np.log(size(picks) / size(chosen)) + 1e-9
                    steps.append(((here.error - front[k].error) / growth, picks))
        if not steps:
            break
        chosen = max(steps, key=lambda step: step[0])[1]
    axes = tuple(front[k].axis for front, k in zip(fronts, chosen, strict=True))
    table = _coarse(search, axes)
    return table, float(np.abs(table(search.x) - search.y).max())


def _lattice(axis: Axis) -> int:
    """The points along an axis that a coarse table is fitted to."""
    return 2 * axis.values + 3 if axis.values > 1 else 1


def _coarse(search: Search, axes: tuple[Axis, ...]) -> Table:
    """A table of any axes, fitted on a lattice just fine enough for them."""
    middles = search.domain.low + (search.domain.high - search.domain.low) / 2
    inputs = []
    for line, axis in zip(search.lines, axes, strict=True):
        inputs.append(
            axis_points(line.domain.variables[line.axis], _lattice(axis))
            if axis.values > 1
            else search.domain.clip(middles[None, :])[:, line.axis]
        )
    seen = [seen_inputs(search.domain, i, x, search.arithmetic) for i, x in enumerate(inputs)]
    y = search.truth(grid_points(inputs)).reshape([len(x) for x in inputs])
    bases = [Basis.of(axis, x) for axis, x in zip(axes, seen, strict=True)]
    values, _ = fit_values(bases, y)
    output = search.output if holds_values(search.output, values) else None
    return store(search.domain, axes, values.ravel(), "uint16", search.arithmetic, output)
