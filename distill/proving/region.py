"""Which inputs the guard sends to the table, as boxes in real numbers.

The C finds an input's cell in its own arithmetic, which rounds: nearer to a face of a cell than
``margin`` either side may answer. So a box *touches* every cell that is nearer to it than that.
Whole-number inputs are told apart exactly.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.arrays import Array, Flags
from distill.bounds.boxes import Boxes
from distill.firmware.axes import bounds
from distill.firmware.fixed.formats import input_bounds, input_format
from distill.firmware.graph import dtype
from distill.firmware.guard import Guard

Index = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Region:
    """The guarded and the other inputs of a guard.

    Attributes
    ----------
    guard : which cells are guarded.
    edges : along each input the faces between its cells, increasing; of whole numbers halves.
    margin : how near to a face the C may decide either way, (d,).
    """

    guard: Guard
    edges: tuple[Array, ...]
    margin: Array

    @classmethod
    def of(cls, guard: Guard) -> Region:
        """The regions of a guard."""
        found = [_edges(guard, i) for i in range(len(guard.counts))]
        return cls(guard, tuple(e for e, _ in found), np.array([margin for _, margin in found]))

    def touched(self, boxes: Boxes) -> tuple[Index, Index]:
        """The first and the last cell (d, n) that the C may take for an input of each box."""
        return self._cells(boxes, self.margin)

    def _cells(self, boxes: Boxes, margin: Array) -> tuple[Index, Index]:
        first = [
            np.searchsorted(edges + m, low, side="right")
            for edges, m, low in zip(self.edges, margin, boxes.low, strict=True)
        ]
        last = [
            np.searchsorted(edges - m, high, side="left" if m == 0 else "right")
            for edges, m, high in zip(self.edges, margin, boxes.high, strict=True)
        ]
        return np.stack(first), np.maximum(np.stack(first), np.stack(last))

    def guarded(self, boxes: Boxes) -> tuple[Flags, Flags]:
        """Whether all, and whether any input of each box may go to the table, (n,) and (n,)."""
        first, last = self.touched(boxes)
        count = np.zeros(boxes.count, dtype=np.int64)
        for ends in itertools.product((0, 1), repeat=len(first)):
            at = tuple(last[i] + 1 if end else first[i] for i, end in enumerate(ends))
            count += (-1) ** (len(ends) - sum(ends)) * self._before[at]
        return count == np.prod(last + 1 - first, axis=0), count > 0

    def inside_one(self, boxes: Boxes) -> Flags:
        """Whether each box lies wholly in one of :attr:`listed`, (n,)."""
        first, last = self._cells(boxes, np.zeros(len(self.edges)))
        owner = self._owner[tuple(first)] - 1
        if not len(self._merged):
            return np.zeros(boxes.count, dtype=bool)
        own = self._merged[np.maximum(owner, 0)]
        fits = (first >= own[:, :, 0].T) & (last <= own[:, :, 1].T)
        return np.asarray((owner >= 0) & fits.all(axis=0))

    def cut(self, low: Array, high: Array) -> tuple[int, float] | None:
        """The input and the place at which a box (d,) is best split, so that its parts are one.

        The face nearest to its middle between cells of different answers; None where there is
        none, or it lies too near to an end.
        """
        box = Boxes(low[:, None], high[:, None])
        first, last = (side[:, 0] for side in self.touched(box))
        owner = self._owner[tuple(slice(f, e + 1) for f, e in zip(first, last, strict=True))]
        best: tuple[float, int, float] | None = None
        for i, edges in enumerate(self.edges):
            others = tuple(k for k in range(owner.ndim) if k != i)
            differ = np.flatnonzero((np.diff(owner, axis=i) != 0).any(axis=others))
            m, wide = self.margin[i], high[i] - low[i]
            faces = edges[first[i] + differ]
            # The part below ends before the margin, the part above begins behind it.
            outside = (np.nextafter(faces - m, -np.inf), faces, faces + m)
            places = np.sort(np.concatenate(outside)) if m else np.floor(faces)
            places = places[(places >= low[i]) & (places < high[i])]
            if not len(places):
                continue
            away = np.abs(places - (low[i] + wide / 2)) / wide
            at = int(away.argmin())
            if best is None or away[at] < best[0]:
                best = (float(away[at]), i, float(places[at]))
        return None if best is None else (best[1], best[2])

    @cached_property
    def listed(self) -> Boxes:
        """The guarded boxes of the input space, their faces where the cells' are."""
        return self._space(self._merged)

    @cached_property
    def others(self) -> Boxes:
        """Boxes that hold every input that the formula may be asked for, the margin included."""
        left = Guard(self.guard.domain, ~self.guard.flags, self.guard.arithmetic)
        space = self._space(merged(left))
        domain, m = self.guard.domain, self.margin[:, None]
        low = np.maximum(space.low - m, domain.low[:, None])
        return Boxes(low, np.minimum(space.high + m, domain.high[:, None]))

    def cells(self, numbers: Index) -> Boxes:
        """The boxes of cells (m, d), the margin included."""
        space = self._space(np.stack([numbers, numbers], axis=2))
        domain, m = self.guard.domain, self.margin[:, None]
        low = np.maximum(space.low - m, domain.low[:, None])
        return Boxes(low, np.minimum(space.high + m, domain.high[:, None]))

    def _space(self, cells: npt.NDArray[Any]) -> Boxes:
        """Boxes of cells (m, d, 2), first and last, as boxes of inputs."""
        domain = self.guard.domain
        low, high = np.zeros((2, len(self.edges), len(cells)))
        for i, (edges, variable) in enumerate(zip(self.edges, domain.variables, strict=True)):
            ends = np.concatenate([[variable.low], edges, [variable.high]])
            low[i], high[i] = ends[cells[:, i, 0]], ends[cells[:, i, 1] + 1]
            if variable.discrete:
                low[i], high[i] = np.ceil(low[i]), np.floor(high[i])
        return Boxes(low, high)

    @cached_property
    def _merged(self) -> npt.NDArray[np.int64]:
        return merged(self.guard)

    @cached_property
    def _owner(self) -> npt.NDArray[np.int64]:
        """Of every cell the number of the merged box it belongs to, from 1; 0 outside."""
        owner = np.zeros(self.guard.counts, dtype=np.int64)
        for number, box in enumerate(self._merged, start=1):
            owner[tuple(slice(int(f), int(e) + 1) for f, e in box)] = number
        return owner

    @cached_property
    def _before(self) -> npt.NDArray[np.int64]:
        """How many guarded cells lie before a cell along every input."""
        sums = self.guard.flags.astype(np.int64)
        for axis in range(sums.ndim):
            sums = np.cumsum(sums, axis=axis)
        return np.pad(sums, [(1, 0)] * sums.ndim)


def merged(guard: Guard) -> npt.NDArray[np.int64]:
    """The guarded cells as boxes (m, d, 2) of first and last cells; none of them overlap."""
    d = len(guard.counts)
    if guard.empty:
        return np.zeros((0, d, 2), dtype=np.int64)
    if not guard.read:
        return np.stack([np.zeros(d), np.array(guard.counts) - 1.0], axis=1)[None].astype(np.int64)
    boxes = guard.boxes.astype(np.int64).reshape(-1, len(guard.read), 2)
    whole = np.zeros((len(boxes), d, 2), dtype=np.int64)
    whole[:, list(guard.read)] = boxes
    return whole


def _edges(guard: Guard, i: int) -> tuple[Array, float]:
    """The faces between the cells along an input, and the margin."""
    variable, count = guard.domain.variables[i], guard.counts[i]
    number = np.arange(1, count)
    if guard.arithmetic == "fixed":
        step = input_format(variable).step
        starts = input_bounds(variable)[0] + (number << guard.shift(i))
        edges = np.asarray(starts * step, dtype=float)
        if variable.discrete:
            return edges - 0.5, 0.0
        # An input is rounded to the nearest number of its format.
        return edges, 0.5 * step + 4 * _ulp(variable.low, variable.high)
    unit = float(np.finfo(dtype(guard.arithmetic)).eps) / 2
    low, step = bounds(variable, guard.arithmetic)[0], guard.step(i)
    edges = low + number / step
    if variable.discrete:
        return _whole_edges(guard, i, edges), 0.0
    margin = 2.01 * unit * (count + 1) / step
    return edges, margin + 4 * _ulp(variable.low, variable.high)


def _whole_edges(guard: Guard, i: int, near: Array) -> Array:
    """Between which whole numbers cells change, of which the C's own arithmetic is asked."""
    number = np.arange(1, guard.counts[i])
    found = np.floor(near) - 1
    for _ in range(3):
        x = np.repeat(guard.domain.low[None, :], len(found), axis=0)
        x[:, i] = guard.domain.clip(np.repeat(found[:, None], x.shape[1], axis=1))[:, i]
        found += guard.cells(x)[:, i] < number
    return found - 0.5


def _ulp(low: float, high: float) -> float:
    return float(np.spacing(max(abs(low), abs(high))))
