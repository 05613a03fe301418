"""Two variables that act as one: differences, sums, ratios, products, radii and their kin.

If f = h(A(x) + B(y), ...), the ratio of its slopes f_x / f_y is A'(x) / B'(y). With powers for
these, f_x / f_y = C x^p / y^q, one regression of logarithms finds every x - y, x + 3 y, x / y,
x^2 y, x^2 + y^2, 1/x + 1/y there is. If f scales when x and y do, x f_x + b y f_y = a f (Euler),
and f is x^a times a function of y / x^b. What the slopes suggest is verified on values: points far
apart on a line on which f should not change.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from distill.arrays import Array
from distill.engines.structure.merging import (
    CHECKS,
    Power,
    merge,
    monomial,
    positive_part,
    raised,
    sign_of,
    verified,
)
from distill.engines.structure.moves import Level, Move
from distill.engines.structure.piece import Piece, Values, lifted
from distill.engines.structure.shifts import shifted
from distill.engines.structure.slopes import EXACT_STEP, ROUGH_STEP, inner, slopes
from distill.formula.text import to_text
from distill.formula.tree import Node, mul

POINTS = 60
EXPONENTS = np.array([k / 2 for k in range(-8, 9)])
"""Of x in the ratio of two slopes."""

NEAR = 0.08
"""A fitted exponent this far from a simple one is still tried as it."""

FACTORS = np.array(sorted({s * a / b for a in range(1, 7) for b in range(1, 7) for s in (1, -1)}))


def combined(piece: Piece, level: Level, rng: np.random.Generator) -> list[Move]:
    """All believed ways in which two variables act as one, the simplest first."""
    x, slope = _slopes(piece, level, rng)
    pairs = itertools.combinations(_continuous(piece), 2)
    moves = [_combined(piece, level, rng, i, j, x, slope) for i, j in pairs]
    return sorted((move for move in moves if move is not None), key=lambda move: _rank(move, level))


def scalings(piece: Piece, level: Level, rng: np.random.Generator) -> list[Move]:
    """All believed ways in which the answer scales with two variables, the simplest first."""
    x, slope = _slopes(piece, level, rng)
    pairs, f = itertools.permutations(_continuous(piece), 2), piece(x)
    found = [m for i, j in pairs for m in _scaling(piece, level, rng, i, j, x, f, slope)]
    return sorted(found, key=lambda move: _rank(move, level))


def _slopes(piece: Piece, level: Level, rng: np.random.Generator) -> tuple[Array, list[Values]]:
    step = EXACT_STEP if level.exact else ROUGH_STEP
    x = inner(piece, step).draw(rng, POINTS)
    return x, slopes(piece, x, step)


def _continuous(piece: Piece) -> list[int]:
    return [i for i in range(len(piece)) if not piece.whole[i]]


def _rank(move: Move, level: Level) -> tuple[int, float]:
    size = sum(len(to_text(view, 4)) for part in move.parts for view in part.views)
    return size, move.price / max(level.bar, 1e-300)


# One variable for two ----------------------------------------------------------------------


def _combined(
    piece: Piece,
    level: Level,
    rng: np.random.Generator,
    i: int,
    j: int,
    x: Array,
    slope: Sequence[Values],
) -> Move | None:
    """F depends on C A(x_i) + B(x_j) only."""
    ratio = slope[i].over(slope[j])
    positive = piece.low[i] > 0 and piece.low[j] > 0
    found = None
    if not positive:
        plain = [(Power(p), Power(p)) for p in (1.0, 2.0)]
        found = _first(piece, level, rng, i, j, x, ratio, plain)
    if found is None:
        signs = [sign_of(float(piece.low[k]), float(piece.high[k])) for k in (i, j)]
        logs = (Power(0.0, sign=sign) for sign in signs)
        part = positive_part(piece, dict(zip((i, j), logs, strict=True)))
        inside = np.all((x >= part.low) & (x <= part.high), axis=1)
        t = x[inside][:, [i, j]] * signs
        there = Values(ratio.y[inside], ratio.s[inside])
        powers = [
            (Power(p + 1, sign=signs[0]), Power(q + 1, sign=signs[1]))
            for p, q in _exponents(t, there)
            if positive or (p, q) != (0.0, 0.0)
        ]
        found = _first(part, level, rng, i, j, x[inside], there, powers)
    return shifted(piece, level, rng, i, j, x, ratio) if found is None else found


def _first(
    piece: Piece,
    level: Level,
    rng: np.random.Generator,
    i: int,
    j: int,
    x: Array,
    ratio: Values,
    powers: Sequence[tuple[Power, Power]],
) -> Move | None:
    """The first pair of powers that is believed."""
    for a, b in powers:
        if not (a.holds(piece.low[i], piece.high[i]) and b.holds(piece.low[j], piece.high[j])):
            continue
        with np.errstate(all="ignore"):
            guess = ratio.y * b.slope(x[:, j]) / a.slope(x[:, i])
        guess = guess[np.isfinite(guess)]
        if not len(guess):
            continue
        factor = float(np.median(guess))
        spread = float(np.median(np.abs(guess - factor)))
        if spread > 0.3 * abs(factor):
            continue
        for c in _factors(factor, spread):
            price = verified(piece, level, rng, i, j, a, b, c)
            if price is not None:
                return merge(piece, i, j, a, b, c, price)
    return None


def _exponents(t: Array, ratio: Values) -> list[tuple[float, float]]:
    """Simple exponents near those that the slopes' ratio has in two positive variables (n, 2)."""
    with np.errstate(all="ignore"):
        y = np.log(np.abs(ratio.y))
        w = np.abs(ratio.y) / ratio.s
    columns = np.column_stack([np.ones(len(t)), np.log(t)])
    fine = np.isfinite(y) & np.isfinite(w)
    if fine.sum() <= 10:
        return []
    w = np.minimum(w[fine], 30 * np.median(w[fine]))
    solution, *_ = np.linalg.lstsq(columns[fine] * w[:, None], y[fine] * w, rcond=None)
    p, q = float(solution[1]), float(-solution[2])
    near = [[e for e in EXPONENTS if abs(e - v) < max(NEAR, 0.02 * abs(v))] for v in (p, q)]
    return [(float(a), float(b)) for a in near[0] for b in near[1]]


def _factors(factor: float, spread: float) -> list[float]:
    """The factor's simple neighbour first, then itself."""
    simple = float(FACTORS[np.argmin(np.abs(FACTORS - factor))])
    near = abs(simple - factor) <= max(5 * spread, 0.03 * abs(factor))
    return [simple, factor] if near else [factor]


# Scaling -------------------------------------------------------------------------------------


def _scaling(
    piece: Piece,
    level: Level,
    rng: np.random.Generator,
    i: int,
    j: int,
    x: Array,
    f: Values,
    slope: Sequence[Values],
) -> Iterator[Move]:
    """F is x_i^a times a function of x_j / x_i^b and the others."""
    if piece.high[i] <= 0:
        return
    piece = positive_part(piece, {i: Power(0.0)})
    u, v = slope[i].scaled(x[:, i]), slope[j].scaled(x[:, j])
    weight = 1 / np.sqrt(u.s**2 + v.s**2 + f.s**2)
    fine = np.isfinite(u.y) & np.isfinite(v.y) & np.isfinite(f.y) & np.isfinite(weight)
    fine &= x[:, i] >= piece.low[i]
    if fine.sum() < 15:
        return
    columns = np.column_stack([-v.y, f.y])[fine] * weight[fine, None]
    (b, a), *_ = np.linalg.lstsq(columns, (u.y * weight)[fine], rcond=None)
    for beta in _simple(float(b)):
        for alpha in _simple(float(a)):
            if beta == 0:
                continue
            price = _scales(piece, level, rng, i, j, alpha, beta)
            if price is not None:
                yield _ratio(piece, i, j, alpha, beta, price)
                return


def _simple(value: float) -> list[float]:
    near = sorted(EXPONENTS, key=lambda e: abs(e - value))[0]
    return [float(near)] if abs(near - value) < max(NEAR, 0.05 * abs(value)) else []


def _scales(
    piece: Piece, level: Level, rng: np.random.Generator, i: int, j: int, a: float, b: float
) -> float | None:
    here = piece.draw(rng, 4 * CHECKS)
    there = here.copy()
    there[:, i] = piece.draw(rng, 4 * CHECKS)[:, i]
    by = there[:, i] / here[:, i]
    alone = there.copy()
    there[:, j] = here[:, j] * by**b
    inside = (there[:, j] >= piece.low[j]) & (there[:, j] <= piece.high[j])
    if inside.sum() < CHECKS // 8:
        return None
    kept = np.flatnonzero(inside)[:CHECKS]
    f, g, changed = piece.all(here[kept], there[kept], alone[kept])
    expected = f.scaled(by[kept] ** a)
    deviation = g.minus(expected)
    return level.believes(deviation, Values(changed.minus(expected).y, deviation.s))


def _ratio(piece: Piece, i: int, j: int, a: float, b: float, price: float) -> Move:
    """F = x_i^a g(x_j / x_i^b, others)."""
    view = monomial(piece.symbol(i), -b, piece.symbol(j))
    xs = np.array([piece.low[i], piece.high[i]])
    ys = np.array([piece.low[j], piece.high[j]])
    lift: Callable[[Array], dict[int, Array]]
    if ys[0] > 0:
        px, py = sorted(-b * np.log(xs)), np.log(ys)
        low, high = px[0] + py[0], px[1] + py[1]

        def lift(z: Array) -> dict[int, Array]:
            u = (np.log(z) - low) / (high - low)
            first = np.exp((px[0] + u * (px[1] - px[0])) / -b)
            return {i: first, j: np.exp(py[0] + u * (py[1] - py[0]))}

        ends = (float(np.exp(low)), float(np.exp(high)))
    else:
        middle = float(np.sqrt(xs[0] * xs[1]))

        def lift(z: Array) -> dict[int, Array]:
            return {i: np.full(len(z), middle), j: z * middle**b}

        ends = (float(ys[0] * middle**-b), float(ys[1] * middle**-b))

    def change(values: Values, x: Array) -> Values:
        return values.scaled(x[:, i] ** -a) if a else values

    kept = [k for k in range(len(piece)) if k not in (i, j)]
    part = lifted(piece, kept, view, *ends, lift, change)
    front = raised(piece.symbol(i), a) if a else None

    def join(trees: Sequence[Node]) -> Node:
        return mul(front, trees[0]) if front is not None else trees[0]

    shown = to_text(piece.shown(front), 4) if front is not None else ""
    before = f"{shown} times a function of" if shown else "depends on"
    return Move(f"{before} {to_text(part.views[-1], 4)}", price, (part,), join)
