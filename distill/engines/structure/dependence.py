"""How the answer depends on one variable: a + b k(x), a polynomial, a ratio of polynomials.

The other variables then only enter the coefficients, which are pieces of their own: each is asked
by asking the piece at a few values of x.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from distill.arrays import Array
from distill.engines.structure.irrelevant import relevant
from distill.engines.structure.moves import Level, Move
from distill.engines.structure.piece import Piece, Values
from distill.formula.text import to_text
from distill.formula.tree import Node, Number, add, call, div, mul

OTHERS = 40
"""Random points of the other variables at which one variable's part is looked at."""

MORE_NODES = 6
"""Values of the variable beyond those that the coefficients need: they verify."""

FIRM, MOSTLY = 10.0, 0.9
"""A coefficient may be a common factor if it is so many times its error nearly everywhere."""

DEGREES = (1, 2, 3, 4)
RATIOS = ((1, 1), (0, 1), (2, 1), (1, 2), (0, 2), (2, 2))
"""Degrees above and below."""


def dependences(
    piece: Piece, level: Level, rng: np.random.Generator, *, deep: bool = True
) -> Iterator[Move]:
    """Polynomials of low degree first, then a + b k(x), then ratios.

    ``deep`` includes all but the straight line, the square and the product behind a term.
    """
    count = len(piece)
    if count < 2:
        return
    variables = [i for i in range(count) if not piece.whole[i]]
    most = DEGREES if deep else DEGREES[:2]
    degrees = {i: _degree(piece, level, rng, i, most) for i in variables}
    for i in sorted(variables, key=lambda i: (degrees[i] or (9, 0.0))[0]):
        found = degrees[i]
        if found is not None and found[0] <= 2:
            yield _polynomial(piece, level, rng, i, *found)
    for i in variables:
        if (degrees[i] or (9, 0.0))[0] > 2:
            yield from _separated(piece, level, rng, i)
    for i in variables:
        found = degrees[i]
        if found is not None and found[0] > 2:
            yield _polynomial(piece, level, rng, i, *found)
    if deep:
        for i in variables:
            if degrees[i] is None:
                yield from _ratio(piece, level, rng, i)


# Polynomials ---------------------------------------------------------------------------------


def _nodes(piece: Piece, i: int, count: int) -> Array:
    """Chebyshev points over variable i's range."""
    angles = (2 * np.arange(count) + 1) * np.pi / (2 * count)
    unit = (1 - np.cos(angles)) / 2
    nodes: Array = piece.low[i] + unit * (piece.high[i] - piece.low[i])
    return nodes


def _along(piece: Piece, i: int, others: Array, nodes: Array) -> Values:
    """Answers (n, m): each row's other variables (n, k - 1) with each of m values of variable i."""
    n, m = len(others), len(nodes)
    x = np.empty((n * m, len(piece)))
    x[:, [j for j in range(len(piece)) if j != i]] = np.repeat(others, m, axis=0)
    x[:, i] = np.tile(nodes, n)
    values = piece(x)
    return Values(values.y.reshape(n, m), values.s.reshape(n, m))


def _others(piece: Piece, i: int) -> list[int]:
    return [j for j in range(len(piece)) if j != i]


def _degree(
    piece: Piece, level: Level, rng: np.random.Generator, i: int, degrees: Sequence[int]
) -> tuple[int, float] | None:
    """The lowest degree in variable i that is believed, and its price."""
    nodes = _nodes(piece, i, max(degrees) + MORE_NODES)
    unit = (nodes - piece.low[i]) / (piece.high[i] - piece.low[i]) * 2 - 1
    values = _along(piece, i, piece.draw(rng, OTHERS)[:, _others(piece, i)], nodes)
    if np.isfinite(values.y).mean() < 0.8:
        return None
    swing = np.ptp(values.y, axis=1) / np.median(values.s, axis=1)
    if not np.nanmedian(swing) > level.power * level.bar:
        return None
    for degree in degrees:
        basis = np.polynomial.chebyshev.chebvander(unit, degree)
        rest = np.eye(len(nodes)) - basis @ np.linalg.pinv(basis)
        # Degrees of freedom: what the fit takes away is not error.
        share = np.sqrt(len(nodes) / (len(nodes) - degree - 1))
        price = level.believes(Values(values.y @ rest.T * share, values.s))
        if price is not None:
            return degree, price
    return None


def _polynomial(
    piece: Piece, level: Level, rng: np.random.Generator, i: int, degree: int, price: float
) -> Move:
    nodes = _nodes(piece, i, degree + 3)
    middle, half = (piece.high[i] + piece.low[i]) / 2, (piece.high[i] - piece.low[i]) / 2
    basis = np.polynomial.chebyshev.chebvander((nodes - middle) / half, degree)
    # From Chebyshev coefficients on [-1, 1] to coefficients of powers of x itself.
    powers = np.zeros((degree + 1, degree + 1))
    for k in range(degree + 1):
        series = np.polynomial.Chebyshev.basis(k, domain=[piece.low[i], piece.high[i]])
        shape = series.convert(kind=np.polynomial.Polynomial).coef
        powers[: len(shape), k] = shape
    take = powers @ np.linalg.pinv(basis)

    def part(k: int) -> Piece:
        def ask(others: Array) -> Values:
            values = _along(piece, i, others, nodes)
            return Values(values.y @ take[k], np.sqrt((values.s**2) @ (take[k] ** 2)))

        return piece.of(_others(piece, i), ask)

    parts = [(k, part(k)) for k in range(degree + 1)]
    x = piece.draw(rng, OTHERS)[:, _others(piece, i)]
    kept = [(k, p) for k, p in parts if k == degree or p(x).size > 3 * level.limit]
    view = piece.symbol(i)
    name = {1: "a straight line", 2: "a parabola"}.get(degree, f"a polynomial of degree {degree}")
    text = f"{name} in {to_text(piece.views[i], 4)}"
    powers_kept = [k for k, _ in kept]
    lead = kept[-1][1]
    divided = [_quotient(p, lead) for _, p in kept[:-1]]
    plain = sum(relevant(p, level, rng) for _, p in kept[:-1])
    firm = lead(x)
    if (
        np.mean(np.abs(firm.y) > FIRM * level.bar * firm.s) > MOSTLY
        and sum(relevant(p, level, rng) for p in divided) < plain
    ):
        # (x - u t) / sqrt(1 - u^2): a common factor makes the coefficients simpler.
        def factored(trees: Sequence[Node]) -> Node:
            return mul(trees[-1], _series(view, powers_kept, [*trees[:-1], Number(1.0)]))

        return Move(f"{text} with a common factor", price, (*divided, lead), factored)

    def join(trees: Sequence[Node]) -> Node:
        return _series(view, powers_kept, trees)

    return Move(text, price, tuple(p for _, p in kept), join)


def _quotient(above: Piece, below: Piece) -> Piece:
    """One coefficient over another, both of the same variables."""
    return replace(above, ask=lambda z: above.ask(z).over(below.ask(z)))


def _series(view: Node, powers: Sequence[int], trees: Sequence[Node]) -> Node:
    terms = [
        tree if k == 0 else mul(tree, _power(view, k))
        for k, tree in zip(powers, trees, strict=True)
    ]
    result = terms[0]
    for term in terms[1:]:
        result = add(result, term)
    return result


def _power(view: Node, k: int) -> Node:
    return view if k == 1 else call("square", view) if k == 2 else call("pow", view, Number(k))


# One function of the variable ----------------------------------------------------------------


def _separated(piece: Piece, level: Level, rng: np.random.Generator, i: int) -> Iterator[Move]:
    """F = a + b k(x): differences along x are products."""
    start = piece.anchor(i)
    one, two = piece.draw(rng, 2 * OTHERS), piece.draw(rng, 2 * OTHERS)
    one_two, two_one = one.copy(), two.copy()
    one_two[:, i], two_one[:, i] = two[:, i], one[:, i]
    still_one, still_two = one.copy(), two.copy()
    still_one[:, i] = still_two[:, i] = start
    a, b, c, d, e, f = piece.all(one, one_two, two_one, two, still_one, still_two)
    a, b, c, d = a.minus(e), b.minus(e), c.minus(f), d.minus(f)
    deviation = a.times(d).minus(b.times(c))
    price = level.believes(deviation, Values(np.abs(a.y * d.y), deviation.s))
    if price is None:
        return
    size = np.where(np.isfinite(a.y), np.abs(a.y) / a.s, -1.0)
    at = one[np.argsort(size)[len(size) * 4 // 5]]
    swing = float(np.diff(piece(np.vstack([_moved(at, i, start), at])).y)[0])
    others = _others(piece, i)

    def change(x: Array) -> Values:
        still = x.copy()
        still[:, i] = start
        now, before = piece.all(x, still)
        return now.minus(before)

    def of_others(z: Array) -> Values:
        return change(_placed(z, others, at))

    def of_this(z: Array) -> Values:
        return change(_placed(z, [i], at)).scaled(1 / swing)

    parts = (
        piece.over(others, _moved(at, i, start)),
        piece.of(others, of_others),
        piece.of([i], of_this),
    )

    def join(trees: Sequence[Node]) -> Node:
        return add(trees[0], mul(trees[1], trees[2]))

    yield Move(f"a + b k({to_text(piece.views[i], 4)})", price, parts, join)


def _moved(at: Array, i: int, value: float) -> Array:
    result = at.copy()
    result[i] = value
    return result


def _placed(z: Array, kept: Sequence[int], at: Array) -> Array:
    x = np.tile(at, (len(z), 1))
    x[:, list(kept)] = z
    return x


# Ratios --------------------------------------------------------------------------------------


def _ratio(piece: Piece, level: Level, rng: np.random.Generator, i: int) -> Iterator[Move]:
    others = piece.draw(rng, OTHERS)[:, _others(piece, i)]
    middle, half = (piece.high[i] + piece.low[i]) / 2, (piece.high[i] - piece.low[i]) / 2
    for above, below in RATIOS:
        nodes = _nodes(piece, i, above + below + 1 + MORE_NODES)
        unit = (nodes - middle) / half
        values = _along(piece, i, others, nodes)
        if np.isfinite(values.y).mean() < 1.0:
            return
        c, _ = _solved(values, unit, above, below)
        with np.errstate(all="ignore"):
            fitted = _ratio_at(c, unit, above)
        share = np.sqrt(len(nodes) / MORE_NODES)
        price = level.believes(Values((values.y - fitted) * share, values.s))
        if price is not None:
            yield _ratio_move(piece, level, rng, i, above, below, price)
            return


def _solved(values: Values, unit: Array, above: int, below: int) -> tuple[Array, Array]:
    """Coefficients (n, above + below + 1) of P and then Q without its leading 1, and their errors.

    P - y Q = 0 at the nodes, solved for each row; Q(0) = 1 in the scaled variable.
    """
    y = values.y[:, :, None]
    top = np.broadcast_to(unit[:, None] ** np.arange(above + 1), (len(y), len(unit), above + 1))
    low = y * unit[:, None] ** np.arange(1, below + 1)
    inverse = np.linalg.pinv(np.concatenate([top, -low], axis=2), rcond=1e-14)
    c = np.einsum("nkm,nm->nk", inverse, values.y)
    for _ in range(2):  # rows weighted by 1 / Q, so that the error of y itself is least
        q = 1 + np.einsum("nk,mk->nm", c[:, above + 1 :], unit[:, None] ** np.arange(1, below + 1))
        w = 1 / np.where(np.abs(q) > 1e-12, q, 1e-12)
        inverse = np.linalg.pinv(np.concatenate([top, -low], axis=2) * w[:, :, None], rcond=1e-14)
        c = np.einsum("nkm,nm->nk", inverse, values.y * w)
    error = np.sqrt(np.einsum("nkm,nm->nk", inverse**2, values.s**2))
    return c, error


def _ratio_at(c: Array, unit: Array, above: int) -> Array:
    top = c[:, : above + 1] @ (unit[:, None] ** np.arange(above + 1)).T
    below = c.shape[1] - above - 1
    return np.asarray(top / (1 + c[:, above + 1 :] @ (unit[:, None] ** np.arange(1, below + 1)).T))


def _ratio_move(
    piece: Piece,
    level: Level,
    rng: np.random.Generator,
    i: int,
    above: int,
    below: int,
    price: float,
) -> Move:
    """Coefficients of powers of x itself, divided by the first of Q's that does not vanish."""
    nodes = _nodes(piece, i, above + below + 1 + MORE_NODES)
    middle, half = (piece.high[i] + piece.low[i]) / 2, (piece.high[i] - piece.low[i]) / 2
    unit = (nodes - middle) / half
    up, down = _recentred(above, middle, half), _recentred(below, middle, half)

    def coefficients(z: Array) -> tuple[Array, Array]:
        c, e = _solved(_along(piece, i, z, nodes), unit, above, below)
        ones, zeros = np.ones((len(z), 1)), np.zeros((len(z), 1))
        p, q = c[:, : above + 1] @ up.T, np.hstack([ones, c[:, above + 1 :]]) @ down.T
        ep = np.sqrt(e[:, : above + 1] ** 2 @ (up**2).T)
        eq = np.sqrt(np.hstack([zeros, e[:, above + 1 :]]) ** 2 @ (down**2).T)
        return np.hstack([p, q]), np.hstack([ep, eq])

    def present(c: Array, e: Array, k: int) -> bool:
        return Values(c[:, k], np.maximum(e[:, k], 1e-300)).size > 3 * level.limit

    c, e = coefficients(piece.draw(rng, OTHERS)[:, _others(piece, i)])
    kept = [k for k in range(above + below + 2) if present(c, e, k)]
    below_line = range(above + 1, above + below + 2)
    firm = [
        k for k in below_line if k in kept and np.all(np.abs(c[:, k]) > 10 * e[:, k] * level.bar)
    ]
    others_of = _others(piece, i)

    def part(k: int, lead: int) -> Piece:
        def ask(z: Array) -> Values:
            c, e = coefficients(z)
            e = np.maximum(e, 1e-300)
            return Values(c[:, k], e[:, k]).over(Values(c[:, lead], e[:, lead]))

        return piece.of(others_of, ask)

    def variables(lead: int) -> int:
        return sum(relevant(part(k, lead), level, rng) for k in kept if k != lead)

    lead = min(firm, key=variables) if firm else above + 1
    wanted = [k for k in kept if k != lead]
    parts = tuple(part(k, lead) for k in wanted)
    view = piece.symbol(i)

    def join(trees: Sequence[Node]) -> Node:
        by = dict(zip(wanted, trees, strict=True)) | {lead: Number(1.0)}
        top = [k for k in range(above + 1) if k in by]
        low = [k for k in range(above + 1, above + below + 2) if k in by]
        numerator = _series(view, top, [by[k] for k in top]) if top else Number(0.0)
        denominator = _series(view, [k - above - 1 for k in low], [by[k] for k in low])
        return div(numerator, denominator)

    return Move(f"a ratio of polynomials in {to_text(piece.views[i], 4)}", price, parts, join)


def _recentred(degree: int, middle: float, half: float) -> Array:
    """The matrix from coefficients in (x - middle) / half to coefficients in x."""
    result = np.zeros((degree + 1, degree + 1))
    for k in range(degree + 1):
        shape = np.polynomial.Polynomial([-middle / half, 1 / half]) ** k
        result[: k + 1, k] = shape.coef
    return result
