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
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.engines.structure.moves import Level, Move
from distill.engines.structure.piece import Piece, Values, lifted
from distill.engines.structure.slopes import EXACT_STEP, ROUGH_STEP, inner, slopes
from distill.formula.text import to_text
from distill.formula.tree import Node, Number, add, call, div, mul, sub

POINTS = 60
CHECKS = 80
EXPONENTS = np.array([k / 2 for k in range(-8, 9)])
"""Of x in the ratio of two slopes."""

NEAR = 0.08
"""A fitted exponent this far from a simple one is still tried as it."""

FACTORS = np.array(sorted({s * a / b for a in range(1, 7) for b in range(1, 7) for s in (1, -1)}))


@dataclass(frozen=True)
class Power:
    """The function x^p, the logarithm for p = 0: one variable's part of a combined one."""

    p: float

    def __call__(self, x: Array) -> Array:
        """Its values."""
        with np.errstate(all="ignore"):
            return np.log(x) if self.p == 0 else x if self.p == 1 else np.power(x, self.p)

    def inverse(self, v: Array) -> Array:
        """Which x has these values; NaN where none."""
        with np.errstate(all="ignore"):
            if self.p == 0:
                return np.exp(v)
            return v if self.p == 1 else np.power(v, 1 / self.p)

    def slope_factor(self) -> float:
        """The derivative is this times x^(p - 1)."""
        return self.p or 1.0

    def holds(self, low: float, high: float) -> bool:
        """Whether it can be undone on this interval; squares on one that is longer to the right."""
        return self.p == 1 or low > 0 or (self.p == 2 and high >= -low)

    def ends(self, low: float, high: float) -> Array:
        """Its values at the ends of what it can be undone on."""
        return self(np.array([max(low, 0.0) if self.p == 2 else low, high]))


def combined(piece: Piece, level: Level, rng: np.random.Generator) -> list[Move]:
    """All believed ways in which two variables act as one, the simplest first."""
    x, slope = _slopes(piece, level, rng)
    pairs = itertools.combinations(_continuous(piece), 2)
    found = [m for i, j in pairs for m in _combined(piece, level, rng, i, j, x, slope)]
    return sorted(found, key=lambda move: _rank(move, level))


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
) -> Iterator[Move]:
    """F depends on C A(x_i) + B(x_j) only."""
    ratio = slope[i].over(slope[j])
    for p, q in _exponents(piece, i, j, x, ratio):
        a, b = Power(p + 1), Power(q + 1)
        if not (a.holds(piece.low[i], piece.high[i]) and b.holds(piece.low[j], piece.high[j])):
            continue
        with np.errstate(all="ignore"):
            guess = ratio.y * x[:, j] ** q / x[:, i] ** p * b.slope_factor() / a.slope_factor()
        guess = guess[np.isfinite(guess)]
        if not len(guess):
            continue
        factor = float(np.median(guess))
        spread = float(np.median(np.abs(guess - factor)))
        if spread > 0.3 * abs(factor):
            continue
        for c in _factors(factor, spread):
            price = _verified(piece, level, rng, i, j, a, b, c)
            if price is not None:
                yield _merge(piece, i, j, a, b, c, price)
                return


def _exponents(piece: Piece, i: int, j: int, x: Array, ratio: Values) -> list[tuple[float, float]]:
    """Simple exponents near those that the slopes' ratio has in x_i and x_j."""
    candidates = [(0.0, 0.0), (1.0, 1.0)]
    if piece.low[i] > 0 and piece.low[j] > 0:
        with np.errstate(all="ignore"):
            y = np.log(np.abs(ratio.y))
            w = np.abs(ratio.y) / ratio.s
        columns = np.column_stack([np.ones(len(x)), np.log(x[:, i]), np.log(x[:, j])])
        fine = np.isfinite(y) & np.isfinite(w)
        if fine.sum() > 10:
            w = np.minimum(w[fine], 30 * np.median(w[fine]))
            solution, *_ = np.linalg.lstsq(columns[fine] * w[:, None], y[fine] * w, rcond=None)
            p, q = float(solution[1]), float(-solution[2])
            near = [[e for e in EXPONENTS if abs(e - v) < max(NEAR, 0.02 * abs(v))] for v in (p, q)]
            candidates = [(float(a), float(b)) for a in near[0] for b in near[1]]
    return candidates


def _factors(factor: float, spread: float) -> list[float]:
    """The factor's simple neighbour first, then itself."""
    simple = float(FACTORS[np.argmin(np.abs(FACTORS - factor))])
    near = abs(simple - factor) <= max(5 * spread, 0.03 * abs(factor))
    return [simple, factor] if near else [factor]


def _verified(
    piece: Piece,
    level: Level,
    rng: np.random.Generator,
    i: int,
    j: int,
    a: Power,
    b: Power,
    c: float,
) -> float | None:
    """The price of moving x_i far and x_j after it, so that c A(x_i) + B(x_j) stays."""
    here = piece.draw(rng, 4 * CHECKS)
    there = here.copy()
    there[:, i] = piece.draw(rng, 4 * CHECKS)[:, i]
    alone = there.copy()
    there[:, j] = b.inverse(b(here[:, j]) + c * (a(here[:, i]) - a(there[:, i])))
    inside = (there[:, j] >= piece.low[j]) & (there[:, j] <= piece.high[j])
    if inside.sum() < CHECKS // 8:
        return None
    kept = np.flatnonzero(inside)[:CHECKS]
    f, g, changed = piece.all(here[kept], there[kept], alone[kept])
    return level.believes(g.minus(f), Values(changed.minus(f).y, g.minus(f).s))


def _merge(piece: Piece, i: int, j: int, a: Power, b: Power, c: float, price: float) -> Move:
    """The piece with one variable for x_i and x_j."""
    if a.p == b.p == 0:  # c log x + log y: the product x^c y says the same
        view = _monomial(piece.symbol(i), c, piece.symbol(j))
    else:
        view = _sum_of(_power(piece.symbol(i), a), c, _power(piece.symbol(j), b))
    logs = a.p == b.p == 0
    ends_a = sorted(c * a.ends(piece.low[i], piece.high[i]))
    ends_b = sorted(b.ends(piece.low[j], piece.high[j]))
    low, high = float(ends_a[0] + ends_b[0]), float(ends_a[1] + ends_b[1])

    def lift(z: Array) -> dict[int, Array]:
        total = np.log(z) if logs else z
        u = (total - low) / (high - low)
        part = b.inverse(ends_b[0] + u * (ends_b[1] - ends_b[0]))
        other = a.inverse((ends_a[0] + u * (ends_a[1] - ends_a[0])) / c)
        return {i: other, j: part}

    kept = [k for k in range(len(piece)) if k not in (i, j)]
    ends = (float(np.exp(low)), float(np.exp(high))) if logs else (low, high)
    merged = lifted(piece, kept, view, *ends, lift)
    return Move(
        f"depends on {to_text(merged.views[-1], 4)} only", price, (merged,), lambda trees: trees[0]
    )


def _power(view: Node, power: Power) -> Node:
    return call("log", view) if power.p == 0 else raised(view, power.p)


def raised(base: Node, p: float) -> Node:
    """``base`` to a constant power, by the simplest operators."""
    if p == 1:
        return base
    if p == 2:
        return call("square", base)
    if p == 0.5:
        return call("sqrt", base)
    if p < 0:
        return div(Number(1.0), raised(base, -p))
    return call("pow", base, Number(p))


def _monomial(x: Node, c: float, y: Node) -> Node:
    return div(y, raised(x, -c)) if c < 0 else mul(raised(x, c), y)


def _sum_of(x: Node, c: float, y: Node) -> Node:
    if c == 1:
        return add(x, y)
    if c == -1:
        return sub(y, x)
    return add(mul(Number(c), x), y)


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
    if piece.low[i] <= 0:
        return
    u, v = slope[i].scaled(x[:, i]), slope[j].scaled(x[:, j])
    weight = 1 / np.sqrt(u.s**2 + v.s**2 + f.s**2)
    fine = np.isfinite(u.y) & np.isfinite(v.y) & np.isfinite(f.y) & np.isfinite(weight)
    if fine.sum() < 20:
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
    view = _monomial(piece.symbol(i), -b, piece.symbol(j))
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
