"""Several variables that act through one unknown function: f = g(h(x, y), z).

Where x and y enter through h only, the direction of the slope in (x, y) does not depend on z. Then
the piece itself at one z is as good an h as any: every other one is a function of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from distill.arrays import Array
from distill.engines.structure.moves import Level, Move
from distill.engines.structure.piece import Piece, lifted
from distill.engines.structure.slopes import EXACT_STEP, ROUGH_STEP, inner, slopes
from distill.formula.text import to_text
from distill.formula.tree import Node, Symbol, substitute

PLACES, OTHERS = 12, 8
STANDS_FOR = "h_"
BISECTIONS = 50


def compositions(piece: Piece, level: Level, rng: np.random.Generator) -> Iterator[Move]:
    """Groups of two or more variables, but not all, that act through one function."""
    count = len(piece)
    if count < 3 or any(piece.whole):
        return
    step = EXACT_STEP if level.exact else ROUGH_STEP
    box = inner(piece, step)
    together: set[tuple[int, int]] = set()
    for i, j in itertools.combinations(range(count), 2):
        if _one_direction(piece, level, rng, box, i, j, step):
            together.add((i, j))
    for size in range(count - 1, 1, -1):
        for group in itertools.combinations(range(count), size):
            if all(pair in together for pair in itertools.combinations(group, 2)):
                move = _through(piece, level, rng, list(group))
                if move is not None:
                    yield move
                    return


def _one_direction(
    piece: Piece,
    level: Level,
    rng: np.random.Generator,
    box: Piece,
    i: int,
    j: int,
    step: float,
) -> bool:
    """Whether f_i / f_j is the same for all values of the other variables."""
    x = np.repeat(box.draw(rng, PLACES), OTHERS, axis=0)
    others = [k for k in range(len(piece)) if k not in (i, j)]
    x[:, others] = box.draw(rng, PLACES * OTHERS)[:, others]
    slope = slopes(piece, x, step)
    a, b = slope[i], slope[j]
    shape = (PLACES, OTHERS)
    # Compared as directions, so that neither slope need be away from zero.
    first = [v.reshape(shape)[:, :1] for v in (a.y, b.y, a.s, b.s)]
    ay, by, as_, bs = (v.reshape(shape)[:, 1:] for v in (a.y, b.y, a.s, b.s))
    deviation = ay * first[1] - by * first[0]
    error = np.sqrt(
        (as_ * first[1]) ** 2 + (bs * first[0]) ** 2 + (ay * first[3]) ** 2 + (by * first[2]) ** 2
    )
    with np.errstate(all="ignore"):
        price = np.sqrt(np.nanmean((deviation / error) ** 2))
        scale = np.sqrt(np.nanmean((ay * first[1] / error) ** 2))
    # Differences of sixth order have an error of their own.
    return bool(price <= max(level.limit, 1e-6 * scale) and scale > level.power * price)


def _through(piece: Piece, level: Level, rng: np.random.Generator, group: list[int]) -> Move | None:
    """The two pieces: h of the group, the other variables fixed, and g of h and the others."""
    rest = [k for k in range(len(piece)) if k not in group]
    x = piece.draw(rng, 400)
    values = piece(x)
    at = x[int(np.nanargmax(np.abs(values.y - np.nanmedian(values.y)) < np.inf))]
    inside = piece.over(group, at)
    drawn = inside.draw(rng, 400)
    heights = inside(drawn).y
    if not np.isfinite(heights).all():
        return None
    bottom, top = drawn[np.argmin(heights)], drawn[np.argmax(heights)]
    u = np.linspace(0, 1, 60)
    along = inside(bottom + u[:, None] * (top - bottom)).y
    if not np.all(np.diff(along) > 0):
        return None

    def lift(z: Array) -> dict[int, Array]:
        low, high = np.zeros(len(z)), np.ones(len(z))
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            above = inside.ask(bottom + middle[:, None] * (top - bottom)).y > z
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        points = bottom + ((low + high) / 2)[:, None] * (top - bottom)
        return {k: points[:, n] for n, k in enumerate(group)}

    name = f"{STANDS_FOR}{len(piece)}"
    outside = lifted(piece, rest, Symbol(name), float(along[0]), float(along[-1]), lift)
    price = _same(piece, inside, rng, group, level)
    if price is None:
        return None

    def join(trees: Sequence[Node]) -> Node:
        return substitute(trees[1], {name: trees[0]})

    names = ", ".join(to_text(piece.views[k], 4) for k in group)
    return Move(f"{names} act through one function", price, (inside, outside), join)


def _same(
    piece: Piece, inside: Piece, rng: np.random.Generator, group: list[int], level: Level
) -> float | None:
    """The price of it on values: points of equal h, found by bisection, have equal answers."""
    here = piece.draw(rng, 60)
    wanted = inside(here[:, group]).y
    start, end = inside.draw(rng, 60), inside.draw(rng, 60)
    a, b = inside(start).y, inside(end).y
    between = (a - wanted) * (b - wanted) < 0
    if between.sum() < 10:
        return None
    here, wanted, start, end = here[between], wanted[between], start[between], end[between]
    rising = b[between] > a[between]
    low, high = np.zeros(len(here)), np.ones(len(here))
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        above = (inside(start + middle[:, None] * (end - start)).y > wanted) == rising
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    there = here.copy()
    there[:, group] = start + ((low + high) / 2)[:, None] * (end - start)
    other = here.copy()
    other[:, group] = start
    f, g, changed = piece.all(here, there, other)
    return level.believes(g.minus(f), changed.minus(f))
