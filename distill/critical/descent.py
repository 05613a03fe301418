"""Gradient descent on a polynomial from many starts at once: what is solved for without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from distill.arrays import Array
from distill.critical.ideal import terms_of

if TYPE_CHECKING:
    import flint


@dataclass(frozen=True, eq=False)
class Descent:
    """Where descents ended: weights (starts, d) in the order of the ring, and losses (starts,)."""

    weights: Array
    losses: Array


def descend(loss: flint.fmpq_mpoly, starts: int, *, steps: int, seed: int) -> Descent:
    """Descents from normally distributed starts, each with its own step size.

    A step that would raise the loss is not made, and the next one is half as long; after one that
    lowers it the next is a tenth longer.
    """
    count = loss.context().nvars()
    slopes = [_terms(loss.derivative(i)) for i in range(count)]
    value = _terms(loss)
    weights = np.random.default_rng(seed).normal(size=(starts, count))
    losses = _values(value, weights)
    rates = np.full((starts, 1), 0.01)
    for _ in range(steps):
        gradient = np.stack([_values(slope, weights) for slope in slopes], axis=1)
        tried = weights - rates * gradient
        after = _values(value, tried)
        better = after < losses
        weights = np.where(better[:, None], tried, weights)
        losses = np.where(better, after, losses)
        rates *= np.where(better, 1.1, 0.5)[:, None]
    return Descent(weights, losses)


def _terms(polynomial: flint.fmpq_mpoly) -> list[tuple[float, list[int]]]:
    """Each term as its factor and the unknowns to multiply, repeated by their powers."""
    return [
        (int(c.p) / int(c.q), [i for i, power in enumerate(m) for _ in range(power)])
        for m, c in terms_of(polynomial).items()
    ]


def _values(terms: list[tuple[float, list[int]]], points: Array) -> Array:
    columns = points.T
    total = np.zeros(len(points))
    # Early steps may be too long by far; they are refused.
    with np.errstate(over="ignore", invalid="ignore"):
        for factor, unknowns in terms:
            product = np.full(len(points), factor)
            for i in unknowns:
                product = product * columns[i]
            total += product
    return total
