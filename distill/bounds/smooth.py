"""Functions of one number: values and derivatives at a point, and their ranges over intervals.

Every row gives ranges without regard for its own rounding; what uses them widens them by ``SLACK``
times the stated scales, far more than the few operations here can lose.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from distill.arrays import Array
from distill.chain.checks import Flags

SLACK = 1e-13
"""Relative to the size of a derivative's terms: 450 units in the last place."""

Range = tuple[Array, Array]
"""Lowest and highest values."""


@dataclass(frozen=True)
class Jet:
    """A function and its first three derivatives over intervals: a range of each.

    Minus and plus infinity say that nothing is known; so where the function is undefined.
    """

    value: Range
    first: Range
    second: Range
    third: Range


@dataclass(frozen=True)
class Smooth:
    """One function.

    Attributes
    ----------
    at : value, first and half the second derivative at points: three arrays.
    over : the :class:`Jet` over intervals [low, high].
    scale : the size of the terms that its derivatives are differences of; 0 where they are
        computed to a relative error.
    """

    at: Callable[[Array], tuple[Array, Array, Array]]
    over: Callable[[Array, Array], Jet]
    scale: float = 0.0


def _turning(ends: Range, inside: list[tuple[Flags, float]]) -> Range:
    """The range of a function by its values at both ends and at turning points that lie inside."""
    low, high = np.minimum(*ends), np.maximum(*ends)
    for holds, value in inside:
        low = np.where(holds & (value < low), value, low)
        high = np.where(holds & (value > high), value, high)
    return low, high


def _contains(low: Array, high: Array, point: float) -> Flags:
    return (low <= point) & (point <= high)


def _sorted(a: Array, b: Array) -> Range:
    return np.minimum(a, b), np.maximum(a, b)


def _where(known: Flags, jet: Jet) -> Jet:
    """The jet where it is known, nothing elsewhere."""

    def masked(pair: Range) -> Range:
        good = known & ~np.isnan(pair[0]) & ~np.isnan(pair[1])
        return np.where(good, pair[0], -np.inf), np.where(good, pair[1], np.inf)

    return Jet(masked(jet.value), masked(jet.first), masked(jet.second), masked(jet.third))


def _exp(low: Array, high: Array) -> Jet:
    both = np.exp(low), np.exp(high)
    return Jet(both, both, both, both)


def _exp_at(z: Array) -> tuple[Array, Array, Array]:
    v = np.exp(z)
    return v, v, v / 2


def _log(low: Array, high: Array) -> Jet:
    return _where(
        low > 0,
        Jet(
            (np.log(low), np.log(high)),
            (1 / high, 1 / low),
            (-1 / (low * low), -1 / (high * high)),
            (2 / high**3, 2 / low**3),
        ),
    )


def _log_at(z: Array) -> tuple[Array, Array, Array]:
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
    return _turning((a, b), [(_contains(low, high, 0.0), 0.0)] if even else [])


def power_over(p: float) -> Callable[[Array, Array], Jet]:
    """Of z to the power p; any z for whole p that are not negative, else z on one side of 0."""
    whole = p.is_integer()

    def over(low: Array, high: Array) -> Jet:
        if whole and p >= 0:
            known = np.ones(low.shape, dtype=bool)
        elif whole:
            known = (low > 0) | (high < 0)
        else:
            known = low >= 0
        ranges = []
        factor = 1.0
        for k in range(4):
            order = p - k
            if whole and p >= 0 and order < 0:
                ranges.append((np.zeros_like(low), np.zeros_like(high)))
            else:
                ranges.append(_one_power(low, high, order, factor))
            factor *= order
        jet = _where(known, Jet(*ranges))
        if not whole:  # at 0 the value is known, the derivatives are not
            inside = _where(low > 0, jet)
            jet = replace(inside, value=jet.value) if p > 0 else inside
        return jet

    return over


def _inv(low: Array, high: Array) -> Jet:
    return power_over(-1.0)(low, high)


def _inv_at(z: Array) -> tuple[Array, Array, Array]:
    v = 1 / z
    return v, -v * v, v * v * v


def _cbrt(low: Array, high: Array) -> Jet:
    a, b = np.cbrt(low), np.cbrt(high)
    one_side = (low > 0) | (high < 0)
    small, large = _sorted(np.abs(low), np.abs(high))
    steep, flat = np.cbrt(small), np.cbrt(large)
    sign = np.where(low > 0, 1.0, -1.0)
    jet = _where(
        one_side,
        Jet(
            (a, b),
            (1 / (3 * flat**2), 1 / (3 * steep**2)),
            _sorted(-2 * sign / (9 * steep**5), -2 * sign / (9 * flat**5)),
            (10 / (27 * flat**8), 10 / (27 * steep**8)),
        ),
    )
    return Jet((a, b), jet.first, jet.second, jet.third)


def _cbrt_at(z: Array) -> tuple[Array, Array, Array]:
    v = np.cbrt(z)
    return v, 1 / (3 * v * v), -1 / (9 * v**5)


def _waves(low: Array, high: Array, wave: Callable[[Array], Array], top: float) -> Range:
    """A sine or cosine over intervals; ``top`` is an angle at which it is 1."""
    turn = 2 * math.pi
    slack = SLACK * (1 + np.abs(low) + np.abs(high))

    def passes(angle: float) -> Flags:
        return np.floor((high + slack - angle) / turn) >= np.ceil((low - slack - angle) / turn)

    return _turning((wave(low), wave(high)), [(passes(top), 1.0), (passes(top + math.pi), -1.0)])


def _sin(low: Array, high: Array) -> Jet:
    s, c = _waves(low, high, np.sin, math.pi / 2), _waves(low, high, np.cos, 0.0)
    return _bounded_waves(Jet(s, c, (-s[1], -s[0]), (-c[1], -c[0])))


def _cos(low: Array, high: Array) -> Jet:
    s, c = _waves(low, high, np.sin, math.pi / 2), _waves(low, high, np.cos, 0.0)
    return _bounded_waves(Jet(c, (-s[1], -s[0]), (-c[1], -c[0]), s))


def _bounded_waves(jet: Jet) -> Jet:
    def kept(pair: Range) -> Range:
        return (
            np.where(np.isnan(pair[0]), -1.0, pair[0]),
            np.where(np.isnan(pair[1]), 1.0, pair[1]),
        )

    return Jet(kept(jet.value), kept(jet.first), kept(jet.second), kept(jet.third))


def _sin_at(z: Array) -> tuple[Array, Array, Array]:
    s = np.sin(z)
    return s, np.cos(z), -s / 2


def _cos_at(z: Array) -> tuple[Array, Array, Array]:
    c = np.cos(z)
    return c, -np.sin(z), -c / 2


def _tan(low: Array, high: Array) -> Jet:
    half = math.pi / 2
    slack = SLACK * (1 + np.abs(low) + np.abs(high))
    poles = np.floor((high + slack - half) / math.pi) >= np.ceil((low - slack - half) / math.pi)
    a, b = np.tan(low), np.tan(high)
    s_low, s_high = _squares(a, b)
    return _where(
        ~poles & (a <= b),
        Jet(
            (a, b),
            (1 + s_low, 1 + s_high),
            (2 * a * (1 + a * a), 2 * b * (1 + b * b)),
            ((2 + 6 * s_low) * (1 + s_low), (2 + 6 * s_high) * (1 + s_high)),
        ),
    )


def _tan_at(z: Array) -> tuple[Array, Array, Array]:
    t = np.tan(z)
    return t, 1 + t * t, t * (1 + t * t)


def _squares(a: Array, b: Array) -> Range:
    return _turning((a * a, b * b), [(_contains(a, b, 0.0), 0.0)])


def _asin(low: Array, high: Array) -> Jet:
    inside = (low > -1) & (high < 1)
    near, far = _sorted(np.abs(low), np.abs(high))
    near = np.where(_contains(low, high, 0.0), 0.0, near)

    def rest(z: Array) -> Array:  # 1 - z^2 without cancellation
        return (1 - z) * (1 + z)

    def odd(z: Array) -> Array:
        return z * np.power(rest(z), -1.5)

    def even(z: Array) -> Array:
        return (1 + 2 * z * z) * np.power(rest(z), -2.5)

    jet = _where(
        inside,
        Jet(
            (low, high),
            (np.power(rest(near), -0.5), np.power(rest(far), -0.5)),
            (odd(low), odd(high)),
            (even(near), even(far)),
        ),
    )
    value = (np.arcsin(low), np.arcsin(high))
    known = _where((low >= -1) & (high <= 1), Jet(value, value, value, value)).value
    return Jet(known, jet.first, jet.second, jet.third)


def _asin_at(z: Array) -> tuple[Array, Array, Array]:
    rest = (1 - z) * (1 + z)
    return np.arcsin(z), np.power(rest, -0.5), z * np.power(rest, -1.5) / 2


def _acos(low: Array, high: Array) -> Jet:
    jet = _asin(low, high)

    def minus(pair: Range) -> Range:
        return -pair[1], -pair[0]

    known = np.isfinite(jet.value[0])
    value = (
        np.where(known, np.arccos(high), -np.inf),
        np.where(known, np.arccos(low), np.inf),
    )
    return Jet(value, minus(jet.first), minus(jet.second), minus(jet.third))


def _acos_at(z: Array) -> tuple[Array, Array, Array]:
    _, first, half = _asin_at(z)
    return np.arccos(z), -first, -half


def _atan(low: Array, high: Array) -> Jet:
    s_low, s_high = _squares(low, high)

    def second(z: Array) -> Array:
        return -2 * z / (1 + z * z) ** 2

    def third(s: Array) -> Array:
        return (6 * s - 2) / (1 + s) ** 3

    turn, most = 1 / math.sqrt(3), 9 / (8 * math.sqrt(3))
    return Jet(
        (np.arctan(low), np.arctan(high)),
        (1 / (1 + s_high), 1 / (1 + s_low)),
        _turning(
            (second(low), second(high)),
            [(_contains(low, high, turn), -most), (_contains(low, high, -turn), most)],
        ),
        _turning((third(s_low), third(s_high)), [(_contains(s_low, s_high, 1.0), 0.5)]),
    )


def _atan_at(z: Array) -> tuple[Array, Array, Array]:
    first = 1 / (1 + z * z)
    return np.arctan(z), first, -z * first * first


def _even(low: Array, high: Array, function: Callable[[Array], Array], least: float) -> Range:
    """An even function that grows with |z| from ``least``."""
    return _turning((function(low), function(high)), [(_contains(low, high, 0.0), least)])


def _sinh(low: Array, high: Array) -> Jet:
    s, c = (np.sinh(low), np.sinh(high)), _even(low, high, np.cosh, 1.0)
    return Jet(s, c, s, c)


def _sinh_at(z: Array) -> tuple[Array, Array, Array]:
    s = np.sinh(z)
    return s, np.cosh(z), s / 2


def _cosh(low: Array, high: Array) -> Jet:
    s, c = (np.sinh(low), np.sinh(high)), _even(low, high, np.cosh, 1.0)
    return Jet(c, s, c, s)


def _cosh_at(z: Array) -> tuple[Array, Array, Array]:
    c = np.cosh(z)
    return c, np.sinh(z), c / 2


def _tanh(low: Array, high: Array) -> Jet:
    a, b = np.tanh(low), np.tanh(high)
    s_low, s_high = _squares(a, b)
    turn, most = 1 / math.sqrt(3), 4 / (3 * math.sqrt(3))

    def second(v: Array) -> Array:
        return 2 * v * (v * v - 1)

    def third(s: Array) -> Array:
        return (1 - s) * (6 * s - 2)

    return Jet(
        (a, b),
        (1 - s_high, 1 - s_low),
        _turning(
            (second(a), second(b)),
            [(_contains(a, b, turn), -most), (_contains(a, b, -turn), most)],
        ),
        _turning((third(s_low), third(s_high)), [(_contains(s_low, s_high, 2 / 3), 2 / 3)]),
    )


def _tanh_at(z: Array) -> tuple[Array, Array, Array]:
    v = np.tanh(z)
    first = 1 - v * v
    return v, first, -v * first


SMOOTH: Mapping[str, Smooth] = {
    "exp": Smooth(_exp_at, _exp),
    "log": Smooth(_log_at, _log),
    "inv": Smooth(_inv_at, _inv),
    "sqrt": Smooth(power_at(0.5), power_over(0.5)),
    "square": Smooth(lambda z: (z * z, 2 * z, np.ones_like(z)), power_over(2.0)),
    "cube": Smooth(lambda z: (z**3, 3 * z * z, 3 * z), power_over(3.0)),
    "cbrt": Smooth(_cbrt_at, _cbrt),
    "sin": Smooth(_sin_at, _sin, 8.0),
    "cos": Smooth(_cos_at, _cos, 8.0),
    "tan": Smooth(_tan_at, _tan),
    "asin": Smooth(_asin_at, _asin),
    "acos": Smooth(_acos_at, _acos),
    "atan": Smooth(_atan_at, _atan, 8.0),
    "sinh": Smooth(_sinh_at, _sinh),
    "cosh": Smooth(_cosh_at, _cosh),
    "tanh": Smooth(_tanh_at, _tanh, 8.0),
}
"""All smooth functions by name."""


def power(p: float) -> Smooth:
    """Z to a constant power."""
    return Smooth(power_at(p), power_over(p))
