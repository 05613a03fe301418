"""Whole numbers in bounds: their place in a word or a table, the levels found there, and conditions
on them as trees.
"""

from __future__ import annotations

import numpy as np

from distill.arrays import Array
from distill.chain.base import Real
from distill.chain.checks import Whole
from distill.errors import FormulaError
from distill.formula.tree import Node, Number, call

MAX_ROWS = 2**20
"""How many points a table may have; a word of bits has as many values at most."""


_EXACT = 2**24
"""Whole numbers up to here are exact in float32."""


def widths(lows: Whole, highs: Whole) -> Whole:
    """How many bits each input takes, (d,)."""
    spans = [max(int(high) - int(low), 0) for low, high in zip(lows, highs, strict=False)]
    return np.array([span.bit_length() for span in spans], dtype=np.int64)


def index_of(x: Array, lows: Whole, highs: Whole, steps: Whole, real: Real) -> Whole:
    """The word or row of points x (n, d), every operation rounded to ``real``, shape (n,)."""
    kind = np.dtype(np.float32 if real == "float32" else np.float64).type
    index = np.zeros(len(x), dtype=np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        for column, low, high, step in zip(x.T, lows, highs, steps, strict=True):
            off = column.astype(kind) - kind(low)
            held = np.where(off > 0, np.where(off < high - low, off, kind(high - low)), kind(0))
            index += (held + kind(0.5)).astype(np.int64).clip(max=high - low) * step
    return index


def leveled(codes: Whole, levels: tuple[Array, ...], real: Real) -> Array:
    """The levels that codes (n, k) are the numbers of, rounded to ``real``."""
    answers = np.stack([v[c] for v, c in zip(levels, codes.T, strict=True)], axis=1)
    if real == "float32":
        with np.errstate(over="ignore", under="ignore"):
            return answers.astype(np.float32).astype(np.float64)
    return answers


def stepped(x: Node, low: int, values: Array) -> Node:
    """A function of a whole number from ``low`` on as nested conditions."""
    if (values == values[0]).all():
        return Number(float(values[0]))
    changes = np.flatnonzero(np.diff(values)) + 1
    at = int(changes[len(changes) // 2])
    below, above = stepped(x, low, values[:at]), stepped(x, low + at, values[at:])
    return call("ifless", x, Number(low + at - 0.5), below, above)


def check_bounds(lows: Whole, highs: Whole, counts: Whole) -> None:
    """Hold the bounds (d,) of whole numbers to what float32 and the table's limit allow.

    Raises
    ------
    FormulaError : for bounds that are none, are too far out, or have too many points between them.
    """
    if lows.ndim != 1 or lows.shape != highs.shape or not len(lows) or (lows >= highs).any():
        raise FormulaError(
            "the bounds of whole inputs must be two arrays (d,), each low below its high."
        )
    if max(-int(lows.min()), int(highs.max())) > _EXACT:
        raise FormulaError(
            f"a whole input goes past {_EXACT:,}, where float32 leaves numbers out.",
            hint="count it from another number, so that it stays below.",
        )
    points = 1
    for count in counts.tolist():
        points *= count
    if points > MAX_ROWS:
        raise FormulaError(
            f"the whole inputs have {points:,} combinations; {MAX_ROWS:,} is the limit.",
            hint="narrow their bounds, or let the search find a formula.",
        )


def check_levels(levels: tuple[Array, ...]) -> None:
    """Hold the levels of outputs to be finite, one at least.

    Raises
    ------
    FormulaError : when they are not.
    """
    if not levels or any(v.ndim != 1 or not len(v) or not np.isfinite(v).all() for v in levels):
        raise FormulaError("every output of a table needs one finite level at least.")
