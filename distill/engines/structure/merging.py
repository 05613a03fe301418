"""Putting one variable in the place of two that act as one: c A(x) + B(y)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from distill.arrays import Array
from distill.engines.structure.moves import Level, Move
from distill.engines.structure.piece import Piece, Values, lifted
from distill.formula.text import to_text
from distill.formula.tree import Node, Number, add, call, div, mul, sub

CHECKS = 80

NEAREST = 1e-3
"""Of the far end: so near to zero a variable is looked at where only its positive values are."""


@dataclass(frozen=True)
class Power:
    """The function t^p, the logarithm for p = 0, of t = sign * (x + shift).

    It is one variable's part of a combined one.
    """

    p: float
    shift: float = 0.0
    sign: float = 1.0

    def __call__(self, x: Array) -> Array:
        """Its values."""
        t = self.sign * (x + self.shift)
        with np.errstate(all="ignore"):
            return np.log(t) if self.p == 0 else t if self.p == 1 else np.power(t, self.p)

    def inverse(self, v: Array) -> Array:
        """Which x has these values; NaN where none."""
        with np.errstate(all="ignore"):
            t = np.exp(v) if self.p == 0 else v if self.p == 1 else np.power(v, 1 / self.p)
        return self.sign * t - self.shift

    def slope(self, x: Array) -> Array:
        """Its derivative."""
        t = self.sign * (x + self.shift)
        with np.errstate(all="ignore"):
            return self.sign * (self.p or 1.0) * np.power(t, self.p - 1)

    def holds(self, low: float, high: float) -> bool:
        """Whether it can be undone on this interval; squares on one that is longer to the right."""
        near, far = self._reach(low, high)
        return self.p == 1 or near > 0 or (self.p == 2 and far >= -near)

    def ends(self, low: float, high: float) -> Array:
        """Its values at the ends of what it can be undone on."""
        near, far = self._reach(low, high)
        t = np.array([max(near, 0.0) if self.p == 2 else near, far])
        return self(self.sign * t - self.shift)

    def inside(self, view: Node) -> Node:
        """The tree of t, or of -t where that makes no difference."""
        if self.shift:
            number = Number(abs(self.shift))
            view = add(view, number) if self.shift > 0 else sub(view, number)
        even = self.p != 0 and self.p % 2 == 0
        return view if self.sign > 0 or even else call("neg", view)

    def tree(self, view: Node) -> Node:
        """The tree of its values."""
        inside = self.inside(view)
        return call("log", inside) if self.p == 0 else raised(inside, self.p)

    def _reach(self, low: float, high: float) -> tuple[float, float]:
        near, far = sorted((self.sign * (low + self.shift), self.sign * (high + self.shift)))
        return near, far


def sign_of(low: float, high: float) -> float:
    """The sign of the longer side of an interval about zero."""
    return -1.0 if high < -low else 1.0


def positive_part(piece: Piece, powers: Mapping[int, Power]) -> Piece:
    """The piece where what the powers are taken of is positive.

    What holds for a smooth function on a part of its box holds on all of it.
    """
    low, high = piece.low.copy(), piece.high.copy()
    for i, power in powers.items():
        if power.holds(low[i], high[i]):
            continue
        if power.sign > 0:
            low[i] = max(low[i], NEAREST * (high[i] + power.shift) - power.shift)
        else:
            high[i] = min(high[i], NEAREST * (low[i] + power.shift) - power.shift)
    return replace(piece, low=low, high=high)


def verified(
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
    pair = moved(piece, rng, i, j, a, b, c)
    if pair is None:
        return None
    here, there = pair
    alone = here.copy()
    alone[:, i] = there[:, i]
    f, g, changed = piece.all(here, there, alone)
    return level.believes(g.minus(f), Values(changed.minus(f).y, g.minus(f).s))


def moved(
    piece: Piece, rng: np.random.Generator, i: int, j: int, a: Power, b: Power, c: float
) -> tuple[Array, Array] | None:
    """Points with equal c A(x_i) + B(x_j), far apart; None where there are hardly any."""
    here = piece.draw(rng, 4 * CHECKS)
    there = here.copy()
    there[:, i] = piece.draw(rng, 4 * CHECKS)[:, i]
    there[:, j] = follows(here, there, i, j, a, b, c)
    inside = (there[:, j] >= piece.low[j]) & (there[:, j] <= piece.high[j])
    if inside.sum() < CHECKS // 8:
        return None
    kept = np.flatnonzero(inside)[:CHECKS]
    return here[kept], there[kept]


def follows(here: Array, there: Array, i: int, j: int, a: Power, b: Power, c: float) -> Array:
    """What x_j must be for c A(x_i) + B(x_j) to stay when x_i goes from ``here`` to ``there``."""
    return b.inverse(b(here[:, j]) + c * (a(here[:, i]) - a(there[:, i])))


def merge(piece: Piece, i: int, j: int, a: Power, b: Power, c: float, price: float) -> Move:
    """The piece with one variable for x_i and x_j."""
    x, y = piece.symbol(i), piece.symbol(j)
    logs = a.p == b.p == 0  # c log x + log y: the product x^c y says the same
    ends_a = sorted(c * a.ends(piece.low[i], piece.high[i]))
    ends_b = sorted(b.ends(piece.low[j], piece.high[j]))
    low, high = float(ends_a[0] + ends_b[0]), float(ends_a[1] + ends_b[1])
    # What comes next to zero stands above the line: x^-c / y.
    near = np.exp((ends_a[0] - ends_a[1]) / abs(c)) if logs else 1.0
    upside = -1.0 if c < 0 and near < 2 * NEAREST else 1.0
    if logs:
        above, below = a.inside(x), b.inside(y)
        view = div(raised(above, -c), below) if upside < 0 else monomial(above, c, below)
    else:
        view = _sum_of(a.tree(x), c, b.tree(y))

    def lift(z: Array) -> dict[int, Array]:
        total = upside * np.log(z) if logs else z
        u = (total - low) / (high - low)
        part = b.inverse(ends_b[0] + u * (ends_b[1] - ends_b[0]))
        other = a.inverse((ends_a[0] + u * (ends_a[1] - ends_a[0])) / c)
        return {i: other, j: part}

    kept = [k for k in range(len(piece)) if k not in (i, j)]
    ends = np.exp(upside * np.array([low, high])) if logs else np.array([low, high])
    one = lifted(piece, kept, view, float(ends.min()), float(ends.max()), lift)
    text = f"depends on {to_text(one.views[-1], 4)} only"
    return Move(text, price, (one,), lambda trees: trees[0])


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


def monomial(x: Node, c: float, y: Node) -> Node:
    """X^c y."""
    return div(y, raised(x, -c)) if c < 0 else mul(raised(x, c), y)


def _sum_of(x: Node, c: float, y: Node) -> Node:
    if c == 1:
        return add(x, y)
    if c == -1:
        return sub(y, x)
    return add(mul(Number(c), x), y)
