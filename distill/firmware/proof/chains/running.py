"""Numbers with a running error: where the exact ones lie, and how far the C's are from them.

Every operation adds its own rounding to its arguments' errors (Higham, Accuracy and Stability of
Numerical Algorithms, 2002, section 3.3, with intervals in place of points and all orders kept).
Any operation may also be left unrounded: compilers may fuse a product into a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from distill.arrays import Array, Flags
from distill.chain.arithmetic import rounded
from distill.chain.base import Real
from distill.firmware.intervals import LIBRARY_ULPS, Interval, apply, widen
from distill.firmware.rounding import FUNCTION_ULPS

WIDER = 1 + 1e-9
"""For what float64 rounds in bounds of slopes and errors: each is good to some 2^-52."""


@dataclass(frozen=True)
class Machine:
    """What one operation of the C may add."""

    real: Real

    @property
    def _limits(self) -> np.finfo[np.floating]:
        return np.finfo(np.float32 if self.real == "float32" else np.float64)

    @cached_property
    def unit(self) -> float:
        """Half a unit in the last place, relative."""
        return float(self._limits.eps) / 2

    @cached_property
    def tiny(self) -> float:
        """What becomes zero where numbers are too small to be normal."""
        return FUNCTION_ULPS * float(self._limits.tiny)

    @cached_property
    def most(self) -> float:
        """The largest number."""
        return float(self._limits.max)

    @property
    def digits(self) -> int:
        """Binary digits of a number."""
        return int(self._limits.nmant) + 1

    def rounding(self, size: Array) -> Array:
        """Of a sum, product or quotient of at most this size."""
        return self.unit * size + self.tiny

    def library(self, size: Array) -> Array:
        """Of a function of the C library whose value has at most this size."""
        return 2 * FUNCTION_ULPS * self.unit * size + self.tiny

    def held(self, values: Array) -> Array:
        """Constants as the C has them, in float64."""
        return rounded(values, self.real).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Running:
    """Exact numbers within [low, high], the C's within ``error`` of them; arrays of one shape.

    Infinite where nothing is known; where the error is 0 the C has the very number.
    """

    low: Array
    high: Array
    error: Array

    @classmethod
    def exact(cls, low: Array, high: Array) -> Running:
        """What the C has as it is."""
        return cls(low, high, np.zeros(np.shape(low)))

    @classmethod
    def constant(cls, values: Array, machine: Machine) -> Running:
        """Constants of the C, rounded once."""
        values = np.asarray(values, dtype=np.float64)
        return cls(values, values, np.abs(machine.held(values) - values))

    @property
    def size(self) -> Array:
        """The largest magnitude of the exact numbers."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    @property
    def reach(self) -> Running:
        """All that the C may have, taken for exact."""
        return Running.exact(self.low - self.error, self.high + self.error)

    def rows(self, index: npt.NDArray[np.int64]) -> Running:
        """Some rows."""
        return Running(self.low[index], self.high[index], self.error[index])


def stacked(parts: Sequence[Running]) -> Running:
    """Rows one after another."""
    return Running(
        *(np.concatenate([getattr(p, key) for p in parts]) for key in ("low", "high", "error"))
    )


def settled(value: Interval, error: Array, machine: Machine) -> Running:
    """A result; without a bound where it may be no number, or too large for one."""
    low = np.where(np.isnan(value[0]), -np.inf, value[0])
    high = np.where(np.isnan(value[1]), np.inf, value[1])
    size = np.maximum(np.abs(low), np.abs(high))
    lost = np.isnan(error) | ~(size + error <= machine.most)
    return Running(low, high, np.where(lost, np.inf, error))


def _power_of_two(x: Running) -> Flags:
    """Where x is a constant that no product is rounded by."""
    return np.asarray((x.low == x.high) & (np.abs(np.frexp(x.low)[0]) == 0.5) & (x.error == 0))


def _zero(x: Running) -> Flags:
    return np.asarray((x.low == 0) & (x.high == 0) & (x.error == 0))


def add(a: Running, b: Running, machine: Machine) -> Running:
    """``a + b``, rounded once; not at all where one of them is 0."""
    value = apply("add", (a.low, a.high), (b.low, b.high))
    carried = a.error + b.error
    reach = np.maximum(np.abs(value[0]), np.abs(value[1])) + carried
    rounding = np.where(_zero(a) | _zero(b), 0.0, machine.rounding(reach))
    return settled(value, carried + rounding, machine)


def mul(a: Running, b: Running, machine: Machine) -> Running:
    """``a * b``, rounded once; a power of two loses nothing but what becomes too small."""
    value = apply("mul", (a.low, a.high), (b.low, b.high))
    carried = _part(a.error, b.size + b.error) + _part(b.error, a.size)
    reach = np.maximum(np.abs(value[0]), np.abs(value[1])) + carried
    exact = _power_of_two(a) | _power_of_two(b)
    one = exact & ((np.abs(a.low) == 1) | (np.abs(b.low) == 1))
    own = np.where(one, 0.0, np.where(exact, machine.tiny, machine.rounding(reach)))
    return settled(value, carried + own, machine)


def _part(error: Array, factor: Array) -> Array:
    """An error times a factor; no error stays none whatever the factor."""
    error, factor = np.broadcast_arrays(error, factor)
    return np.where(error > 0, error * factor, 0.0)


def div(a: Running, b: Running, machine: Machine) -> Running:
    """``a / b``, rounded once; without a bound where the C's b may be 0."""
    value = apply("div", (a.low, a.high), (b.low, b.high))
    size = np.maximum(np.abs(value[0]), np.abs(value[1]))
    least = np.where((b.low <= 0) & (b.high >= 0), 0.0, np.minimum(np.abs(b.low), np.abs(b.high)))
    left = least - b.error
    moved = (a.error + _part(b.error, size)) / np.where(left > 0, left, 1.0)
    carried = np.where(left > 0, moved * WIDER, np.inf)
    exact = _power_of_two(b)
    one = exact & (np.abs(b.low) == 1)
    reach = size + carried
    own = np.where(one, 0.0, np.where(exact, machine.tiny, machine.rounding(reach)))
    return settled(value, carried + own, machine)


def neg(x: Running) -> Running:
    """``-x``."""
    return Running(-x.high, -x.low, x.error)


def bounded(x: Running, low: float, high: float) -> Running:
    """``x < low ? low : (x > high ? high : x)``, of two constants that the C has as they are."""
    return replace(x, low=np.clip(x.low, low, high), high=np.clip(x.high, low, high))


def called(
    x: Running,
    value: Callable[[Array, Array], Interval],
    steep: Callable[[Array, Array], Array],
    machine: Machine,
) -> Running:
    """A function of the C library: from the ends of intervals its range, and its largest slope."""
    reach = x.reach
    own = value(reach.low, reach.high)
    size = np.maximum(np.abs(own[0]), np.abs(own[1]))
    carried = _part(x.error, steep(reach.low, reach.high) * WIDER)
    return settled(value(x.low, x.high), carried + machine.library(size), machine)


def rising(function: Callable[[Array], Array]) -> Callable[[Array, Array], Interval]:
    """The range of a function that never falls, which NumPy or SciPy compute."""

    def value(low: Array, high: Array) -> Interval:
        return widen(function(low), function(high), 2 * LIBRARY_ULPS)

    return value
