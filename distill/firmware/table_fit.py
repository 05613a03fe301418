"""The values of a table: those whose largest error over a lattice is small.

A table need not hold the truth at its breakpoints. Between two of them a line misses a bent curve
on one side only; values fitted by least squares, then levelled (every value is moved by half the
sum of the largest and smallest error near it), miss it on both sides and half as far. The lattice
is a grid, so that the fit is made one axis after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.firmware.axes import ONE, Axis, Even, Indices
from distill.firmware.fixed.formats import hold
from distill.firmware.graph import Arithmetic
from distill.firmware.holding import held

LEVELLINGS = 8

RIDGE = 1e-7
"""Holds values that no point of the lattice asks for."""


def seen_inputs(domain: Domain, axis: int, x: Array, arithmetic: Arithmetic) -> Array:
    """Inputs (n,) of one axis as the C sees them: integers in fixed point."""
    points = np.repeat(domain.low[None, :], len(x), axis=0)
    points[:, axis] = x
    if arithmetic == "fixed":
        return hold(points, domain)[:, axis].astype(float)
    return held(points, domain, arithmetic)[:, axis]


@dataclass(frozen=True, eq=False)
class Basis:
    """How an axis reads its values at the points of a lattice.

    At point p the values ``first[p] + k`` count with ``weights[k, p]``; ``first`` ascends.
    ``factor`` is the banded Cholesky factor of the normal equations.
    """

    values: int
    first: Indices
    weights: Array
    factor: Array

    @classmethod
    def of(cls, axis: Axis, seen: Array, real: bool = False) -> Basis:
        """The basis of an axis at inputs that are held (n,), ascending.

        ``real`` says that weights are floats, not whole parts of 65,536.
        """
        from scipy.linalg import cholesky_banded

        if real and isinstance(axis, Even):
            first, part = axis.place_real(seen)
            w = part.astype(float)
        else:
            first, levels = axis.place(seen)
            w = levels / ONE
        weights = _WEIGHTS[axis.order](w)
        n, order = axis.values, axis.order
        bands = np.zeros((max(3, order), n))
        for k in range(order):
            for j in range(k, order):
                products = weights[k] * weights[j]
                bands[j - k] += np.bincount(first + k, products, minlength=n)[:n]
        size = float(bands[0].mean())
        # Second differences are held small where the lattice says nothing.
        bands[0] += RIDGE**2 * size
        if n > 2:
            for k, j in ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2)):
                share = RIDGE * size * (1.0, -2.0, 1.0)[k] * (1.0, -2.0, 1.0)[j]
                bands[j - k, k : n - 2 + k] += share
        return cls(n, first, weights, cholesky_banded(bands[: min(len(bands), n)], lower=True))

    def read(self, values: Array) -> Array:
        """What the axis answers (points, m) for values (n, m)."""
        answers = self.weights[0][:, None] * values[self.first]
        for k in range(1, len(self.weights)):
            answers += self.weights[k][:, None] * values[self.first + k]
        return np.asarray(answers)

    def fitted(self, y: Array) -> Array:
        """Values (n, m) by least squares for data (points, m)."""
        from scipy.linalg import cho_solve_banded

        cells, starts = np.unique(self.first, return_index=True)
        right = np.zeros((self.values, y.shape[1]))
        for k, weight in enumerate(self.weights):
            right[cells + k] += np.add.reduceat(weight[:, None] * y, starts, axis=0)
        return np.asarray(cho_solve_banded((self.factor, True), right))

    @cached_property
    def owner(self) -> Indices:
        """The value that matters most at each point."""
        owner: Indices = self.first + np.argmax(self.weights, axis=0)
        return owner

    def extreme(self, y: Array, choose: np.ufunc) -> Array:
        """The largest or smallest of the data (points, m) near each value; 0 where none is."""
        owners, starts = np.unique(self.owner, return_index=True)
        found = np.zeros((self.values, y.shape[1]))
        found[owners] = choose.reduceat(y, starts, axis=0)
        return found


_WEIGHTS: dict[int, Callable[[Array], Array]] = {
    1: lambda w: np.ones((1, len(w))),
    2: lambda w: np.stack([1 - w, w]),
    4: lambda w: (
        np.stack(
            [
                (1 - w) ** 3,
                3 * w**3 - 6 * w**2 + 4,
                -3 * w**3 + 3 * w**2 + 3 * w + 1,
                w**3,
            ]
        )
        / 6
    ),
}


def along(axis: int, y: Array, change: Callable[[Array], Array]) -> Array:
    """Apply ``change`` ((n, m) -> (k, m)) along one axis of an array."""
    moved = np.moveaxis(y, axis, 0)
    changed = change(np.ascontiguousarray(moved.reshape(len(moved), -1)))
    return np.moveaxis(changed.reshape(len(changed), *moved.shape[1:]), 0, axis)


def read(bases: Sequence[Basis], values: Array) -> Array:
    """What a table of ``values`` answers on the lattice, in real numbers."""
    for i, basis in enumerate(bases):
        values = along(i, values, basis.read)
    return values


def fit_values(bases: Sequence[Basis], y: Array, gain: float = 1e-3) -> tuple[Array, float]:
    """Values for the lattice's truth y, and their largest error on it.

    Levelling ends when it gains less than ``gain`` of the error.
    """
    values = y
    for i, basis in enumerate(bases):
        values = along(i, values, basis.fitted)
    best, least = values, np.inf
    for turn in range(LEVELLINGS + 1):
        missing = y - read(bases, values)
        error = float(np.abs(missing).max())
        gained = error < least * (1 - gain)
        if error < least:
            best, least = values, error
        if not gained and turn > 1:
            break
        high, low = missing, missing
        for i, basis in enumerate(bases):
            high = along(i, high, partial(basis.extreme, choose=np.maximum))
            low = along(i, low, partial(basis.extreme, choose=np.minimum))
        values = values + (high + low) / 2
    return best, least
