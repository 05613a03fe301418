"""The functions between layers with a running error, computed as the C computes them.

What a function adds itself is found where its argument is exact, sign by sign; what its argument's
error makes of it is the error times the function's largest slope.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.chain.functions import FUNCTIONS, SELU_SCALE, SELU_SLOPE, sigmoid
from distill.chain.steps.elementwise import Apply
from distill.firmware.intervals import Interval, apply
from distill.firmware.proof.chains.running import (
    WIDER,
    Machine,
    Running,
    add,
    bounded,
    called,
    div,
    mul,
    neg,
    rising,
    settled,
)

Computed = Callable[[Running, float, Machine], Running]
"""The C's own operations, from an argument of one sign and the function's parameter."""

Steep = Callable[[Array, Array, float], Array]
"""The largest slope, by size, over [low, high] for a parameter."""

SLACK = 1e-14
"""What NumPy and SciPy may be off in functions of several operations, of 1 + |x| + |f(x)|."""

NEAR = 1e-3
"""How well the places of lowest values are known, and better."""


@dataclass(frozen=True)
class Rule:
    """One function; ``lowest`` is its lowest value inside, where it falls before it rises.

    ``jump`` is how far the values beside a jump at 0 are apart.
    """

    computed: Computed
    steep: Steep
    lowest: tuple[float, float] | None = None
    jump: float = 0.0
    range: Callable[[Array, Array], Interval] | None = None


def applied(step: Apply, x: Running, machine: Machine) -> Running:
    """The function of every number."""
    with np.errstate(all="ignore"):
        return _applied(step, RULES[step.function], x, machine)


def _applied(step: Apply, rule: Rule, x: Running, machine: Machine) -> Running:
    reach = x.reach
    own = np.zeros(np.shape(x.low))
    for sign in (-1, 1):
        side = sign * np.maximum(sign * reach.low, 0), sign * np.maximum(sign * reach.high, 0)
        there = (reach.low < 0) if sign < 0 else (reach.high >= 0)
        part = rule.computed(Running.exact(*side), step.parameter, machine)
        own = np.maximum(own, np.where(there, part.error, 0.0))
    steep = rule.steep(reach.low, reach.high, step.parameter) * WIDER
    carried = np.where(x.error > 0, steep * x.error, 0.0)
    if rule.jump:
        turned = (x.error > 0) & (reach.low <= 0) & (reach.high >= 0)
        carried = np.where(turned, rule.jump, carried)
    return settled(_range(step, rule, x), own + carried, machine)


def _range(step: Apply, rule: Rule, x: Running) -> Interval:
    """Bounds of the exact values."""
    if rule.range is not None:
        return rule.range(x.low, x.high)

    def value(z: Array) -> Array:
        return np.asarray(FUNCTIONS[step.function].value(z, step.parameter), dtype=float)

    ends = value(x.low), value(x.high)
    slack = SLACK * (1 + x.size + np.maximum(*np.abs(ends)))
    low, high = np.minimum(*ends) - slack, np.maximum(*ends) + slack
    if rule.lowest is not None:
        place, lowest = rule.lowest
        near = (x.low <= place + NEAR) & (x.high >= place - NEAR)
        low = np.where(near, np.minimum(low, lowest), low)
    return low, high


def _constant(value: float, machine: Machine) -> Running:
    return Running.constant(np.array(value), machine)


def _nearest_zero(low: Array, high: Array) -> Array:
    return np.maximum(np.maximum(low, -high), 0.0)


def _farthest(low: Array, high: Array) -> Array:
    return np.maximum(np.abs(low), np.abs(high))


def _bump(low: Array, high: Array) -> Array:
    """Sigmoid's slope."""
    e = np.exp(-_nearest_zero(low, high))
    slope: Array = e / (1 + e) ** 2
    return slope


def _tanh_slope(low: Array, high: Array) -> Array:
    e = np.exp(-2 * _nearest_zero(low, high))
    slope: Array = 4 * e / (1 + e) ** 2
    return slope


def _erf(x: Array) -> Array:
    from scipy.special import erf

    value: Array = erf(x)
    return value


def _erf_slope(low: Array, high: Array) -> Array:
    return 2 / math.sqrt(math.pi) * np.exp(-(_nearest_zero(low, high) ** 2))


def _reciprocal(x: Array, power: float) -> Array:
    """x^-power of positive numbers, infinite elsewhere."""
    return np.where(x > 0, np.where(x > 0, x, 1.0) ** -power, np.inf)


def _exp(x: Running, machine: Machine) -> Running:
    return called(x, rising(np.exp), lambda low, high: np.exp(high), machine)


def _expm1(x: Running, machine: Machine) -> Running:
    return called(x, rising(np.expm1), lambda low, high: np.exp(high), machine)


def _log1p(x: Running, machine: Machine) -> Running:
    def slope(low: Array, high: Array) -> Array:
        return _reciprocal(1 + low, 1)

    return called(x, rising(np.log1p), slope, machine)


def _tanh(x: Running, machine: Machine) -> Running:
    return called(x, rising(np.tanh), _tanh_slope, machine)


def _decay(x: Running, machine: Machine) -> Running:
    """``exp(-|x|)`` of an argument of one sign."""
    return _exp(neg(x) if (x.low >= 0).all() else x, machine)


def _sigmoid(x: Running, p: float, machine: Machine) -> Running:
    one, e = _constant(1.0, machine), _decay(x, machine)
    return div(one if (x.low >= 0).all() else e, add(one, e, machine), machine)


def _softplus(x: Running, p: float, machine: Machine) -> Running:
    rest = _log1p(_decay(x, machine), machine)
    # Nothing is added to what is negative: 0 is no rounding.
    return add(x, rest, machine) if (x.low >= 0).all() else rest


def _silu(x: Running, p: float, machine: Machine) -> Running:
    return mul(x, _sigmoid(x, p, machine), machine)


def _mish(x: Running, p: float, machine: Machine) -> Running:
    return mul(x, _tanh(_softplus(x, p, machine), machine), machine)


def _gelu(x: Running, p: float, machine: Machine) -> Running:
    root = np.array(math.sqrt(0.5))
    # The number that is meant lies next to its float64.
    off = np.abs(machine.held(root) - root) + np.spacing(root)
    meant = Running(np.nextafter(root, 0.0), np.nextafter(root, 1.0), off)
    inner = called(mul(x, meant, machine), rising(_erf), _erf_slope, machine)
    half = mul(x, _constant(0.5, machine), machine)
    return mul(half, add(_constant(1.0, machine), inner, machine), machine)


def _below_zero(below: Computed, above: Computed) -> Computed:
    return lambda x, p, machine: (above if (x.low >= 0).all() else below)(x, p, machine)


def _leaky(x: Running, p: float, machine: Machine) -> Running:
    return mul(_constant(p, machine), x, machine)


def _elu(x: Running, p: float, machine: Machine) -> Running:
    return mul(_constant(p, machine), _expm1(x, machine), machine)


def _selu(x: Running, p: float, machine: Machine) -> Running:
    return mul(_constant(SELU_SLOPE, machine), _expm1(x, machine), machine)


def _softsign(x: Running, p: float, machine: Machine) -> Running:
    size = x if (x.low >= 0).all() else neg(x)
    return div(x, add(_constant(1.0, machine), size, machine), machine)


def _six(x: Running, machine: Machine) -> Running:
    return bounded(add(x, _constant(3.0, machine), machine), 0, 6)


def _hardsigmoid(x: Running, p: float, machine: Machine) -> Running:
    return div(_six(x, machine), _constant(6.0, machine), machine)


def _hardswish(x: Running, p: float, machine: Machine) -> Running:
    return div(mul(x, _six(x, machine), machine), _constant(6.0, machine), machine)


def _same(x: Running, p: float, machine: Machine) -> Running:
    return x


def _log(x: Running, p: float, machine: Machine) -> Running:
    return called(x, rising(np.log), lambda low, high: _reciprocal(low, 1), machine)


def _wave(x: Running, p: float, machine: Machine) -> Running:
    """Sine or cosine of an exact argument: never above 1."""
    one = np.ones(np.shape(x.low))
    return called(x, lambda low, high: (-one, one), lambda low, high: one, machine)


def _root(x: Running, p: float, machine: Machine) -> Running:
    value = apply("sqrt", (x.low, x.high))
    return settled(value, np.where(x.low < 0, np.inf, machine.rounding(value[1])), machine)


def _flat(size: float) -> Steep:
    return lambda low, high, p: np.full(np.shape(low), size)


def _sides(below: Callable[[float], float], above: float) -> Steep:
    """Of what has one largest slope on either side of 0."""

    def steep(low: Array, high: Array, p: float) -> Array:
        first = np.where(low < 0, abs(below(p)), 0.0)
        return np.maximum(first, np.where(high > 0, above, 0.0))

    return steep


def _named(name: str) -> Callable[[Array, Array], Interval]:
    return lambda low, high: apply(name, (low, high))


RULES: Mapping[str, Rule] = {
    "identity": Rule(_same, _flat(1.0)),
    "tanh": Rule(lambda x, p, m: _tanh(x, m), lambda low, high, p: _tanh_slope(low, high)),
    "sigmoid": Rule(_sigmoid, lambda low, high, p: _bump(low, high)),
    "relu": Rule(_same, _sides(lambda p: 0.0, 1.0)),
    "leaky_relu": Rule(
        _below_zero(_leaky, _same), _sides(lambda p: p, 1.0), lowest=(0.0, 0.0)
    ),
    "elu": Rule(_below_zero(_elu, _same), _sides(lambda p: p, 1.0), lowest=(0.0, 0.0)),
    "selu": Rule(
        _below_zero(_selu, lambda x, p, m: mul(_constant(SELU_SCALE, m), x, m)),
        _sides(lambda p: SELU_SLOPE, SELU_SCALE),
    ),
    "gelu": Rule(_gelu, _flat(1.13), lowest=(-0.7518, -0.17005)),
    "silu": Rule(_silu, _flat(1.1), lowest=(-1.2785, -0.27848)),
    "mish": Rule(_mish, _flat(1.09), lowest=(-1.1924, -0.30885)),
    "softplus": Rule(_softplus, lambda low, high, p: np.asarray(sigmoid(high), dtype=float)),
    "softsign": Rule(
        _softsign, lambda low, high, p: _reciprocal(1 + _nearest_zero(low, high), 2)
    ),
    "sin": Rule(_wave, _flat(1.0), range=_named("sin")),
    "cos": Rule(_wave, _flat(1.0), range=_named("cos")),
    "exp": Rule(lambda x, p, m: _exp(x, m), lambda low, high, p: np.exp(high)),
    "expm1": Rule(lambda x, p, m: _expm1(x, m), lambda low, high, p: np.exp(high)),
    "log": Rule(_log, lambda low, high, p: _reciprocal(low, 1), range=_named("log")),
    "log1p": Rule(
        lambda x, p, m: _log1p(x, m), lambda low, high, p: _reciprocal(1 + low, 1)
    ),
    "erf": Rule(
        lambda x, p, m: called(x, rising(_erf), _erf_slope, m),
        lambda low, high, p: _erf_slope(low, high),
    ),
    "sqrt": Rule(_root, lambda low, high, p: _reciprocal(low, 0.5) / 2, range=_named("sqrt")),
    "square": Rule(
        lambda x, p, m: mul(x, x, m),
        lambda low, high, p: 2 * _farthest(low, high),
        range=_named("square"),
    ),
    "abs": Rule(_same, _flat(1.0), range=_named("abs")),
    "inv": Rule(
        lambda x, p, m: div(_constant(1.0, m), x, m),
        lambda low, high, p: _reciprocal(_nearest_zero(low, high), 2),
        range=_named("inv"),
    ),
    "hardtanh": Rule(_same, _flat(1.0)),
    "relu6": Rule(_same, _flat(1.0)),
    "hardsigmoid": Rule(_hardsigmoid, _flat(1 / 6)),
    "hardswish": Rule(_hardswish, _flat(1.5), lowest=(-1.5, -0.376)),
    "sign": Rule(_same, _flat(0.0), jump=2.0),
}  # fmt: skip
"""By the names of :mod:`distill.chain.functions`; every one of them."""
