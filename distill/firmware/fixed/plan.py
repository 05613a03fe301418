"""From a formula to integers: formats from ranges, as few bits as the accuracy asks for.

Every operation gets a precision, its share of the error in bits. Sensitivities at sampled points
give the first guess; then precisions are moved one by one for as long as the estimated cost falls
and the bound of the error, carried forward over boxes of the domain, stays within the accuracy.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import ExportError
from distill.firmware.fixed.basis import Basis
from distill.firmware.fixed.build import Built, Failure, Frame, build, used_steps
from distill.firmware.fixed.estimates import Estimates
from distill.firmware.fixed.formats import (
    QFormat,
    input_formats,
)
from distill.firmware.fixed.nodes import choose_nodes
from distill.firmware.fixed.prepare import prepare
from distill.firmware.fixed.program import FixedProgram
from distill.firmware.fixed.search import Search, refine
from distill.firmware.fixed.steps import Step
from distill.firmware.graph import CONSTANT, INPUT, Graph
from distill.firmware.ranges import cover, require_finite, used_columns
from distill.formula import Formula
from distill.formula.operators import OPERATORS

_SEARCH_BOXES, _FINAL_BOXES = 256, 4096
_SAMPLES = 512


def plan_fixed(
    formula: Formula, domain: Domain, accuracy: float, estimates: Estimates | None = None
) -> FixedProgram:
    """The cheapest program found whose error stays within ``accuracy``.

    Parameters
    ----------
    accuracy : the largest distance from the formula allowed, in the output's unit.
    estimates : instructions of the steps; the defaults are a Cortex-M0+'s.

    Raises
    ------
    ExportError : where the formula has a pole or no value in the domain, or 32-bit words cannot
        hold it to ``accuracy``; it says which part, and what could be held.
    """
    if not accuracy > 0 or not math.isfinite(accuracy):
        raise ExportError(
            f"fixed point needs a positive accuracy, not {accuracy!r}.",
            hint="give the error in the output's unit that the arithmetic may add.",
        )
    graph = prepare(formula, domain)
    estimates = estimates or Estimates()
    columns, whole_bytes = used_columns(graph), estimates.whole_bytes
    fine = Frame.of(graph, domain, cover(domain, _FINAL_BOXES, columns), whole_bytes)
    require_finite(graph, domain, fine.boxes, fine.bounds)
    need = _needs(graph, domain, accuracy)
    nodes = choose_nodes(graph, domain, fine.bounds, need, estimates)
    precisions = {n.at: math.ceil(-math.log2(float(need[n.at]))) for n in nodes}
    coarse = Frame.of(graph, domain, cover(domain, _SEARCH_BOXES, columns), whole_bytes)
    first = refine(coarse, nodes, precisions, 4 * _SEARCH_BOXES)
    search = Search(first, nodes, accuracy, estimates)
    best = search.improve(search.start(precisions))
    frame = refine(fine, nodes, best, 2 * _FINAL_BOXES)
    built = build(frame, nodes, best)
    if isinstance(built, Failure) or built.error > accuracy:
        frame = first
        built = build(frame, nodes, best)
    assert isinstance(built, Built)  # the search ended with what it could build
    return _finish(built, domain, estimates, Basis.of(frame, nodes, best, built))


def _needs(graph: Graph, domain: Domain, accuracy: float) -> Array:
    """How good (n_ops,) every operation should be: its sensitivity's share of the accuracy."""
    x = np.concatenate([domain.sample(_SAMPLES), domain.corners()])
    values = graph.evaluate_all(x)
    slopes = [np.zeros(len(x)) for _ in values]
    slopes[-1] = np.ones(len(x))
    with np.errstate(all="ignore"):
        for at in range(len(values) - 1, -1, -1):
            operation = graph.operations[at]
            if operation.name in (INPUT, CONSTANT):
                continue
            args = [values[a] for a in operation.args]
            partials = OPERATORS[operation.name].partials
            for i, arg in enumerate(operation.args):
                if operation.name in ("min", "max", "ifless"):
                    # A branch that no sample took counts like the other.
                    steep = np.full(len(x), float(operation.name != "ifless" or i >= 2))
                else:
                    steep = np.abs(partials[i](*args, values[at]))
                slopes[arg] = slopes[arg] + steep * slopes[at]
    count = max(1, sum(o.name != CONSTANT for o in graph.operations))
    result = np.empty(len(values))
    for at, slope in enumerate(slopes):
        finite = slope[np.isfinite(slope)]
        # The steepest places beside a root's zero would ask for bits that nothing can give.
        usual = float(np.quantile(finite, 0.99)) if finite.size else 1.0
        result[at] = accuracy / max(usual, 1e-9) / count
    return result


def _finish(built: Built, domain: Domain, estimates: Estimates, basis: Basis) -> FixedProgram:
    """The program of the steps that are needed."""
    steps, fractions = needed(built)
    return FixedProgram(
        steps=steps,
        fractions=fractions,
        inputs=input_formats(domain),
        output=QFormat(built.result.fraction),
        error_bound=built.error,
        short_products=estimates.short_products,
        basis=basis,
    )


def needed(built: Built) -> tuple[tuple[Step, ...], tuple[int, ...]]:
    """The steps that the result needs, numbered anew, and their fractions."""
    order = {at: i for i, at in enumerate(used_steps(built.builder, built.result))}
    steps = tuple(
        replace(step, args=tuple(order[a] for a in step.args))
        for step in (built.builder.steps[at] for at in order)
    )
    return steps, tuple(built.builder.fractions[at] for at in order)
