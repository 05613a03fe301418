"""The numbers a generated function takes and returns, and what they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from distill.arrays import Array
from distill.domain import Domain, Variable
from distill.firmware.fixed.formats import QFormat, hold, input_bounds, input_formats
from distill.firmware.harness import Number, Results, Signature

INT32 = np.iinfo(np.int32)


class Interface(Protocol):
    """How a function's arguments and results stand for real numbers.

    All points (n, d) are float64 that hold numbers of the C's own type, unless called real.
    """

    @property
    def domain(self) -> Domain:
        """The box of the real inputs."""
        ...

    @property
    def signature(self) -> Signature:
        """The C function's arguments."""
        ...

    @property
    def low(self) -> Array:
        """The lowest of the C's numbers in the domain, (d,)."""
        ...

    @property
    def high(self) -> Array:
        """The highest of the C's numbers in the domain, (d,)."""
        ...

    @property
    def worst(self) -> float:
        """The number that is furthest from every domain: NaN, or the lowest integer."""
        ...

    def numbers(self, real: Array) -> Array:
        """Real points as the C's numbers, rounded to the nearest."""
        ...

    def inside(self, real: Array) -> Array:
        """The same moved into the domain, also where only rounding had left it."""
        ...

    def reals(self, x: Array) -> Array:
        """What points stand for, (n, d), in the units of the domain."""
        ...

    def outputs(self, results: Results) -> Array:
        """What results stand for, (n,), in the unit of the output."""
        ...

    def near(self, column: int) -> list[float]:
        """An input's bounds, their neighbours within, and the zeros if it has any."""
        ...

    def beyond(self, column: int) -> list[float]:
        """Values an input does not hold: one unit outside each bound, far outside, NaN."""
        ...

    def extremes(self) -> list[float]:
        """Values at which any code may break: the ends of the type, the smallest, powers of 2."""
        ...


@dataclass(frozen=True, eq=False)
class FloatInterface:
    """Arguments and result are ``float`` or ``double`` in the units of the domain."""

    domain: Domain
    number: Number = "float32"

    @property
    def signature(self) -> Signature:
        """The C function's arguments."""
        return Signature(len(self.domain), self.number)

    @property
    def low(self) -> Array:
        """The lowest numbers in the domain, (d,)."""
        low: Array = self.inside(self.domain.low[None, :])[0]
        return low

    @property
    def high(self) -> Array:
        """The highest numbers in the domain, (d,)."""
        high: Array = self.inside(self.domain.high[None, :])[0]
        return high

    @property
    def worst(self) -> float:
        """NaN."""
        return float("nan")

    def numbers(self, real: Array) -> Array:
        """Points rounded to C's type."""
        return self.signature.round(real)

    def inside(self, real: Array) -> Array:
        """Points rounded to C's type, those that left the domain by that moved back in."""
        kind = self._kind
        with np.errstate(over="ignore"):
            rounded = self.domain.clip(real).astype(kind)
        below, above = rounded < self.domain.low, rounded > self.domain.high
        rounded = np.where(below, np.nextafter(rounded, kind(np.inf)), rounded)
        rounded = np.where(above, np.nextafter(rounded, kind(-np.inf)), rounded)
        return rounded.astype(np.float64)

    def reals(self, x: Array) -> Array:
        """The points themselves."""
        return x

    def outputs(self, results: Results) -> Array:
        """The results in float64."""
        # MIPS marks quiet NaNs as others mark signalling ones: reading them is no mistake.
        with np.errstate(invalid="ignore"):
            return results.astype(float)

    def near(self, column: int) -> list[float]:
        """Bounds, neighbours within, both zeros."""
        variable, kind = self._variable(column), self._kind
        low, high = kind(variable.low), kind(variable.high)
        values = [variable.low, variable.high]
        if not variable.discrete:
            values += [float(np.nextafter(low, high)), float(np.nextafter(high, low))]
        if variable.low <= 0 <= variable.high:
            values += [0.0, -0.0]
        return values

    def beyond(self, column: int) -> list[float]:
        """One unit in the last place outside each bound, infinities, NaN, and far outside."""
        variable, kind = self._variable(column), self._kind
        low, high = kind(variable.low), kind(variable.high)
        return [
            *(float(np.nextafter(low, kind(-np.inf))), float(np.nextafter(high, kind(np.inf)))),
            *(-np.inf, np.inf, np.nan, -0.0),
            *(float(low) - 1e3 * float(high - low), float(high) + 0.25),
        ]

    def extremes(self) -> list[float]:
        """Subnormals, the smallest and largest numbers, and powers that overflow integers."""
        limits = np.finfo(self._kind)
        sizes = (limits.smallest_subnormal, limits.tiny, limits.max, 1.0, 2.0**31, 2.0**63)
        return [0.0, -0.0, *(sign * float(size) for size in sizes for sign in (1, -1))]

    def _variable(self, column: int) -> Variable:
        return self.domain.variables[column]

    @property
    def _kind(self) -> type[np.floating[Any]]:
        return np.float64 if self.number == "double" else np.float32


@dataclass(frozen=True, eq=False)
class IntegerInterface:
    """Arguments and result are ``int32_t``: inputs in the formats that follow from their bounds,
    the result in ``output``.
    """

    domain: Domain
    output: QFormat

    @property
    def signature(self) -> Signature:
        """The C function's arguments."""
        return Signature(len(self.domain), "int32")

    @property
    def low(self) -> Array:
        """The low bounds (d,) as integers."""
        return np.array([input_bounds(v)[0] for v in self.domain.variables], dtype=float)

    @property
    def high(self) -> Array:
        """The high bounds (d,) as integers."""
        return np.array([input_bounds(v)[1] for v in self.domain.variables], dtype=float)

    @property
    def worst(self) -> float:
        """The lowest integer."""
        return float(INT32.min)

    def numbers(self, real: Array) -> Array:
        """Points as the integers nearest to them, held at the bounds."""
        return hold(real, self.domain).astype(float)

    def inside(self, real: Array) -> Array:
        """The same, whole for whole inputs."""
        return hold(self.domain.clip(real), self.domain).astype(float)

    def reals(self, x: Array) -> Array:
        """The values of integers."""
        reals: Array = x * np.array([form.step for form in input_formats(self.domain)])
        return reals

    def outputs(self, results: Results) -> Array:
        """The values of results."""
        return self.output.reals(results.astype(np.int64))

    def near(self, column: int) -> list[float]:
        """Bounds, neighbours within, zero."""
        low, high = self.low[column], self.high[column]
        zero = [0.0] if low <= 0 <= high else []
        return [low, high, min(low + 1, high), max(high - 1, low), *zero]

    def beyond(self, column: int) -> list[float]:
        """The neighbours outside, and the ends of 32 bits."""
        return [self.low[column] - 1, self.high[column] + 1, float(INT32.min), float(INT32.max)]

    def extremes(self) -> list[float]:
        """The ends of 32 bits and their neighbours, and the integers around zero."""
        ends = (INT32.min, INT32.min + 1, INT32.max - 1, INT32.max)
        return [*map(float, ends), -1.0, 0.0, 1.0, float(2**16), -float(2**16)]


def make_interface(domain: Domain, number: Number, output: QFormat | None) -> Interface:
    """The interface of a function of ``number``; integers need the format of the ``output``."""
    if number != "int32":
        return FloatInterface(domain, number)
    if output is None:
        raise ValueError("integers say nothing without the format of the output")
    return IntegerInterface(domain, output)
