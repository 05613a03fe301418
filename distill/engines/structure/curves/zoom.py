"""Curves with more turns or poles than a grid can see: a part of the interval shows the form.

The form of a small part is carried to the whole: its constants are polished on a growing interval,
so that phases stay locked.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from distill.arrays import Array
from distill.engines import polish
from distill.engines.structure.curves.kinks import Solve
from distill.engines.structure.curves.points import Points, grid
from distill.engines.structure.piece import Curve
from distill.formula.tree import Call, Node, Symbol, constants, div

UNSEEN = 0.02
"""The part of the spread by which a cubic through the neighbours may miss a point."""

PARTS = (1 / 4, 1 / 16, 1 / 64, 1 / 256, 1 / 1024)
LOOKED = 65
LEAST_SPREAD = 0.02
"""A part of the interval must vary by this part of what the whole does."""

ASIDE = 0.05
"""A part beside zero starts so far from it, as a part of its width."""

GROWTH = 2.0
ROWS = 160
WORST = 0.03
"""The part of the points, the worst ones, that does not count: those beside poles."""

LOST = 0.1
NEAR = 10.0


def resolved(points: Points) -> bool:
    """Whether the even points follow the curve: each is where its neighbours say."""
    y = points.y / np.median(points.s)
    if len(y) < 9:
        return False
    between = (9 * (y[2:-4:2] + y[4:-2:2]) - y[:-6:2] - y[6::2]) / 16
    return bool(np.sqrt(np.mean((y[3:-3:2] - between) ** 2)) <= UNSEEN * np.std(y))


def parts(curve: Curve, points: Points) -> Iterator[Curve]:
    """Parts of the interval that are resolved and vary: around zero, the peak, the middle, low."""
    width = curve.high - curve.low
    odd = np.abs(points.y - np.median(points.y)) / points.s
    peak = float(points.x[int(np.argmax(odd))])
    starts = []
    if curve.low < 0 < curve.high:
        starts += [(0.0, -0.5), (0.0, ASIDE)]
    starts += [(peak, -0.5), ((curve.low + curve.high) / 2, -0.5), (curve.low, 0.0)]
    spread = float(np.std(points.y / points.s))
    seen: set[tuple[float, float]] = set()
    for place, shift in starts:
        for part in PARTS:
            low = max(curve.low, place + shift * part * width)
            piece = Curve(curve.ask, low, min(curve.high, low + part * width))
            found = grid(piece, LOOKED)
            if len(found.x) < LOOKED or not resolved(found):
                continue
            if np.std(found.y / found.s) >= LEAST_SPREAD * spread:
                if (piece.low, piece.high) not in seen:
                    seen.add((piece.low, piece.high))
                    yield piece
                break


def zoomed(curve: Curve, points: Points, target: float, solve: Solve, most: int) -> Iterator[Node]:
    """Formulas of at most so many parts, carried to the whole."""
    for number, part in enumerate(parts(curve, points)):
        if number == most:
            return
        for fit in solve(part):
            if fit.error <= NEAR * target:
                tree = carried(fit.tree, curve, part)
                if tree is not None:
                    yield tree


def carried(tree: Node, curve: Curve, part: Curve) -> Node | None:
    """The formula with its constants polished on a growing interval; None where it is lost."""
    low, high = part.low, part.high
    rng = np.random.default_rng(0)
    while True:
        width = (high - low) * (GROWTH - 1) / 2
        low, high = max(curve.low, low - width), min(curve.high, high + width)
        x = np.sort(rng.uniform(low, high, ROWS))
        y, s = curve(x)
        fine = np.isfinite(y) & np.isfinite(s) & (s > 0)
        fit = _fit(tree, x[fine], y[fine], s[fine])
        if constants(tree):
            fit = polish.least_squares(fit.rows(_usual(fit)), 12)
            tree = _inner(fit)
        off = np.sort(np.abs(_fit(tree, x[fine], y[fine], s[fine]).off()))
        size = float(np.sqrt(np.mean((y[fine] / s[fine]) ** 2)))
        kept = off[: max(1, round((1 - WORST) * len(off)))]
        if not np.sqrt(np.mean(kept * kept)) <= LOST * size:
            return None
        if low == curve.low and high == curve.high:
            return tree


def _usual(fit: polish.Fit) -> polish.Indices:
    """All rows but the worst ones."""
    off = np.nan_to_num(np.abs(fit.off()), nan=np.inf)
    return np.sort(np.argsort(off, kind="stable")[: max(1, round((1 - WORST) * len(off)))])


def _fit(tree: Node, x: Array, y: Array, s: Array) -> polish.Fit:
    whole = div(tree, Symbol("error bar"))
    return polish.Fit.of(whole, ("x", "error bar"), np.column_stack([x, s]), y / s)


def _inner(fit: polish.Fit) -> Node:
    solved = fit.solved
    assert isinstance(solved, Call)
    return solved.args[0]
