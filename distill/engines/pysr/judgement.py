"""What PySR judges formulas by: their error, what they owe to the rules, and when one is enough."""

from __future__ import annotations

import logging

import numpy as np

from distill.engines.base import Problem
from distill.engines.pysr.options import PysrOptions
from distill.engines.pysr.penalties import loss
from distill.engines.pysr.rows import Rows

log = logging.getLogger(__name__)

PENALTY = 1000.0
"""Wrong units cost so many times the variance of the answers (PySR's own: 1000)."""

SMALL = 0.01
"""Below this loss of a constant SymbolicRegression.jl takes every formula for nearly as good as
any other (``baseline_loss``), so smaller answers are given a larger unit."""

OWN_LOSSES = ("elementwise_loss", "loss_function", "loss_function_expression")
"""PySR takes one of them."""


def judgement(
    problem: Problem, rows: Rows, options: PysrOptions, *, units: bool
) -> dict[str, object]:
    """The parameters of PySR that say how formulas are judged.

    A loss that the user gives takes the place of ours: its search then knows no constraints, which
    are looked at afterwards all the same.
    """
    variance = float(np.var(rows.y))
    factor = 1.0 / variance if 0.0 < variance < SMALL else 1.0
    parameters: dict[str, object] = {}
    given = [name for name in OWN_LOSSES if name in options.others]
    if given:
        log.info("PySR searches with the `%s` that it is given", given[0])
    else:
        parameters |= _losses(problem, rows, factor, units)
    if units:
        parameters["dimensional_constraint_penalty"] = PENALTY * max(1.0, factor * variance)
    if options.early_stop and not given:
        # The loss is a mean square; a number is a threshold in all versions.
        enough = (options.early_stop * problem.tolerance) ** 2
        parameters["early_stop_condition"] = factor * enough
    return parameters


def _losses(problem: Problem, rows: Rows, factor: float, units: bool) -> dict[str, object]:
    weighted = rows.weights is not None
    source = loss(
        problem.rules.constraints, problem.sample.domain, weighted, units=units, factor=factor
    )
    if source is not None:
        return {"loss_function_expression": source}
    if factor == 1.0:
        return {}
    arguments, weight = ("p, y, w", "w * ") if weighted else ("p, y", "")
    return {
        "elementwise_loss": f"distill_error({arguments}) = {weight}"
        f"oftype(p, {factor!r}) * (p - y)^2"
    }
