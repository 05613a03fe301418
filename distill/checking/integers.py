"""The C's steps in integers on a tape: each is its real result and a number that rounding adds.

A shift right leaves away less than one unit of its result, a division less than one on either
side, the door half a step of an input: free numbers of the tape, so that for every input some
values of them give the very integers of the C. Beside its term every step has the least and the
largest integer it can be. They show that no sum leaves its word, which the real meaning supposes.

Where leading zeros or the period of a mask differ within a box, each is a case with a real meaning
of its own (:mod:`distill.checking.choices`); every point is in one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flint import arb

from distill.checking.balls import HALF, ONE, ZERO
from distill.checking.choices import Choices, Impossible, Unbounded
from distill.checking.formulas import absolute, chosen, larger, operate, quotient, smaller
from distill.checking.operations import IntegerProgram, IntegerStep
from distill.checking.tape import Tape
from distill.checking.terms import Term

WORD, DOUBLE, SHORT = 31, 63, 15
"""Magnitude bits of the C's integers."""

DIGITS = 24
"""Significant bits of a float32."""

MOST_WAYS = 8
"""Of one decision; with more of them no more is known than the range of its result."""


@dataclass(slots=True)
class Whole:
    """A term that is an integer at every input, and the least and the largest it can be."""

    term: Term
    low: int
    high: int


def put_integers(
    program: IntegerProgram,
    discrete: Sequence[bool],
    tape: Tape,
    inputs: Sequence[Term],
    choices: Choices,
) -> Term:
    """What the C answers, as a term, in the case that ``choices`` is at.

    Raises
    ------
    Unbounded : when a step may leave its word, or nothing is known of it.
    Impossible : when the case holds at no point of the box.
    """
    run = _Run(tape, choices)
    values: list[Whole] = []
    for at, step in enumerate(program.steps):
        run.step = f"step {at}, `{step.name}`"
        if step.name == "input":
            column = step.constant
            door = tape.any_of(-HALF, HALF)
            scale = _power(program.inputs[column])
            exact = discrete[column] and program.inputs[column] >= 0
            parts = (inputs[column],) if exact else (inputs[column], door)
            term = tape.total(parts, (scale, ONE)[: len(parts)], ZERO)
            values.append(run.held(term, None, None))
        elif step.name == "constant":
            values.append(run.constant(step.constant))
        else:
            values.append(run.apply(step, [values[a] for a in step.args]))
    result = values[-1]
    unit = _power(-program.output)
    if not program.floats:
        return tape.scaled(result.term, unit)
    lost = max(abs(result.low), abs(result.high)).bit_length() - DIGITS
    if lost <= 0:
        return tape.scaled(result.term, unit)
    half = _power(lost - 1)
    return tape.total((result.term, tape.any_of(-half, half)), (unit, unit), ZERO)


def _power(exponent: int) -> arb:
    """A power of two; exact."""
    return arb((1, exponent))


class _Run:
    """One case of a program on one tape."""

    def __init__(self, tape: Tape, choices: Choices) -> None:
        self.tape, self.choices = tape, choices
        self.step = ""

    def constant(self, value: int) -> Whole:
        """A number."""
        self.within(value, value, WORD)
        return Whole(self.tape.constant(arb(value)), value, value)

    def within(self, low: int, high: int, bits: int) -> None:
        """Refuse what may not fit into a signed integer of so many magnitude bits."""
        if low < -(1 << bits) or high >= 1 << bits:
            outside = low >= 1 << bits or high < -(1 << bits)
            raise Unbounded(
                f"{self.step}, {'does' if outside else 'may'} not fit into {bits + 1} bits",
                certain=outside and self.choices.alone,
            )

    def held(self, term: Term, low: int | None, high: int | None) -> Whole:
        """A step's result in 32 bits, of which both the term and integers tell the range."""
        if term.low.is_finite() and term.high.is_finite():
            least, most = _up(term.low), _down(term.high)
            low = least if low is None else max(low, least)
            high = most if high is None else min(high, most)
        if low is None or high is None:
            raise Unbounded(f"nothing is known of {self.step}")
        if low > high:
            raise Impossible
        self.within(low, high, WORD)
        return Whole(term, low, high)

    def apply(self, step: IntegerStep, args: list[Whole]) -> Whole:
        """A step on integers."""
        return _RULES[step.name](self, step, *args)

    def cut(self, sum_low: int, sum_high: int, term: Term, step: IntegerStep) -> Whole:
        """``(term + constant) >> shift``, the sum being in [sum_low, sum_high]."""
        if not step.shift:
            return self.held(self.tape.scaled(term, ONE, arb(step.constant)), sum_low, sum_high)
        if "bare" in step.flags and sum_low < 0:
            raise Unbounded(f"{self.step}, may shift a negative number")
        unit = _power(-step.shift)
        left_away = self.tape.any_of(unit - ONE, ZERO)
        result = self.tape.total((term, left_away), (unit, ONE), arb(step.constant) * unit)
        return self.held(result, sum_low >> step.shift, sum_high >> step.shift)

    def any_of(self, low: int, high: int) -> Whole:
        """Any integer of a range."""
        return self.held(self.tape.any_of(arb(low), arb(high)), low, high)


def _up(end: arb) -> int:
    """The least integer from an exact end on."""
    found = end.ceil().unique_fmpz()
    if found is None:
        raise Unbounded("a number is too large")
    return int(found)


def _down(end: arb) -> int:
    found = end.floor().unique_fmpz()
    if found is None:
        raise Unbounded("a number is too large")
    return int(found)


def _add(run: _Run, step: IntegerStep, a: Whole, b: Whole) -> Whole:
    return run.held(run.tape.added(a.term, b.term), a.low + b.low, a.high + b.high)


def _sub(run: _Run, step: IntegerStep, a: Whole, b: Whole) -> Whole:
    return run.held(run.tape.minus(a.term, b.term), a.low - b.high, a.high - b.low)


def _neg(run: _Run, step: IntegerStep, a: Whole) -> Whole:
    return run.held(run.tape.scaled(a.term, -ONE), -a.high, -a.low)


def _abs(run: _Run, step: IntegerStep, a: Whole) -> Whole:
    if a.low >= 0:
        return a
    if a.high <= 0:
        return _neg(run, step, a)
    return run.held(absolute(run.tape, a.term), 0, max(-a.low, a.high))


def _min(run: _Run, step: IntegerStep, a: Whole, b: Whole) -> Whole:
    term = smaller(run.tape, a.term, b.term)
    return run.held(term, min(a.low, b.low), min(a.high, b.high))


def _max(run: _Run, step: IntegerStep, a: Whole, b: Whole) -> Whole:
    term = larger(run.tape, a.term, b.term)
    return run.held(term, max(a.low, b.low), max(a.high, b.high))


def _scale(run: _Run, step: IntegerStep, a: Whole) -> Whole:
    run.within(1 << step.shift, 1 << step.shift, WORD)
    term = run.tape.scaled(a.term, _power(step.shift))
    return run.held(term, a.low << step.shift, a.high << step.shift)


def _shift(run: _Run, step: IntegerStep, a: Whole) -> Whole:
    low, high = a.low + step.constant, a.high + step.constant
    run.within(step.constant, step.constant, WORD)
    run.within(step.shift, step.shift, 5)  # a word is shifted by less than its bits
    run.within(low, high, WORD)
    return run.cut(low, high, a.term, step)


def _mac(run: _Run, step: IntegerStep, a: Whole, b: Whole) -> Whole:
    bits = DOUBLE if "wide" in step.flags else WORD
    corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    low, high = min(corners), max(corners)
    if a is b and a.low <= 0 <= a.high:
        low = 0
    if "short" in step.flags:
        for factor in (a, b):
            run.within(factor.low, factor.high, SHORT)
    run.within(step.shift, step.shift, 5 if bits == WORD else 6)
    run.within(low, high, bits)
    low, high = low + step.constant, high + step.constant
    run.within(low, high, bits)
    tape = run.tape
    product = operate(tape, "square", [a.term]) if a is b else tape.product(a.term, b.term)
    return run.cut(low, high, product, step)


def _mask(run: _Run, step: IntegerStep, a: Whole) -> Whole:
    mask = step.constant
    run.within(mask, mask, WORD)
    if mask < 0:
        raise Unbounded(f"{run.step}, keeps a sign")
    if a.low == a.high:
        return run.constant(a.low & mask)
    period = mask + 1
    if period & mask:
        return run.any_of(0, mask)
    first, last = a.low // period, a.high // period
    if last - first >= MOST_WAYS:
        return run.any_of(0, mask)
    turn = first + run.choices.take(last - first + 1)
    a.low, a.high = max(a.low, turn * period), min(a.high, turn * period + mask)
    term = run.tape.scaled(a.term, ONE, arb(-turn * period))
    return run.held(term, a.low - turn * period, a.high - turn * period)


def _zeros(run: _Run, step: IntegerStep, a: Whole) -> Whole:
    if a.low < 0:
        raise Unbounded(f"{run.step}, may count in a negative number")
    few, many = WORD - a.high.bit_length(), WORD - a.low.bit_length()
    if many - few >= MOST_WAYS:
        return run.any_of(few, many)
    count = few + run.choices.take(many - few + 1)
    bits = WORD - count
    a.low, a.high = max(a.low, 1 << bits >> 1), min(a.high, (1 << bits) - 1)
    return run.constant(count)


def _left(run: _Run, step: IntegerStep, a: Whole, n: Whole) -> Whole:
    _counts(run, n)
    corners = [x << k for x in (a.low, a.high) for k in (n.low, n.high)]
    if n.low < n.high:
        return run.any_of(min(corners), max(corners))
    return run.held(run.tape.scaled(a.term, _power(n.low)), min(corners), max(corners))


def _right(run: _Run, step: IntegerStep, a: Whole, n: Whole) -> Whole:
    _counts(run, n)
    if a.low < 0:
        raise Unbounded(f"{run.step}, may shift a negative number")
    if n.low < n.high:
        return run.any_of(a.low >> n.high, a.high >> n.low)
    by = IntegerStep("shift", (), 0, n.low, frozenset())
    return run.cut(a.low, a.high, a.term, by)


def _counts(run: _Run, n: Whole) -> None:
    if n.low < 0 or n.high > WORD:
        raise Unbounded(f"{run.step}, may shift by more bits than there are")


def _divide(run: _Run, step: IntegerStep, a: Whole, b: Whole) -> Whole:
    if b.low <= 0 <= b.high:
        raise Unbounded(f"{run.step}, may divide by zero", certain=b.low == b.high == 0)
    corners = [_quotient(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
    same = (a.low >= 0 and b.low > 0) or (a.high <= 0 and b.high < 0)
    other = (a.low >= 0 and b.high < 0) or (a.high <= 0 and b.low > 0)
    lost = run.tape.any_of(ZERO if other else -ONE, ZERO if same else ONE)
    exact = quotient(run.tape, a.term, b.term)
    return run.held(run.tape.added(exact, lost), min(corners), max(corners))


def _quotient(a: int, b: int) -> int:
    """Rounded towards zero."""
    size = abs(a) // abs(b)
    return size if (a < 0) == (b < 0) else -size


def _ifless(run: _Run, step: IntegerStep, a: Whole, b: Whole, then: Whole, other: Whole) -> Whole:
    if a.high < b.low:
        return then
    if a.low >= b.high:
        return other
    off = run.tape.minus(a.term, b.term)
    term = chosen(run.tape, off, then.term, other.term)
    return run.held(term, min(then.low, other.low), max(then.high, other.high))


_RULES: dict[str, Callable[..., Whole]] = {
    "abs": _abs, "add": _add, "divide": _divide, "ifless": _ifless, "left": _left, "mac": _mac,
    "mask": _mask, "max": _max, "min": _min, "neg": _neg, "right": _right, "scale": _scale,
    "shift": _shift, "sub": _sub, "zeros": _zeros,
}  # fmt: skip
