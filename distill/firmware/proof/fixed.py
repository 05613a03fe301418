"""How far a fixed-point program can be from its formula: every part of the plan's bound proven.

The plan bounds all errors over boxes of the domain, from one step to the next; only how near its
polynomials are to the functions they stand for was measured at points. Here each of them is
compared with its function between all points, and comparisons that the rounding of an input may
turn are counted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.firmware.fixed.angles import ACOS, ATAN
from distill.firmware.fixed.build import Built
from distill.firmware.fixed.curves import Curve
from distill.firmware.fixed.formats import input_format
from distill.firmware.fixed.leading import LOG, RECIPROCAL, ROOTS
from distill.firmware.fixed.periods import FALLING, POWER_OF_TWO, TURN
from distill.firmware.fixed.plan import needed
from distill.firmware.fixed.program import FixedProgram
from distill.firmware.fixed.values import Piece
from distill.firmware.graph import CONSTANT, INPUT, Builder, Graph, Operation
from distill.firmware.intervals import widen
from distill.firmware.proof.gaps import largest_gap
from distill.firmware.proof.lines import Jet, Line, function_line, line_of
from distill.firmware.ranges import Boxes

_DIGITS = 24
"""Significant bits of a float32, which is what arrives at the door."""


@dataclass(frozen=True)
class FixedBounds:
    """Boxes (m, d) that cover the domain and the bound (m,) of the error on each; or why not."""

    boxes: Boxes
    errors: Array
    why: str = ""


def fixed_bounds(program: FixedProgram, *, floats: bool) -> FixedBounds:
    """Bounds of |what the integers stand for - formula|, inputs rounded to their formats.

    Parameters
    ----------
    floats : whether the inputs arrive as float32, so that rounding them may turn a comparison;
        integers are compared as they are.
    """
    basis = program.basis
    if basis is None:
        return FixedBounds(Boxes(np.zeros((1, 0)), np.zeros((1, 0))), np.array([np.inf]),
                           "the program does not say how it was made")  # fmt: skip
    boxes, none = basis.boxes, np.full(len(basis.errors), np.inf)
    for piece in basis.pieces:
        if not proven(piece):
            return FixedBounds(boxes, none, "a polynomial in it could not be bounded everywhere")
    if not floats or not _turnable(basis.graph, basis.domain):
        return FixedBounds(boxes, basis.errors)
    built = basis.again(held=False)
    if not isinstance(built, Built) or not _same(built, program):
        why = "rounding an input may turn a comparison, whose branches are too far apart"
        return FixedBounds(boxes, none, why)
    return FixedBounds(boxes, built.errors)


def _same(built: Built, program: FixedProgram) -> bool:
    """Whether the steps are those of the program, whatever is known of their bounds."""
    steps, fractions = needed(built)
    return fractions == program.fractions and [s.same for s in steps] == [
        s.same for s in program.steps
    ]


def _turnable(graph: Graph, domain: Domain) -> bool:
    """Whether some comparison takes an input that a float may not say exactly."""
    operations = graph.operations
    for operation in operations:
        if operation.name != "ifless":
            continue
        pair = [operations[a] for a in operation.args[:2]]
        for one, other in (pair, pair[::-1]):
            if one.name != INPUT:
                continue
            variable = domain.variables[one.column]
            step = input_format(variable).step
            # From 2^24 steps on every float32 is a whole number of them.
            exact = other.name == CONSTANT and abs(other.value) >= (2**_DIGITS + 1) * step
            if not variable.discrete and not exact:
                return True
    return False


@lru_cache(maxsize=4096)
def proven(piece: Piece) -> bool:
    """Whether a polynomial is within what the plan allows of its function, at every argument."""
    curve = piece.function
    assert isinstance(curve, Curve)  # pieces are noted where curves are applied
    function = _line(curve)
    if function is None:
        return False

    def line(low: Array, high: Array) -> Jet:
        ends = widen(low + piece.center, high + piece.center)
        # The function is asked where it is defined: its edges, and not what rounding adds to them.
        return function(np.maximum(ends[0], curve.low), np.minimum(ends[1], curve.high))

    low, high = curve.low - piece.center, curve.high - piece.center
    gap = largest_gap(np.array(piece.coefficients), line, low, high, piece.allowed)
    return gap <= piece.allowed


def _line(curve: Curve) -> Line | None:
    if curve.graph is not None:
        return line_of(curve.graph)
    return _NAMED.get(id(curve))


def _fall() -> Graph:
    """(1 - x)/(1 + x)."""
    builder = Builder(("x",))
    x, one = builder.add(Operation(INPUT, column=0)), builder.constant(1.0)
    return builder.finish(
        builder.call("div", builder.call("sub", one, x), builder.call("add", one, x))
    )


_TERMS = 64


def _acos_over_root(low: Array, high: Array) -> Jet:
    """acos(a)/sqrt(1 - a) on [0, 1], which falls, and its slope, which rises.

    sqrt(2) times the series of asin(sqrt(z))/sqrt(z) at z = (1 - a)/2 <= 1/2 (Abramowitz and
    Stegun 4.4.40), all terms positive; what is left out is less than the last term twice.
    """
    ends = []
    for a in (low, high):
        z = np.clip((1 - a) / 2, 0.0, 0.5)
        term, value, slope = np.ones(len(z)), np.zeros(len(z)), np.zeros(len(z))
        for k in range(_TERMS):
            value = value + term / (2 * k + 1)
            # The slope of the next term by z.
            term = term * ((2 * k + 1) / (2 * k + 2))
            slope = slope + term * (k + 1) / (2 * k + 3)
            term = term * z
        ends.append((math.sqrt(2) * value, -math.sqrt(2) / 2 * slope))
    (most, least_slope), (least, most_slope) = ends
    unknown = np.full(len(low), np.inf)
    jet = Jet((least, most), (least_slope, most_slope), (-unknown, unknown))
    return jet.wider(1e-13)


_NAMED: dict[int, Line] = {
    id(LOG): function_line("log"), id(RECIPROCAL): function_line("inv"),
    id(ATAN): function_line("atan"), id(ACOS): _acos_over_root, id(FALLING): line_of(_fall()),
    id(POWER_OF_TWO): function_line("exp", math.log(2), slack=1e-15),
    id(TURN): function_line("cos", 2 * math.pi, slack=1e-13),
    **{id(curve): function_line({2: "sqrt", 3: "cbrt"}[degree])
       for (degree, _), curve in ROOTS.items()},
}  # fmt: skip
"""The functions that range reduction leaves, by the curves that stand for them."""
