"""What a function of one number is replaced by over an interval: a parabola and a remainder.

Around the middle c: ``f(c + t) = value + slope t + curve t^2 + [low, high]``. Small intervals take
Taylor's polynomial with the third derivative's mean taken into the slope by Chebyshev's
polynomial (t^3 is near 3/4 r^2 t); wide ones the slope alone, or the function's range.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.bounds.jets import SLACK, Range, Smooth
from distill.bounds.rounding import FUNCTION, TINY, down, up


@dataclass(frozen=True)
class Relaxation:
    """``f(c + t) = value + slope t + curve t^2 + [low, high]`` for every c + t of an interval.

    ``range`` holds f over it. All of one shape.
    """

    value: Array
    slope: Array
    curve: Array
    low: Array
    high: Array
    range: Range


def relax(function: Smooth, centre: Array, low: Array, high: Array) -> Relaxation:
    """Of a smooth function over [low, high], which need not hold ``centre``."""
    with np.errstate(all="ignore"):
        reach = up(np.maximum(np.abs(high - centre), np.abs(centre - low)))
        value, slope, curve = function.at(centre)
        jet = function.over(low, high)
        lo, hi = jet.value
        if ((centre < low) | (centre > high)).any():
            # Taylor's remainder is taken between the interval and the middle.
            jet = function.over(np.minimum(low, centre), np.maximum(high, centre))
        error = FUNCTION * np.maximum(np.abs(lo), np.abs(hi)) + TINY
        lo, hi = lo - error, hi + error
        # Taylor with a third derivative between its bounds, of which the mean is fitted.
        mean = (jet.third[0] + jet.third[1]) / 2
        spread = (jet.third[1] - jet.third[0]) / 2
        cube = reach * reach * reach
        terms = np.abs(value) + np.abs(slope) * reach + np.abs(curve) * reach * reach
        scale = np.maximum(np.abs(jet.third[0]), np.abs(jet.third[1])) * cube
        rough = SLACK / 32 * terms + SLACK * function.scale * (reach + reach * reach + cube) + TINY
        rest = (np.abs(mean) / 24 + spread / 6) * cube + SLACK * scale + rough
        slope = slope + mean / 8 * reach * reach
        # Next to its ends a function's middle may be undefined, or the interval far from it.
        good = np.isfinite(rest) & np.isfinite(value) & np.isfinite(slope) & np.isfinite(curve)
        rest = np.where(good, rest, np.inf)
        width = 2 * rest + 0.5 * np.abs(curve) * reach * reach
        plain = hi - lo
        steep = (jet.first[1] - jet.first[0]) / 2 * reach * (1 + SLACK)
        steep = steep + SLACK * np.maximum(np.abs(jet.first[0]), np.abs(jet.first[1])) * reach
        mean_slope = (jet.first[0] + jet.first[1]) / 2
        steep = steep + SLACK / 32 * (np.abs(value) + np.abs(mean_slope) * reach) + TINY
        steep = steep + SLACK * function.scale * reach
        steep = np.where(np.isfinite(value) & np.isfinite(mean_slope), steep, np.inf)
        steep = np.where(np.isnan(steep), np.inf, steep)
        plainly = ~(np.minimum(width, 2 * steep) < plain)
        linear = ~plainly & (2 * steep < width)
        if not (plainly.any() or linear.any()):
            return Relaxation(value, slope, curve, -rest, rest, (lo, hi))
        known = np.isfinite(lo) & np.isfinite(hi)
        middle = np.where(known, lo + (hi - lo) / 2, 0.0)
        value = np.where(plainly, middle, value)
        slope = np.where(plainly, 0.0, np.where(linear, mean_slope, slope))
        curve = np.where(plainly | linear, 0.0, curve)
        below = np.where(plainly, down(lo - middle), np.where(linear, -steep, -rest))
        above = np.where(plainly, up(hi - middle), np.where(linear, steep, rest))
        return Relaxation(value, slope, curve, below, above, (lo, hi))


def relax_kink(below: float, above: float, centre: Array, low: Array, high: Array) -> Relaxation:
    """Of ``z < 0 ? below*z : above*z`` over [low, high]: exact on one side of 0.

    Across 0 the chord between both ends, whose distance from the kink is the remainder.
    """
    with np.errstate(all="ignore"):
        left, right = below * np.minimum(low, 0.0), above * np.maximum(high, 0.0)
        at_low = np.where(low < 0, below * low, above * low)
        at_high = np.where(high < 0, below * high, above * high)
        across = (low < 0) & (high > 0)
        chord = (right - left) / (high - low)
        slope = np.where(across, chord, np.where(high <= 0, below, above))
        # At 0 the function is 0 and farthest from the chord, which is left - chord*low there.
        gap = np.where(across, left - chord * low, 0.0)
        slack = SLACK / 64 * (np.abs(at_low) + np.abs(at_high) + np.abs(slope * centre)) + TINY
        value = slope * centre + gap / 2
        wide = np.abs(gap) / 2 + slack
        lo = np.minimum(np.minimum(at_low, at_high), np.where(across, 0.0, np.inf))
        hi = np.maximum(np.maximum(at_low, at_high), np.where(across, 0.0, -np.inf))
        lost = ~np.isfinite(wide) | ~np.isfinite(value)
        wide = np.where(lost, np.inf, wide)
        value = np.where(lost, 0.0, value)
        slope = np.where(lost, 0.0, slope)
    rough = FUNCTION * np.maximum(np.abs(lo), np.abs(hi)) + TINY
    return Relaxation(value, slope, np.zeros_like(value), -wide, wide, (lo - rough, hi + rough))
