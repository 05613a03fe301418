"""Blocks that chains need and formulas do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from distill.arrays import Array
from distill.bounds.activations import curve, lost
from distill.bounds.blocks.unary import Curved, curved, curved_back
from distill.bounds.form import Form, formed
from distill.bounds.gathered import Gathered
from distill.bounds.jets import Range, Smooth
from distill.bounds.lines import Lines, relax_lines
from distill.bounds.relax import Relaxation, relax
from distill.bounds.rounding import TINY, gamma, product, up


class Relaxed(Protocol):
    """A function of one number that can be replaced by a parabola."""

    def relaxed(self, centre: Array, low: Array, high: Array) -> Relaxation:
        """Over [low, high]."""
        ...

    def steep(self, low: Array, high: Array) -> Range:
        """Its slopes over [low, high]."""
        ...


@dataclass(frozen=True)
class Bent:
    """A function made of lines."""

    lines: Lines

    def relaxed(self, centre: Array, low: Array, high: Array) -> Relaxation:
        """A line and a remainder."""
        return relax_lines(self.lines, centre, low, high)

    def steep(self, low: Array, high: Array) -> Range:
        """Both sides' where it bends, infinite where it jumps."""
        return self.lines.steep(low, high)


@dataclass(frozen=True)
class Activation:
    """A function between layers by its name; see :mod:`distill.bounds.activations`."""

    name: str
    row: Smooth

    @classmethod
    def of(cls, name: str, parameter: float = 0.0) -> Activation:
        """By its name.

        Raises
        ------
        NotBounded : for a function that has no row.
        """
        return cls(name, curve(name, parameter))

    def relaxed(self, centre: Array, low: Array, high: Array) -> Relaxation:
        """Taylor's polynomial, or what is narrower; the rounding of its terms counted."""
        made = relax(self.row, centre, low, high)
        with np.errstate(all="ignore"):
            reach = up(np.maximum(np.abs(high - centre), np.abs(centre - low)))
            slack = lost(self.name, centre, reach, self.row.at(centre))
            slack = np.where(np.isnan(slack), np.inf, slack)
            # A function's own range was widened already.
            slack = np.where((made.slope == 0) & (made.curve == 0), 0.0, slack)
        return replace(made, low=made.low - slack, high=made.high + slack)

    def steep(self, low: Array, high: Array) -> Range:
        """The range of the derivative."""
        with np.errstate(all="ignore"):
            return self.row.over(low, high).first


@dataclass(frozen=True, eq=False)
class Each:
    """A function of every row of the source."""

    source: int
    function: Relaxed

    @property
    def sources(self) -> tuple[int, ...]:
        """The one."""
        return (self.source,)

    def forward(self, given: Sequence[Form]) -> tuple[Form, Curved]:
        """A parabola and a remainder for each row."""
        form = given[0]
        return curved(self.function.relaxed(form.centre, form.least, form.most), form)

    def backward(
        self, weight: Array, given: Sequence[Form], own: Form, kept: Curved, into: Gathered
    ) -> list[Array]:
        """The slope's part."""
        return [curved_back(weight, given[0], kept, into)]

    def steep(self, slope: Range, given: Sequence[Form], own: Form) -> list[Range]:
        """By the range of the derivative."""
        low, high = self.function.steep(given[0].least, given[0].most)
        return [product(low, high, *slope)]


@dataclass(frozen=True, eq=False)
class Mixed:
    """The sum of numbers times blocks of equal height, row by row, plus a number."""

    sources: tuple[int, ...]
    factors: tuple[float, ...]
    offset: float = 0.0

    def forward(self, given: Sequence[Form]) -> tuple[Form, Array]:
        """Centres, slopes, remainders and ranges in the same way."""
        terms = len(self.factors) + 2
        with np.errstate(invalid="ignore", over="ignore"):
            rows = list(zip(self.factors, given, strict=True))
            centre = np.add.reduce([f * g.centre for f, g in rows]) + self.offset
            slope = np.add.reduce([f * g.slope for f, g in rows])
            size = np.add.reduce([abs(f) * g.size for f, g in rows]) + abs(self.offset)
            rest = np.add.reduce([abs(f) * g.rest for f, g in rows])
            noise = gamma(terms) * size + TINY
            slack = noise + gamma(terms) * rest
            low = np.add.reduce([f * (g.low if f > 0 else g.high) for f, g in rows]) - slack
            high = np.add.reduce([f * (g.high if f > 0 else g.low) for f, g in rows]) + slack
            least = (
                np.add.reduce([f * (g.least if f > 0 else g.most) for f, g in rows]) + self.offset
            )
            most = (
                np.add.reduce([f * (g.most if f > 0 else g.least) for f, g in rows]) + self.offset
            )
            ends = np.add.reduce(
                [abs(f) * np.maximum(np.abs(g.least), np.abs(g.most)) for f, g in rows]
            )
            edge = gamma(terms) * (ends + abs(self.offset))
        return formed(centre, slope, low, high, least - edge, most + edge), noise

    def backward(
        self, weight: Array, given: Sequence[Form], own: Form, kept: Array, into: Gathered
    ) -> list[Array]:
        """Each times its number."""
        into.noise(weight, kept)
        passed = []
        for factor, form in zip(self.factors, given, strict=True):
            passed.append(weight * factor)
            if abs(factor) != 1:
                into.noise(gamma(1) * passed[-1], form.rest)
        return passed

    def steep(self, slope: Range, given: Sequence[Form], own: Form) -> list[Range]:
        """Each times its number."""
        return [product(*slope, np.array(f), np.array(f)) for f in self.factors]


@dataclass(frozen=True, eq=False)
class Grouped:
    """``factor`` times the sums of ``width`` rows that stand one after another, plus offsets (m,).

    What a matrix of blocks of ones would do, without the matrix.
    """

    source: int
    width: int
    factor: float
    offset: Array

    @property
    def sources(self) -> tuple[int, ...]:
        """The one."""
        return (self.source,)

    def forward(self, given: Sequence[Form]) -> tuple[Form, Array]:
        """Centres, slopes, remainders and ranges in the same way."""
        form, size, offset = given[0], abs(self.factor), self.offset[:, None]
        slack = gamma(self.width + 3)
        with np.errstate(invalid="ignore", over="ignore"):
            noise = slack * (size * self._sums(form.size) + np.abs(offset)) + TINY
            wide = noise + slack * size * self._sums(form.rest)
            ends = [self.factor * self._sums(part) for part in (form.low, form.high)]
            ranges = [self.factor * self._sums(part) + offset for part in (form.least, form.most)]
            most = np.maximum(np.abs(form.least), np.abs(form.most))
            edge = slack * (size * self._sums(most) + np.abs(offset))
            made = formed(
                self.factor * self._sums(form.centre) + offset,
                self.factor * self._sums(form.slope),
                np.minimum(*ends) - wide,
                np.maximum(*ends) + wide,
                np.minimum(*ranges) - edge,
                np.maximum(*ranges) + edge,
            )
        return made, noise

    def _sums(self, rows: Array) -> Array:
        sums: Array = rows.reshape(-1, self.width, *rows.shape[1:]).sum(axis=1)
        return sums

    def backward(
        self, weight: Array, given: Sequence[Form], own: Form, kept: Array, into: Gathered
    ) -> list[Array]:
        """The factor times the sum's weight for each of its rows."""
        into.noise(weight, kept)
        passed = np.repeat(self.factor * weight, self.width, axis=0)
        if abs(self.factor) != 1:
            into.noise(gamma(1) * passed, given[0].rest)
        return [passed]

    def steep(self, slope: Range, given: Sequence[Form], own: Form) -> list[Range]:
        """The factor times the sum's slope for each of its rows."""
        low, high = product(*slope, np.array(self.factor), np.array(self.factor))
        return [(np.repeat(low, self.width, axis=0), np.repeat(high, self.width, axis=0))]


@dataclass(frozen=True, eq=False)
class Narrowed:
    """The rows of a block, within a range that the rows of another tell.

    ``limits`` gives bounds (m, n) that hold whatever else is known of the rows, from what is known
    of the other block's.
    """

    source: int
    other: int
    limits: Callable[[Form], Range]

    @property
    def sources(self) -> tuple[int, ...]:
        """The block itself; the other one only tells."""
        return self.source, self.other

    def forward(self, given: Sequence[Form]) -> tuple[Form, None]:
        """The same, narrower."""
        form = given[0]
        least, most = self.limits(given[1])
        least, most = np.fmax(form.least, least), np.fmin(form.most, most)
        low, high = np.where(form.lost, -np.inf, form.low), np.where(form.lost, np.inf, form.high)
        return formed(form.centre, form.slope, low, high, least, most), None

    def backward(
        self, weight: Array, given: Sequence[Form], own: Form, kept: None, into: Gathered
    ) -> list[Array]:
        """Handed on."""
        return [weight, np.zeros_like(given[1].centre)]

    def steep(self, slope: Range, given: Sequence[Form], own: Form) -> list[Range]:
        """Handed on."""
        none = np.zeros_like(given[1].centre)
        return [slope, (none, none)]


def within(least: float, most: float) -> Callable[[Form], Range]:
    """Numbers that hold everywhere."""

    def limits(form: Form) -> Range:
        return np.array(least), np.array(most)

    return limits
