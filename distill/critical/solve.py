"""All real solutions of an ideal of finitely many, certified (Rouillier 1999).

A linear form that tells all solutions apart turns them into the roots of one polynomial; the
unknowns are quotients of polynomials at these roots. That the form does tell them apart, how many
solutions there are and how many are real follows besides from the rank and the signature of
Hermite's form (Pedersen, Roy and Szpirglas 1993). Everything but the roots is rational arithmetic;
the roots are FLINT's certified, isolated balls.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, cast

from distill.critical.ideal import Ideal, Monomial

if TYPE_CHECKING:
    import flint

PRECISION = 256
"""Bits of the enclosures."""


def real_solutions(ideal: Ideal) -> list[list[flint.arb]]:
    """The unknowns of every real solution as balls of 256 bits, in no particular order.

    Raises
    ------
    ConfigError : for too many solutions.
    """
    import flint

    if ideal.everything:
        return []
    basis = ideal.standard
    columns = [_matrix(ideal, i) for i in range(len(ideal.names))]
    traces = _traces(ideal, columns)
    hermite = flint.fmpq_mat(
        [[_trace(ideal.product({a: flint.fmpq(1)}, {b: flint.fmpq(1)}), traces) for b in basis]
         for a in basis]
    )  # fmt: skip
    distinct, real = hermite.rank(), signature(hermite)
    for attempt in range(1, 200):
        form = [attempt**i for i in range(len(columns))]
        matrix = sum((c * m for c, m in zip(form, columns, strict=True)), 0 * columns[0])
        squarefree = _squarefree(matrix.charpoly())
        if squarefree.degree() == distinct:
            break
    else:  # of finitely many solutions, finitely many forms of this family take two for one
        raise ArithmeticError("no linear form tells the solutions apart.")
    numerators, denominator = _representation(ideal, matrix, columns, squarefree, traces)
    with flint.ctx.workprec(PRECISION):
        roots = real_roots(squarefree.numer())
        if len(roots) != real:
            raise ArithmeticError(f"{len(roots)} real roots, but {real} real solutions.")
        return [
            [_at(numerator, root) / _at(denominator, root) for numerator in numerators]
            for root in roots
        ]


def real_roots(polynomial: flint.fmpz_poly) -> list[flint.arb]:
    """The real roots as balls, each once: FLINT tells real ones by an imaginary part of 0."""
    pairs = cast("list[tuple[flint.acb, int]]", polynomial.complex_roots())
    return [root.real for root, _ in pairs if root.imag == 0]


def signature(form: flint.fmpq_mat) -> int:
    """Positive less negative eigenvalues: by Descartes' rule, exact where all roots are real."""
    factors = form.charpoly().coeffs()
    there = [c > 0 for c in factors if c != 0]
    other = [(c > 0) == (i % 2 == 0) for i, c in enumerate(factors) if c != 0]
    return _changes(there) - _changes(other)


def _changes(signs: list[bool]) -> int:
    return sum(a != b for a, b in pairwise(signs))


def _matrix(ideal: Ideal, unknown: int) -> flint.fmpq_mat:
    """Multiplication by an unknown, columns the images of the standard monomials."""
    import flint

    basis = ideal.standard
    place = {m: i for i, m in enumerate(basis)}
    matrix = flint.fmpq_mat(len(basis), len(basis))
    for j, m in enumerate(basis):
        image = ideal.remainder({(*m[:unknown], m[unknown] + 1, *m[unknown + 1 :]): flint.fmpq(1)})
        for n, c in image.items():
            matrix[place[n], j] = c
    return matrix


def _traces(ideal: Ideal, columns: list[flint.fmpq_mat]) -> dict[Monomial, flint.fmpq]:
    """The trace of multiplication by each standard monomial."""
    import flint

    size = len(ideal.standard)
    identity = flint.fmpq_mat(size, size, [int(i % (size + 1) == 0) for i in range(size * size)])
    matrices: dict[Monomial, flint.fmpq_mat] = {}
    for m in ideal.standard:
        at = next((i for i, e in enumerate(m) if e), None)
        if at is None:
            matrices[m] = identity
        else:
            matrices[m] = columns[at] * matrices[(*m[:at], m[at] - 1, *m[at + 1 :])]
    return {m: sum((a[i, i] for i in range(size)), flint.fmpq(0)) for m, a in matrices.items()}


def _trace(terms: dict[Monomial, flint.fmpq], traces: dict[Monomial, flint.fmpq]) -> flint.fmpq:
    import flint

    return sum((c * traces[m] for m, c in terms.items()), flint.fmpq(0))


def _squarefree(polynomial: flint.fmpq_poly) -> flint.fmpq_poly:
    common = polynomial.gcd(polynomial.derivative())
    found = polynomial // common
    return found / found.coeffs()[-1]


def _representation(
    ideal: Ideal,
    matrix: flint.fmpq_mat,
    columns: list[flint.fmpq_mat],
    squarefree: flint.fmpq_poly,
    traces: dict[Monomial, flint.fmpq],
) -> tuple[list[flint.fmpq_poly], flint.fmpq_poly]:
    """Numerators of the unknowns, and their common denominator, at roots of ``squarefree``."""
    import flint

    size, degree = len(ideal.standard), squarefree.degree()
    a = squarefree.coeffs()
    row = flint.fmpq_mat(1, size, [traces[m] for m in ideal.standard])
    power = flint.fmpq_mat(size, 1, [int(i == 0) for i in range(size)])
    powers = []
    for _ in range(degree):
        powers.append(power)
        power = matrix * power
    x = flint.fmpq_poly([0, 1])
    horner = [flint.fmpq_poly([1])]
    for i in range(1, degree):
        horner.append(horner[-1] * x + a[degree - i])

    def polynomial(factor: flint.fmpq_mat | None) -> flint.fmpq_poly:
        found = flint.fmpq_poly([0])
        for i, p in enumerate(powers):
            vector = p if factor is None else factor * p
            found += (row * vector)[0, 0] * horner[degree - 1 - i]
        return found

    return [polynomial(c) for c in columns], polynomial(None)


def _at(polynomial: flint.fmpq_poly, x: flint.arb) -> flint.arb:
    import flint

    value = flint.arb(0)
    for factor in reversed(polynomial.coeffs()):
        value = value * x + flint.arb(factor)
    return value
