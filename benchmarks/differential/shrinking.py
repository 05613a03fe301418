"""Smaller cases that fail in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from differential.generating import Case
from distill.domain import Domain
from distill.formula import Formula
from distill.formula.tree import Call, Node, Number, complexity, symbols

Fails = Callable[[Case], bool]
"""Whether a case still fails; it must not raise."""


def shrunk(case: Case, fails: Fails, most: int = 300) -> Case:
    """The smallest failing case found with ``most`` attempts, one change at a time."""
    tried = 0
    better = True
    while better:
        better = False
        for smaller in _smaller(case):
            tried += 1
            if tried > most:
                return case
            if fails(smaller):
                case, better = smaller, True
                break
    return case


def _smaller(case: Case) -> Iterator[Case]:
    formula = case.formula
    for tree in sorted(_trees(formula.tree), key=complexity):
        yield replace(case, formula=Formula(tree, formula.domain))
    used = symbols(formula.tree)
    kept = tuple(v for v in formula.domain.variables if v.name in used)
    if kept and len(kept) < len(formula.domain):
        yield replace(case, formula=Formula(formula.tree, Domain(kept)))


def _trees(node: Node) -> Iterator[Node]:
    """Trees with one place made simpler."""
    if isinstance(node, Number):
        for value in (0.0, 1.0, 2.0, float(round(node.value)), float(f"{node.value:.2g}")):
            if value != node.value and len(repr(value)) < len(repr(node.value)):
                yield Number(value)
        return
    if not isinstance(node, Call):
        return
    yield from node.args
    yield Number(1.0)
    for i, arg in enumerate(node.args):
        for other in _trees(arg):
            yield Call(node.operator, (*node.args[:i], other, *node.args[i + 1 :]))
