"""Inverse trigonometric functions, by reciprocals and roots where their argument is large."""

from __future__ import annotations

import math

import numpy as np

from distill.arrays import Array
from distill.firmware.fixed.arithmetic import (
    choose,
    holding,
    magnitude,
    positive,
    signed,
    spread,
)
from distill.firmware.fixed.curves import Curve, apply_curve
from distill.firmware.fixed.leading import quotient, root_of_error, sqrt
from distill.firmware.fixed.values import Builder, DoesNotFit, Value
from distill.firmware.intervals import Interval

ATAN = Curve(np.arctan, 0.0, 1.0)


def _acos_over_root(a: Array) -> Array:
    # acos(a) = 2 asin(sqrt((1 - a)/2)) keeps its digits near 1.
    rest = np.maximum(1 - a, 1e-30)
    return np.asarray(2 * np.arcsin(np.sqrt(np.minimum(rest / 2, 1.0))) / np.sqrt(rest))


ACOS = Curve(_acos_over_root, 0.0, 1.0)
"""acos(a) / sqrt(1 - a), smooth up to a = 1 (Abramowitz and Stegun 4.4.45)."""


def _one(builder: Builder, fraction: int) -> Value:
    if fraction < 0:
        raise DoesNotFit
    return builder.constant(1.0, fraction)


def atan(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """By the reciprocal where |x| is above 1."""
    (a,) = args
    size = magnitude(builder, a)
    one = _one(builder, size.fraction)
    larger = builder.simple(
        "max", (size, one), (np.maximum(size.low, 1.0), np.maximum(size.high, 1.0)), size.error
    )
    unit = builder.constant(1.0, 0)
    turned = quotient(builder, (unit, larger), precision + 2, (1 / larger.high, 1 / larger.low))
    near = builder.simple(
        "min", (size, one), (np.minimum(size.low, 1.0), np.minimum(size.high, 1.0)), size.error
    )
    result = _angle(builder, size, one, near, turned, precision)
    return signed(builder, a, result, exact, result.error + a.error)


def _angle(
    builder: Builder, a: Value, b: Value, near: Value, turned: Value, precision: int
) -> Value:
    """The angle whose tangent is a/b, given a/b where a < b and b/a where it is not."""
    inside, outside = builder.aligned(near, turned, precision + 3)
    error = np.maximum(inside.error, outside.error)
    ratio = choose(builder, a, b, inside, outside, spread(builder, 0.0, 1.0), error)
    angle = apply_curve(builder, ATAN, ratio, precision + 2, spread(builder, 0.0, math.pi / 4))
    quarter = builder.constant(math.pi / 2, angle.fraction)
    error = angle.error + quarter.error
    exact = spread(builder, math.pi / 4, math.pi / 2)
    rest = builder.simple("sub", (quarter, angle), exact, error)
    return choose(builder, a, b, angle, rest, spread(builder, 0.0, math.pi / 2), error)


def atan2(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """The angle of the smaller to the larger coordinate, moved to its octant."""
    y, x = args
    common = max(min(y.fraction, x.fraction), min(max(y.fraction, x.fraction), precision + 12))
    v, u = builder.at(y, common), builder.at(x, common)
    doubt = v.error + u.error
    nearest = np.hypot(
        np.maximum(np.maximum(v.low, -v.high), 0.0), np.maximum(np.maximum(u.low, -u.high), 0.0)
    )
    if ((nearest <= 2 * doubt) & (doubt > 0)).any():
        raise DoesNotFit("both coordinates get too near zero, where every angle is possible")
    around = (v.low - doubt < 0) & (v.high + doubt >= 0) & (u.low - doubt < 0) & (doubt > 0)
    if builder.bounds(y)[0] < 0 and around.any():
        raise DoesNotFit("the angle jumps by a whole turn inside the domain")
    with np.errstate(all="ignore"):
        inner = np.where(doubt > 0, doubt / (nearest - doubt), 0.0)
    above, beside = magnitude(builder, v), magnitude(builder, u)
    small = builder.simple(
        "min", (above, beside),
        (np.minimum(above.low, beside.low), np.minimum(above.high, beside.high)), above.error,
    )  # fmt: skip
    large = builder.simple(
        "max", (above, beside),
        (np.maximum(above.low, beside.low), np.maximum(above.high, beside.high)), above.error,
    )  # fmt: skip
    large, _ = positive(builder, large)
    ratio = quotient(builder, (small, large), precision + 3, spread(builder, 0.0, 1.0))
    angle = _angle(builder, above, beside, ratio, ratio, precision + 1)
    if builder.bounds(u)[0] < 0:
        straight = builder.constant(math.pi, angle.fraction)
        half_turn = spread(builder, 0.0, math.pi)
        error = angle.error + straight.error
        back = builder.simple("sub", (straight, angle), half_turn, error)
        zero = builder.constant(0.0, u.fraction)
        angle = choose(builder, u, zero, back, angle, half_turn, error)
    return signed(builder, y, angle, exact, angle.error + inner)


def acos(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """sqrt(1 - |x|) times a smooth function, mirrored for negative x."""
    (a,) = args
    size = magnitude(builder, a)
    one = _one(builder, size.fraction)
    rest = builder.simple(
        "max",
        (
            builder.simple("sub", (one, size), (1 - size.high, 1 - size.low), size.error),
            builder.constant(0.0, size.fraction),
        ),
        (np.maximum(1 - size.high, 0.0), np.maximum(1 - size.low, 0.0)),
        size.error,
    )
    inside = size
    if builder.bounds(size)[1] > builder.bounds(one)[1]:
        # The polynomial holds up to 1 only.
        ends = np.minimum(size.low, 1.0), np.minimum(size.high, 1.0)
        inside = builder.simple("min", (size, one), ends, size.error)
    root = sqrt(builder, (rest,), precision + 2, (np.sqrt(rest.low), np.sqrt(rest.high)))
    smooth = apply_curve(builder, ACOS, inside, precision + 2, spread(builder, 1.41, 1.58))
    angle = builder.multiply(root, smooth, precision + 2, spread(builder, 0.0, math.pi / 2))
    inner = root_of_error(np.maximum(1 - np.abs(a.largest), 0.0), a.error, 2) * 2
    if builder.bounds(a)[0] < 0:
        straight = builder.constant(math.pi, angle.fraction)
        back = builder.simple(
            "sub", (straight, angle), spread(builder, math.pi / 2, math.pi),
            angle.error + straight.error,
        )  # fmt: skip
        zero = builder.constant(0.0, a.fraction)
        return choose(builder, a, zero, back, angle, exact, back.error + inner)
    return holding(angle, exact, angle.error + inner)


def asin(builder: Builder, args: tuple[Value, ...], precision: int, exact: Interval) -> Value:
    """A right angle less acos."""
    angle = acos(builder, args, precision + 1, (math.pi / 2 - exact[1], math.pi / 2 - exact[0]))
    right = builder.constant(math.pi / 2, angle.fraction)
    return builder.simple("sub", (right, angle), exact, angle.error + right.error)
