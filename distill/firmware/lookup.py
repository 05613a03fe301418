"""Lookup tables on a grid: what they hold, and a model of the C that reads them, to the bit.

Each axis turns its input into a cell and a weight of 65,536 (:mod:`distill.firmware.axes`). Stored
integers of 8, 16 or 32 bits are mixed as integers, which costs a chip without a floating-point
unit a tenth of mixing floats, and turned into the result once: into a real number, or in fixed
point into an integer of a stated format. Float values are mixed in floats, on even axes only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.domain import Domain
from distill.firmware.axes import Axis, Even
from distill.firmware.fixed.formats import Integers, QFormat, hold
from distill.firmware.graph import Arithmetic, dtype
from distill.firmware.holding import held
from distill.firmware.mixing import (
    cubic,
    level_thirds,
    mix_levels,
    mix_reals,
    mix_wide,
    real_thirds,
)

BLOCK = 65_536
"""Rows read at once, so that the corners of many cells fit into memory."""

HIGHEST = {"uint8": 255, "uint16": 65_535, "uint32": 2**31 - 1}
"""The largest stored integer by type."""

Values = npt.NDArray[np.unsignedinteger[Any]] | npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Table:
    """Values on a grid over ``domain``, one of ``axes`` for each input.

    ``values`` are flat, the last input running fastest. Floats are results. Integers are levels
    and stand for ``offset + scale * level``, where one of 8 bits is the level ``256 * value``. In
    fixed point ``output`` is the format of the result, and offset and scale are exact in it.

    Raises
    ------
    ExportError : when ``arithmetic`` cannot hold the bounds of a variable.
    """

    domain: Domain
    axes: tuple[Axis, ...]
    values: Values
    scale: float = 1.0
    offset: float = 0.0
    arithmetic: Arithmetic = "float32"
    output: QFormat | None = None

    @property
    def quantised(self) -> bool:
        """Whether the values are integers."""
        return bool(self.values.dtype != np.float32)

    @property
    def largest(self) -> float:
        """The largest magnitude that occurs while the answer is put together."""
        if not self.quantised:
            return 2 * float(np.abs(self.values).max())
        kind = self.values.dtype.name
        levels = HIGHEST[kind] * (256.0 if kind == "uint8" else 1.0)
        return abs(self.offset) + self.scale * levels

    @property
    def bytes(self) -> int:
        """The size of everything on the device: values, breakpoints, reciprocals."""
        return int(self.values.nbytes) + sum(axis.bytes for axis in self.axes)

    @property
    def counts(self) -> tuple[int, ...]:
        """Values along each axis."""
        return tuple(axis.values for axis in self.axes)

    @property
    def shape(self) -> str:
        """Such as ``5 cubic x 17 even, uint16``."""
        return f"{' x '.join(axis.describe() for axis in self.axes)}, {self.values.dtype.name}"

    @cached_property
    def interpolated(self) -> tuple[int, ...]:
        """The axes that are interpolated along."""
        return tuple(i for i, axis in enumerate(self.axes) if axis.order > 1)

    @cached_property
    def strides(self) -> tuple[int, ...]:
        """How far apart neighbours along each axis lie in ``values``."""
        return tuple(int(np.prod(self.counts[i + 1 :])) for i in range(len(self.counts)))

    @cached_property
    def readout(self) -> tuple[int, int, int]:
        """In fixed point: offset, M and r of the result ``offset + (level * M + 2^(r-1) >> r)``."""
        assert self.output is not None  # given with fixed point
        factor, divisor = (self.scale / self.output.step).as_integer_ratio()
        return round(self.offset / self.output.step), factor, divisor.bit_length() - 1

    def __call__(self, x: Array) -> Array:
        """What the C answers at x (n, d), shape (n,): the same operations in the same order.

        Points outside are clamped; NaN in any input gives NaN.
        """
        result = np.full(len(x), np.nan)
        if self.arithmetic == "fixed":
            assert self.output is not None
            rows = np.flatnonzero(~np.isnan(x).any(axis=1))
            integers = self.read_integers(hold(x[rows], self.domain))
            result[rows] = self.output.reals(integers)
            return result
        x = held(x, self.domain, self.arithmetic)
        rows = np.flatnonzero(np.isfinite(x).all(axis=1))
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            result[block] = self._read_reals(x[block])
        return result

    def read_integers(self, q: Integers) -> Integers:
        """Fixed point: the results (n,) for inputs (n, d) that are held already, as integers."""
        offset, factor, right = self.readout
        result = np.empty(len(q), dtype=np.int64)
        for start in range(0, len(q), BLOCK):
            level = self._read_levels(q[start : start + BLOCK]).astype(np.int64)
            scaled = (level * factor + ((1 << right) >> 1)) >> right
            result[start : start + BLOCK] = offset + scaled
        return result

    def _read_reals(self, x: Array) -> Array:
        real = dtype(self.arithmetic)
        if self.quantised:
            level = self._read_levels(x)
            mixed: npt.NDArray[Any] = real(self.offset) + real(self.scale) * level.astype(real)
        else:
            mixed = self._read_floats(x)
        return np.asarray(mixed, dtype=float)

    def _read_levels(self, x: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
        at = np.zeros(len(x), dtype=np.int64)
        weights: dict[int, npt.NDArray[np.uint32]] = {}
        for i, axis in enumerate(self.axes):
            first, weights[i] = axis.place(x[:, i])
            at += first * self.strides[i]
        wide = np.uint32(8 if self.values.dtype == np.uint8 else 0)
        level = [self.values[at + o].astype(np.uint32) << wide for o in self.corner_offsets()]
        mix = mix_wide if self.values.dtype == np.uint32 else mix_levels
        mixed: npt.NDArray[np.uint32] = self._mix(level, weights, mix, level_thirds)
        return mixed

    def _read_floats(self, x: Array) -> npt.NDArray[Any]:
        real = dtype(self.arithmetic)
        at = np.zeros(len(x), dtype=np.int64)
        weights: dict[int, npt.NDArray[Any]] = {}
        for i, axis in enumerate(self.axes):
            if isinstance(axis, Even):
                first, weights[i] = axis.place_real(x[:, i])
            else:
                first, _ = axis.place(x[:, i])
            at += first * self.strides[i]
        level = [self.values[at + o].astype(real) for o in self.corner_offsets()]
        return self._mix(level, weights, mix_reals, real_thirds)

    def _mix(
        self,
        level: Sequence[npt.NDArray[Any]],
        weights: Mapping[int, npt.NDArray[Any]],
        mix: Callable[..., npt.NDArray[Any]],
        thirds: Callable[..., list[npt.NDArray[Any]]],
    ) -> npt.NDArray[Any]:
        """The values that meet in a cell become one, the last axis first."""
        for i in reversed(self.interpolated):
            w = weights[i]
            if self.axes[i].order == 2:
                level = [mix(a, b, w) for a, b in zip(level[0::2], level[1::2], strict=True)]
                continue
            u = thirds(w)
            fours = zip(level[0::4], level[1::4], level[2::4], level[3::4], strict=True)
            level = [cubic(four, u, w, mix) for four in fours]
        return level[0]

    def corner_offsets(self) -> list[int]:
        """Where the values that are mixed lie from the first one, the last axis running fastest."""
        offsets = [0]
        for i in self.interpolated:
            steps = range(self.axes[i].order)
            offsets = [o + k * self.strides[i] for o in offsets for k in steps]
        return offsets
