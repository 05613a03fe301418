"""Second-order forms of a function over a box, and the ranges that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb

from distill.checking.balls import HALF, ZERO


@dataclass(frozen=True, slots=True)
class Enclosure:
    """What :meth:`distill.checking.tape.Tape.enclosure` finds, for e in [-1, 1]^d.

    The function is in ``value + slope . e + e . curve . e / 2 + free``, curve (d, d);
    ``slopes`` (d,) enclose the derivatives over the box; [low, high] is the range found forward.
    """

    value: arb
    slope: tuple[arb, ...]
    slopes: tuple[arb, ...]
    curve: tuple[tuple[arb, ...], ...]
    free: arb
    low: arb
    high: arb


def quadratic(form: Enclosure) -> tuple[arb, arb]:
    """The lowest and highest value of the second-order form over all e; exact ends."""
    near = form.value + form.free
    return -_most([-g for g in form.slope], _negated(form.curve), -near), _most(
        form.slope, form.curve, near
    )


def mean_value(form: Enclosure) -> tuple[arb, arb]:
    """The range that the slopes over the box give."""
    reach = ZERO
    for slope in form.slopes:
        reach += slope.abs_upper()
    near = form.value + form.free
    return (near - reach).lower(), (near + reach).upper()


def _negated(curve: Sequence[Sequence[arb]]) -> list[list[arb]]:
    return [[-entry for entry in row] for row in curve]


def _most(slope: Sequence[arb], curve: Sequence[Sequence[arb]], value: arb) -> arb:
    """An upper bound of value + slope.e + e.curve.e/2.

    Mixed terms count either by their size or, by ``2|ab| <= a^2 + b^2``, as squares, whichever is
    less for all of them together; what is left is one parabola for each e, whose top is known.
    """
    d = len(slope)
    mixed = [[(curve[i][j] + curve[j][i]).abs_upper() * HALF for j in range(d)] for i in range(d)]
    apart = together = value.upper()
    for i, g in enumerate(slope):
        lean = g.abs_upper()
        bend = curve[i][i].upper() * HALF
        others = ZERO
        for j in range(d):
            if j != i:
                others += mixed[i][j]
        apart += _top(lean, bend) + others * HALF
        together += _top(lean, bend + others * HALF)
    return apart.upper() if apart.upper() < together.upper() else together.upper()


def _top(lean: arb, bend: arb) -> arb:
    """The largest ``lean*e + bend*e^2`` over e in [-1, 1], lean not negative."""
    if bend < 0 and not lean + 2 * bend > 0:
        return lean * lean / (-4 * bend)
    return lean + bend
