"""How far a function of our own is from what it stands for: proven for every argument.

A kernel is a polynomial in integers between two conversions. As a polynomial in real numbers it is
compared with its meaning between all points (:mod:`distill.firmware.proof.gaps`); what the integers
cut off is bounded step by step: Horner's scheme rounds down once a level, by less than a unit.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.polynomial import polynomial

from distill.arrays import Array
from distill.firmware.intervals import Interval, apply
from distill.firmware.kernels.arctangent import Arctangent
from distill.firmware.kernels.base import HALF_UNIT, Kernel
from distill.firmware.kernels.curve import Curve
from distill.firmware.kernels.design import Affine, affine
from distill.firmware.kernels.exponential import Exponential
from distill.firmware.kernels.horner import Horner
from distill.firmware.kernels.logarithm import Logarithm
from distill.firmware.kernels.wave import Wave
from distill.firmware.proof.gaps import largest_gap, polynomial_range
from distill.firmware.proof.lines import Jet, function_line, line_of
from distill.firmware.proof.slopes import magnitude

_UP = 1 + 1e-9
_CONSTANTS = 1e-13
"""What float64 may lose in the constants of ``factor*function(inner*x + shift) + constant``,
relative to their magnitudes: hundreds of roundings."""

Bound = tuple[float, float]
"""An absolute error, and one relative to the exact value: both may occur at once."""

NONE: Bound = (math.inf, 0.0)


@lru_cache(maxsize=1024)
def kernel_bound(kernel: Kernel) -> Bound:
    """A bound of |kernel - meaning| for every float32 between ``kernel.low`` and ``kernel.high``.

    Infinite where an integer might leave its word, or for a form without a proof.
    """
    with np.errstate(all="ignore"):
        match kernel:
            case Curve():
                bound = _curve(kernel)
            case Logarithm():
                bound = _logarithm(kernel)
            case Exponential():
                bound = _exponential(kernel)
            case Wave():
                bound = _wave(kernel)
            case Arctangent():
                bound = _arctangent(kernel)
            case _:
                return NONE
    return (bound[0] * _UP, bound[1] * _UP) if math.isfinite(sum(bound)) else NONE


def _curve(kernel: Curve) -> Bound:
    """``t`` is x in steps of 2^-scale, cut towards zero."""
    horner = kernel.horner
    stretch = math.ldexp(1.0, kernel.scale + kernel.shift - horner.bits)
    center = math.ldexp(kernel.middle, -kernel.scale)
    reach = [(x - center) * stretch for x in (kernel.low, kernel.high)]
    slip = math.ldexp(1.0, kernel.shift - horner.bits)
    largest = max(map(abs, reach)) + slip
    if not _held(horner, largest):
        return NONE
    # In the polynomial's variable; the meaning is asked at the x it stands for.
    meaning = line_of(kernel.meaning)

    def line(low: Array, high: Array) -> Jet:
        ends = apply("add", (low / stretch, high / stretch), _wide(low, center))
        return meaning(*ends).scaled(1 / stretch)

    real = _real(horner)
    error = largest_gap(real, line, *reach) + _steepest(real, *_wider(reach, slip)) * slip
    return error + _cut(horner, largest), HALF_UNIT


def _logarithm(kernel: Logarithm) -> Bound:
    """One polynomial of the mantissa for every exponent, and a step for each of them."""
    horner = kernel.horner
    slip = 2.0**-16 if horner.bits == 16 else 0.0
    if not _held(horner, 0.5) or kernel.low < 2.0**-126:
        return NONE
    meaning = line_of(kernel.meaning)
    unit = math.ldexp(1.0, -horner.fraction - kernel.lift)
    worst, size = 0.0, 0.0
    for exponent in range(math.frexp(kernel.low)[1] - 1, math.frexp(kernel.high)[1]):
        scale = math.ldexp(1.0, exponent)
        low, high = max(kernel.low, scale), min(kernel.high, 2 * scale)

        def line(low: Array, high: Array, scale: float = scale) -> Jet:
            ends = (low + 1.5) * scale, (high + 1.5) * scale
            return meaning(*apply("add", ends, _wide(low, 0.0))).scaled(scale)

        real = _real(horner)
        total = (exponent + 127) * kernel.step + kernel.offset
        real[0] += total * unit
        size = max(size, abs(total) + math.ldexp(_size(horner, 0.5), kernel.lift))
        gap = largest_gap(real, line, low / scale - 1.5, high / scale - 1.5)
        worst = max(worst, gap)
    if size >= 2**31 - 1:
        return NONE
    slipped = _steepest(_real(horner), -0.5 - slip, 0.5) * slip
    return worst + slipped + _cut(horner, 0.5), HALF_UNIT


def _exponential(kernel: Exponential) -> Bound:
    """A power of two of the integers' exponent, and how far that exponent is from the real one."""
    horner, form = kernel.horner, affine(kernel.meaning)
    if form is None or form.function != "exp" or form.constant != 0 or not form.factor > 0:
        return NONE
    slip = 2.0**-16 if horner.bits == 16 else 0.0
    power = largest_gap(_real(horner), _power_of_two, -0.5, 0.5) + _cut(horner, 0.5)
    power += _steepest(_real(horner), -0.5 - slip, 0.5) * slip + HALF_UNIT
    # Beyond 2 a mantissa's units are twice as large.
    power *= 1 + power
    slope, shift = form.inner / math.log(2), form.shift / math.log(2) + math.log2(form.factor)
    # The exponent in units of 2^-fraction, as the integers have it before anything is cut.
    made = math.ldexp(kernel.factor, kernel.scale - 32 - kernel.fraction)
    start = math.ldexp(kernel.bias, -kernel.fraction) - 126
    ends = [x * (made - slope) + start - shift for x in (kernel.low, kernel.high)]
    off = max(map(abs, ends)) + _CONSTANTS * _magnitudes(form, kernel)
    down, up = _product_cut(kernel.factor, kernel.fraction)
    doubt = max(abs(end - down) for end in ends), max(abs(end + up) for end in ends), off
    phase = math.expm1((max(doubt) + _CONSTANTS * _magnitudes(form, kernel)) * math.log(2))
    limits = [x * made + start for x in (kernel.low, kernel.high)]
    if not _held(horner, 0.5) or min(limits) < -125 or max(limits) > 126 or power > 0.01:
        return NONE
    if max(abs(kernel.low), abs(kernel.high)) >= math.ldexp(2.0**31 - 1, -kernel.scale):
        return NONE
    return 0.0, phase + power * (1 + phase)


def _wave(kernel: Wave) -> Bound:
    """The phase in turns, how far it is from the real one, and an odd polynomial of it."""
    horner, form = kernel.horner, affine(kernel.meaning)
    if form is None or form.function not in ("sin", "cos"):
        return NONE
    real, bits = _real(horner), horner.bits
    if not _held(horner, 0.25 + math.ldexp(4.0, -bits)):
        return NONE
    unit = math.ldexp(1.0, -horner.fraction)
    phase = form.shift + (math.pi / 2 if form.function == "cos" else 0.0)
    made = math.ldexp(kernel.factor, kernel.scale - 32 - (32 - kernel.shift))
    start = math.ldexp(kernel.start, -32) - phase / (2 * math.pi)
    start -= round(start)
    frequency = form.inner / (2 * math.pi)
    ends = [x * (made - frequency) + start for x in (kernel.low, kernel.high)]
    down, up = _product_cut(kernel.factor, 32 - kernel.shift)
    down += math.ldexp(1.0, -bits)  # the phase is cut to the polynomial's word
    turns = max(*(abs(end - down) for end in ends), *(abs(end + up) for end in ends))
    turns += _CONSTANTS * _magnitudes(form, kernel)
    error = abs(form.factor) * 2 * math.pi * turns
    # The polynomial of 4 s^2 times s, against factor*sin(2 pi s) on a quarter turn.
    odd = _odd(real, 0.0, 4.0)

    line = function_line("sin", 2 * math.pi, form.factor, 1e-13 * abs(form.factor))
    error += largest_gap(odd, line, 0.0, 0.25)
    slip = math.ldexp(4.0, -bits)
    cut = _cut(horner, 0.25 + slip) + _steepest(real, -slip, 0.25) * slip
    error += 0.25 * cut + unit + abs(kernel.offset * unit - form.constant)
    size = _size(horner, 0.25 + slip) / 4 + abs(kernel.offset) + 1
    in_word = max(abs(kernel.low), abs(kernel.high)) < math.ldexp(2.0**31 - 1, -kernel.scale)
    if size >= 2**31 - 1 or not in_word or abs(kernel.factor) >= 2**31:
        return NONE
    return error, HALF_UNIT


def _arctangent(kernel: Arctangent) -> Bound:
    """An odd polynomial of s/4, s being x or its reciprocal, against factor*atan(s)."""
    horner, form = kernel.horner, affine(kernel.meaning)
    if form is None or form.function != "atan" or (form.inner, form.shift) != (1.0, 0.0):
        return NONE
    real, bits = _real(horner), horner.bits
    slip = math.ldexp(8.0, -bits)
    if not _held(horner, 0.25 + slip):
        return NONE
    unit = math.ldexp(1.0, -horner.fraction)
    odd = _odd(real, -0.25, 8.0)

    line = function_line("atan", 4.0, form.factor)
    error = largest_gap(odd, line, 0.0, 0.25)
    # s is cut to an integer, and 1/x rounded before; its square is cut, and so is every product.
    error += abs(form.factor) * (math.ldexp(4.0, -bits) + HALF_UNIT)
    cut = _cut(horner, 0.25 + slip) + _steepest(real, -0.25 - slip, 0.25) * slip
    quarter = abs(kernel.quarter * unit - form.factor * math.pi / 2)
    offset = kernel.offset * unit - form.constant
    # Rounding down moves the angle down below 1, and up beyond.
    error += 0.25 * cut + quarter + max(abs(offset - unit), abs(offset + unit))
    size = _size(horner, 0.25 + slip) / 4 + abs(kernel.quarter) + abs(kernel.offset) + 2
    return NONE if size >= 2**31 - 1 else (error, HALF_UNIT)


def _real(horner: Horner) -> Array:
    """The polynomial in its own unit; what rounding down takes at every level is half counted."""
    *lower, first = horner.coefficients
    return np.array([math.ldexp(c, -horner.fraction) for c in (*(c - 0.5 for c in lower), first)])


def _cut(horner: Horner, largest: float) -> float:
    """The other half: how far the integers are from that polynomial."""
    levels = len(horner.coefficients) - 1
    return math.ldexp(sum(largest**k for k in range(levels)) / 2, -horner.fraction)


def _size(horner: Horner, largest: float) -> float:
    """The largest magnitude inside Horner's scheme, in its unit."""
    sizes = [float(abs(horner.coefficients[-1]))]
    for c in reversed(horner.coefficients[:-1]):
        sizes.append(abs(c) + sizes[-1] * largest + 1)
    return max(sizes)


def _held(horner: Horner, largest: float) -> bool:
    """Whether all integers of the scheme fit their word, the variable being so large at most."""
    return largest <= 0.5 and _size(horner, largest) <= 2.0 ** (horner.bits - 1) - 1


def _steepest(coefficients: Array, low: float, high: float) -> float:
    """The largest slope of a polynomial on [low, high]; a bound."""
    edges = np.linspace(low, high, 257)
    middle, half = (edges[:-1] + edges[1:]) / 2, np.full(256, (high - low) / 511)
    derivative = np.asarray(polynomial.polyder(coefficients), dtype=float)
    return float(magnitude(polynomial_range(derivative, middle, half)).max())


def _product_cut(factor: int, fraction: int) -> tuple[float, float]:
    """By how much the product of two words is lowered and raised: both were cut to integers."""
    rest = math.ldexp(abs(factor), -32)
    return math.ldexp(rest + 1, -fraction), math.ldexp(rest, -fraction)


def _magnitudes(form: Affine, kernel: Kernel) -> float:
    """The sizes of what is added to get the argument of the function, in turns or powers of two."""
    reach = max(abs(kernel.low), abs(kernel.high))
    return 1 + abs(form.inner) * reach + abs(form.shift) + abs(math.log(abs(form.factor)))


def _power_of_two(low: Array, high: Array) -> Jet:
    """2^(1/2 + t) and its slopes."""
    half = _wide(low, 0.5)
    return _EXP2(*apply("add", (low, high), half))


_EXP2 = function_line("exp", math.log(2), slack=1e-15)


def _odd(coefficients: Array, shift: float, factor: float) -> Array:
    """The polynomial of ``shift + factor*s^2``, times s, in powers of s."""
    inner, result = np.array([shift, 0.0, factor]), np.zeros(1)
    for c in reversed(coefficients):
        result = np.convolve(result, inner)
        result[0] += c
    return np.concatenate([[0.0], result])


def _wide(like: Array, number: float) -> Interval:
    """A constant known to the last place."""
    full = np.full(len(like), number)
    return np.nextafter(full, -np.inf), np.nextafter(full, np.inf)


def _wider(ends: list[float], by: float) -> tuple[float, float]:
    return min(ends) - by, max(ends) + by
