"""Naive Bayes and linear classifiers as formulas: log-odds and scores, exactly as they are.

A margin is the logarithm of the odds of class 1 against class 0: class 1 is the answer where it
is positive. Of several classes, each has a score and the largest wins; scores are logarithms of
probabilities up to a number that is the same for all classes.
"""

from __future__ import annotations

import math

import numpy as np

from distill.arrays import Array
from distill.domain import Domain, Variable
from distill.errors import FormulaError
from distill.formula.formula import Formula
from distill.formula.tree import Node, Number, Symbol, add, call, mul, sub, total


def linear_margin(coefficients: Array, intercept: float, domain: Domain) -> Formula:
    """``intercept + coefficients . x``, coefficients (d,); the margin of a logistic regression.

    Raises
    ------
    FormulaError : when there is not one coefficient for each variable of the domain.
    """
    return linear_scores(np.atleast_2d(coefficients), np.array([intercept]), domain)[0]


def linear_scores(coefficients: Array, intercepts: Array, domain: Domain) -> list[Formula]:
    """The k linear scores of coefficients (k, d) and intercepts (k,).

    Raises
    ------
    FormulaError : when the shapes do not fit each other and the domain.
    """
    _check(domain, len(intercepts), coefficients=coefficients)
    flat = np.zeros(len(domain))
    return [
        _formula(flat, row, flat, float(c), domain)
        for row, c in zip(coefficients, intercepts, strict=True)
    ]


def gaussian_bayes_margin(means: Array, variances: Array, priors: Array, domain: Domain) -> Formula:
    """The margin of Gaussian naive Bayes of two classes: means and variances (2, d), priors (2,).

    A sum of one quadratic for each input; inputs with equal variances come out linear.

    Raises
    ------
    FormulaError : as :func:`gaussian_bayes_scores`, and when there are not two classes.
    """
    _check(domain, 2, means=means, variances=variances)
    squares, slopes, centre, constants = _gaussian(means, variances, priors, domain)
    return _formula(
        squares[1] - squares[0], slopes[1] - slopes[0], centre, constants[1] - constants[0], domain
    )


def gaussian_bayes_scores(
    means: Array, variances: Array, priors: Array, domain: Domain
) -> list[Formula]:
    """The logarithms of ``prior * likelihood`` of k classes; means and variances (k, d).

    Raises
    ------
    FormulaError : when the shapes do not fit, or a variance or prior is not positive.
    """
    squares, slopes, centre, constants = _gaussian(means, variances, priors, domain)
    return [
        _formula(a, b, centre, float(c), domain)
        for a, b, c in zip(squares, slopes, constants, strict=True)
    ]


def _gaussian(
    means: Array, variances: Array, priors: Array, domain: Domain
) -> tuple[Array, Array, Array, Array]:
    """Each class's log-density as ``sum a*u^2 + b*u`` + c: a (k, d), b (k, d), centre (d,), c (k,).

    u is the distance from the centre of the means, so that large means cost no digits.
    """
    _check(domain, len(priors), means=means, variances=variances)
    if not (np.asarray(variances) > 0).all() or not (np.asarray(priors) > 0).all():
        raise FormulaError(
            "naive Bayes has a variance or a prior that is not positive.",
            hint="leave out classes that never occur; smooth the variances.",
        )
    centre = np.mean(means, axis=0)
    off = means - centre
    spread = np.log(2 * math.pi * variances) + off * off / variances
    return -0.5 / variances, off / variances, centre, np.log(priors) - 0.5 * spread.sum(axis=1)


def _formula(
    squares: Array, slopes: Array, centre: Array, constant: float, domain: Domain
) -> Formula:
    """``constant + sum a*u^2 + b*u`` with u = x - centre, as one small term for each input."""
    terms: list[Node] = []
    for variable, a, b, s in zip(
        domain.variables, squares.tolist(), slopes.tolist(), centre.tolist(), strict=True
    ):
        term, rest = _term(variable, a, b, s)
        constant += rest
        if term is not None:
            terms.append(term)
    return Formula(total([*terms, Number(constant)] if constant or not terms else terms), domain)


def _term(variable: Variable, a: float, b: float, s: float) -> tuple[Node | None, float]:
    """``a*(x - s)^2 + b*(x - s)`` as a tree and a constant.

    ``a*(x - v)^2`` and Horner's ``(a*x + p)*x`` take the same three operations. The first loses
    digits where v is far away (a next to 0), the second where x is far from 0: the one whose
    rounding, to first order, is smaller on the variable's range is taken.
    """
    x, p = Symbol(variable.name), b - 2 * a * s
    ends = np.array([variable.low, variable.high])
    if not a:
        return (mul(Number(p), x) if p else None), -b * s
    v = s - b / (2 * a)
    around = np.abs(a * (ends - v)) * (np.abs(ends - v) + 2 * abs(v))
    horner = np.abs(ends) * (np.abs(2 * a * ends) + abs(p))
    if around.max() <= horner.max():
        distance = sub(x, Number(v)) if v else x
        return mul(Number(a), call("square", distance)), -b * b / (4 * a)
    return mul(add(mul(Number(a), x), Number(p)), x), (a * s - b) * s


def _check(domain: Domain, classes: int, **arrays: Array) -> None:
    for name, array in arrays.items():
        if np.shape(array) != (classes, len(domain)):
            raise FormulaError(
                f"`{name}` has the shape {np.shape(array)}, not {(classes, len(domain))}.",
                hint="one row for each class and one column for each variable of the domain.",
            )
