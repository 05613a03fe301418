"""Krawczyk's test: one critical point in a small box and no other, and what kind it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from distill.critical.ideal import terms_of

if TYPE_CHECKING:
    import flint

Kind = Literal["minimum", "saddle", "maximum", "degenerate"]

RADIUS = 2.0**-60
"""Half the width of the boxes."""


def certify(polynomial: flint.fmpq_mpoly, point: list[flint.arb]) -> tuple[Kind, bool]:
    """The kind of a critical point, and whether the test proves that it is alone in its box.

    Both come from balls of 256 bits. Where the second derivatives are singular the test cannot
    hold, and the kind is ``degenerate``; so it is where the signs cannot be told.
    """
    import flint

    size = len(point)
    slopes = [polynomial.derivative(i) for i in range(size)]
    curves = [[s.derivative(j) for j in range(size)] for s in slopes]
    middle = [p.mid() for p in point]
    box = [m + flint.arb(0, RADIUS) for m in middle]
    at_middle = flint.arb_mat([[evaluated(c, middle).mid() for c in row] for row in curves])
    around = flint.arb_mat([[evaluated(c, box) for c in row] for row in curves])
    try:
        inverse = at_middle.inv()
    except ZeroDivisionError:
        return "degenerate", False
    inverse = flint.arb_mat([[inverse[i, j].mid() for j in range(size)] for i in range(size)])
    slope = flint.arb_mat([[evaluated(s, middle)] for s in slopes])
    identity = flint.arb_mat([[int(i == j) for j in range(size)] for i in range(size)])
    off = flint.arb_mat([[flint.arb(0, RADIUS)] for _ in range(size)])
    image = (identity - inverse * around) * off - inverse * slope
    alone = all(bool(abs(image[i, 0]) < RADIUS) for i in range(size))
    inside = all(bool(abs(p - m) < RADIUS) for p, m in zip(point, middle, strict=True))
    if not (alone and inside):
        return "degenerate", False
    return _kind(around), True


def _kind(curves: flint.arb_mat) -> Kind:
    """From the signs of the pivots of a symmetric matrix of balls."""
    size = curves.nrows()
    rows = [[curves[i, j] for j in range(size)] for i in range(size)]
    signs: set[bool] = set()
    while rows:
        at = next((i for i, row in enumerate(rows) if row[i] > 0 or row[i] < 0), None)
        if at is None:
            return "saddle" if _opposed(rows) else "degenerate"
        pivot = rows[at][at]
        signs.add(bool(pivot > 0))
        rest = [i for i in range(len(rows)) if i != at]
        rows = [[rows[i][j] - rows[i][at] * rows[at][j] / pivot for j in rest] for i in rest]
    if len(signs) == 2:
        return "saddle"
    return "minimum" if True in signs else "maximum"


def _opposed(rows: list[list[flint.arb]]) -> bool:
    """Whether a minor of two rows is surely negative."""
    size = len(rows)
    return any(
        rows[i][i] * rows[j][j] - rows[i][j] * rows[j][i] < 0 for i in range(size) for j in range(i)
    )


def evaluated(polynomial: flint.fmpq_mpoly, point: list[flint.arb]) -> flint.arb:
    """A polynomial at a point of balls."""
    import flint

    found = flint.arb(0)
    for exponents, factor in terms_of(polynomial).items():
        product = flint.arb(factor)
        for value, exponent in zip(point, exponents, strict=True):
            for _ in range(exponent):  # a power of a ball around 0 is not a number
                product *= value
        found += product
    return found
