"""The formula as a graph has it: what the C computes, in real numbers.

Passes keep a formula's values but for constants that they compute beforehand, and rounding that is
measured could not be proven. So proofs against the teacher begin here.
"""

from __future__ import annotations

from distill.domain import Domain
from distill.firmware.graph import CONSTANT, INPUT, Graph
from distill.formula import Formula
from distill.formula.tree import Node, call, number, symbol


def read_back(graph: Graph, domain: Domain) -> Formula:
    """A graph as a formula, kernels being what they stand for."""
    nodes: list[Node] = []
    for operation in graph.operations:
        if operation.name == INPUT:
            nodes.append(symbol(graph.inputs[operation.column]))
        elif operation.name == CONSTANT:
            nodes.append(number(operation.value))
        elif operation.kernel is not None:
            nodes.append(_meaning(operation.kernel.meaning, nodes[operation.args[0]]))
        else:
            nodes.append(call(operation.name, *(nodes[a] for a in operation.args)))
    return Formula(nodes[-1], domain)


def _meaning(graph: Graph, argument: Node) -> Node:
    """A graph of one input at an argument."""
    nodes: list[Node] = []
    for operation in graph.operations:
        if operation.name == INPUT:
            nodes.append(argument)
        elif operation.name == CONSTANT:
            nodes.append(number(operation.value))
        else:
            nodes.append(call(operation.name, *(nodes[a] for a in operation.args)))
    return nodes[-1]
