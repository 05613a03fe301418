"""Two variables that act as one about another zero: (x + a) (y + b), (x + a) / (y + b), circles.

The ratio of slopes is then r = C (x + a)^e / (y + b)^e, and with s its e-th root s y + b s = K x +
K a is linear in what is not known; where y is not shifted, s = K x + K a. What slopes suggest is
sharpened on values, on which it must hold exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from distill.arrays import Array
from distill.engines.structure.merging import (
    Power,
    follows,
    merge,
    moved,
    positive_part,
    sign_of,
    verified,
)
from distill.engines.structure.moves import Level, Move
from distill.engines.structure.piece import Piece, Values

EXPONENTS = (-1.0, 1.0, -2.0, -0.5, 2.0)
"""Of x + a in the ratio of slopes: products and ratios, circles, inverses, roots, cubes."""

LARGEST = 1e4
"""So many ranges a shift may be: beyond that everything is straight."""

CLOSE = {True: 1e-3, False: 0.3}
"""So large a part of the slopes' ratio may be left unexplained, of an exact teacher and another."""

ROUNDS, STEP = 5, {True: 1e-5, False: 1e-2}
"""Of the sharpening; the step is a part of the range."""

DIGITS = {True: 9, False: 3}
"""What a sharpened shift is good for; it is rounded to so many first."""

Pair = tuple[Power, Power]


def shifted(
    piece: Piece,
    level: Level,
    rng: np.random.Generator,
    i: int,
    j: int,
    x: Array,
    ratio: Values,
) -> Move | None:
    """F depends on c A(x_i + a) + B(x_j + b) only; ``ratio`` is that of its slopes at x."""
    for a, b in _suggested(piece, level, i, j, x, ratio):
        part = positive_part(piece, {i: a, j: b})
        inside = np.all((x >= part.low) & (x <= part.high), axis=1)
        with np.errstate(all="ignore"):
            guess = (ratio.y * b.slope(x[:, j]) / a.slope(x[:, i]))[inside]
        guess = guess[np.isfinite(guess)]
        if len(guess) < 5:
            continue
        c = float(np.median(guess))
        if not np.median(np.abs(guess - c)) <= CLOSE[level.exact] * abs(c):
            continue
        for fixed in (True, False):
            simple = float(np.round(2 * c) / 2)
            if fixed and (simple == 0 or abs(simple - c) > 0.1 * abs(c)):
                continue
            sharp = _sharpened(part, level, rng, i, j, a, b, simple if fixed else c, fixed)
            if sharp is None:
                continue
            for first, second, factor in (_rounded(part, level, i, j, *sharp), sharp):
                price = verified(part, level, rng, i, j, first, second, factor)
                if price is not None:
                    return merge(part, i, j, first, second, factor, price)
    return None


def _suggested(
    piece: Piece, level: Level, i: int, j: int, x: Array, ratio: Values
) -> Iterator[Pair]:
    """Both variables shifted, then either of them."""
    for e in EXPONENTS:
        for one, other in ((True, True), (True, False), (False, True)):
            with np.errstate(all="ignore"):
                root = np.sign(ratio.y) if abs(e) == 1 else np.ones(len(x))
                s = root * np.abs(ratio.y) ** (1 / e if one else -1 / e)
                error = np.abs(s / e) * ratio.s / np.abs(ratio.y)
            solution = _solved(s, error, x[:, i], x[:, j], one, other, CLOSE[level.exact])
            if solution is None:
                continue
            a, b = solution
            far = [
                np.abs(v) > LARGEST * (piece.high[k] - piece.low[k]) for v, k in ((a, i), (b, j))
            ]
            if not any(far):
                yield _power(piece, i, e, a, one), _power(piece, j, e, b, other)


def _solved(
    s: Array, error: Array, x: Array, y: Array, one: bool, other: bool, close: float
) -> tuple[float, float] | None:
    """The shifts of x and y that explain s but for a small part."""
    ones = np.ones(len(s))
    if one and other:
        columns, right = np.column_stack([-s, x, ones]), s * y
    else:
        columns, right = np.column_stack([x if one else y, ones]), s
    with np.errstate(all="ignore"):
        w = 1 / error
    fine = np.isfinite(columns).all(axis=1) & np.isfinite(right) & np.isfinite(w)
    if fine.sum() < 12:
        return None
    columns, right, w = columns[fine], right[fine], w[fine]
    w = np.minimum(w, 30 * np.median(w))
    solution, *_ = np.linalg.lstsq(columns * w[:, None], right * w, rcond=None)
    off = np.abs(columns @ solution - right)
    # The slopes of a wild function are wrong here and there: the median does not mind.
    if not np.median(off) <= close * np.median(np.abs(right - np.median(right))):
        return None
    slope, constant = float(solution[-2]), float(solution[-1])
    if slope == 0:
        return None
    shift = constant / slope
    if one and other:
        return shift, float(solution[0])
    return (shift, 0.0) if one else (0.0, shift)


def _power(piece: Piece, i: int, e: float, shift: float, used: bool) -> Power:
    if not used:
        return Power(1.0)
    return Power(e + 1, shift, sign_of(float(piece.low[i]) + shift, float(piece.high[i]) + shift))


def _sharpened(
    piece: Piece,
    level: Level,
    rng: np.random.Generator,
    i: int,
    j: int,
    a: Power,
    b: Power,
    c: float,
    fixed: bool,
) -> tuple[Power, Power, float] | None:
    """The shifts, and the factor unless it is fixed, for which the values stay the same."""
    from scipy.optimize import least_squares

    pair = moved(piece, rng, i, j, a, b, c)
    if pair is None:
        return None
    here, there = (points[::2] for points in pair)
    values = piece(here)
    ranges = piece.high - piece.low
    free = [
        *([("a", ranges[i])] if a.p != 1 else []),
        *([("b", ranges[j])] if b.p != 1 else []),
        *([] if fixed else [("c", abs(c))]),
    ]
    unit = np.array([size for _, size in free])

    def at(theta: Array) -> tuple[Power, Power, float]:
        change = dict(zip([name for name, _ in free], theta * unit, strict=True))
        return (
            replace(a, shift=a.shift + float(change.get("a", 0.0))),
            replace(b, shift=b.shift + float(change.get("b", 0.0))),
            c + float(change.get("c", 0.0)),
        )

    def off(theta: Array) -> Array:
        moves = there.copy()
        moves[:, j] = follows(here, there, i, j, *at(theta))
        # Shifted too far, a power has no value: there the teacher cannot be asked.
        lost = ~np.isfinite(moves[:, j])
        moves[lost] = there[lost]
        change = piece(moves).minus(values)
        return np.where(np.isfinite(change.y) & ~lost, change.y / change.s, 0.0)

    def slope(theta: Array) -> Array:
        start, step = off(theta), STEP[level.exact]
        columns = [(off(theta + step * row) - start) / step for row in np.eye(len(free))]
        return np.column_stack(columns)

    start = np.zeros(len(free))
    found = least_squares(off, start, slope, xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=ROUNDS)
    return at(found.x)


def _rounded(
    piece: Piece, level: Level, i: int, j: int, a: Power, b: Power, c: float
) -> tuple[Power, Power, float]:
    digits = DIGITS[level.exact]
    ranges = piece.high - piece.low
    return (
        replace(a, shift=_short(a.shift, float(ranges[i]), digits)),
        replace(b, shift=_short(b.shift, float(ranges[j]), digits)),
        float(f"{c:.{digits}g}"),
    )


def _short(value: float, least: float, digits: int) -> float:
    """The value with so many digits of itself or of ``least``, whichever is larger."""
    places = digits - 1 - math.floor(math.log10(max(abs(value), least)))
    return round(value, places)
