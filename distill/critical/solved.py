"""A network with the weights of a critical point, as a formula."""

from __future__ import annotations

from distill.critical.network import PolynomialNetwork
from distill.critical.points import CriticalPoint
from distill.domain import Domain
from distill.errors import ConfigError
from distill.formula import Formula
from distill.formula import tree as trees
from distill.formula.simplify import simplify


def network_formula(network: PolynomialNetwork, point: CriticalPoint, domain: Domain) -> Formula:
    """The output as a formula of the domain's variables, weights rounded to floats.

    Raises
    ------
    ConfigError : for a domain of another number of variables.
    """
    if len(domain) != network.inputs:
        raise ConfigError(f"the network has {network.inputs} inputs, the domain {len(domain)}.")
    weights = {name: enclosure.middle for name, enclosure in point.weights}
    terms: list[trees.Node] = [trees.number(weights["b"])] if network.bias else []
    for number, node in enumerate(network.nodes, start=1):
        inputs = range(network.inputs) if node.inputs is None else node.inputs
        symbols = [(i, trees.symbol(domain.names[i])) for i in inputs]
        value: trees.Node
        if node.kind == "product":
            value = symbols[0][1]
            for _, symbol in symbols[1:]:
                value = trees.mul(value, symbol)
        else:
            factors = [trees.number(weights[f"w{number}_{i + 1}"]) for i, _ in symbols]
            value = trees.total(
                [trees.mul(w, symbol) for w, (_, symbol) in zip(factors, symbols, strict=True)]
            )
            value = trees.call("square", value) if node.kind == "square" else value
        output = weights[f"v{number}"] if node.output is None else float(node.output)
        terms.append(trees.mul(trees.number(output), value))
    return Formula(simplify(trees.total(terms), domain.names), domain)
