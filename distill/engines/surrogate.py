"""A smooth model of a table, so that it can be asked between its rows as a teacher is.

Radial functions with a linear tail (Wendland 2004), their kind, width and smoothing chosen by the
error at rows left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.engines.oracle import Oracle
from distill.sampling.sample_set import SampleSet
from distill.teachers.base import Output

GOOD = 0.02
"""A model is of use when it misses rows it has not seen by less than this part of their spread."""

MOST_INPUTS = 8
LEAST_ROWS = 4
"""Rows for each term of the linear tail."""

MOST_ROWS = 1500
"""Rows that the model goes through; the others only judge it."""

TRIAL_ROWS = 300
"""Rows on which kinds and widths are compared."""

STRETCHES = 12
"""So many times the inputs are stretched against each other at most."""

SMOOTHINGS = (1e-12, 1e-9, 1e-6, 1e-4, 1e-2)
"""How much smoother than the rows the model is, as a part of the radial functions' size."""

PARTS = 5
"""Each of so many parts of the rows is left out once."""

Radial = Callable[[Array], Array]


@dataclass(frozen=True)
class _Kind:
    """A radial function of the squared distance, and its derivative by the squared distance."""

    value: Radial
    slope: Radial


def _gaussian(width: float) -> _Kind:
    return _Kind(lambda q: np.exp(-q / width**2), lambda q: -np.exp(-q / width**2) / width**2)


# All of them positive definite beside a linear tail, so that a smoothing is added to the diagonal.
KINDS = (
    _Kind(lambda q: q**1.5, lambda q: 1.5 * q**0.5),
    *(_gaussian(width) for width in (0.3, 0.6, 1.2, 2.4)),
)


@dataclass(frozen=True)
class Smooth:
    """A smooth function through the rows of a table; a teacher like any other.

    ``centres`` (n, d) are rows in the unit cube, stretched by ``stretch`` (d,); ``weights``
    (n + 1 + d,) are those of the radial functions and of the linear tail.
    """

    box: Domain
    kind: _Kind
    stretch: Array
    centres: Array
    weights: Array
    name: str = "table"
    outputs: tuple[Output, ...] = (Output("answer"),)
    domain: Domain | None = None
    fingerprint: str = ""
    can_be_asked: bool = True
    validation_error: float | None = None

    def predict(self, x: Array) -> Array:
        """Values at x (n, d), shape (n, 1)."""
        u = self.box.to_unit(x) * self.stretch
        values: Array = _design(self.kind.value(_squares(u, self.centres)), u) @ self.weights
        return values[:, None]

    def gradient(self, x: Array) -> Array:
        """Derivatives by the inputs at x (n, d), shape (n, 1, d)."""
        u = self.box.to_unit(x) * self.stretch
        count = len(self.centres)
        pull = 2 * self.kind.slope(_squares(u, self.centres)) * self.weights[:count]
        by_u = u * pull.sum(axis=1, keepdims=True) - pull @ self.centres
        by_u += self.weights[count + 1 :]
        by_x: Array = by_u * self.stretch * _unit_slopes(self.box, x)
        return by_x[:, None, :]


def surrogate(sample: SampleSet, seed: int = 0) -> Oracle | None:
    """A smooth model of the sample that can be asked anywhere, with its error at rows left out.

    None where there is none that is good enough, for many inputs or few rows.
    """
    inputs, spread = len(sample.domain), float(np.std(sample.y))
    if inputs > MOST_INPUTS or len(sample) < LEAST_ROWS * (inputs + 1) or spread == 0.0:
        return None
    rows = np.random.default_rng(seed).permutation(len(sample))
    trial = replace(sample, x=sample.x[rows[:TRIAL_ROWS]], y=sample.y[rows[:TRIAL_ROWS]])
    kind, smoothing, stretch = _chosen(trial)
    seen = rows[:MOST_ROWS]
    u = sample.domain.to_unit(sample.x) * stretch
    weights = _weights(kind, smoothing, u[seen], sample.y[seen])
    model = Smooth(sample.domain, kind, stretch, u[seen], weights)
    unseen = rows[MOST_ROWS:]
    error = (
        _rms(model.predict(sample.x[unseen])[:, 0] - sample.y[unseen])
        if len(unseen) >= TRIAL_ROWS
        else _left_out(kind, smoothing, u[seen], sample.y[seen])
    )
    if not error < GOOD * spread:
        return None
    return Oracle(model, sample.domain, error=error)


def _chosen(sample: SampleSet) -> tuple[_Kind, float, Array]:
    """The kind, smoothing and stretch of the inputs that miss left out rows by least."""
    u = sample.domain.to_unit(sample.x)

    def error(kind: _Kind, smoothing: float, stretch: Array) -> float:
        return _left_out(kind, smoothing, u * stretch, sample.y)

    even = np.ones(u.shape[1])
    trials = [(error(k, s, even), k, s) for k in KINDS for s in SMOOTHINGS]
    best, kind, smoothing = min(trials, key=lambda trial: trial[0])
    stretch = even
    for _ in range(STRETCHES if len(even) > 1 else 0):
        error_of, tried = min(
            ((error(kind, smoothing, each), each) for each in _stretched(stretch)),
            key=lambda trial: trial[0],
        )
        if error_of > 0.95 * best:
            break
        best, stretch = error_of, tried
    return kind, smoothing, stretch


def _stretched(stretch: Array) -> Iterator[Array]:
    for i in range(len(stretch)):
        for factor in (0.5, 2.0):
            yield stretch * np.where(np.arange(len(stretch)) == i, factor, 1.0)


def _left_out(kind: _Kind, smoothing: float, u: Array, y: Array) -> float:
    """The root mean square error at rows (their order is taken to be random) left out in turn."""
    off = np.empty(len(y))
    for part in range(PARTS):
        out = np.arange(len(y)) % PARTS == part
        weights = _weights(kind, smoothing, u[~out], y[~out])
        off[out] = _design(kind.value(_squares(u[out], u[~out])), u[out]) @ weights - y[out]
    return _rms(off)


def _weights(kind: _Kind, smoothing: float, u: Array, y: Array) -> Array:
    """The weights (n + 1 + d,) of the smooth function through y (n,) at u (n, d)."""
    radial = kind.value(_squares(u, u))
    count, tail = len(u), u.shape[1] + 1
    radial[np.diag_indices(count)] += smoothing * float(radial.mean())
    whole = np.zeros((count + tail, count + tail))
    whole[:count] = _design(radial, u)
    whole[count:, :count] = whole[:count, count:].T
    wanted = np.append(y, np.zeros(tail))
    try:
        return np.asarray(np.linalg.solve(whole, wanted))
    except np.linalg.LinAlgError:
        return np.full(count + tail, np.nan)


def _rms(off: Array) -> float:
    size = float(np.sqrt(np.mean(off**2)))
    return size if np.isfinite(size) else np.inf


def _squares(u: Array, v: Array) -> Array:
    """Squared distances (n, m) between the rows of u (n, d) and v (m, d)."""
    near = np.sum(u**2, axis=1)[:, None] + np.sum(v**2, axis=1)[None, :] - 2 * u @ v.T
    return np.asarray(np.maximum(near, 0.0))


def _design(radial: Array, u: Array) -> Array:
    return np.column_stack([radial, np.ones(len(u)), u])


def _unit_slopes(domain: Domain, x: Array) -> Array:
    """Derivatives (n, d) of the unit coordinates by x."""
    columns = []
    for i, v in enumerate(domain.variables):
        if v.discrete:
            columns.append(np.full(len(x), 1 / (v.high - v.low + 1)))
        elif v.scale == "log":
            columns.append(1 / (x[:, i] * np.log(v.high / v.low)))
        else:
            columns.append(np.full(len(x), 1 / (v.high - v.low)))
    return np.column_stack(columns)
