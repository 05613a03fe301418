"""The steps of chains that read whole numbers: logic over their bits, and packed tables.

A box holds few whole numbers or is divided: up to ``MOST`` of its points are asked one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np
from flint import arb

from distill.arrays import Array
from distill.chain.checks import Whole
from distill.chain.steps.logic import Logic
from distill.chain.steps.packed import Packed
from distill.checking.balls import HALF, UNDEFINED
from distill.checking.layers import Layer
from distill.checking.tape import Tape
from distill.checking.terms import Term

MOST = 4096
"""Points of a box that are asked; with more, every level of an output counts."""

Codes = Callable[[Whole], Whole]
"""The codes (points, outputs) of whole numbers (points, d) counted from the lower bounds."""


def put_logic(step: Logic) -> Layer:
    """Sums of products over bits."""
    steps = [1 << sum(_bits(step)[i + 1 :]) for i in range(len(step.lows))]

    def codes(points: Whole) -> Whole:
        word = points @ np.array(steps, dtype=np.int64)
        holds = (word[:, None] & step.masks) == step.values
        found = np.zeros((len(points), len(step.levels)), dtype=np.int64)
        functions = zip(step.sums, step.inverted.tolist(), strict=True)
        for output, levels in enumerate(step.levels):
            for _ in range(len(levels).bit_length() - 1):
                cubes, inverted = next(functions)
                bit = holds[:, cubes].any(axis=1) != bool(inverted)
                found[:, output] = 2 * found[:, output] + bit
        return found

    return _put(step.lows, step.highs, step.levels, codes)


def _bits(step: Logic) -> list[int]:
    """How many bits each input has in the word."""
    return [int(h - low).bit_length() for low, h in zip(step.lows, step.highs, strict=True)]


def put_packed(step: Packed) -> Layer:
    """A table of all points, the last input fastest."""
    counts = tuple((step.highs - step.lows + 1).tolist())

    def codes(points: Whole) -> Whole:
        found: Whole = step.codes[np.ravel_multi_index(tuple(points.T), counts)]
        return found

    return _put(step.lows, step.highs, step.levels, codes)


def _put(lows: Whole, highs: Whole, levels: Sequence[Array], codes: Codes) -> Layer:
    bounds = list(zip(lows.tolist(), highs.tolist(), strict=True))

    def put(tape: Tape, x: Sequence[Term]) -> list[Term]:
        if not all(t.range.is_finite() for t in x):
            return [tape.any_of(UNDEFINED, UNDEFINED) for _ in levels]
        spans = [
            range(
                _place((t.low + HALF).lower(), low, high),
                _place((t.high + HALF).upper(), low, high) + 1,
            )
            for t, (low, high) in zip(x, bounds, strict=True)
        ]
        if prod(map(len, spans)) > MOST:
            return [_level(tape, values) for values in levels]
        points = np.stack(np.meshgrid(*spans, indexing="ij"), axis=-1).reshape(-1, len(spans))
        found = codes(points.astype(np.int64))
        return [_level(tape, values[found[:, k]]) for k, values in enumerate(levels)]

    return put


def _place(end: arb, low: int, high: int) -> int:
    """Half above an end, as the step reads it: cut off, held in the bounds, from the lower one."""
    if end <= low:
        return 0
    if end >= high:
        return high - low
    whole = end.floor().unique_fmpz()
    assert whole is not None  # the end of a range is exact, and lies between whole bounds
    return int(whole) - low


def _level(tape: Tape, values: Array) -> Term:
    low, high = float(values.min()), float(values.max())
    return tape.constant(arb(low)) if low == high else tape.any_of(arb(low), arb(high))
