"""One variable at a time: a curve whose constants depend on the other variables.

With the others held still (control variables: Langley and others 1983; Jiang and Xue 2023) the
piece is a curve, for which the solver of curves finds a form. The constants of that form are then
followed as the others move; where the form holds everywhere, every constant that changes is a piece
of the other variables, and asking it means fitting the form to a slice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.engines.structure.moves import Level, Move
from distill.engines.structure.piece import Curve, Fit, Piece, Values
from distill.formula.program import Program, compile_tree
from distill.formula.text import to_text
from distill.formula.tree import (
    Call,
    Node,
    Number,
    Symbol,
    complexity,
    constants,
    rewrite,
    substitute,
    with_constants,
)

MOST_CONSTANTS = 5
MOST_NODES = 24

ROWS = 32
"""Points along the variable at which a slice is asked and fitted."""

PROBES = 12
"""Slices on which a form is tried before it is believed."""

HOLDING = 0.75
"""Of the probes, this part must agree."""

RETRIES = 3

STEPS = 10
"""From the slice whose constants are known to the one asked for: so that the fit stays on track."""

ITERATIONS = 10
LAST_ITERATIONS = 40
FIRST_DAMPING = 1e-8
"""The start is near, so the first steps are nearly those of Newton."""

SAME = 1e-7
"""A constant that moves by less than this part, or than its error, is one."""

Solver = Callable[[Curve], list[Fit]]


@dataclass(frozen=True)
class Form:
    """A tree in ``x`` and constants ``t0, t1, ...``, and the constants' values on one slice."""

    tree: Node
    program: Program
    start: Array
    at: Array

    @classmethod
    def of(cls, tree: Node, at: Array) -> Form:
        """From the formula of the slice whose other variables are ``at`` (k - 1,)."""
        start = np.array(constants(tree))
        names = iter(range(len(start)))
        free = rewrite(tree, lambda n: Symbol(f"t{next(names)}") if isinstance(n, Number) else n)
        program = compile_tree(free, ("x", *(f"t{i}" for i in range(len(start)))))
        return cls(tree, program, start, at)


def slices(piece: Piece, level: Level, rng: np.random.Generator, solve: Solver) -> Iterator[Move]:
    """Believed forms along each variable, with the others' pieces for their constants."""
    count = len(piece)
    if count < 2:
        return
    for i in range(count):
        if piece.whole[i]:
            continue
        others = [j for j in range(count) if j != i]
        at = np.array([piece.place(j, np.array([0.55]))[0] for j in others])
        along = _curve(piece, i, others, at)
        for fit in _forms(solve(along), level):
            move = _believed(piece, level, rng, i, others, Form.of(fit.tree, at))
            if move is not None:
                yield move
                break


def _curve(piece: Piece, i: int, others: list[int], at: Array) -> Curve:
    def ask(x: Array) -> Values:
        points = np.empty((len(x), len(piece)))
        points[:, i], points[:, others] = x, at
        return piece(points)

    return Curve(ask, float(piece.low[i]), float(piece.high[i]))


def _forms(fits: Sequence[Fit], level: Level) -> list[Fit]:
    """Formulas of a slice that are exact enough and have few constants, simplest first."""
    good = [
        fit
        for fit in fits
        if fit.error <= 3 * level.target
        and 1 <= len(constants(fit.tree)) <= MOST_CONSTANTS
        and complexity(fit.tree) <= MOST_NODES
    ]
    return sorted(good, key=lambda fit: complexity(fit.tree))[:3]


def _believed(
    piece: Piece,
    level: Level,
    rng: np.random.Generator,
    i: int,
    others: list[int],
    form: Form,
) -> Move | None:
    if _bound(form.tree):
        return None
    x = piece.draw(rng, PROBES)[:, others]
    theta, spread, error = _followed(piece, level, i, others, form, x)
    limit = max(level.limit, level.target)
    holds = error <= 3 * limit
    if holds.mean() < HOLDING:
        return None
    price = float(np.sqrt(np.mean(error[holds] ** 2)))
    moving = [k for k in range(len(form.start)) if _moves(theta[holds, k], spread[holds, k], level)]
    if not moving:
        return None
    fixed = {k: float(np.median(theta[holds, k])) for k in range(len(form.start))}
    parts = tuple(piece.of(others, _constant(piece, level, i, others, form, k)) for k in moving)
    symbol = piece.symbol(i)

    def join(trees: Sequence[Node]) -> Node:
        values = list(form.start)
        for k, value in fixed.items():
            values[k] = value
        plain = with_constants(form.tree, values)
        places = iter(range(len(values)))
        by = dict(zip(moving, trees, strict=True))

        def put(node: Node) -> Node:
            if not isinstance(node, Number):
                return node
            k = next(places)
            return by.get(k, node)

        # The variable last: the parts' formulas have variables of the same names.
        return _with_parts(plain, put, symbol)

    shown = to_text(substitute(form.tree, {"x": piece.views[i]}), 3)
    text = f"as {shown} along {to_text(piece.views[i], 4)}, with constants that depend on the rest"
    return Move(text, price, parts, join)


def _with_parts(tree: Node, put: Callable[[Node], Node], symbol: Symbol) -> Node:
    """Constants replaced in post-order, ``x`` by the variable."""
    if isinstance(tree, Call):
        return Call(tree.operator, tuple(_with_parts(arg, put, symbol) for arg in tree.args))
    return symbol if isinstance(tree, Symbol) else put(tree)


def _bound(tree: Node) -> bool:
    """Whether a part without a variable would be fitted twice: such forms have no single answer."""
    if not isinstance(tree, Call):
        return False
    numbers = [isinstance(arg, Number) for arg in tree.args]
    return all(numbers) or any(_bound(arg) for arg in tree.args)


def _moves(values: Array, spread: Array, level: Level) -> bool:
    middle = float(np.median(values))
    noise = 10 * level.bar * float(np.median(spread))
    return bool(np.ptp(values) > max(SAME * abs(middle), noise, 1e-300))


def _constant(
    piece: Piece, level: Level, i: int, others: list[int], form: Form, k: int
) -> Callable[[Array], Values]:
    """Constant k of the form as a function of the other variables."""

    def ask(x: Array) -> Values:
        theta, spread, error = _followed(piece, level, i, others, form, x)
        lost = error > 30 * max(level.limit, level.target)
        return Values(np.where(lost, np.nan, theta[:, k]), spread[:, k])

    return ask


def _followed(
    piece: Piece, level: Level, i: int, others: list[int], form: Form, x: Array
) -> tuple[Array, Array, Array]:
    """The constants (n, p) on the slices at ``x`` (n, k - 1), their sensitivities, the errors (n,).

    Slices that were lost on the way are tried again from the nearest one that was not.
    """
    start, theta = np.tile(form.at, (len(x), 1)), np.tile(form.start, (len(x), 1))
    theta, spread, error = _tracked(piece, i, others, form, start, theta, x)
    span = np.ptp(x, axis=0) + 1e-300
    for _ in range(RETRIES):
        lost = ~(error <= 3 * max(level.limit, level.target))
        if not lost.any() or lost.all():
            break
        held = np.flatnonzero(~lost)
        apart = np.linalg.norm((x[lost][:, None] - x[held][None, :]) / span, axis=2)
        nearest = held[np.argmin(apart, axis=1)]
        again = _tracked(piece, i, others, form, x[nearest], theta[nearest], x[lost])
        better = again[2] < error[lost]
        rows = np.flatnonzero(lost)[better]
        theta[rows], spread[rows], error[rows] = (values[better] for values in again)
    return theta, spread, error


def _tracked(
    piece: Piece,
    i: int,
    others: list[int],
    form: Form,
    start: Array,
    theta: Array,
    x: Array,
) -> tuple[Array, Array, Array]:
    """From slices whose constants are known to others, step by step.

    A smooth error moves all rows alike, so the rows do not average it away.
    """
    before = theta
    for step in range(1, STEPS + 1):
        last = step == STEPS
        rows, truth = _slice(piece, i, others, start + (x - start) * (step / STEPS))
        # Straight on from the last two slices: narrow bent valleys are slow to walk along.
        ahead = 2 * theta - before
        before = theta
        theta = _fitted(form, rows, truth, ahead, LAST_ITERATIONS if last else ITERATIONS)
    values, slopes = _values(form, rows, theta)
    with np.errstate(all="ignore"):
        off = (values - truth.y) / truth.s
        error = np.sqrt(np.mean(off * off, axis=1))
        weighted = slopes / truth.s[:, :, None]
    weighted = np.where(np.isfinite(weighted), weighted, 0.0)
    inverse = np.linalg.pinv(weighted, rcond=1e-13)
    spread = np.sqrt(np.sum(inverse**2, axis=2) * rows.shape[1])
    return theta, np.maximum(spread, 1e-300), np.where(np.isfinite(error), error, np.inf)


def _slice(piece: Piece, i: int, others: list[int], at: Array) -> tuple[Array, Values]:
    """Points along variable i (m,), repeated (n, m), and the answers there."""
    u = (1 - np.cos((2 * np.arange(ROWS) + 1) * np.pi / (2 * ROWS))) / 2
    along = piece.place(i, u)
    points = np.empty((len(at) * ROWS, len(piece)))
    points[:, others] = np.repeat(at, ROWS, axis=0)
    points[:, i] = np.tile(along, len(at))
    values = piece(points)
    shape = (len(at), ROWS)
    return points[:, i].reshape(shape), Values(values.y.reshape(shape), values.s.reshape(shape))


def _values(form: Form, rows: Array, theta: Array) -> tuple[Array, Array]:
    """The form's values (n, m) with each slice's own constants, and slopes by these (n, m, p)."""
    n, m = rows.shape
    inputs = np.column_stack([rows.ravel(), np.repeat(theta, m, axis=0)])
    values, slopes = form.program.by_inputs(inputs)
    return values.reshape(n, m), slopes[:, 1:].reshape(n, m, -1)


def _fitted(form: Form, rows: Array, truth: Values, theta: Array, iterations: int) -> Array:
    """Levenberg-Marquardt on all slices at once, each with its own damping."""
    damping = np.full(len(rows), FIRST_DAMPING)
    theta = theta.copy()
    off, weighted = _residual(form, rows, truth, theta)
    cost = np.sum(off * off, axis=1)
    for _ in range(iterations):
        size = np.sqrt(np.sum(weighted**2, axis=1)) + 1e-300
        scaled = weighted / size[:, None, :]
        # Nearly straight slices are ill-conditioned: singular values keep what squares would lose.
        across, sizes, along = np.linalg.svd(scaled, full_matrices=False)
        shrunk = sizes / (sizes**2 + damping[:, None])
        right = np.einsum("nmp,nm->np", across, off) * shrunk
        step = np.einsum("nqp,nq->np", along, right)
        trial = theta - step / size
        new_off, new_weighted = _residual(form, rows, truth, trial)
        new_cost = np.sum(new_off * new_off, axis=1)
        better = np.isfinite(new_cost) & ((new_cost < cost) | ~np.isfinite(cost))
        theta[better], cost[better] = trial[better], new_cost[better]
        off[better], weighted[better] = new_off[better], new_weighted[better]
        damping = np.clip(np.where(better, damping * 0.01, damping * 30.0), 1e-16, 1e4)
    return theta


def _residual(form: Form, rows: Array, truth: Values, theta: Array) -> tuple[Array, Array]:
    values, slopes = _values(form, rows, theta)
    with np.errstate(all="ignore"):
        off = (values - truth.y) / truth.s
        weighted = slopes / truth.s[:, :, None]
    known = np.isfinite(truth.y)
    off = np.where(known, off, 0.0)
    off = np.where(np.isfinite(off), off, 1e150)
    return off, np.where(np.isfinite(weighted) & known[:, :, None], weighted, 0.0)
