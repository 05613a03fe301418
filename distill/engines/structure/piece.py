"""What is to be explained: a function of a few variables over a box, with its error bars.

The whole teacher is one piece, and every finding turns a piece into smaller ones. A piece's
variables are views (``x1 - x2``, ``log(m)``) of the teacher's inputs. Its answers carry their
*sensitivity*: how far an error of 1 in the teacher's answers moves them. Thresholds need no scale
of their own then: every deviation a test sees is compared with what the teacher's own error can do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from distill.arrays import Array
from distill.formula.text import to_text
from distill.formula.tree import Node, Symbol, substitute

DECADES = 100.0
"""A positive variable whose bounds are further apart than this factor is drawn by its logarithm."""

CORNERS = 0.03

KNOWN = 0.1
"""So large a part of some values must be finite to say how large they are."""

HUGE = 1e100
"""Answers beyond it are of no use, and products of them no numbers."""

LARGEST = 1e150
"""Larger deviations, of answers without an error bar, count as this one: their squares are numbers.
"""


class Values(NamedTuple):
    """Answers y (n,), NaN where there is none, and their sensitivities s (n,), positive.

    ``s`` has the unit of y over that of the teacher's output.
    """

    y: Array
    s: Array

    def minus(self, other: Values) -> Values:
        """The difference."""
        with np.errstate(all="ignore"):
            return Values(self.y - other.y, np.hypot(self.s, other.s))

    def plus(self, other: Values) -> Values:
        """The sum."""
        with np.errstate(all="ignore"):
            return Values(self.y + other.y, np.hypot(self.s, other.s))

    def times(self, other: Values) -> Values:
        """The product."""
        with np.errstate(all="ignore"):
            return Values(self.y * other.y, np.hypot(self.s * other.y, other.s * self.y))

    def over(self, other: Values) -> Values:
        """The quotient."""
        with np.errstate(all="ignore"):
            y = self.y / other.y
            return Values(y, np.hypot(self.s, other.s * y) / np.abs(other.y))

    def scaled(self, factor: Array | float) -> Values:
        """All values times numbers that are exactly known."""
        with np.errstate(all="ignore"):
            return Values(self.y * factor, self.s * np.abs(factor))

    def shifted(self, offset: Array | float) -> Values:
        """All values plus numbers that are exactly known."""
        return Values(self.y + offset, self.s)

    @property
    def size(self) -> float:
        """The root mean square of y / s over what is finite, the largest left out.

        Answers are worst at a few corners, which should not decide about the rest. Infinite where
        hardly anything is finite: nothing is known then.
        """
        with np.errstate(all="ignore"):
            ratio = np.sort(np.abs(self.y / self.s), axis=None)
        finite = np.minimum(ratio[np.isfinite(ratio)], LARGEST)
        if len(finite) <= KNOWN * len(ratio):
            return np.inf
        finite = finite[: max(1, round(len(finite) * (1 - CORNERS)))]
        return float(np.sqrt(np.mean(finite * finite)))


@dataclass(frozen=True)
class Curve:
    """A function of one variable on [low, high]."""

    ask: Callable[[Array], Values]
    low: float
    high: float

    def __call__(self, x: Array) -> Values:
        """Answers at x (n,)."""
        return self.ask(x)


@dataclass(frozen=True)
class Fit:
    """A formula for a piece and its error.

    ``error`` is the root mean square of (formula - y) / s on points it was not fitted on: so far
    off the teacher's answers would have to be. Infinite where the formula is not finite.
    """

    tree: Node
    error: float


@dataclass(frozen=True)
class Piece:
    """A function of k variables.

    Attributes
    ----------
    ask : answers at (n, k) points of the box.
    low, high : the box, each (k,).
    views : what each variable is, as a tree over the teacher's inputs, for people.
    local : the same over the variables of the piece this one was taken from.
    whole : which variables take whole values only.

    Formulas of a piece are trees over its own variables, which are called v0, v1, ...
    """

    ask: Callable[[Array], Values]
    low: Array
    high: Array
    views: tuple[Node, ...]
    local: tuple[Node, ...]
    whole: tuple[bool, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What its formulas call its variables."""
        return tuple(f"v{i}" for i in range(len(self)))

    def symbol(self, i: int) -> Symbol:
        """Variable i in the piece's formulas."""
        return Symbol(f"v{i}")

    def shown(self, tree: Node) -> Node:
        """A tree over the piece's variables as one over the teacher's inputs."""
        return substitute(tree, dict(zip(self.names, self.views, strict=True)))

    def __len__(self) -> int:
        return len(self.views)

    def __call__(self, x: Array) -> Values:
        """Answers at x (n, k); what is not finite, or too large to be squared, becomes NaN."""
        with np.errstate(all="ignore"):
            y, s = self.ask(x)
        fine = (np.abs(y) < HUGE) & np.isfinite(s)
        return Values(np.where(fine, y, np.nan), np.where(fine, np.maximum(s, 1e-300), 1.0))

    def all(self, *points: Array) -> list[Values]:
        """Answers at several sets of points, asked in one go."""
        values = self(np.vstack(points))
        ends = np.cumsum([len(x) for x in points])[:-1]
        return [Values(y, s) for y, s in zip(np.split(values.y, ends), np.split(values.s, ends))]  # noqa: B905

    def draw(self, rng: np.random.Generator, n: int) -> Array:
        """Random points of the box, (n, k)."""
        u = rng.random((n, len(self)))
        return np.column_stack([self.place(i, u[:, i]) for i in range(len(self))])

    def place(self, i: int, u: Array) -> Array:
        """Values of variable i for u from 0 to 1."""
        low, high = float(self.low[i]), float(self.high[i])
        if self.whole[i]:
            return low + np.minimum(np.floor(u * (high - low + 1)), high - low)
        if low > 0 and high > DECADES * low:
            return low * np.asarray(np.power(high / low, u))
        return low + u * (high - low)

    def over(self, kept: Sequence[int], at: Array) -> Piece:
        """The same function of the ``kept`` variables, the others as at the point ``at`` (k,)."""

        def ask(z: Array) -> Values:
            x = np.tile(at, (len(z), 1))
            x[:, kept] = z
            return self.ask(x)

        return self.of(kept, ask)

    def of(self, kept: Sequence[int], ask: Callable[[Array], Values]) -> Piece:
        """Another function of some of the variables."""
        kept = list(kept)
        return Piece(
            ask,
            self.low[kept],
            self.high[kept],
            tuple(self.views[i] for i in kept),
            tuple(self.symbol(i) for i in kept),
            tuple(self.whole[i] for i in kept),
        )

    def mapped(self, change: Callable[[Values], Values]) -> Piece:
        """The same with its answers changed."""
        return replace(self, ask=lambda x: change(self.ask(x)))

    @property
    def label(self) -> str:
        """``f(x1 - x2, m)``."""
        return f"f({', '.join(to_text(view, 4) for view in self.views)})"

    def anchor(self, i: int) -> float:
        """A value of variable i at which terms tend to vanish: 0, else 1, else about the middle."""
        low, high = float(self.low[i]), float(self.high[i])
        for value in (0.0, 1.0):
            if low <= value <= high:
                return value
        return float(f"{self.place(i, np.array([0.5]))[0]:.2g}") if not self.whole[i] else low


def lifted(
    piece: Piece,
    kept: Sequence[int],
    view: Node,
    low: float,
    high: float,
    lift: Callable[[Array], dict[int, Array]],
    change: Callable[[Values, Array], Values] | None = None,
) -> Piece:
    """A piece in which one new variable, the last, stands for some of the old ones.

    ``lift(z)`` gives, for values of the new variable, values of each variable that is not kept;
    ``change`` then changes the answers, given all the old variables' values.
    """
    kept = list(kept)

    def ask(points: Array) -> Values:
        x = np.empty((len(points), len(piece)))
        x[:, kept] = points[:, :-1]
        for i, column in lift(points[:, -1]).items():
            x[:, i] = column
        values = piece.ask(x)
        return change(values, x) if change else values

    return Piece(
        ask,
        np.append(piece.low[kept], low),
        np.append(piece.high[kept], high),
        (*(piece.views[i] for i in kept), piece.shown(view)),
        (*(piece.symbol(i) for i in kept), view),
        (*(piece.whole[i] for i in kept), False),
    )


def weighted_error(values: Array, truth: Values) -> float:
    """The root mean square of (values - y) / s over the finite y; infinite without any."""
    with np.errstate(all="ignore"):
        off = (values - truth.y) / truth.s
        off = off[np.isfinite(truth.y)]
        error = float(np.sqrt(np.mean(off * off))) if len(off) else np.inf
    return error if np.isfinite(error) else np.inf
