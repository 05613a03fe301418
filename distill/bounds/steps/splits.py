"""Where boxes of the inputs are best split for the jumps of a chain: at its own thresholds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from distill.arrays import Array
from distill.bounds.boxes import Boxes
from distill.bounds.steps.cells import tree_of
from distill.bounds.trees import Forest
from distill.chain.chain import Chain
from distill.chain.checks import Whole
from distill.chain.steps.columns import Branches, OneHot, Pick
from distill.chain.steps.elementwise import Above, Apply, Scale, Stretch
from distill.chain.steps.logic import Logic
from distill.chain.steps.packed import Packed
from distill.chain.steps.trees import Trees

_SLIVER = 2.0**-46
"""Relative to the numbers that a scaler adds: what its rounding may move a threshold by."""


class Guide(Protocol):
    """What has thresholds."""

    def cuts(self, low: Array, high: Array) -> tuple[Array, Whole]:
        """Where boxes (k, n) are best cut, NaN for nowhere, and how much hangs on it."""
        ...


@dataclass(frozen=True, eq=False)
class Marks:
    """Thresholds of each input alone, ascending; the middle one of those in a box is taken."""

    marks: tuple[Array, ...]

    def cuts(self, low: Array, high: Array) -> tuple[Array, Whole]:
        """All count the same."""
        cuts, weights = np.full(low.shape, np.nan), np.zeros(low.shape, dtype=np.int64)
        for row, marks in enumerate(self.marks):
            first = np.searchsorted(marks, low[row], side="left")
            last = np.searchsorted(marks, high[row], side="left")
            inside = first < last
            cuts[row, inside] = marks[((first + last) // 2)[inside]]
            weights[row, inside] = 1
        return cuts, weights


@dataclass(frozen=True, eq=False)
class _Line:
    """Numbers that are ``factor * x[column] + offset``, each (k,)."""

    columns: Whole
    factor: Array
    offset: Array


@dataclass(frozen=True, eq=False)
class Splits:
    """The thresholds of a chain that ask for inputs alone, scaled or not."""

    inputs: int
    guides: tuple[tuple[Guide, _Line], ...]

    def __call__(self, boxes: Boxes) -> Array | None:
        """The cut with the most weight along each axis, (d, n); None where there is no guide."""
        if not self.guides:
            return None
        best = np.full(boxes.low.shape, np.nan)
        weight = np.zeros(boxes.low.shape)
        for guide, line in self.guides:
            cuts, counts = _back(guide, line, boxes)
            for row, column in enumerate(line.columns.tolist()):
                better = ~np.isnan(cuts[row]) & (counts[row] > weight[column])
                best[column] = np.where(better, cuts[row], best[column])
                weight[column] = np.where(better, counts[row], weight[column])
        return best


def _back(guide: Guide, line: _Line, boxes: Boxes) -> tuple[Array, Whole]:
    """A guide's cuts as numbers of the inputs, (k, n)."""
    low, high = boxes.low[line.columns], boxes.high[line.columns]
    factor, offset = line.factor[:, None], line.offset[:, None]
    a, b = factor * low + offset, factor * high + offset
    cuts, counts = guide.cuts(np.minimum(a, b), np.maximum(a, b))
    plain = (line.factor == 1) & (line.offset == 0)
    with np.errstate(all="ignore"):
        moved = (cuts - offset) / factor
        wide = _SLIVER * (np.abs(low) + np.abs(high) + np.abs(offset / factor))
    # Rounding leaves a sliver around the threshold in which both sides are possible.
    below, above = moved - wide, moved + wide
    moved = np.where((low <= below) & (below < high), below, above)
    moved = np.where((low <= moved) & (moved < high), moved, np.nan)
    return np.where(plain[:, None], cuts, moved), counts


def chain_splits(chain: Chain) -> Splits:
    """The thresholds of a chain that its inputs reach unchanged, or through scalers."""
    unit = _Line(np.arange(chain.inputs), np.ones(chain.inputs), np.zeros(chain.inputs))
    return Splits(chain.inputs, tuple(_guides(chain, unit)))


def _guides(chain: Chain, line: _Line) -> Iterator[tuple[Guide, _Line]]:
    for step in chain.steps:
        if isinstance(step, Pick):
            at = step.columns
            line = _Line(line.columns[at], line.factor[at], line.offset[at])
        elif isinstance(step, Scale):
            line = replace(
                line,
                factor=line.factor / step.divisor,
                offset=(line.offset - step.shift) / step.divisor,
            )
        elif isinstance(step, Stretch) and step.factor.all():
            line = replace(
                line,
                factor=line.factor * step.factor,
                offset=line.offset * step.factor + step.offset,
            )
        elif isinstance(step, Apply) and step.function == "identity":
            continue
        else:
            if isinstance(step, Branches):
                for branch in step.chains:
                    yield from _guides(branch, line)
            elif (guide := _guide(step)) is not None:
                yield guide, line
            return


def _guide(step: object) -> Guide | None:
    if isinstance(step, Trees):
        return Forest.of(step)
    if isinstance(step, Logic | Packed):
        return Forest.of(tree_of(step))
    if isinstance(step, Above):
        return Marks(tuple(step.threshold[:, None]))
    if isinstance(step, OneHot):
        return Marks(tuple(_sides(values) for values in step.categories))
    return None


def _sides(values: Sequence[float] | Array) -> Array:
    """A number and the one below it: cut at both, a box holds it alone."""
    known = np.asarray(values)[~np.isnan(values)]
    sides: Array = np.sort(np.concatenate([np.nextafter(known, -np.inf), known]))
    return sides
