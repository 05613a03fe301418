"""Exponentials, logarithms, powers and roots, with their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from distill.arrays import Array
from distill.bounds.jets import Jet, Range, contains, known, ordered, turning


def exp_over(low: Array, high: Array) -> Jet:
    """The jet of the exponential over intervals."""
    both = np.exp(low), np.exp(high)
    return Jet(both, both, both, both)


def exp_at(z: Array) -> tuple[Array, Array, Array]:
    """Value, slope and half the second derivative of the exponential."""
    v = np.exp(z)
    return v, v, v / 2


def log_over(low: Array, high: Array) -> Jet:
    """The jet of the logarithm over intervals."""
    return known(
        low > 0,
        Jet(
            (np.log(low), np.log(high)),
            (1 / high, 1 / low),
            (-1 / (low * low), -1 / (high * high)),
            (2 / high**3, 2 / low**3),
        ),
    )


def log_at(z: Array) -> tuple[Array, Array, Array]:
    """Value, slope and half the second derivative of the logarithm."""
    return np.log(z), 1 / z, -0.5 / (z * z)


def power_at(p: float) -> Callable[[Array], tuple[Array, Array, Array]]:
    """Of z to the power p."""

    def at(z: Array) -> tuple[Array, Array, Array]:
        return (
            np.power(z, p),
            p * np.power(z, p - 1),
            p * (p - 1) / 2 * (np.power(z, p - 2) if p != 1 else np.zeros_like(z)),
        )

    return at


def _one_power(low: Array, high: Array, p: float, factor: float) -> Range:
    """``factor * z**p`` over intervals on which it is defined."""
    if factor == 0.0:
        return np.zeros_like(low), np.zeros_like(high)
    a, b = factor * np.power(low, p), factor * np.power(high, p)
    even = p.is_integer() and int(p) % 2 == 0 and p > 0
    return turning((a, b), [(contains(low, high, 0.0), 0.0)] if even else [])


def power_over(p: float) -> Callable[[Array, Array], Jet]:
    """Of z to the power p; any z for whole p that are not negative, else z on one side of 0."""
    whole = p.is_integer()

    def over(low: Array, high: Array) -> Jet:
        if whole and p >= 0:
            there = np.ones(low.shape, dtype=bool)
        elif whole:
            there = (low > 0) | (high < 0)
        else:
            there = low >= 0
        ranges = []
        factor = 1.0
        for k in range(4):
            order = p - k
            if whole and p >= 0 and order < 0:
                ranges.append((np.zeros_like(low), np.zeros_like(high)))
            else:
                ranges.append(_one_power(low, high, order, factor))
            factor *= order
        jet = known(there, Jet(*ranges))
        if not whole:  # at 0 the value is known, the derivatives are not
            inside = known(low > 0, jet)
            jet = replace(inside, value=jet.value) if p > 0 else inside
        return jet

    return over


def inv_over(low: Array, high: Array) -> Jet:
    """The jet of the reciprocal over intervals."""
    return power_over(-1.0)(low, high)


def inv_at(z: Array) -> tuple[Array, Array, Array]:
    """Value, slope and half the second derivative of the reciprocal."""
    v = 1 / z
    return v, -v * v, v * v * v


def cbrt_over(low: Array, high: Array) -> Jet:
    """The jet of the cube root over intervals."""
    a, b = np.cbrt(low), np.cbrt(high)
    one_side = (low > 0) | (high < 0)
    small, large = ordered(np.abs(low), np.abs(high))
    steep, flat = np.cbrt(small), np.cbrt(large)
    sign = np.where(low > 0, 1.0, -1.0)
    jet = known(
        one_side,
        Jet(
            (a, b),
            (1 / (3 * flat**2), 1 / (3 * steep**2)),
            ordered(-2 * sign / (9 * steep**5), -2 * sign / (9 * flat**5)),
            (10 / (27 * flat**8), 10 / (27 * steep**8)),
        ),
    )
    return Jet((a, b), jet.first, jet.second, jet.third)


def cbrt_at(z: Array) -> tuple[Array, Array, Array]:
    """Value, slope and half the second derivative of the cube root."""
    v = np.cbrt(z)
    return v, 1 / (3 * v * v), -1 / (9 * v**5)
