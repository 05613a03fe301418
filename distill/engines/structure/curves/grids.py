"""Starting values of the parameters of forms, for an interval."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from distill.arrays import Array

Grid = Callable[[float, float], Array]


def _steps(least: float, most: float, count: int) -> Array:
    return np.geomspace(least, most, count)


def _reach(low: float, high: float) -> float:
    return max(abs(low), abs(high))


def rates(low: float, high: float) -> Array:
    """Of growth or decay."""
    k = _steps(0.2, 60.0, 14) / (high - low)
    return np.concatenate([-k[::-1], k])


def few_rates(low: float, high: float) -> Array:
    """The same, coarse."""
    k = _steps(0.3, 20.0, 6) / (high - low)
    return np.concatenate([-k[::-1], k])


def decays(low: float, high: float) -> Array:
    """Of a bell around zero."""
    return _steps(0.05, 400.0, 18) / _reach(low, high) ** 2


def few_decays(low: float, high: float) -> Array:
    """The same, coarse."""
    return _steps(0.1, 200.0, 9) / _reach(low, high) ** 2


def inverse_rates(low: float, high: float) -> Array:
    """Of exp(k/u): where u keeps away from zero."""
    if low <= 0 <= high:
        return np.empty(0)
    k = _steps(0.1, 60.0, 12) * abs(1 / (1 / low - 1 / high))
    return np.concatenate([-k[::-1], k])


def slopes(low: float, high: float) -> Array:
    """Of a saturation at both ends."""
    return _steps(0.2, 100.0, 16) / _reach(low, high)


def above(low: float, high: float) -> Array:
    """Shifts a with a + u > 0."""
    return -low + _steps(1e-3, 30.0, 16) * (high - low)


def below(low: float, high: float) -> Array:
    """Shifts a with a - u > 0."""
    return high + _steps(1e-3, 30.0, 16) * (high - low)


def few_above(low: float, high: float) -> Array:
    """Coarse shifts a with a + u > 0."""
    return -low + _steps(1e-2, 10.0, 7) * (high - low)


def squares(low: float, high: float) -> Array:
    """What is added to u^2."""
    return _steps(0.003, 10.0, 12) * _reach(low, high) ** 2


def beyond(low: float, high: float) -> Array:
    """What u^2 is taken from."""
    return _reach(low, high) ** 2 * (1 + _steps(1e-3, 10.0, 10))


def centres(low: float, high: float) -> Array:
    """Places inside the interval and a little outside."""
    return low + np.linspace(-0.25, 1.25, 13) * (high - low)


def kinks(low: float, high: float) -> Array:
    """Places inside the interval."""
    return low + np.linspace(0.02, 0.98, 33) * (high - low)


def widths(low: float, high: float) -> Array:
    """Of a bell or a step inside the interval."""
    return _steps(0.04, 1.5, 7) * (high - low)


def frequencies(low: float, high: float) -> Array:
    """From a part of a turn to ten turns."""
    return np.concatenate([_steps(0.3, 2.5, 6), np.arange(3.2, 62.0, 0.8)]) / (high - low)


def few_frequencies(low: float, high: float) -> Array:
    """The same, coarse."""
    return np.concatenate([[1.0, 2.0], np.arange(3.5, 40.0, 2.0)]) / (high - low)


def square_frequencies(low: float, high: float) -> Array:
    """Of sin(w*u^2)."""
    return np.concatenate([_steps(0.3, 3.0, 6), np.arange(4.0, 40.0, 1.5)]) / _reach(low, high) ** 2


def cube_frequencies(low: float, high: float) -> Array:
    """Of sin(w*u^3)."""
    return np.concatenate([_steps(0.3, 3.0, 6), np.arange(4.0, 40.0, 1.5)]) / _reach(low, high) ** 3


def few_slopes(low: float, high: float) -> Array:
    """Of a tangent with a phase."""
    return _steps(0.3, 12.0, 10) / (high - low)


def phases(low: float, high: float) -> Array:
    """Over half a turn; the sign is left to the coefficient."""
    return np.arange(5) * np.pi / 5


def powers(low: float, high: float) -> Array:
    """Exponents, where u is positive."""
    if low <= 0:
        return np.empty(0)
    return np.array([-4.5, -3.5, -2.5, -1.6, -1.3, -0.7, -0.35, -0.15, 0.15, 0.35, 0.7, 1.3, 1.6,
                     2.4, 3.5, 4.5])  # fmt: skip


def few_powers(low: float, high: float) -> Array:
    """Exponents of a shifted argument."""
    return np.array([-2.5, -1.5, -0.6, -0.2, 0.2, 0.6, 1.5, 2.5])


def stretches(low: float, high: float) -> Array:
    """Exponents inside an exponential, where u is positive."""
    return np.array([0.35, 0.5, 0.7, 1.3, 1.6, 2.5, 3.5]) if low >= 0 else np.empty(0)


def stretched_decays(low: float, high: float) -> Array:
    """Of a stretched exponential."""
    return _steps(0.3, 12.0, 8) / _reach(low, high)
