"""Every critical value of a polynomial, and the real points where its slope is zero.

Where the points are isolated, all of them are given. Where they are not, as with weights that can
be scaled against each other, each critical value is: a polynomial is constant on each connected
part of its critical set, so that modulo the ideal of its derivatives it satisfies an equation of
its own, whose roots are all its critical values, complex ones included. Such a value is shown to be
that of real points by points of a slice through its part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from distill.critical.ideal import Ideal, TooHardError, terms_of
from distill.critical.interval_newton import Kind, certify, evaluated
from distill.critical.solve import PRECISION, real_roots, real_solutions

if TYPE_CHECKING:
    import flint

DIGITS = 40
"""Decimal digits that enclosures are written with."""

SLICES = (1, -1, 0, 2)
"""Multiples that free unknowns are held at, in turn, to find points."""


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A real number between two fractions, ends included; equal ends where it is known exactly."""

    low: Fraction
    high: Fraction

    @property
    def middle(self) -> float:
        """The number, as near as a float is."""
        return float((self.low + self.high) / 2)

    @property
    def exact(self) -> bool:
        """Whether it is a known fraction."""
        return self.low == self.high

    def meets(self, other: Enclosure) -> bool:
        """Whether both may be the same number."""
        return self.low <= other.high and other.low <= self.high

    def __str__(self) -> str:
        if self.exact:
            return str(self.low)
        return f"{self.middle:.12g}"


@dataclass(frozen=True, slots=True)
class CriticalPoint:
    """A real point where all derivatives are zero.

    Attributes
    ----------
    weights : the enclosure of each weight, by its name, names in alphabetical order.
    kind : what the matrix of second derivatives proves; ``degenerate`` where it is singular.
    newton : whether an interval Newton test proves besides that the enclosure holds one critical
        point and no other.
    """

    weights: tuple[tuple[str, Enclosure], ...]
    kind: Kind
    newton: bool


@dataclass(frozen=True, slots=True)
class CriticalValue:
    """A value of the polynomial where its slope is zero.

    Attributes
    ----------
    value : its enclosure.
    equation : the factors, constant first, of the irreducible equation it satisfies.
    dimension : of the complex critical points of this value; 0 where they are isolated.
    points : of dimension 0 all real ones; else real points that show that there are some.
    """

    value: Enclosure
    equation: tuple[int, ...]
    dimension: int
    points: tuple[CriticalPoint, ...]

    @property
    def complete(self) -> bool:
        """Whether ``points`` are all real critical points of this value."""
        return self.dimension == 0


@dataclass(frozen=True, slots=True)
class CriticalSet:
    """All critical values, the smallest first.

    Attributes
    ----------
    values : those with real points.
    unseen : real values for which no real point was found; their points may all be complex.
    """

    values: tuple[CriticalValue, ...]
    unseen: tuple[Enclosure, ...]

    @property
    def points(self) -> tuple[CriticalPoint, ...]:
        """All points, by their values."""
        return tuple(point for value in self.values for point in value.points)

    @property
    def complete(self) -> bool:
        """Whether every real critical point is proven to have one of these values."""
        return not self.unseen

    @property
    def isolated(self) -> bool:
        """Whether ``points`` are all real critical points there are."""
        return self.complete and all(value.complete for value in self.values)


def critical_set(polynomial: flint.fmpq_mpoly) -> CriticalSet:
    """All critical values, and real critical points, of a polynomial that is not constant.

    The answer does not depend on the order of the unknowns.

    Raises
    ------
    ConfigError : when the algebra grows past its limits.
    """
    import flint

    slopes = _slopes(polynomial)
    whole = Ideal(slopes)
    found: list[CriticalValue] = []
    unseen: list[Enclosure] = []
    if whole.everything:
        return CriticalSet((), ())
    for factor in _value_equation(polynomial, whole):
        part = Ideal([*slopes, _substituted(factor, polynomial)])
        dimension = len(part.free)
        points = _real_points(part)
        with flint.ctx.workprec(PRECISION):
            for root in real_roots(factor):
                here = [p for p in points if evaluated(polynomial, p).overlaps(root)]
                value = _enclosed(root, factor)
                if not here:
                    unseen += [value] if dimension else []
                    continue
                certified = [_point(polynomial, part.names, p) for p in here]
                equation = tuple(int(c) for c in factor.coeffs())
                found.append(CriticalValue(value, equation, dimension, _in_order(certified)))
    return CriticalSet(
        tuple(sorted(found, key=lambda v: v.value.middle)),
        tuple(sorted(unseen, key=lambda e: e.middle)),
    )


def _slopes(polynomial: flint.fmpq_mpoly) -> list[flint.fmpq_mpoly]:
    return [polynomial.derivative(i) for i in range(polynomial.context().nvars())]


def _value_equation(polynomial: flint.fmpq_mpoly, ideal: Ideal) -> list[flint.fmpz_poly]:
    """The irreducible factors of the least equation that the polynomial satisfies modulo it."""
    import flint

    value = ideal.remainder(terms_of(polynomial))
    powers = [ideal.remainder({(0,) * len(ideal.names): flint.fmpq(1)})]
    while True:
        monomials = sorted({m for power in powers for m in power})
        matrix = flint.fmpq_mat([[p.get(m, flint.fmpq(0)) for p in powers] for m in monomials])
        if matrix.rank() < len(powers):
            break
        powers.append(ideal.product(powers[-1], value))
    equation = flint.fmpq_poly(_kernel(matrix))
    return [factor for factor, _ in equation.numer().factor()[1]]


def _kernel(matrix: flint.fmpq_mat) -> list[flint.fmpq]:
    """The factors of the columns' one relation, in which the last has the factor 1."""
    import flint

    reduced, rank = matrix.rref()
    last = matrix.ncols() - 1
    return [*(-reduced[i, last] for i in range(rank)), flint.fmpq(1)]


def _substituted(factor: flint.fmpz_poly, polynomial: flint.fmpq_mpoly) -> flint.fmpq_mpoly:
    value = 0 * polynomial
    for c in reversed(factor.coeffs()):
        value = value * polynomial + int(c)
    return value


def _real_points(part: Ideal) -> list[list[flint.arb]]:
    """All real points of a part of dimension 0; of another those of the first slice with some."""
    if not part.free:
        return real_solutions(part)
    for free in part.independent:
        for value in SLICES:
            # Unequal values, so that unknowns that may be exchanged are held apart.
            held: dict[str | int, int] = {
                part.names[i]: value * (n + 1) for n, i in enumerate(free)
            }
            points = _slice_points(part, held)
            if points:
                return points
    return []


def _slice_points(part: Ideal, held: Mapping[str | int, int]) -> list[list[flint.arb]]:
    """Real points of a part where some unknowns are held; none where that is too hard to tell."""
    unknowns: dict[str | int, flint.fmpq_mpoly] = dict(
        zip(part.names, part.ring.gens(), strict=True)
    )
    fixed = [unknowns[name] - value for name, value in held.items()]
    try:
        slice_ = Ideal([*fixed, *(p.subs(held) for p in part.generators)])
        if slice_.everything or len(slice_.free) >= len(part.free):
            return []
        return _real_points(slice_)
    except TooHardError:
        return []


def _point(
    polynomial: flint.fmpq_mpoly, names: tuple[str, ...], point: list[flint.arb]
) -> CriticalPoint:
    enclosures = [(name, enclosure(value)) for name, value in zip(names, point, strict=True)]
    return CriticalPoint(tuple(sorted(enclosures, key=lambda e: e[0])), *certify(polynomial, point))


def _in_order(points: list[CriticalPoint]) -> tuple[CriticalPoint, ...]:
    return tuple(sorted(points, key=lambda point: [e.middle for _, e in point.weights]))


def _enclosed(root: flint.arb, factor: flint.fmpz_poly) -> Enclosure:
    """A root's enclosure: the fraction itself where its equation is linear."""
    if factor.degree() == 1:
        exact = Fraction(-int(factor[0]), int(factor[1]))
        return Enclosure(exact, exact)
    return enclosure(root)


def enclosure(ball: flint.arb) -> Enclosure:
    """Fractions around a ball, 2e-40 apart where the ball is narrower."""
    scale = 10**DIGITS
    scaled = ball * scale
    nearest = int((scaled.mid() + 0.5).floor().unique_fmpz())
    low, high = nearest - 1, nearest + 1
    while not (scaled > low and scaled < high):
        low, high = low - (high - low), high + (high - low)
    return Enclosure(Fraction(low, scale), Fraction(high, scale))
