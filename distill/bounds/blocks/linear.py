"""Sums: matrix products, scalers, rows in another order, and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.bounds.form import Form, formed
from distill.bounds.gathered import Gathered
from distill.bounds.jets import Range
from distill.bounds.rounding import TINY, gamma, product, sum_down, sum_up
from distill.chain.checks import Whole

NATURAL = 4
"""Sums of at most so many terms also get the range that their terms' ranges give."""


@dataclass(frozen=True, eq=False)
class Linear:
    """``sum of weights @ source + bias``: bias (m,), weights (m, k), or (m,) for row by row."""

    sources: tuple[int, ...]
    weights: tuple[Array, ...]
    bias: Array

    def forward(self, given: Sequence[Form]) -> tuple[Form, Array]:
        """Centres, slopes and remainders by the same products; what rounding adds is kept."""
        m, (d, n) = len(self.bias), given[0].slope.shape[1:]
        centre = np.repeat(self.bias[:, None], n, axis=1)
        slope, middle = np.zeros((m, d, n)), np.zeros((m, n))
        wide, sizes = np.zeros((m, n)), np.abs(centre)
        terms = self._terms + len(self.weights) + 2
        with np.errstate(invalid="ignore", over="ignore"):
            for w, form in zip(self.weights, given, strict=True):
                centre = centre + _times(w, form.centre)
                slope += _times(w, form.slope.reshape(-1, d * n)).reshape(m, d, n)
                size = np.abs(form.centre) + form.reach
                if form.low.any() or form.high.any():
                    half = (form.high - form.low) / 2
                    mid = form.low + half
                    middle += _times(w, mid)
                    size = size + np.abs(mid) + half
                    wide += _times(np.abs(w), half + gamma(terms) * np.abs(mid))
                sizes = sizes + _times(np.abs(w), size)
            noise = gamma(terms) * sizes + TINY
            wide = wide * (1 + gamma(terms)) + noise
            low, high = middle - wide, middle + wide
        least, most = self._natural(given)
        return formed(centre, slope, low, high, least, most), noise

    @property
    def _terms(self) -> int:
        """How many products a row adds up."""
        return sum(1 if w.ndim == 1 else w.shape[1] for w in self.weights)

    def _natural(self, given: Sequence[Form]) -> tuple[Array | float, Array | float]:
        """The range by the sources' ranges, where sums are short."""
        if len(self.bias) > 1 or self._terms > NATURAL:
            return -np.inf, np.inf
        least = np.full(given[0].least.shape[1], float(self.bias[0]))
        most = least
        for w, form in zip(self.weights, given, strict=True):
            for factor, *ends in zip(w.ravel(), form.least, form.most, strict=True):
                if factor != 0:
                    low, high = _scaled(factor, *ends)
                    least, most = sum_down(least, low), sum_up(most, high)
        return least[None, :], most[None, :]

    def backward(
        self, weight: Array, given: Sequence[Form], own: Form, kept: Array, into: Gathered
    ) -> list[Array]:
        """The transposed products."""
        into.noise(weight, kept)
        weights = []
        for w, form in zip(self.weights, given, strict=True):
            weights.append(_times(w.T, weight))
            if form.rest.any():
                lost = gamma(len(w)) * _times(np.abs(w).T, np.abs(weight))
                into.noise(lost, form.rest)
        return weights

    def steep(self, slope: Range, given: Sequence[Form], own: Form) -> list[Range]:
        """The transposed products of intervals."""
        found = []
        low, high = slope
        with np.errstate(invalid="ignore", over="ignore"):
            for w in self.weights:
                up, down = np.maximum(w, 0).T, np.minimum(w, 0).T
                size = np.maximum(np.abs(low), np.abs(high))
                slack = gamma(len(w) + 2) * _times(np.abs(w).T, size)
                least = _times(up, low) + _times(down, high)
                most = _times(up, high) + _times(down, low)
                found.append((least - slack, most + slack))
        return found


def _times(weights: Array, rows: Array) -> Array:
    """The product with a matrix, or row by row with a vector."""
    return weights[:, None] * rows if weights.ndim == 1 else weights @ rows


def _scaled(factor: float, low: Array, high: Array) -> Range:
    """A factor times intervals; of 1 and -1 exactly."""
    if factor == 1:
        return low, high
    if factor == -1:
        return -high, -low
    both = np.array(factor)
    return product(low, high, both, both)


@dataclass(frozen=True, eq=False)
class Shift:
    """``(source - shift) / divisor``, each (m,)."""

    source: int
    shift: Array
    divisor: Array

    @property
    def sources(self) -> tuple[int, ...]:
        """The one."""
        return (self.source,)

    def forward(self, given: Sequence[Form]) -> tuple[Form, Array]:
        """Row by row."""
        form, shift, divisor = given[0], self.shift[:, None], self.divisor[:, None]
        with np.errstate(invalid="ignore", over="ignore"):
            noise = gamma(4) * (np.abs(form.centre) + np.abs(shift) + form.reach) / np.abs(divisor)
            noise = noise + TINY
            a, b = form.low / divisor, form.high / divisor
            wider = gamma(2) * np.maximum(np.abs(a), np.abs(b)) + noise
            lowest = sum_down(form.least, -shift) / divisor
            highest = sum_up(form.most, -shift) / divisor
            least, most = np.minimum(lowest, highest), np.maximum(lowest, highest)
            made = formed(
                (form.centre - shift) / divisor,
                form.slope / divisor[:, None],
                np.minimum(a, b) - wider,
                np.maximum(a, b) + wider,
                least - gamma(2) * np.abs(least),
                most + gamma(2) * np.abs(most),
            )
        return made, noise

    def backward(
        self, weight: Array, given: Sequence[Form], own: Form, kept: Array, into: Gathered
    ) -> list[Array]:
        """The quotients."""
        into.noise(weight, kept)
        passed = weight / self.divisor[:, None]
        into.noise(gamma(2) * np.abs(passed), given[0].rest)
        return [passed]

    def steep(self, slope: Range, given: Sequence[Form], own: Form) -> list[Range]:
        """The quotients."""
        with np.errstate(invalid="ignore", over="ignore"):
            a, b = slope[0] / self.divisor[:, None], slope[1] / self.divisor[:, None]
            slack = gamma(2) * np.maximum(np.abs(a), np.abs(b))
        return [(np.minimum(a, b) - slack, np.maximum(a, b) + slack)]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of earlier blocks in a new order: ``index`` (m,) into all sources' rows in a row.

    ``heights`` are the sources' numbers of rows.
    """

    sources: tuple[int, ...]
    heights: tuple[int, ...]
    index: Whole

    def forward(self, given: Sequence[Form]) -> tuple[Form, None]:
        """Moved only."""
        if len(given) == 1:
            return given[0].rows(self.index), None
        fields = ("centre", "slope", "low", "high", "least", "most")
        joined = (np.concatenate([getattr(f, name) for f in given])[self.index] for name in fields)
        centre, slope, low, high, least, most = joined
        # What was lost is still: the way back comes to the sources themselves.
        lost = np.zeros(centre.shape, dtype=bool)
        return Form(centre, slope, low, high, least, most, lost), None

    def _back(self, rows: Array) -> list[Array]:
        total = np.zeros((sum(self.heights), rows.shape[1]))
        np.add.at(total, self.index, rows)
        return np.split(total, np.cumsum(self.heights)[:-1])

    def backward(
        self, weight: Array, given: Sequence[Form], own: Form, kept: None, into: Gathered
    ) -> list[Array]:
        """Added up where a row was taken twice."""
        passed = self._back(weight)
        if len(np.unique(self.index)) < len(self.index):
            for size, form in zip(self._back(np.abs(weight)), given, strict=True):
                into.noise(gamma(len(self.index)) * size, form.rest)
        return passed

    def steep(self, slope: Range, given: Sequence[Form], own: Form) -> list[Range]:
        """Added up where a row was taken twice."""
        with np.errstate(invalid="ignore"):
            sizes = self._back(np.maximum(np.abs(slope[0]), np.abs(slope[1])))
            rows = zip(self._back(slope[0]), self._back(slope[1]), sizes, strict=True)
            slack = gamma(len(self.index))
            return [(low - slack * size, high + slack * size) for low, high, size in rows]


@dataclass(frozen=True, eq=False)
class Fixed:
    """Numbers: (m,). The source only says how many boxes there are."""

    source: int
    numbers: Array

    @property
    def sources(self) -> tuple[int, ...]:
        """The one."""
        return (self.source,)

    def forward(self, given: Sequence[Form]) -> tuple[Form, None]:
        """Known exactly."""
        d, n = given[0].slope.shape[1:]
        centre = np.repeat(self.numbers[:, None], n, axis=1)
        none = np.zeros_like(centre)
        return formed(centre, np.zeros((len(centre), d, n)), none, none, centre, centre), None

    def backward(
        self, weight: Array, given: Sequence[Form], own: Form, kept: None, into: Gathered
    ) -> list[Array]:
        """Nothing comes from the source."""
        return [np.zeros_like(given[0].centre)]

    def steep(self, slope: Range, given: Sequence[Form], own: Form) -> list[Range]:
        """Nothing."""
        none = np.zeros_like(given[0].centre)
        return [(none, none)]
