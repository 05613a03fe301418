"""The layouts an axis may get, and the error that each leaves along that axis alone."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from distill.arrays import Array
from distill.domain import Domain, Variable
from distill.extremum import border_points
from distill.firmware.axes import Axis, Even, Spacing, Whole
from distill.firmware.graph import Arithmetic
from distill.firmware.table_fit import Basis, fit_values, seen_inputs
from distill.firmware.uneven_axes import Placed, PowerOfTwo

Interpolation = Literal["linear", "cubic"]
Stored = Literal["uint8", "uint16", "uint32", "float32"]

LINES = 12
"""Lines through the domain of every kind: from corners, from faces, from inside."""

ROUGHLY = 0.03
"""How exactly the error along an axis is known, as a part of it."""

LINE_POINTS = 513
LONG_LINE_POINTS = 8193
"""Points of the one line when there is one input."""

WHOLE = 4096
"""More values of a whole number than this are not stored one by one."""

EVERY = 40
"""Up to so many cells every number of them is tried, beyond it twelve an octave."""


FAR = 1.2

GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Choices:
    """What a table may be made of; everything unless told otherwise."""

    spacings: tuple[Spacing, ...] = ("even", "power_of_two", "placed")
    interpolations: tuple[Interpolation, ...] = ("linear", "cubic")
    values: tuple[Stored, ...] = ("uint8", "uint16", "uint32", "float32")


@dataclass(frozen=True, eq=False)
class Lines:
    """The truth along one axis: ``y`` (points, lines) at ``x`` (points,)."""

    domain: Domain
    axis: int
    x: Array
    y: Array
    seen: Array
    arithmetic: Arithmetic

    @classmethod
    def through(
        cls, truth: Callable[[Array], Array], domain: Domain, axis: int, arithmetic: Arithmetic
    ) -> Lines:
        """Lines along one axis through corners, faces and the inside."""
        single = len(domain) == 1
        border = border_points(domain, LINES, seed=1)
        # Corners come first, edges and faces last.
        base = np.vstack([border[:LINES], border[-LINES:], domain.sample(LINES, seed=1)])
        base = base[:1] if single else base
        x = axis_points(domain.variables[axis], LONG_LINE_POINTS if single else LINE_POINTS)
        points = np.repeat(base, len(x), axis=0)
        points[:, axis] = np.tile(x, len(base))
        y = truth(points).reshape(len(base), -1).T
        return cls(domain, axis, x, y, seen_inputs(domain, axis, x, arithmetic), arithmetic)

    def error(self, axis: Axis) -> float:
        """The largest error that an axis leaves on any of the lines."""
        return fit_values([Basis.of(axis, self.seen)], self.y, ROUGHLY)[1]

    def bends(self, order: int = 2) -> Array:
        """How much the truth bends (points,): the largest ``|f''| ** (1/2)`` over all lines.

        With order 4 it is the fourth derivative and root.
        """
        derivative = self.y
        for _ in range(order):
            derivative = np.gradient(derivative, self.x, axis=0)
        density = np.abs(derivative).max(axis=1) ** (1 / order)
        # A straight part has cells, too: they keep the widths within what reciprocals can hold.
        floor = max(0.02 * float(density.mean()), 1e-300)
        spread: Array = np.maximum(density, floor)
        return spread

    def content(self, order: int = 2) -> Array:
        """The integral (points,) of :meth:`bends` from the low bound."""
        density = self.bends(order)
        steps = np.diff(self.x) * (density[1:] + density[:-1]) / 2
        return np.concatenate([[0.0], np.cumsum(steps)])


def axis_points(variable: Variable, count: int) -> Array:
    """About so many inputs from bound to bound; half by the logarithm where the scale is one."""
    x = _jittered(np.linspace(0, 1, count)) * (variable.high - variable.low) + variable.low
    if variable.scale == "log":
        half = _jittered(np.linspace(0, 1, count // 2 + 1))
        x = np.concatenate([x[::2], variable.from_unit(half)])
    return _inputs(variable, x)


def _jittered(u: Array) -> Array:
    """Even points moved by up to half their distance: round steps would hide truncation."""
    jitter = (np.arange(len(u)) * GOLDEN) % 1 - 0.5
    jitter[[0, -1]] = 0.0
    return u + 0.98 * jitter / (len(u) - 1)


def _inputs(variable: Variable, x: Array) -> Array:
    x = np.clip(x, variable.low, variable.high)
    return np.unique(np.round(x)) if variable.discrete else np.unique(x)


@dataclass(frozen=True)
class Option:
    """An axis, and the error it leaves along itself."""

    axis: Axis
    error: float


def options(
    lines: Lines, choices: Choices, enough: float, cost: Callable[[Axis], float]
) -> list[Option]:
    """The layouts worth having: no other is as small, as exact and of as little ``cost``.

    Errors below ``enough`` are not lowered further.
    """
    variable = lines.domain.variables[lines.axis]
    single = Axis(variable, lines.arithmetic)
    found = [Option(single, lines.error(single))]
    if variable.discrete and variable.high - variable.low < WHOLE:
        found.append(Option(Whole(variable, lines.arithmetic), 0.0))
    if variable.kind == "boolean" or found[0].error == 0:
        return found
    limit = len(lines.x) // 3
    for family in _families(lines, choices):
        least, reached = np.inf, 0
        for axis in family:
            # Twice the values without gain: what is left is rounding.
            if axis.values > limit or axis.values > 2 * reached + 16:
                break
            error = lines.error(axis)
            if error < least:
                found.append(Option(axis, error))
                reached = axis.values if error < 0.95 * least else reached
                least = error
            if error < enough:
                break

    def price(option: Option) -> tuple[float, ...]:
        axis = option.axis
        # Values far beyond the bounds spread the levels, and may not fit the result's format.
        return (axis.values, axis.bytes, option.error, cost(axis), axis.reach > FAR)

    prices = [price(option) for option in found]
    return [
        option
        for option, mine in zip(found, prices, strict=True)
        if not any(other != mine and _at_most(other, mine) for other in prices)
    ]


def _at_most(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return all(p <= q for p, q in zip(a, b, strict=True))


def _counts() -> Iterator[int]:
    count = 1
    while True:
        yield count
        count = max(count + 1, round(count * 2 ** (1 / 12)) if count > EVERY else 0)


def _families(lines: Lines, choices: Choices) -> Iterator[Iterator[Axis]]:
    """Axes of one kind each, from few values to many."""
    variable, arithmetic = lines.domain.variables[lines.axis], lines.arithmetic
    for interpolation in choices.interpolations:
        cubic = interpolation == "cubic"
        if "even" in choices.spacings:
            yield (Even(variable, arithmetic, n, cubic) for n in _counts())
        if "power_of_two" in choices.spacings and arithmetic == "fixed":
            yield _single_runs(variable, arithmetic, cubic)
    if "linear" not in choices.interpolations:
        return
    if "power_of_two" in choices.spacings:
        yield _runs(lines)
    if "placed" in choices.spacings:
        yield _placed(lines)


def _single_runs(variable: Variable, arithmetic: Arithmetic, cubic: bool) -> Iterator[Axis]:
    span = Axis(variable, arithmetic).span
    for shift in range(min(31, span.bit_length()), 0, -1):
        yield PowerOfTwo(variable, arithmetic, (0,), (shift,), cubic)


def _content_at(lines: Lines, axis: Axis, order: int = 2) -> Callable[[int], float]:
    """The bending up to a position."""
    content = lines.content(order)

    def at(position: int) -> float:
        x = axis.input_at(np.array([float(position)]))[0]
        return float(np.interp(x, lines.x, content))

    return at


def _runs(lines: Lines) -> Iterator[Axis]:
    """Cells of powers of two: the cell in which the truth bends most is halved, again and again."""
    variable, arithmetic = lines.domain.variables[lines.axis], lines.arithmetic
    probe = PowerOfTwo(variable, arithmetic, (0,), (1,))
    span, content = probe.span, _content_at(lines, probe)
    bits = min(span.bit_length(), 31)
    lowest = max(1, bits - 15)

    def cell(start: int, shift: int) -> tuple[float, int, int]:
        end = min(start + (1 << shift), span)
        return (content(start) - content(end), start, shift)

    heap = [cell(start, bits) for start in range(0, span + 1, 1 << bits)]
    counts = _counts()
    wanted = next(counts)
    while True:
        _, start, shift = heap[0]
        if shift <= lowest:
            return
        heapq.heapreplace(heap, cell(start, shift - 1))
        if start + (1 << (shift - 1)) <= span:
            heapq.heappush(heap, cell(start + (1 << (shift - 1)), shift - 1))
        if len(heap) < wanted:
            continue
        wanted = next(counts)
        starts, shifts = _merged(sorted((start, shift) for _, start, shift in heap))
        if len(starts) > 1:
            yield PowerOfTwo(variable, arithmetic, starts, shifts)


def _merged(cells: Sequence[tuple[int, int]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Neighbouring cells of one width become one run."""
    runs = [cells[0]]
    for start, shift in cells[1:]:
        if shift != runs[-1][1]:
            runs.append((start, shift))
    return tuple(start for start, _ in runs), tuple(shift for _, shift in runs)


def _placed(lines: Lines) -> Iterator[Axis]:
    """Breakpoints between which the truth bends equally, improved by what is really missed."""
    variable, arithmetic = lines.domain.variables[lines.axis], lines.arithmetic
    probe = Placed(variable, arithmetic, (0,))
    end = (probe.span >> probe.coarse) + 1
    content = lines.content()
    positions = probe.position(lines.seen) >> probe.coarse
    for count in _counts():
        if count < 2:
            continue
        if count >= end:
            return
        best: Axis | None = None
        least, wanted = np.inf, content
        for _ in range(3):
            levels = np.linspace(0, wanted[-1], count + 1)[:-1]
            starts = np.interp(levels, wanted, positions).round().astype(int)
            starts = np.maximum.accumulate(starts - np.arange(count)) + np.arange(count)
            if starts[-1] >= end:
                break
            axis = Placed(variable, arithmetic, tuple(starts.tolist()))
            missing = _missing(lines, axis)
            if missing.max() < least:
                best, least = axis, float(missing.max())
            # Cells that miss more shall hold less: their share grows with the root of the error.
            cells, _ = axis.place(lines.seen)
            worst = np.maximum.reduceat(missing, np.unique(cells, return_index=True)[1])
            share = np.sqrt(worst / max(worst.mean(), 1e-300)).clip(0.5, 2)
            density = np.diff(wanted) * share[np.searchsorted(np.unique(cells), cells[:-1])]
            wanted = np.concatenate([[0.0], np.cumsum(density)])
        if best is not None:
            yield best


def _missing(lines: Lines, axis: Axis) -> Array:
    """The largest error over all lines (points,) of the best values."""
    basis = Basis.of(axis, lines.seen)
    values, _ = fit_values([basis], lines.y, ROUGHLY)
    missing: Array = np.abs(lines.y - basis.read(values)).max(axis=1)
    return missing


def spread_points(lines: Lines, count: int) -> Array:
    """So many inputs of an axis, half of them evenly, half where the truth bends."""
    variable = lines.domain.variables[lines.axis]
    if variable.discrete and variable.high - variable.low < count:
        return np.arange(variable.low, variable.high + 1)
    even = _jittered(np.linspace(0, 1, (count + 1) // 2))
    content = lines.content()
    bent = _jittered(np.linspace(0, 1, count // 2 + 2))[1:-1] * content[-1]
    x = variable.low + even * (variable.high - variable.low)
    return _inputs(variable, np.concatenate([x, np.interp(bent, content, lines.x)]))
