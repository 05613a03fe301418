"""How good a network can be at best, whatever its weights: a projection in rational arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement
from math import prod

from distill.critical.network import DataSet, PolynomialNetwork, fraction, rational

Monomial = tuple[int, ...]
"""The numbers of the inputs that are multiplied; empty for the constant."""


@dataclass(frozen=True, slots=True)
class LowerBound:
    """No network whose output is a sum of these monomials has a smaller squared loss.

    With c the factors of the monomials in the output, the loss is ``value + (c - best)' G (c -
    best)`` for every c, where G, the Gram matrix, has the positive ``pivots`` on the diagonal of
    its LDL' form.

    Attributes
    ----------
    value : the smallest loss of such sums.
    monomials : those that are independent on the data.
    best : their factors at the smallest loss.
    pivots : all positive, which is the proof.
    """

    value: Fraction
    monomials: tuple[Monomial, ...]
    best: tuple[Fraction, ...]
    pivots: tuple[Fraction, ...]


def lower_bound(network: PolynomialNetwork, data: DataSet) -> LowerBound:
    """The bound from all monomials in the inputs that the network's output can have."""
    import flint

    kept: list[Monomial] = []
    columns: list[list[Fraction]] = []
    pivots: list[Fraction] = []
    orthogonal: list[list[Fraction]] = []
    for monomial in monomials(network):
        column = [prod((row[i] for i in monomial), start=Fraction(1)) for row in data.x]
        rest = column
        for other, pivot in zip(orthogonal, pivots, strict=True):
            factor = _dot(column, other) / pivot
            rest = [a - factor * b for a, b in zip(rest, other, strict=True)]
        if _dot(rest, rest):
            kept.append(monomial)
            columns.append(column)
            orthogonal.append(rest)
            pivots.append(_dot(rest, rest))
    value = _dot(data.y, data.y) - sum(
        (_dot(data.y, o) ** 2 / p for o, p in zip(orthogonal, pivots, strict=True)), Fraction(0)
    )
    gram = flint.fmpq_mat([[rational(_dot(a, b)) for b in columns] for a in columns])
    right = flint.fmpq_mat([[rational(_dot(a, data.y))] for a in columns])
    solved = gram.solve(right) if columns else right
    best = tuple(fraction(solved[i, 0]) for i in range(len(columns)))
    return LowerBound(value, tuple(kept), best, tuple(pivots))


def monomials(network: PolynomialNetwork) -> list[Monomial]:
    """The monomials in the inputs that some weights give the output."""
    found: list[Monomial] = [()] if network.bias else []
    for node in network.nodes:
        inputs = tuple(range(network.inputs)) if node.inputs is None else node.inputs
        if node.kind == "product":
            found.append(inputs)
        else:
            degree = 1 if node.kind == "linear" else 2
            found += combinations_with_replacement(inputs, degree)
    return list(dict.fromkeys(found))


def _dot(
    a: tuple[Fraction, ...] | list[Fraction], b: tuple[Fraction, ...] | list[Fraction]
) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))
