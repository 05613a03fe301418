"""The C's operations in floating point, put on a tape: each with a number that rounding adds.

Every sum, product, quotient and square root is its real value off by half a unit in the last place
at most; inside a fused operation by nothing, which is less. Functions of the C library are taken to
be within ``LIBRARY`` units. What is too small to be a normal number may become zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb

from distill.checking.balls import ZERO
from distill.checking.choices import Unbounded
from distill.checking.formulas import KNOWN, operate
from distill.checking.operations import FloatProgram, FloatStep
from distill.checking.refusals import CannotCheck
from distill.checking.tape import Tape
from distill.checking.terms import Term

LIBRARY = 4
"""Units in the last place that a function of the C library may lose."""

EXACT = {"neg": 1, "abs": 1, "min": 2, "max": 2, "ifless": 4}
ROUNDED = {"add": 2, "sub": 2, "mul": 2, "div": 2, "sqrt": 1}
CALLED = {
    "pow": 2, "cbrt": 1, "exp": 1, "log": 1, "sin": 1, "cos": 1, "tan": 1, "asin": 1, "acos": 1,
    "atan": 1, "sinh": 1, "cosh": 1, "tanh": 1, "atan2": 2,
}  # fmt: skip
"""Operations by how they round, and how many arguments each has."""


@dataclass(frozen=True)
class Format:
    """Binary floating point: bits of the significand, exponents of the least normal number and of
    the first power of two that is too large.
    """

    digits: int
    least: int
    top: int

    def half_unit(self, size: arb) -> arb:
        """Half a unit in the last place of the largest number up to ``size``, not zero."""
        # One float up, so that turning the ball into a float does not lower the exponent.
        exponent = math.frexp(math.nextafter(float(size.mid() + size.rad()), math.inf))[1]
        return arb((1, exponent - 1 - self.digits))


FORMATS = {"float32": Format(24, -126, 128), "double": Format(53, -1022, 1024)}


def check_known(program: FloatProgram) -> None:
    """Refuse operations that have no enclosure here.

    Raises
    ------
    CannotCheck : naming the first.
    """
    counts = EXACT | ROUNDED | CALLED
    for at, step in enumerate(program.steps):
        if step.name in ("input", "constant"):
            continue
        if counts.get(step.name) != len(step.args) or step.name not in KNOWN:
            raise CannotCheck(f"the C's operation `{step.name[:40]}` (step {at})")


def put_rounded(program: FloatProgram, tape: Tape, inputs: Sequence[Term]) -> Term:
    """What the C answers, as a term.

    Raises
    ------
    Unbounded : when an operation may overflow or may have no value.
    """
    form = FORMATS[program.arithmetic]
    terms: list[Term] = []
    for at, step in enumerate(program.steps):
        if step.name == "input":
            terms.append(_held(tape, inputs[step.column], form))
        elif step.name == "constant":
            terms.append(tape.constant(arb(step.value)))
        else:
            args = [terms[a] for a in step.args]
            exact = operate(tape, step.name, args)
            if not (exact.low.is_finite() and exact.high.is_finite()):
                raise Unbounded(f"step {at}, `{step.name}`, may have no value")
            lost = _lost(step, args, exact, form)
            result = exact if lost.is_zero() else _loosened(tape, exact, lost)
            if not _size(result) < arb((1, form.top)):
                raise Unbounded(f"step {at}, `{step.name}`, may overflow")
            terms.append(result)
    return terms[-1]


def _held(tape: Tape, x: Term, form: Format) -> Term:
    """An input, which is a number of the format; one that is not normal may be taken for zero."""
    tiny = arb((1, form.least))
    return x if x.low >= tiny or x.high <= -tiny else _loosened(tape, x, tiny)


def _loosened(tape: Tape, x: Term, by: arb) -> Term:
    return tape.added(x, tape.any_of(-by, by))


def _size(x: Term) -> arb:
    """The largest size of a term; an exact end."""
    below, above = abs(x.low), abs(x.high)
    return below if below > above else above


def _lost(step: FloatStep, args: Sequence[Term], exact: Term, form: Format) -> arb:
    """What rounding may change in a result."""
    if step.name in EXACT:
        return ZERO
    half, tiny = form.half_unit(_size(exact)), arb((1, form.least))
    if step.name in CALLED:
        return 2 * LIBRARY * half + LIBRARY * tiny
    # A power of two as a factor moves the exponent alone.
    moved = step.name == "mul" and any(
        x.constant and abs(math.frexp(float(x.low))[0]) == 0.5 for x in args
    )
    return tiny if moved else half + tiny
