"""Sines, tangents and their inverses, with their derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from distill.arrays import Array, Flags
from distill.bounds.jets import SLACK, Jet, Range, contains, known, ordered, squares, turning


def _waves(low: Array, high: Array, wave: Callable[[Array], Array], top: float) -> Range:
    """A sine or cosine over intervals; ``top`` is an angle at which it is 1."""
    turn = 2 * math.pi
    slack = SLACK * (1 + np.abs(low) + np.abs(high))

    def passes(angle: float) -> Flags:
        return np.floor((high + slack - angle) / turn) >= np.ceil((low - slack - angle) / turn)

    return turning((wave(low), wave(high)), [(passes(top), 1.0), (passes(top + math.pi), -1.0)])


def sin_over(low: Array, high: Array) -> Jet:
    """The jet of the sine over intervals."""
    s, c = _waves(low, high, np.sin, math.pi / 2), _waves(low, high, np.cos, 0.0)
    return _bounded_waves(Jet(s, c, (-s[1], -s[0]), (-c[1], -c[0])))


def cos_over(low: Array, high: Array) -> Jet:
    """The jet of the cosine over intervals."""
    s, c = _waves(low, high, np.sin, math.pi / 2), _waves(low, high, np.cos, 0.0)
    return _bounded_waves(Jet(c, (-s[1], -s[0]), (-c[1], -c[0]), s))


def _bounded_waves(jet: Jet) -> Jet:
    def kept(pair: Range) -> Range:
        return (
            np.where(np.isnan(pair[0]), -1.0, pair[0]),
            np.where(np.isnan(pair[1]), 1.0, pair[1]),
        )

    return Jet(kept(jet.value), kept(jet.first), kept(jet.second), kept(jet.third))


def sin_at(z: Array) -> tuple[Array, Array, Array]:
    """Value, slope and half the second derivative of the sine."""
    s = np.sin(z)
    return s, np.cos(z), -s / 2


def cos_at(z: Array) -> tuple[Array, Array, Array]:
    """Value, slope and half the second derivative of the cosine."""
    c = np.cos(z)
    return c, -np.sin(z), -c / 2


def tan_over(low: Array, high: Array) -> Jet:
    """The jet of the tangent over intervals."""
    half = math.pi / 2
    slack = SLACK * (1 + np.abs(low) + np.abs(high))
    poles = np.floor((high + slack - half) / math.pi) >= np.ceil((low - slack - half) / math.pi)
    a, b = np.tan(low), np.tan(high)
    s_low, s_high = squares(a, b)
    return known(
        ~poles & (a <= b),
        Jet(
            (a, b),
            (1 + s_low, 1 + s_high),
            (2 * a * (1 + a * a), 2 * b * (1 + b * b)),
            ((2 + 6 * s_low) * (1 + s_low), (2 + 6 * s_high) * (1 + s_high)),
        ),
    )


def tan_at(z: Array) -> tuple[Array, Array, Array]:
    """Value, slope and half the second derivative of the tangent."""
    t = np.tan(z)
    return t, 1 + t * t, t * (1 + t * t)


def asin_over(low: Array, high: Array) -> Jet:
    """The jet of the arcsine over intervals."""
    inside = (low > -1) & (high < 1)
    near, far = ordered(np.abs(low), np.abs(high))
    near = np.where(contains(low, high, 0.0), 0.0, near)

    def rest(z: Array) -> Array:  # 1 - z^2 without cancellation
        return (1 - z) * (1 + z)

    def odd(z: Array) -> Array:
        return z * np.power(rest(z), -1.5)

    def even(z: Array) -> Array:
        return (1 + 2 * z * z) * np.power(rest(z), -2.5)

    jet = known(
        inside,
        Jet(
            (low, high),
            (np.power(rest(near), -0.5), np.power(rest(far), -0.5)),
            (odd(low), odd(high)),
            (even(near), even(far)),
        ),
    )
    value = (np.arcsin(low), np.arcsin(high))
    value = known((low >= -1) & (high <= 1), Jet(value, value, value, value)).value
    return Jet(value, jet.first, jet.second, jet.third)


def asin_at(z: Array) -> tuple[Array, Array, Array]:
    """Value, slope and half the second derivative of the arcsine."""
    rest = (1 - z) * (1 + z)
    return np.arcsin(z), np.power(rest, -0.5), z * np.power(rest, -1.5) / 2


def acos_over(low: Array, high: Array) -> Jet:
    """The jet of the arccosine over intervals."""
    jet = asin_over(low, high)

    def minus(pair: Range) -> Range:
        return -pair[1], -pair[0]

    there = np.isfinite(jet.value[0])
    value = (
        np.where(there, np.arccos(high), -np.inf),
        np.where(there, np.arccos(low), np.inf),
    )
    return Jet(value, minus(jet.first), minus(jet.second), minus(jet.third))


def acos_at(z: Array) -> tuple[Array, Array, Array]:
    """Value, slope and half the second derivative of the arccosine."""
    _, first, half = asin_at(z)
    return np.arccos(z), -first, -half


def atan_over(low: Array, high: Array) -> Jet:
    """The jet of the arctangent over intervals."""
    s_low, s_high = squares(low, high)

    def second(z: Array) -> Array:
        return -2 * z / (1 + z * z) ** 2

    def third(s: Array) -> Array:
        return (6 * s - 2) / (1 + s) ** 3

    turn, most = 1 / math.sqrt(3), 9 / (8 * math.sqrt(3))
    return Jet(
        (np.arctan(low), np.arctan(high)),
        (1 / (1 + s_high), 1 / (1 + s_low)),
        turning(
            (second(low), second(high)),
            [(contains(low, high, turn), -most), (contains(low, high, -turn), most)],
        ),
        turning((third(s_low), third(s_high)), [(contains(s_low, s_high, 1.0), 0.5)]),
    )


def atan_at(z: Array) -> tuple[Array, Array, Array]:
    """Value, slope and half the second derivative of the arctangent."""
    first = 1 / (1 + z * z)
    return np.arctan(z), first, -z * first * first
