"""Axes whose cells differ in width: powers of two, and free breakpoints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.firmware.axes import ONE, Cells, Indices, Weights

FLOAT_UNITS = 2**24 - 256
"""Positions along an axis of powers of two when the input is a float: never 2^24, once rounded."""

PLACED_BITS = 16


@dataclass(frozen=True)
class PowerOfTwo(Cells):
    """Runs of equal cells, ``2**shifts[i]`` positions wide from ``starts[i]``.

    One run needs no search.
    Every start is a multiple of the widths on both sides, so that masks give the weights.
    """

    starts: tuple[int, ...]
    shifts: tuple[int, ...]
    cubic: bool = False

    @property
    def order(self) -> int:
        """How many neighbouring values are mixed."""
        return 4 if self.cubic else 2

    @property
    def name(self) -> str:
        """The spacing in words."""
        if self.cubic:
            return "cubic of a power of two"
        return "of a power of two" if len(self.starts) == 1 else "of powers of two"

    @property
    def units(self) -> float:
        """The position of the high bound when the input is a float."""
        return float(FLOAT_UNITS)

    @cached_property
    def firsts(self) -> tuple[int, ...]:
        """The number of the first cell of every run."""
        firsts = [0]
        for (start, end), shift in zip(pairwise(self.starts), self.shifts, strict=False):
            firsts.append(firsts[-1] + ((end - start) >> shift))
        return tuple(firsts)

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self.firsts[-1] + ((self.span - self.starts[-1]) >> self.shifts[-1]) + 1

    @property
    def reach(self) -> float:
        """Where the last cell ends, by the length of the axis."""
        last = self.cells - self.firsts[-1]
        return (self.starts[-1] + (last << self.shifts[-1])) / self.span

    @property
    def unit(self) -> int:
        """The starts are stored without so many low bits, which are zero."""
        return min(self.shifts)

    @cached_property
    def index_type(self) -> type[np.unsignedinteger[Any]]:
        """What holds the number of a cell."""
        return np.uint8 if self.cells <= 256 else np.uint16

    @cached_property
    def arrays(self) -> dict[str, npt.NDArray[np.unsignedinteger[Any]]]:
        """Starts, shifts, and what is added to the position in cells, modulo the index type."""
        if len(self.starts) == 1:
            return {}
        starts = [start >> self.unit for start in self.starts]
        adds = [
            (first - (start >> shift)) % (np.iinfo(self.index_type).max + 1)
            for first, start, shift in zip(self.firsts, self.starts, self.shifts, strict=True)
        ]
        small = np.uint8 if max(starts) < 256 else np.uint16
        return {
            "start": np.array(starts, dtype=small),
            "shift": np.array(self.shifts, dtype=np.uint8),
            "add": np.array(adds, dtype=self.index_type),
        }

    def place(self, x: npt.NDArray[Any]) -> tuple[Indices, Weights]:
        """The first value that is mixed, and the weight."""
        p = self.position(x)
        run = np.searchsorted(np.array(self.starts), p, side="right") - 1
        shift = np.array(self.shifts)[run]
        cell = np.array(self.firsts)[run] + ((p - np.array(self.starts)[run]) >> shift)
        # Shifted to the left, the cell's number falls out of 32 bits and needs no mask.
        part = (p << (32 - shift)) & 0xFFFF_FFFF
        return cell, (part >> 16).astype(np.uint32)

    def breakpoints(self) -> Array:
        """The inputs at which cells begin or end."""
        runs = [
            np.arange(start, end, 1 << shift)
            for start, end, shift in zip(
                self.starts, (*self.starts[1:], self.span + 1), self.shifts, strict=True
            )
        ]
        return self._at(np.append(np.concatenate(runs), self.span).astype(float))


@dataclass(frozen=True)
class Placed(Cells):
    """Free breakpoints at positions of 16 bits: ``starts`` of the cells; a reciprocal for each."""

    starts: tuple[int, ...]

    @property
    def order(self) -> int:
        """How many neighbouring values are mixed."""
        return 2

    @property
    def name(self) -> str:
        """The spacing in words."""
        return "placed"

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return len(self.starts)

    @property
    def units(self) -> float:
        """The position of the high bound when the input is a float."""
        return float(ONE - 1)

    @property
    def coarse(self) -> int:
        """By how many bits the position is shifted to have 16."""
        return max(0, self.span.bit_length() - PLACED_BITS)

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """Where the cells end."""
        return (*self.starts[1:], (self.span >> self.coarse) + 1)

    @cached_property
    def widths(self) -> Indices:
        """Positions in every cell."""
        widths: Indices = np.array(self.ends, dtype=np.int64) - np.array(self.starts)
        return widths

    @cached_property
    def exponent(self) -> int:
        """The weight is ``distance * reciprocal >> exponent``; the reciprocals have 16 bits."""
        return max(0, int(self.widths.min()).bit_length() - 1)

    @cached_property
    def reciprocals(self) -> Indices:
        """``2^(16 + exponent) / width``, below 2^16."""
        whole: Indices = np.minimum((ONE << self.exponent) // self.widths, ONE - 1)
        return whole

    @cached_property
    def arrays(self) -> dict[str, npt.NDArray[np.unsignedinteger[Any]]]:
        """What the C stores to find the cell, by a suffix for its name."""
        return {
            "start": np.array(self.starts, dtype=np.uint16),
            "reciprocal": self.reciprocals.astype(np.uint16),
        }

    def place(self, x: npt.NDArray[Any]) -> tuple[Indices, Weights]:
        """The first value that is mixed, and the weight."""
        p = self.position(x) >> self.coarse
        cell = np.searchsorted(np.array(self.starts), p, side="right") - 1
        distance = p - np.array(self.starts)[cell]
        return cell, ((distance * self.reciprocals[cell]) >> self.exponent).astype(np.uint32)

    def breakpoints(self) -> Array:
        """The inputs at which cells begin or end."""
        ends = np.array([*self.starts, self.ends[-1]], dtype=float)
        return self._at(ends * 2.0**self.coarse)
