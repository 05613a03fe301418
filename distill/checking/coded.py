"""How far the C's own operations, every rounding among them, can be from the teacher over a box."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from flint import arb

from distill.checking.balls import UNDEFINED
from distill.checking.certificate import Certificate
from distill.checking.chains import put_expression
from distill.checking.choices import Choices, Impossible, Unbounded
from distill.checking.formulas import Put
from distill.checking.integers import put_integers
from distill.checking.leaf import Box, Find, Range, range_of
from distill.checking.operations import FloatProgram, Program
from distill.checking.rounded import check_known, put_rounded
from distill.checking.tape import Tape
from distill.checking.terms import Term

ENDLESS = arb("inf")


def coded(certificate: Certificate) -> Find:
    """The range of |C - teacher| over boxes where the formula answers.

    Raises
    ------
    CannotCheck : for an operation of the C, or of the teacher, that has no enclosure here.
    """
    program = certificate.program
    assert program is not None  # the caller has looked
    if isinstance(program, FloatProgram):
        check_known(program)
    discrete = [variable.discrete for variable in certificate.domain.variables]
    return partial(_apart, program, discrete, put_expression(certificate.teacher))


def _apart(program: Program, discrete: Sequence[bool], teacher: Put, box: Box) -> Range:
    """The range over all cases of a box."""
    choices = Choices()
    found: list[Range] = []
    try:
        while True:
            tape = Tape(*box)
            try:
                answer = _answer(program, discrete, tape, choices)
                found.append(range_of(tape, tape.minus(answer, teacher(tape, tape.inputs))))
            except Impossible:
                pass
            if not choices.again():
                break
    except Unbounded as unbounded:
        end = ENDLESS if unbounded.certain else UNDEFINED
        return Range(end, end, UNDEFINED, (0.0,) * len(discrete), unbounded.why)
    return _hull(found, len(discrete))


def _answer(program: Program, discrete: Sequence[bool], tape: Tape, choices: Choices) -> Term:
    if isinstance(program, FloatProgram):
        return put_rounded(program, tape, tape.inputs)
    return put_integers(program, discrete, tape, tape.inputs, choices)


def _hull(found: Sequence[Range], inputs: int) -> Range:
    """The range of cases together; nothing is known where there is none."""
    if not found:
        return Range(UNDEFINED, UNDEFINED, UNDEFINED, (0.0,) * inputs)
    if len(found) == 1:
        return found[0]
    low, high = found[0].low, found[0].high
    for part in found[1:]:
        low, high = low.min(part.low), high.max(part.high)
    blame = tuple(map(max, zip(*(part.blame for part in found), strict=True)))
    return Range(low, high, UNDEFINED, blame)
