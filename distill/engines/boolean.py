"""Formulas that are exact on few whole numbers: minimised logic, and conditions on the inputs."""

from __future__ import annotations

import numpy as np

from distill.arrays import Array
from distill.chain.base import Step
from distill.domain import Domain
from distill.errors import DistillError, FormulaError
from distill.formula import Formula
from distill.formula.simplify import simplify
from distill.formula.tree import symbol
from distill.logic.build import logic_steps

MAX_POINTS = 2**12
"""More points make no formula that a person reads."""


def boolean_candidates(x: Array, y: Array, domain: Domain) -> list[Formula]:
    """Formulas that answer y (n,) at every x (n, d), the shorter first; points not in x are free.

    None for a domain that is not of whole numbers, or has too many; for answers of too many
    values, not finite, or different at one point; and where every form is too long to be read.
    """
    if not domain.discrete or not len(x) or not domain.contains(x).all():
        return []
    lows, counts = domain.low, domain.high - domain.low + 1
    if not np.isfinite(y).all() or float(np.prod(counts)) > MAX_POINTS or (x % 1 != 0).any():
        return []
    steps = np.append(np.cumprod(counts[::-1])[::-1][1:], 1.0)
    rows = ((x - lows) @ steps).astype(np.int64)
    answers = np.full(int(np.prod(counts)), np.nan)
    answers[rows] = y
    if (answers[rows] != y).any():
        return []
    try:
        forms = logic_steps(answers, domain)
    except DistillError:  # more values than a choice among a few has
        return []
    found = [formula for step in forms for formula in _formula(step, domain)]
    right = [formula for formula in found if np.array_equal(formula(x), y)]
    return sorted(dict.fromkeys(right), key=lambda formula: formula.complexity)


def _formula(step: Step, domain: Domain) -> list[Formula]:
    """The step as it is and simplified; nothing where it is too large."""
    try:
        (tree,) = step.expand([symbol(name) for name in domain.names])
    except FormulaError:
        return []
    return [Formula(simplify(tree, domain.names), domain), Formula(tree, domain)]
