"""What a lookup table means in real numbers, between its breakpoints too, and bands around it.

A table is a grid of values, mixed along each input: linearly, or by a uniform cubic B-spline (de
Boor 1978). Over a box inside one cell of the grid that is a polynomial, whose coefficients are
found in float64 with what that loses counted. What the C's arithmetic makes of it is bounded in
:mod:`distill.proving.table_rounding`.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.bounds.boxes import Boxes
from distill.bounds.enclosure import Enclosure, pairs
from distill.bounds.rounding import TINY, gamma

Kind = Literal["single", "whole", "linear", "cubic"]

LINEAR = np.array([[1.0, -1.0], [0.0, 1.0]])
"""The weights of the values of a linear cell, by powers of the place t in it."""

CUBIC = np.array([[1, -3, 3, -1], [4, 0, -6, 3], [1, 3, 3, -3], [0, 0, 0, 1]]) / 6
"""The same of a cell of a uniform cubic B-spline."""

STEPS = 40
"""Roundings of float64 that one axis adds to a coefficient, and more."""


@dataclass(frozen=True, eq=False)
class GridAxis:
    """One input of the grid.

    Attributes
    ----------
    breakpoints : of interpolated axes where the cells begin and end, increasing (cells + 1,); of
        whole-number axes the numbers themselves; of a single value nothing.
    discrete : whether only whole numbers occur along it.
    """

    kind: Kind
    breakpoints: Array
    discrete: bool = False

    @property
    def order(self) -> int:
        """How many neighbouring values are mixed."""
        return {"single": 1, "whole": 1, "linear": 2, "cubic": 4}[self.kind]

    @property
    def values(self) -> int:
        """How many values the grid has along it."""
        if self.order == 1:
            return max(1, len(self.breakpoints))
        return len(self.breakpoints) + self.order - 2

    @property
    def mixing(self) -> Array:
        """The weights of a cell's values by powers of the place in it, (order, order)."""
        return LINEAR if self.kind == "linear" else CUBIC

    def cell(self, x: Array) -> npt.NDArray[np.intp]:
        """The number of the cell (of the value, along whole numbers) in which x (n,) lies."""
        if self.kind == "single":
            return np.zeros(len(x), dtype=np.intp)
        if self.kind == "whole":
            whole = np.rint(x - self.breakpoints[0]).astype(np.intp)
            last: npt.NDArray[np.intp] = np.clip(whole, 0, len(self.breakpoints) - 1)
            return last
        found = np.searchsorted(self.breakpoints, x, side="right") - 1
        cell: npt.NDArray[np.intp] = np.clip(found, 0, len(self.breakpoints) - 2)
        return cell

    def one_cell(self, low: Array, high: Array) -> npt.NDArray[np.bool_]:
        """Whether [low, high] (n,) lies within one cell, ends included."""
        if self.kind == "single":
            return np.ones(len(low), dtype=bool)
        if self.kind == "whole":
            return np.asarray(low == high)
        first = self.cell(low)
        begin, end = self.breakpoints[first], self.breakpoints[first + 1]
        return np.asarray((begin <= low) & (high <= end))

    def cut(self, low: Array, high: Array, middle: Array) -> Array:
        """The breakpoint strictly inside [low, high] nearest to its middle, or NaN, (n,)."""
        cut = np.full(len(low), np.nan)
        if self.order == 1:
            return cut
        inner = np.floor(self.breakpoints) if self.discrete else self.breakpoints
        at = np.searchsorted(inner, middle)
        for near in (at - 1, at):
            place = inner[np.clip(near, 0, len(inner) - 1)]
            # Of whole numbers the cut itself belongs to the part below.
            fits = (low <= place if self.discrete else low < place) & (place < high)
            closer = ~(np.abs(cut - middle) <= np.abs(place - middle))
            cut = np.where(fits & closer, place, cut)
        return cut


@dataclass(frozen=True, eq=False)
class Interpolant:
    """``offset + scale *`` the mixed ``levels``, an array of one dimension for each axis.

    An ``Enclosable``: a function of real numbers, continuous along interpolated axes.
    """

    axes: tuple[GridAxis, ...]
    levels: Array
    offset: float = 0.0
    scale: float = 1.0

    @property
    def inputs(self) -> int:
        """D."""
        return len(self.axes)

    def __call__(self, x: Array) -> Array:
        """Values (n,) at x (n, d), in float64."""
        boxes = Boxes(x.T, x.T)
        centre, _ = self._coefficients(boxes)
        first = centre.reshape(len(x), -1)[:, 0]
        return np.asarray(self.offset + self.scale * first)

    def enclose(self, boxes: Boxes) -> Enclosure:
        """A band of every box; over more than one cell no more than the table's whole range."""
        d, n = self.inputs, boxes.count
        inside = np.ones(n, dtype=bool)
        crossing = np.zeros((d, n), dtype=bool)
        for i, axis in enumerate(self.axes):
            crossing[i] = ~axis.one_cell(boxes.low[i], boxes.high[i])
            inside &= ~crossing[i]
        low, high = self.extent
        centre, slope = np.zeros(n), np.zeros((d, n))
        curve = np.zeros((len(pairs(d)), n))
        least, most = np.full(n, low), np.full(n, high)
        blame = np.where(crossing, high - low, 0.0)
        at = np.flatnonzero(inside)
        if len(at):
            inner = self._polynomial(boxes.take(at))
            centre[at], slope[:, at], curve[:, at] = inner.centre, inner.slope, inner.curve
            least[at], most[at], blame[:, at] = inner.low, inner.high, inner.blame
        return Enclosure(centre, slope, curve, least, most, blame)

    def cuts(self, boxes: Boxes) -> Array:
        """The breakpoints at which boxes over several cells are best split, (d, n)."""
        return np.stack(
            [
                axis.cut(boxes.low[i], boxes.high[i], boxes.middle[i])
                for i, axis in enumerate(self.axes)
            ]
        )

    @cached_property
    def extent(self) -> tuple[float, float]:
        """Bounds of the table everywhere: weights are never negative and sum up to one."""
        ends = [self.offset + self.scale * float(v) for v in (self.levels.min(), self.levels.max())]
        slack = gamma(4) * (abs(self.offset) + abs(self.scale) * float(np.abs(self.levels).max()))
        return min(ends) - slack, max(ends) + slack

    @cached_property
    def _mixed(self) -> tuple[int, ...]:
        """The axes that are interpolated along."""
        return tuple(i for i, axis in enumerate(self.axes) if axis.order > 1)

    def _polynomial(self, boxes: Boxes) -> Enclosure:
        """The bands of boxes that lie in one cell each."""
        d, n = self.inputs, boxes.count
        found, sizes = self._coefficients(boxes)
        number = {pair: at for at, pair in enumerate(pairs(d))}
        centre, slope = np.zeros(n), np.zeros((d, n))
        curve, blame = np.zeros((len(number), n)), np.zeros((d, n))
        low, high = np.zeros(n), np.zeros(n)
        for powers in itertools.product(*(range(self.axes[i].order) for i in self._mixed)):
            place: tuple[slice | int, ...] = (slice(None), *powers)
            term = self.scale * found[place]
            inputs = [i for i, power in zip(self._mixed, powers, strict=True) for _ in range(power)]
            if not inputs:
                centre += self.offset + term
            elif len(inputs) == 1:
                slope[inputs[0]] += term
            elif len(inputs) == 2:
                curve[number[inputs[0], inputs[1]]] += term
            else:
                even = all(power % 2 == 0 for power in powers)
                low += np.minimum(term, 0.0) if even else -np.abs(term)
                high += np.maximum(term, 0.0) if even else np.abs(term)
                for i in set(inputs):
                    blame[i] += np.abs(term) * inputs.count(i)
        steps = STEPS * (len(self._mixed) + 1) + sizes.shape[1]
        slack = gamma(steps) * (abs(self.offset) + abs(self.scale) * sizes.sum(axis=1)) + TINY
        return Enclosure(centre, slope, curve, low - slack, high + slack, blame)

    def _coefficients(self, boxes: Boxes) -> tuple[Array, Array]:
        """Coefficients in e of the mixed levels, (n, order of each mixed axis), and magnitudes.

        The magnitudes (n, m) are sums of absolute values of what the coefficients are sums of.
        """
        at = [axis.cell(boxes.middle[i]) for i, axis in enumerate(self.axes)]
        index = []
        for i, axis in enumerate(self.axes):
            if i in self._mixed:
                shape = [1] * (1 + len(self._mixed))
                shape[1 + self._mixed.index(i)] = axis.order
                steps = np.arange(axis.order).reshape(shape)
            else:
                steps = np.zeros((1,) * (1 + len(self._mixed)), dtype=int)
            index.append(at[i].reshape(-1, *[1] * len(self._mixed)) + steps)
        orders = [self.axes[i].order for i in self._mixed]
        size = math.prod(orders)
        found = self.levels[tuple(index)].reshape(boxes.count, size)
        sizes = np.abs(found)
        behind = 1
        for i in reversed(self._mixed):
            axis = self.axes[i]
            low, high = axis.breakpoints[at[i]], axis.breakpoints[at[i] + 1]
            place, reach = (boxes.middle[i] - low) / (high - low), boxes.radius[i] / (high - low)
            weights = shifted(axis.mixing, place, reach)
            whole = shifted(np.abs(axis.mixing), np.abs(place), reach)
            rows = (boxes.count, size // (behind * axis.order), axis.order, behind)
            found = np.einsum("nakq,nkr->narq", found.reshape(rows), weights)
            sizes = np.einsum("nakq,nkr->narq", sizes.reshape(rows), whole)
            behind *= axis.order
        return found.reshape(boxes.count, *orders), sizes.reshape(boxes.count, size)

    def to_data(self) -> dict[str, object]:
        """Plain data: the whole function, its floats exact."""
        axes: list[dict[str, object]] = []
        for axis in self.axes:
            row: dict[str, object] = {"kind": axis.kind}
            if axis.kind == "whole":
                row |= {"first": float(axis.breakpoints[0]), "count": len(axis.breakpoints)}
            elif axis.order > 1:
                row["breakpoints"] = axis.breakpoints.tolist()
            axes.append(row)
        flat = self.levels.ravel().tolist()
        values = [int(v) if v.is_integer() else v for v in flat]
        return {
            "version": 1,
            "axes": axes,
            "offset": self.offset,
            "scale": self.scale,
            "values": values,
        }


def shifted(weights: Array, place: Array, reach: Array) -> Array:
    """Weights by powers of t as weights by powers of e, t = place + reach e: (n, order, order)."""
    order = len(weights)
    moved = np.zeros((len(place), order, order))
    for power in range(order):
        for q in range(power + 1):
            factor = math.comb(power, q) * place ** (power - q) * reach**q
            moved[:, :, q] += factor[:, None] * weights[:, power]
    return moved
