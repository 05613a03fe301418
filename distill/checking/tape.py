"""A function over one box, written down step by step, and what follows for its range.

Inputs are ``x = middle + radius*e`` with every e in [-1, 1]. A :class:`Term` is one number that
occurs on the way: its value and its slopes by e at the middle, its slopes over the whole box, and
its range. What has no second derivative on the box (a kink, a jump, a choice) is replaced by a
line plus a *free* number from an interval, held at the middle of that interval for the value at
the middle; with free numbers beside e everything is smooth.

Then :meth:`Tape.enclosure` goes back from the result once and collects, by the chain rule in
reverse, the second derivatives by e over the box and the share of every free number:

    f in value + slope . e + e . curve . e / 2 + free,

Taylor's theorem with the second derivative over the box, the mean value theorem in the free
numbers. Shares are summed up before their sizes are taken, so that what cancels in the network
cancels here.
"""

from __future__ import annotations

from collections.abc import Sequence

from flint import arb, arb_mat

from distill.checking.balls import ONE, UNDEFINED, ZERO, ball, ends
from distill.checking.forms import Enclosure
from distill.checking.shares import Bent, Loose, Mapped, Product, Step, Sum
from distill.checking.terms import Bend, Term


class Tape:
    """The record of a function over the box [low, high], both (d,), float64."""

    def __init__(self, low: Sequence[float], high: Sequence[float]) -> None:
        self.size = len(low)
        self._records: list[Step] = []
        self._count = 0
        self._left: list[Sequence[arb]] = []
        self._right: list[Sequence[arb]] = []
        self._free = ZERO
        self._nothing = (ZERO,) * self.size
        self.inputs = [self._input(i, a, b) for i, (a, b) in enumerate(zip(low, high, strict=True))]

    def _input(self, i: int, low: float, high: float) -> Term:
        a, b = arb(low), arb(high)
        middle = arb(low + (high - low) / 2)
        radius = ((b - middle).max(middle - a)).upper()
        slope = [ZERO] * self.size
        slope[i] = radius
        return Term(self._place(), middle, slope, slope, ZERO, a, b)

    def _place(self) -> int:
        self._count += 1
        return self._count - 1

    def constant(self, value: arb) -> Term:
        """A number."""
        nothing = self._nothing
        return Term(-1, value, nothing, nothing, ZERO, value.lower(), value.upper())

    def _term(
        self,
        value: arb,
        slope: Sequence[arb],
        slopes: Sequence[arb],
        free: arb,
        low: arb,
        high: arb,
    ) -> Term:
        """A new term whose range is cut with what the mean value theorem gives."""
        reach = ZERO
        for s in slopes:
            reach += s.abs_upper()
        near = value if free is ZERO else value + free
        below, above = (near - reach).lower(), (near + reach).upper()
        if below.is_finite() and above.is_finite():
            low = low if low > below else below
            high = high if high < above else above
        return Term(self._place(), value, slope, slopes, free, low, high)

    def bent(self, x: Term, bend: Bend) -> Term:
        """A function of a term."""
        if x.constant:
            return self.constant(ball(bend.low, bend.high))
        s, t = bend.slope, bend.slopes
        free = x.free
        if free is not ZERO or bend.free is not ZERO:
            free = t * free + bend.free
        place = self._place()
        self._records.append(Bent(x.at, place, bend, x.slopes))
        slope = [s * g for g in x.slope]
        return Term(place, bend.value, slope, [t * g for g in x.slopes], free, bend.low, bend.high)

    def any_of(self, low: arb, high: arb) -> Term:
        """A number of which no more is known than that it lies in [low, high]."""
        whole = ball(low, high)
        middle = whole.mid()
        nothing = self._nothing
        place = self._place()
        self._records.append(Loose(place, whole - middle))
        return Term(place, middle, nothing, nothing, whole - middle, low, high)

    def scaled(self, x: Term, factor: arb, offset: arb = ZERO) -> Term:
        """``factor*x + offset``, the ends of its range as exact as they can be."""
        ends = (factor * x.low + offset, factor * x.high + offset)
        low, high = (ends[1], ends[0]) if factor < 0 else ends
        if x.constant:
            return self.constant(ball(low.lower(), high.upper()))
        place = self._place()
        self._records.append(Sum(place, ((x.at, factor),)))
        slope = [factor * g for g in x.slope]
        slopes = slope if x.slopes is x.slope else [factor * g for g in x.slopes]
        value = factor * x.value + offset
        free = ZERO if x.free is ZERO else factor * x.free
        return Term(place, value, slope, slopes, free, low.lower(), high.upper())

    def total(self, terms: Sequence[Term], factors: Sequence[arb], bias: arb) -> Term:
        """``bias + sum of factors*terms``."""
        value, free = bias, ZERO
        low = high = bias
        slope, slopes = list(self._nothing), list(self._nothing)
        parts: list[tuple[int, arb]] = []
        for x, factor in zip(terms, factors, strict=True):
            value += factor * x.value
            below, above = factor * x.low, factor * x.high
            low, high = (low + above, high + below) if factor < 0 else (low + below, high + above)
            if x.constant:
                continue
            parts.append((x.at, factor))
            if x.free is not ZERO:
                free = free + factor * x.free
            slope = [a + factor * b for a, b in zip(slope, x.slope, strict=True)]
            slopes = [a + factor * b for a, b in zip(slopes, x.slopes, strict=True)]
        if not parts:
            return self.constant(ball(low.lower(), high.upper()))
        term = self._term(value, slope, slopes, free, low.lower(), high.upper())
        self._records.append(Sum(term.at, tuple(parts)))
        return term

    def added(self, a: Term, b: Term) -> Term:
        """``a + b``."""
        return self.total((a, b), (ONE, ONE), ZERO)

    def minus(self, a: Term, b: Term) -> Term:
        """``a - b``."""
        return self.total((a, b), (ONE, -ONE), ZERO)

    def product(self, a: Term, b: Term) -> Term:
        """``a * b``."""
        if a.constant:
            a, b = b, a
        if b.constant and b.low == b.high:
            return self.scaled(a, b.low)
        ra, rb = a.range, b.range
        low, high = ends((a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high))
        if a.constant:
            return self.constant(ball(low, high))
        slope = [p * b.value + q * a.value for p, q in zip(a.slope, b.slope, strict=True)]
        slopes = [p * rb + q * ra for p, q in zip(a.slopes, b.slopes, strict=True)]
        loose = a.free is not ZERO or b.free is not ZERO
        free = a.free * rb + b.free * ra if loose else ZERO
        term = self._term(a.value * b.value, slope, slopes, free, low, high)
        self._records.append(Product(term.at, a, b))
        return term

    def mapped(self, terms: Sequence[Term], weights: arb_mat, bias: Sequence[arb]) -> list[Term]:
        """``weights @ terms + bias``; ranges by the mean value theorem, and plainly if it fails."""
        d = self.size
        if not all(x.low.is_finite() and x.high.is_finite() for x in terms):
            return [self.any_of(UNDEFINED, UNDEFINED) for _ in bias]
        loose = any(x.free is not ZERO for x in terms)
        width = 2 * d + 1 + loose
        flat: list[arb] = []
        for x in terms:
            flat.append(x.value)
            flat.extend(x.slope)
            flat.extend(x.slopes)
            if loose:
                flat.append(x.free)
        found = (weights * arb_mat(len(terms), width, flat)).entries()
        plain: list[arb] | None = None
        places = []
        answers = []
        for k, b in enumerate(bias):
            row = found[k * width : (k + 1) * width]
            value, slope, slopes = row[0] + b, row[1 : d + 1], row[d + 1 : 2 * d + 1]
            free = row[-1] if loose else ZERO
            term = self._term(value, slope, slopes, free, UNDEFINED, UNDEFINED)
            if not (term.low.is_finite() and term.high.is_finite()):
                if plain is None:
                    ranges = arb_mat(len(terms), 1, [x.range for x in terms])
                    plain = (weights * ranges).entries()
                near = plain[k] + b
                term.low, term.high = near.lower(), near.upper()
            places.append(term.at)
            answers.append(term)
        self._records.append(Mapped(tuple(x.at for x in terms), tuple(places), weights))
        return answers

    def enclosure(self, result: Term) -> Enclosure:
        """The second-order form of ``result``; once for each tape."""
        if result.constant:
            none = (self._nothing,) * self.size
            zero = self._nothing
            value = result.range
            return Enclosure(value, zero, zero, none, ZERO, result.low, result.high)
        shares: list[arb | None] = [None] * self._count
        shares[result.at] = ONE
        for record in reversed(self._records):
            record.back(shares, self)
        d, n = self.size, len(self._left)
        curve: tuple[tuple[arb, ...], ...] = (self._nothing,) * d
        if n:
            left = arb_mat(d, n, [row[i] for i in range(d) for row in self._left])
            right = arb_mat(n, d, [entry for row in self._right for entry in row])
            flat = (left * right).entries()
            curve = tuple(tuple(flat[i * d : i * d + d]) for i in range(d))
        slopes = []
        for i, x in enumerate(self.inputs):
            share = shares[x.at]
            slopes.append(ZERO if share is None else share * x.slope[i])
        return Enclosure(
            result.value, tuple(result.slope), tuple(slopes), curve, self._free,
            result.low, result.high,
        )  # fmt: skip

    def curved(self, left: Sequence[arb], right: Sequence[arb]) -> None:
        """Add ``(left . e) * (right . e)`` to the second derivatives."""
        self._left.append(left)
        self._right.append(right)

    def loosened(self, share: arb) -> None:
        """Add what a free number adds to the result."""
        self._free += share
