"""The functions between layers that formulas have no operator for, as rows for relaxations.

Each row gives its first derivatives in closed form, and the places where each of them turns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from distill.arrays import Array
from distill.bounds.base import NotBounded
from distill.bounds.curves import LOST, Curve, Derivative, Pieced, constant, line, parabola
from distill.bounds.jets import Smooth
from distill.bounds.rounding import TINY
from distill.bounds.smooth import SMOOTH
from distill.chain.functions import SELU_SCALE, SELU_SLOPE, sigmoid, softplus


def _leibniz(parts: Callable[[Array], tuple[Array, ...]], order: int) -> Derivative:
    """Of z*g(z), from the derivatives of g."""

    def derivative(z: Array) -> Array:
        g = parts(z)
        return order * g[order - 1] + z * g[order] if order else z * g[0]

    return derivative


def _logistic(z: Array) -> tuple[Array, Array, Array, Array]:
    """Sigmoid and its derivatives, none of which loses its digits far from 0."""
    s, t = np.asarray(sigmoid(z), dtype=float), np.asarray(sigmoid(-z), dtype=float)
    first = s * t
    return s, first, first * (t - s), first * (1 - 6 * first)


def _softplus(z: Array) -> Array:
    return np.asarray(softplus(z), dtype=float)


def _mish_gate(z: Array) -> tuple[Array, Array, Array, Array]:
    """Tanh(softplus(z)) and its derivatives."""
    w = np.tanh(_softplus(z))
    s, s1, s2, _ = _logistic(z)
    g1 = 1 - w * w
    g2, g3 = -2 * w * g1, g1 * (6 * w * w - 2)
    return w, g1 * s, g2 * s * s + g1 * s1, g3 * s**3 + 3 * g2 * s * s1 + g1 * s2


def _density(z: Array) -> Array:
    return np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


def _below(z: Array) -> Array:
    """The normal distribution, to full relative accuracy but for the rounding of z/sqrt(2)."""
    from scipy.special import erfc

    share: Array = 0.5 * erfc(z * -math.sqrt(0.5))
    return share


def _erf(z: Array) -> Array:
    from scipy.special import erf

    value: Array = erf(z)
    return value


def _bell(z: Array) -> Array:
    return 2 / math.sqrt(math.pi) * np.exp(-z * z)


def _one(order: int, parts: Callable[[Array], tuple[Array, ...]]) -> Derivative:
    return lambda z: parts(z)[order]


_SIGMOID_TURN = math.log(2 + math.sqrt(3))
_SIGMOID_THIRD = math.log(5 + 2 * math.sqrt(6))
_GELU_INNER = math.sqrt((7 - math.sqrt(33)) / 2)
_GELU_OUTER = math.sqrt((7 + math.sqrt(33)) / 2)
_ERF_THIRD = math.sqrt(1.5)
_HALF_ROOT = math.sqrt(0.5)

CURVES: Mapping[str, Curve] = {
    "sigmoid": Curve(
        (_one(0, _logistic), _one(1, _logistic), _one(2, _logistic), _one(3, _logistic)),
        ((), (0.0,), (-_SIGMOID_TURN, _SIGMOID_TURN), (-_SIGMOID_THIRD, 0.0, _SIGMOID_THIRD)),
    ),
    "softplus": Curve(
        (_softplus, _one(0, _logistic), _one(1, _logistic), _one(2, _logistic)),
        ((), (), (0.0,), (-_SIGMOID_TURN, _SIGMOID_TURN)),
    ),
    "silu": Curve(
        (
            _leibniz(_logistic, 0),
            _leibniz(_logistic, 1),
            _leibniz(_logistic, 2),
            _leibniz(_logistic, 3),
        ),
        (
            (-1.2784645427610737951,),
            (-2.3993572805154676678, 2.3993572805154676678),
            (-3.435840993535110689, 0.0, 3.435840993535110689),
            (
                -4.4292351005572279796,
                -1.0319582417807491234,
                1.0319582417807491234,
                4.4292351005572279796,
            ),
        ),
    ),
    "mish": Curve(
        (
            _leibniz(_mish_gate, 0),
            _leibniz(_mish_gate, 1),
            _leibniz(_mish_gate, 2),
            _leibniz(_mish_gate, 3),
        ),
        (
            (-1.1924312145154952121,),
            (-2.25637639636079312, 1.4905711794854284593),
            (-3.2673378465204045761, -0.087934431314914211327, 2.1148425630208771086),
            (
                -4.2554113336685641819,
                -0.88194607683192259745,
                0.71550588670002980217,
                2.6942158677688237102,
            ),
        ),
    ),
    "gelu": Curve(
        (
            lambda z: z * _below(z),
            lambda z: _below(z) + z * _density(z),
            lambda z: _density(z) * (2 - z * z),
            lambda z: _density(z) * z * (z * z - 4),
        ),
        (
            (-0.75179152469356444962,),
            (-math.sqrt(2), math.sqrt(2)),
            (-2.0, 0.0, 2.0),
            (-_GELU_OUTER, -_GELU_INNER, _GELU_INNER, _GELU_OUTER),
        ),
        # The tail's exponent z^2 / 2 is rounded before it is raised.
        lambda z: 1 + np.minimum(z * z, 1e4),
    ),
    "erf": Curve(
        (
            _erf,
            _bell,
            lambda z: -2 * z * _bell(z),
            lambda z: _bell(z) * (4 * z * z - 2),
        ),
        ((), (0.0,), (-_HALF_ROOT, _HALF_ROOT), (-_ERF_THIRD, 0.0, _ERF_THIRD)),
    ),
    "expm1": Curve((np.expm1, np.exp, np.exp, np.exp), ((), (), (), ())),
    "log1p": Curve(
        (
            np.log1p,
            lambda z: _positive(z, 1.0, -1),
            lambda z: _positive(z, -1.0, -2),
            lambda z: _positive(z, 2.0, -3),
        ),
        ((), (), (), ()),
    ),
}
"""Smooth functions by name."""


def _positive(z: Array, factor: float, power: int) -> Array:
    """``factor * (1 + z)**power`` where the logarithm is defined, else NaN."""
    return np.where(z > -1, factor * (1 + z) ** float(power), np.nan)


def _expm1_times(factor: float) -> Curve:
    def power(z: Array) -> Array:
        return factor * np.exp(z)

    return Curve((lambda z: factor * np.expm1(z), power, power, power), ((), (), (), ()))


def _softsign(sign: float) -> Curve:
    """One side: ``z / (1 + sign*z)``."""
    return Curve(
        (
            lambda z: z / (1 + sign * z),
            lambda z: (1 + sign * z) ** -2.0,
            lambda z: -2 * sign * (1 + sign * z) ** -3.0,
            lambda z: 6 * (1 + sign * z) ** -4.0,
        ),
        ((), (), (), ()),
    )


def curve(name: str, parameter: float = 0.0) -> Smooth:
    """The row of a function of ``distill.chain.functions`` that is not made of lines.

    Raises
    ------
    NotBounded : for a function that has none.
    """
    if name in SMOOTH:
        return SMOOTH[name]
    row: Curve | Pieced
    if name in CURVES:
        row = CURVES[name]
    elif name == "elu":
        row = Pieced((0.0,), (_expm1_times(parameter), line(1.0)))
    elif name == "selu":
        row = Pieced((0.0,), (_expm1_times(SELU_SLOPE), line(SELU_SCALE)))
    elif name == "softsign":
        row = Pieced((0.0,), (_softsign(-1.0), _softsign(1.0)))
    elif name == "hardswish":
        row = Pieced((-3.0, 3.0), (constant(0.0), parabola(0.5, 1 / 6), line(1.0)))
    else:
        raise NotBounded(f"the function `{name}` of the teacher has no enclosure.")
    return Smooth(row.at, row.over)


def lost(name: str, centre: Array, reach: Array, terms: tuple[Array, Array, Array]) -> Array:
    """How far the parabola of ``terms`` at ``centre`` may be off by the rounding of its terms.

    ``terms`` are a curve's value, slope and half the second derivative at the centre.
    """
    row = CURVES.get(name)
    value, slope, half = terms
    wide = 1 + reach
    size = (np.abs(value) + np.abs(slope) + np.abs(half)) * wide * wide
    weight = row.lost(centre) if row is not None else np.ones_like(centre)
    result: Array = LOST * weight * size + TINY
    return result
