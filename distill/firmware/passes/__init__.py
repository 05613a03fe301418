"""Passes over the operation graph, one per file, each a pure function from graph to graph.

They keep values to rounding; what each may change beyond that is stated in its file.
"""

from __future__ import annotations

from collections.abc import Mapping

from distill.errors import ExportError
from distill.firmware.graph import Arithmetic, Graph, build_graph
from distill.firmware.passes.constants import fold_constants
from distill.firmware.passes.divisors import divisors_to_factors
from distill.firmware.passes.exponents import merge_exponents
from distill.firmware.passes.factors import join_constants
from distill.firmware.passes.functions import own_functions
from distill.firmware.passes.horner import horner_form
from distill.firmware.passes.powers import powers_to_products
from distill.firmware.passes.quotients import share_quotients
from distill.firmware.passes.reciprocals import reciprocals_to_divisions
from distill.firmware.passes.roots import share_roots
from distill.firmware.passes.signs import tidy_signs
from distill.firmware.passes.thresholds import exact_thresholds
from distill.formula import Formula

__all__ = ["lower"]


def lower(
    formula: Formula,
    arithmetic: Arithmetic = "float32",
    *,
    accuracy: float | None = None,
    costs: Mapping[str, float] | None = None,
) -> Graph:
    """The graph of a formula as it is printed: only operations that C has, cheap ones first.

    Parameters
    ----------
    accuracy : the largest error that functions of our own may add together, in units of the
        result; None leaves every function to the C library. Float32 only.
    costs : instructions of each float32 operator on the target, by which functions of our own
        are used where they are cheaper; None stands for a chip without a floating-point unit.

    Raises
    ------
    ExportError : for an arithmetic without floats, or an accuracy that is not above 0.
    """
    if arithmetic == "fixed":
        raise ExportError(
            "fixed-point arithmetic has a lowering of its own.",
            where="export.arithmetic",
            hint="lower the formula by distill.firmware.fixed.",
        )
    if accuracy is not None and not 0 < accuracy < float("inf"):
        raise ExportError(
            f"functions cannot be within {accuracy!r} of the formula's.",
            hint="give an accuracy above 0, or None for the C library's functions.",
        )
    domain = formula.domain
    graph = fold_constants(build_graph(formula))
    graph = merge_exponents(graph, domain)
    graph = powers_to_products(graph)
    graph = reciprocals_to_divisions(graph)
    graph = divisors_to_factors(graph, arithmetic)
    graph = share_quotients(graph, domain)
    graph = share_roots(graph, domain)
    graph = join_constants(graph, arithmetic)
    graph = horner_form(graph)
    graph = tidy_signs(graph)
    if arithmetic == "float32":
        graph = exact_thresholds(graph, domain)
    graph = fold_constants(graph)
    if accuracy is None or arithmetic == "double":
        return graph
    return own_functions(graph, domain, accuracy, costs)
