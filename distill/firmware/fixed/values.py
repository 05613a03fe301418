"""Values while a program is planned: which step holds one, in which format, how far it may be off.

Bounds and errors are kept for every box of a cover of the domain (:mod:`distill.firmware.ranges`):
an error that grows where a divisor is small does not then count everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.firmware.fixed.formats import LARGEST
from distill.firmware.fixed.steps import WORD, Step
from distill.firmware.intervals import Interval


class DoesNotFit(Exception):
    """A value cannot be held at the precision asked for, and why; the plan tries another."""

    def __init__(self, why: str = "it needs more than 32 bits") -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Value:
    """A step that holds a real value: ``integer * 2**-fraction``, off by at most ``error``.

    Attributes
    ----------
    low, high : bounds (m,) of the exact value on every box.
    error : bound (m,) of the distance between what is held and the exact value.
    """

    step: int
    fraction: int
    low: Array
    high: Array
    error: Array

    @property
    def largest(self) -> Array:
        """The largest magnitude (m,) of the exact value."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    @property
    def held(self) -> tuple[float, float]:
        """The lowest and highest value that may be held."""
        return float((self.low - self.error).min()), float((self.high + self.error).max())


@dataclass(frozen=True, eq=False)
class Piece:
    """A polynomial that stands in for a function, and what its error was taken to be.

    Attributes
    ----------
    function : what it stands for: a :class:`distill.firmware.fixed.curves.Curve`.
    coefficients : of powers of the distance from ``center``, lowest first.
    allowed : bound of its error that the plan goes by.
    """

    function: object
    coefficients: tuple[float, ...]
    center: float
    allowed: float


class Builder:
    """Collects steps; every method adds what it needs and returns the value it made.

    ``whole_bytes`` asks for shifts by multiples of 8 where there is a choice; ``pieces`` are the
    polynomials put in, some perhaps for steps that are not needed in the end. Methods raise
    :class:`DoesNotFit` where a value would leave 32 bits.
    """

    def __init__(self, boxes: int, whole_bytes: bool = False) -> None:
        self.whole_bytes = whole_bytes
        self.steps: list[Step] = []
        self.fractions: list[int] = []
        self.boxes = boxes
        self.pieces: list[Piece] = []
        self._places: dict[tuple[object, ...], int] = {}

    def push(self, step: Step, fraction: int) -> int:
        """The place of a step; equal ones of one format share it."""
        if step.low < -LARGEST or step.high > LARGEST:
            raise DoesNotFit
        place = self._places.get((*step.same, fraction))
        if place is None:
            place = self._places[(*step.same, fraction)] = len(self.steps)
            self.steps.append(step)
            self.fractions.append(fraction)
        return place

    def bounds(self, value: Value) -> tuple[int, int]:
        """Bounds of the integer that holds a value."""
        step = self.steps[value.step]
        return step.low, step.high

    def make(
        self, step: Step, fraction: int, exact: Interval, error: Array, *, word: tuple[int, int]
    ) -> Value:
        """A value by a new step; ``word`` are bounds by the step's own arithmetic."""
        low, high = exact
        least, most = float((low - error).min()), float((high + error).max())
        if not (math.isfinite(least) and math.isfinite(most)):
            raise DoesNotFit
        # Both pairs of bounds hold; the slack is for the float64 of this analysis.
        slack = 1e-9 * max(abs(least), abs(most))
        bottom = max(word[0], math.floor(math.ldexp(least - slack, fraction)))
        top = min(word[1], math.ceil(math.ldexp(most + slack, fraction)))
        bounded = Step(
            step.name, step.args, step.constant, step.shift, step.wide, bottom, max(top, bottom)
        )
        return Value(self.push(bounded, fraction), fraction, low, high, error)

    def input(self, column: int, fraction: int, exact: Interval, error: float,
              word: tuple[int, int]) -> Value:  # fmt: skip
        """An input as it arrives."""
        step = Step("input", constant=column, low=word[0], high=word[1])
        return Value(self.push(step, fraction), fraction, *exact, np.full(self.boxes, error))

    def constant(self, value: float, fraction: int) -> Value:
        """A constant at a fraction."""
        integer = round(math.ldexp(value, fraction))
        step = Step("constant", constant=integer, low=integer, high=integer)
        ends = np.full(self.boxes, value)
        error = abs(math.ldexp(integer, -fraction) - value)
        return Value(self.push(step, fraction), fraction, ends, ends, np.full(self.boxes, error))

    def coarser(self, a: Value, fraction: int, minus: int = 0) -> Value:
        """(a - minus) at a smaller fraction, rounded to the nearest, halves up.

        ``minus`` is an integer of a's own fraction: the rounding costs nothing beside it.
        """
        shift = max(a.fraction - fraction, 0)
        constant = (1 << shift >> 1) - minus
        if shift == 0 and constant == 0:
            return a
        if shift > WORD:
            raise DoesNotFit
        low, high = self.bounds(a)
        if max(abs(low + constant), abs(high + constant), abs(constant)) > LARGEST:
            raise DoesNotFit
        offset = math.ldexp(minus, -a.fraction)
        error = a.error + (math.ldexp(0.5, shift - a.fraction) if shift else 0.0)
        return self.make(
            Step("shift", (a.step,), constant, shift), a.fraction - shift,
            (a.low - offset, a.high - offset), error,
            word=((low + constant) >> shift, (high + constant) >> shift),
        )  # fmt: skip

    def finer(self, a: Value, fraction: int) -> Value:
        """The same value at a larger fraction; exact."""
        shift = fraction - a.fraction
        if shift <= 0:
            return a
        low, high = self.bounds(a)
        if shift > WORD - 1:
            raise DoesNotFit
        if self.steps[a.step].name == "constant":
            integer = self.steps[a.step].constant << shift
            step = Step("constant", constant=integer, low=integer, high=integer)
            return Value(self.push(step, fraction), fraction, a.low, a.high, a.error)
        return self.make(
            Step("scale", (a.step,), shift=shift), fraction, (a.low, a.high), a.error,
            word=(low << shift, high << shift),
        )  # fmt: skip

    def at(self, a: Value, fraction: int) -> Value:
        """The same value at exactly this fraction."""
        return self.finer(self.coarser(a, fraction), fraction)

    def aligned(self, a: Value, b: Value, precision: int) -> tuple[Value, Value]:
        """Both at one fraction: the coarser of the two, unless ``precision`` asks for a finer."""
        coarse, fine = sorted((a.fraction, b.fraction))
        common = max(coarse, min(precision, fine))
        return self.at(a, common), self.at(b, common)

    def scaled(self, a: Value, exponent: int) -> Value:
        """The value times 2^exponent: the same integer, read in another format."""
        factor = math.ldexp(1.0, exponent)
        return Value(
            a.step, a.fraction - exponent, a.low * factor, a.high * factor, a.error * factor
        )

    def simple(self, name: str, args: tuple[Value, ...], exact: Interval, error: Array) -> Value:
        """A step on values of one fraction: add, sub, neg, abs, min or max."""
        words = [self.bounds(a) for a in args]
        step = Step(name, tuple(a.step for a in args))
        return self.make(step, args[0].fraction, exact, error, word=_word(name, words))

    def multiply(
        self, a: Value, b: Value, precision: int, exact: Interval, plus: float = 0.0
    ) -> Value:
        """``a*b + plus`` rounded to the fraction ``precision``, or exact where that is finer."""
        fraction = a.fraction + b.fraction
        shift = max(fraction - precision, 0)
        if shift > 62:
            raise DoesNotFit
        constant = round(math.ldexp(plus, fraction)) + (1 << shift >> 1)
        corners = [x * y for x in self.bounds(a) for y in self.bounds(b)]
        if a.step == b.step and min(self.bounds(a)) < 0 < max(self.bounds(a)):
            corners = [0, max(corners)]
        low, high = min(corners) + constant, max(corners) + constant
        largest = max(map(abs, (*corners, low, high, constant)))
        if largest >= 2**62:
            raise DoesNotFit
        step = Step("mac", (a.step, b.step), constant, shift, largest > LARGEST)
        error = a.largest * b.error + b.largest * a.error + a.error * b.error
        rounding = math.ldexp(0.5, shift - fraction) if shift else 0.0
        if plus:
            rounding += math.ldexp(0.5, -fraction)
        return self.make(
            step, fraction - shift, exact, error + rounding, word=(low >> shift, high >> shift)
        )


def _word(name: str, words: list[tuple[int, int]]) -> tuple[int, int]:
    """Interval arithmetic of the simple steps on integers."""
    (a, b), (c, d) = words[0], words[-1]
    match name:
        case "add":
            return a + c, b + d
        case "sub":
            return a - d, b - c
        case "neg":
            return -b, -a
        case "abs":
            return max(a, -b, 0), max(-a, b)
        case "min":
            return min(a, c), min(b, d)
        case "max":
            return max(a, c), max(b, d)
        case _:
            raise AssertionError(name)
