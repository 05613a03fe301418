"""Chains written out as formulas, where that is short enough to be read."""

from __future__ import annotations

from distill.chain.chain import Chain
from distill.chain.terms import LIMIT
from distill.domain import Domain
from distill.errors import FormulaError
from distill.formula.formula import Formula
from distill.formula.simplify import simplify_formula
from distill.formula.tree import Symbol

READABLE = 2_000
"""Nodes of a formula that is worth being written out; ``LIMIT`` is the most for any step."""

_POINTS = 256
"""Points on which a simplified formula must not differ from the one it came from."""


def growth(chain: Chain) -> list[list[int]]:
    """How many nodes each output has after each step when all is written out, at most.

    Only counted, never built: the numbers can be astronomical.
    """
    sizes = [1] * chain.inputs
    grown = []
    for step in chain.steps:
        sizes = step.growth(sizes)
        grown.append(sizes)
    return grown


def formula_of(
    chain: Chain,
    domain: Domain,
    output: int = 0,
    *,
    limit: int = READABLE,
    seconds: float | None = 1.0,
) -> Formula | None:
    """One output written out and simplified; None when it is too large or has no formula.

    Parameters
    ----------
    domain : its variables are the chain's inputs in their order.
    limit : the most nodes before it is simplified; never above ``LIMIT``.
    seconds : what simplifying may take; None for any time.

    Raises
    ------
    FormulaError : when the domain has not one variable for each input, or there is no such output.
    """
    if len(domain) != chain.inputs or not 0 <= output < chain.outputs:
        raise FormulaError(
            f"no output {output} of a chain of {chain.inputs} inputs and {chain.outputs} outputs "
            f"over {len(domain)} variables."
        )
    try:
        if chain.growth([1] * chain.inputs)[output] > min(limit, LIMIT):
            return None
        trees = chain.expand([Symbol(name) for name in domain.names])
    except FormulaError:  # a step without a formula, or nesting beyond what formulas may have
        return None
    return simplify_formula(Formula(trees[output], domain), domain.sample(_POINTS), seconds=seconds)
