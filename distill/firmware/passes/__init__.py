"""Passes over the operation graph, one per file, each a pure function from graph to graph.

They keep values to rounding; what each may change beyond that is stated in its file.
"""

from __future__ import annotations

from distill.firmware.graph import Arithmetic, Graph, build_graph
from distill.firmware.passes.constants import fold_constants
from distill.firmware.passes.divisors import divisors_to_factors
from distill.firmware.passes.powers import powers_to_products
from distill.firmware.passes.reciprocals import reciprocals_to_divisions
from distill.firmware.passes.signs import tidy_signs
from distill.formula import Formula

__all__ = ["lower"]


def lower(formula: Formula, arithmetic: Arithmetic = "float32") -> Graph:
    """The graph of a formula as it is printed: only operations that C has, cheap ones first."""
    graph = fold_constants(build_graph(formula))
    graph = powers_to_products(graph)
    graph = reciprocals_to_divisions(graph)
    graph = divisors_to_factors(graph, arithmetic)
    graph = tidy_signs(graph)
    return fold_constants(graph)
