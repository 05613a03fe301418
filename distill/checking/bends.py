"""Functions of one number over an interval: values, slopes and second derivatives, enclosed.

A smooth function is monotone between its turning points, and so are its derivatives between
theirs; where these are known, ranges are those of a few points and as narrow as can be. Of the
others (silu, gelu, mish) power series over the interval give the derivatives (Moore 1966),
centred by the next derivative. A function of pieces that meet in the interval is replaced by the
line through its ends and what is left free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from flint import arb, arb_series

from distill.checking.balls import ONE, UNDEFINED, ZERO, around, ball, ends, hull, span
from distill.checking.terms import Bend, Term

Point = Callable[[arb], arb]
Turns = Callable[[arb, arb], Sequence[arb] | None]


class Curve(Protocol):
    """A function of one number."""

    def at(self, x: arb) -> tuple[arb, arb]:
        """Value and slope at a ball that is next to a point."""
        ...

    def over(self, low: arb, high: arb) -> tuple[arb, arb, arb, arb]:
        """Value (lowest, highest), slopes and second derivatives over [low, high]."""
        ...


def no_turns(low: arb, high: arb) -> Sequence[arb]:
    """Of a monotone function."""
    return ()


@dataclass(frozen=True)
class Turning:
    """Value, slope and second derivative as functions of a point, and where each turns."""

    value: Point
    slope: Point
    curve: Point
    turns: tuple[Turns, Turns, Turns] = (no_turns, no_turns, no_turns)

    def at(self, x: arb) -> tuple[arb, arb]:
        """Value and slope at a point."""
        return self.value(x), self.slope(x)

    def over(self, low: arb, high: arb) -> tuple[arb, arb, arb, arb]:
        """Ranges over [low, high]."""
        found = []
        for function, turns in zip((self.value, self.slope, self.curve), self.turns, strict=True):
            places = turns(low, high)
            known = places is not None
            found.append(span(function, low, high, places or ()) if known else NOWHERE)
        (a, b), slopes, curves = found
        return a, b, ball(*slopes), ball(*curves)


NOWHERE = (UNDEFINED, UNDEFINED)


@dataclass(frozen=True)
class Series:
    """A function by its power series: any analytic one that arb_series can be given."""

    series: Callable[[arb_series], arb_series]

    def _terms(self, x: arb, count: int) -> list[arb]:
        found = self.series(arb_series([x, 1], count))
        return [found[i] for i in range(count)]

    def at(self, x: arb) -> tuple[arb, arb]:
        """Value and slope at a point."""
        value, slope = self._terms(x, 2)
        return value, slope

    def over(self, low: arb, high: arb) -> tuple[arb, arb, arb, arb]:
        """Ranges over [low, high], each also by the mean value theorem."""
        whole = ball(low, high)
        middle = whole.mid()
        off = whole - middle
        wide, near = self._terms(whole, 4), self._terms(middle, 3)
        ranges = []
        for i in range(3):
            plain = wide[i]
            centred = near[i] + (i + 1) * wide[i + 1] * off
            both = plain.is_finite() and centred.is_finite()
            ranges.append(plain.intersection(centred) if both else plain)
        return ranges[0].lower(), ranges[0].upper(), ranges[1], 2 * ranges[2]


@dataclass(frozen=True)
class Line:
    """``factor*x + offset``."""

    factor: arb
    offset: arb = ZERO

    def at(self, x: arb) -> tuple[arb, arb]:
        """Value and slope at a point."""
        return self.factor * x + self.offset, self.factor

    def over(self, low: arb, high: arb) -> tuple[arb, arb, arb, arb]:
        """Ranges over [low, high]."""
        a, b = ends((self.at(low)[0], self.at(high)[0]))
        return a, b, self.factor, ZERO


class Tanh:
    """tanh; both derivatives are polynomials in its value."""

    _turn = ONE / arb(3).sqrt()
    _most = -2 * _turn * (ONE - _turn * _turn)

    def at(self, x: arb) -> tuple[arb, arb]:
        """Value and slope at a point."""
        y = x.tanh()
        return y, ONE - y * y

    def over(self, low: arb, high: arb) -> tuple[arb, arb, arb, arb]:
        """Ranges over [low, high]."""
        a, b = low.tanh(), high.tanh()
        sa, sb = ONE - a * a, ONE - b * b
        slopes = sa.union(sb)
        curves = -2 * (a * sa).union(b * sb)
        below, above = not a > 0, not b < 0
        if below and above:
            slopes = slopes.union(ONE)
        turn = self._turn
        if above and not (turn < a or turn > b):
            curves = curves.union(self._most)
        if below and not (-turn < a or -turn > b):
            curves = curves.union(-self._most)
        return a.lower(), b.upper(), slopes, curves


class Inverse:
    """1/x on either side of 0."""

    def at(self, x: arb) -> tuple[arb, arb]:
        """Value and slope at a point."""
        y = ONE / x
        return y, -y * y

    def over(self, low: arb, high: arb) -> tuple[arb, arb, arb, arb]:
        """Ranges over [low, high]."""
        if not (low > 0 or high < 0):
            return UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED
        a, b = ONE / high, ONE / low
        slopes, curves = ends((-a * a, -b * b)), ends((2 * a * a * a, 2 * b * b * b))
        return a.lower(), b.upper(), ball(*slopes), ball(*curves)


class CubeRoot:
    """The real cube root; it has no slope at 0."""

    def at(self, x: arb) -> tuple[arb, arb]:
        """Value and slope at a point."""
        y = self._value(x)
        return y, ONE / (3 * y * y)

    def _value(self, x: arb) -> arb:
        if x > 0:
            return x.root(3)
        if x < 0:
            return -((-x).root(3))
        return ZERO if x.is_zero() else around(x.abs_upper().root(3).upper())

    def over(self, low: arb, high: arb) -> tuple[arb, arb, arb, arb]:
        """Ranges over [low, high]."""
        a, b = self._value(low), self._value(high)
        if not (low > 0 or high < 0):
            return a.lower(), b.upper(), UNDEFINED, UNDEFINED
        slopes = ends((ONE / (3 * a * a), ONE / (3 * b * b)))
        curves = ends((-2 / (9 * a**5), -2 / (9 * b**5)))
        return a.lower(), b.upper(), ball(*slopes), ball(*curves)


@dataclass(frozen=True)
class WholePower:
    """x to a whole power other than 0 and 1."""

    exponent: int

    def at(self, x: arb) -> tuple[arb, arb]:
        """Value and slope at a point."""
        n = self.exponent
        return x**n, n * x ** (n - 1)

    def over(self, low: arb, high: arb) -> tuple[arb, arb, arb, arb]:
        """Ranges over [low, high]."""
        n = self.exponent
        if n < 0 and not (low > 0 or high < 0):
            return UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED
        turn = (ZERO,) if n > 0 else ()
        a, b = span(lambda x: x**n, low, high, turn)
        slopes = span(lambda x: n * x ** (n - 1), low, high, turn)
        curves = span(lambda x: n * (n - 1) * x ** (n - 2), low, high, turn)
        return a, b, ball(*slopes), ball(*curves)


@dataclass(frozen=True)
class RealPower:
    """x to a power that is not whole, for x from 0 on (above 0 where the power is negative)."""

    exponent: arb

    def _power(self, x: arb, exponent: arb) -> arb:
        if x > 0:
            return (exponent * x.log()).exp()
        return ZERO if x.is_zero() and exponent > 0 else UNDEFINED

    def at(self, x: arb) -> tuple[arb, arb]:
        """Value and slope at a point."""
        p = self.exponent
        return self._power(x, p), p * self._power(x, p - 1)

    def over(self, low: arb, high: arb) -> tuple[arb, arb, arb, arb]:
        """Ranges over [low, high]: powers are monotone."""
        p = self.exponent
        a, b = span(lambda x: self._power(x, p), low, high)
        slopes = span(lambda x: p * self._power(x, p - 1), low, high)
        curves = span(lambda x: p * (p - 1) * self._power(x, p - 2), low, high)
        return a, b, ball(*slopes), ball(*curves)


def bend(curve: Curve, x: Term) -> Bend:
    """The function on the range of a term; where it has no slope there, only its range counts."""
    low, high, slopes, curves = curve.over(x.low, x.high)
    value, slope = curve.at(x.value)
    if (slopes + curves + value + slope).is_finite():
        return Bend(value, slope, low, high, slopes, curves)
    return loose(low, high)


def loose(low: arb, high: arb) -> Bend:
    """Any number of [low, high]."""
    whole = ball(low, high)
    middle = whole.mid()
    return Bend(middle, ZERO, low, high, ZERO, ZERO, whole - middle)


@dataclass(frozen=True)
class Pieces:
    """Functions that follow each other at ``cuts``: continuous, bent or kinked there.

    ``parts`` has one more than there are cuts; ``smooth`` says that slopes agree at every cut.
    """

    cuts: tuple[arb, ...]
    parts: tuple[Curve, ...]
    smooth: bool = False

    def bend(self, x: Term) -> Bend:
        """The function on the range of a term."""
        pieces = []
        low = x.low
        for cut, part in zip((*self.cuts, None), self.parts, strict=True):
            if cut is None or x.high <= cut:
                pieces.append((low, x.high, part))
                break
            if low < cut:
                pieces.append((low, cut, part))
                low = cut
        if len(pieces) == 1:
            return bend(pieces[0][2], x)
        ranges = [part.over(a, b) for a, b, part in pieces]
        low, high = ends(end for found in ranges for end in found[:2])
        slopes, curves = hull(found[2] for found in ranges), hull(found[3] for found in ranges)
        if not (slopes.is_finite() and curves.is_finite()):
            return loose(low, high)
        if self.smooth:
            value, slope = self._at(x.value)
            return Bend(value, slope, low, high, slopes, curves)
        return self._line(x, pieces, low, high)

    def _at(self, x: arb) -> tuple[arb, arb]:
        """Value and slope at a ball next to a point, by every part that it touches."""
        found: list[tuple[arb, arb]] = []
        for i, part in enumerate(self.parts):
            behind = i > 0 and x < self.cuts[i - 1]
            before = i < len(self.cuts) and x > self.cuts[i]
            if not behind and not before:
                found.append(part.at(x))
        return hull(v for v, _ in found), hull(s for _, s in found)

    def _line(self, x: Term, pieces: Sequence[tuple[arb, arb, Curve]], low: arb, high: arb) -> Bend:
        """The line through the ends, and how far the pieces are from it."""
        first, last = pieces[0][2].at(x.low)[0], pieces[-1][2].at(x.high)[0]
        slope = ((last - first) / (x.high - x.low)).mid()
        off = []
        for a, b, part in pieces:
            start = part.at(a)[0] - slope * a
            lean = (part.over(a, b)[2] - slope) * (b - a)
            off += [start, start + lean.lower(), start + lean.upper()]
        free = ball(*ends(off))
        middle = free.mid()
        return Bend(slope * x.value + middle, slope, low, high, slope, ZERO, free - middle)
