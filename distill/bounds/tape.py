"""A function as a tape of blocks, and its band over boxes.

One pass forward finds centre, slopes and remainders of every row (affine arithmetic with a
remainder); one pass back from the output weighs what every non-linear row adds: its parabola's
quadratic terms are collected with their signs, so that they cancel where they do, and its
remainder counts by the output's slope by it. So bands are off by the third order of a box's size.

The weights are those of linear relaxations of networks (Zhang et al., Efficient Neural Network
Robustness Certification with General Activation Functions, 2018); the quadratic terms are those
of Taylor models (Makino and Berz, 2003).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.bounds.blocks.base import Block
from distill.bounds.boxes import Boxes
from distill.bounds.enclosure import Enclosure, joined
from distill.bounds.form import Form, formed
from distill.bounds.gathered import Gathered
from distill.bounds.jets import Range
from distill.bounds.rounding import gamma

HELD = 2**19
"""Numbers that the slopes of one block hold at most: what is done at once stays in the cache."""


@dataclass(frozen=True, eq=False)
class Tape:
    """Blocks in a row, the inputs before them as number 0; the output is row ``row`` of the last.

    Attributes
    ----------
    inputs : how many inputs there are.
    blocks : every one made from earlier ones.
    width : the rows of the widest.
    values : the function itself, (n, d) -> (n,) in float64.
    splits : where boxes are best split, if not in the middle; see ``Enclosable.cuts``.
    """

    inputs: int
    blocks: tuple[Block, ...]
    row: int
    width: int
    values: Callable[[Array], Array]
    splits: Callable[[Boxes], Array | None] | None = None

    def __call__(self, x: Array) -> Array:
        """Values (n,) at x (n, d)."""
        with np.errstate(all="ignore"):
            return self.values(x)

    def cuts(self, boxes: Boxes) -> Array | None:
        """Where boxes are best split."""
        return None if self.splits is None else self.splits(boxes)

    def enclose(self, boxes: Boxes) -> Enclosure:
        """The band over every box."""
        return joined([self._enclose(part) for part in self._parts(boxes)])

    def slopes(self, boxes: Boxes) -> Range:
        """Bounds (d, n) of the derivatives by the inputs over every box; of kinks both sides'.

        Infinite where a jump may be.
        """
        parts = [self._slopes(part) for part in self._parts(boxes)]
        return (
            np.concatenate([low for low, _ in parts], axis=1),
            np.concatenate([high for _, high in parts], axis=1),
        )

    def _parts(self, boxes: Boxes) -> Iterator[Boxes]:
        count = max(64, HELD // (self.width * (self.inputs + 4)))
        for start in range(0, boxes.count, count):
            yield Boxes(boxes.low[:, start : start + count], boxes.high[:, start : start + count])

    def _forward(self, boxes: Boxes) -> tuple[list[Form], list[Any]]:
        slope = np.zeros((boxes.inputs, boxes.inputs, boxes.count))
        slope[np.arange(boxes.inputs), np.arange(boxes.inputs)] = boxes.radius
        none = np.zeros_like(boxes.low)
        forms = [formed(boxes.middle, slope, none, none, boxes.low, boxes.high)]
        kept: list[Any] = [None]
        for block in self.blocks:
            form, keep = block.forward([forms[i] for i in block.sources])
            forms.append(form)
            kept.append(keep)
        return forms, kept

    def _enclose(self, boxes: Boxes) -> Enclosure:
        with np.errstate(all="ignore"):
            forms, kept = self._forward(boxes)
            into = Gathered(boxes.inputs, boxes.count)
            weights: list[Array | None] = [None] * len(forms)
            last = np.zeros_like(forms[-1].centre)
            last[self.row] = 1.0
            weights[-1] = last
            sizes: list[Array | None] = [None] * len(forms)
            uses = [0] * len(forms)
            for at in range(len(forms) - 1, 0, -1):
                weight, block, own = weights[at], self.blocks[at - 1], forms[at]
                if weight is None:
                    continue
                if (size := sizes[at]) is not None:
                    into.noise(gamma(uses[at]) * size, own.rest)
                if own.lost.any():
                    weight = _stopped(weight, own, into)
                given = [forms[i] for i in block.sources]
                for i, part in zip(
                    block.sources, block.backward(weight, given, own, kept[at], into), strict=True
                ):
                    uses[i] += 1
                    before = weights[i]
                    if before is None:
                        weights[i] = part
                        continue
                    parts = np.abs(part) + (np.abs(before) if sizes[i] is None else sizes[i])
                    weights[i], sizes[i] = before + part, parts
            end = forms[-1]
            rounding = into.rounding * (1 + gamma(len(forms) + 64))
            return _known(
                Enclosure(
                    end.centre[self.row],
                    end.slope[self.row],
                    into.curve,
                    into.low - rounding,
                    into.high + rounding,
                    into.blame,
                ),
                end.least[self.row],
                end.most[self.row],
            )

    def _slopes(self, boxes: Boxes) -> Range:
        with np.errstate(all="ignore"):
            forms, _ = self._forward(boxes)
            found: list[Range | None] = [None] * len(forms)
            last = np.zeros_like(forms[-1].centre)
            last[self.row] = 1.0
            found[-1] = (last, last)
            for at in range(len(forms) - 1, 0, -1):
                slope, block = found[at], self.blocks[at - 1]
                if slope is None:
                    continue
                given = [forms[i] for i in block.sources]
                parts = block.steep(slope, given, forms[at])
                for i, part in zip(block.sources, parts, strict=True):
                    found[i] = _added(found[i], part)
            none = np.zeros_like(boxes.low)
            low, high = found[0] or (none, none)
        return np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)


def _added(before: Range | None, part: Range) -> Range:
    """The sum of two ranges."""
    if before is None:
        return part
    low, high = before[0] + part[0], before[1] + part[1]
    slack = gamma(2) * (np.abs(low) + np.abs(high))
    return low - slack, high + slack


def _stopped(weight: Array, own: Form, into: Gathered) -> Array:
    """The weight that goes on: none of rows of which only the range is known."""
    into.remainder(np.where(own.lost, weight, 0.0), own.low, own.high, own)
    return np.where(own.lost, 0.0, weight)


def _known(band: Enclosure, least: Array, most: Array) -> Enclosure:
    """The band; where its remainder is wider than the function's range, that range."""
    span = most - least
    sizes = np.abs(band.centre) + np.abs(band.slope).sum(axis=0) + np.abs(band.curve).sum(axis=0)
    wide = band.high - band.low + 0 * sizes
    ranged = np.isfinite(span) & ~(wide <= span)
    lost = ~np.isfinite(wide) & ~ranged
    if not (ranged.any() or lost.any()):
        return band
    flat = ranged | lost
    middle = np.where(ranged, least / 2 + most / 2, 0.0)
    slack = gamma(3) * (np.abs(least) + np.abs(most))
    return Enclosure(
        np.where(flat, middle, band.centre),
        np.where(flat, 0.0, band.slope),
        np.where(flat, 0.0, band.curve),
        np.where(lost, -np.inf, np.where(ranged, least - middle - slack, band.low)),
        np.where(lost, np.inf, np.where(ranged, most - middle + slack, band.high)),
        np.where(np.isfinite(band.blame), band.blame, 0.0),
    )
