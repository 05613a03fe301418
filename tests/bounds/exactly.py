"""The truth in 60 digits, and whether bands hold it."""

import mpmath
import numpy as np

from distill.bounds.enclosure import pairs
from distill.formula.tree import Number, Symbol

mp = mpmath.mp.clone()
mp.dps = 60


def _power(a, b):
    if a < 0 and b != int(b):
        raise ValueError
    return mp.power(a, b)


def _real(function):
    def value(a):
        v = function(a)
        if isinstance(v, mpmath.mpc) or type(v).__name__ == "mpc":
            raise ValueError
        return v

    return value


MEANING = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "pow": _power,
    "square": lambda a: a * a,
    "cube": lambda a: a**3,
    "inv": lambda a: 1 / a,
    "sqrt": _real(mp.sqrt),
    "cbrt": lambda a: mp.sign(a) * mp.cbrt(abs(a)),
    "exp": mp.exp,
    "log": _real(mp.log),
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "asin": _real(mp.asin),
    "acos": _real(mp.acos),
    "atan": mp.atan,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "abs": abs,
    "atan2": mp.atan2,
    "min": min,
    "max": max,
    "ifless": lambda a, b, t, o: t if a < b else o,
}


def true_value(tree, point):
    """The tree in real numbers at a point by name; None where it has no value."""
    if isinstance(tree, Number):
        return mp.mpf(tree.value)
    if isinstance(tree, Symbol):
        return mp.mpf(float(point[tree.name]))
    if tree.operator == "ifless":  # the branch not taken may have no value
        a, b = (true_value(t, point) for t in tree.args[:2])
        if a is None or b is None:
            return None
        return true_value(tree.args[2 if a < b else 3], point)
    args = [true_value(a, point) for a in tree.args]
    if any(a is None for a in args):
        return None
    if any(abs(a) > 1e8 for a in args) and tree.operator in ("sin", "cos", "tan"):
        return None  # too many digits for the truth itself
    if any(abs(a) > 1e4 for a in args) and tree.operator in ("exp", "sinh", "cosh", "pow"):
        return None
    try:
        value = MEANING[tree.operator](*args)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return value if mp.isfinite(value) else None


def in_band(band, boxes, b, x, value):
    """Whether the band of box b holds a true value at x (d,), in exact arithmetic."""
    if not np.isfinite(band.low[b]) and not np.isfinite(band.high[b]):
        return True
    e = []
    for i, coordinate in enumerate(x):
        radius = mp.mpf(float(boxes.radius[i, b]))
        away = mp.mpf(float(coordinate)) - mp.mpf(float(boxes.middle[i, b]))
        e.append(away / radius if radius else mp.mpf(0))
    assert all(abs(v) <= 1 for v in e)
    quadratic = mp.mpf(float(band.centre[b]))
    for i, v in enumerate(e):
        quadratic += mp.mpf(float(band.slope[i, b])) * v
    for (i, j), c in zip(pairs(len(e)), band.curve[:, b], strict=True):
        quadratic += mp.mpf(float(c)) * e[i] * e[j]
    return mp.mpf(float(band.low[b])) <= value - quadratic <= mp.mpf(float(band.high[b]))


def in_range(span, b, value):
    """Whether the range of box b holds a true value."""
    return mp.mpf(float(span[0][b])) <= value <= mp.mpf(float(span[1][b]))


def points_of(boxes, b, rng, count=6):
    """Corners and points inside of a box, (m, d)."""
    low, high = boxes.low[:, b], boxes.high[:, b]
    inside = low + rng.random((count, len(low))) * (high - low)
    corners = np.where(rng.random((count, len(low))) < 0.5, low, high)
    return np.clip(np.vstack([inside, corners, [low, high]]), low, high)
