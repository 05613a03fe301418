"""Formulas on the way: what a technique offers, before it is simplified and polished."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from distill.errors import FormulaError
from distill.formula.tree import Node, complexity, constants


@dataclass(frozen=True)
class Proposal:
    """A formula on the way, its error as its technique sees it, and its number of constants."""

    build: Callable[[], Node]
    error: float
    parameters: int

    @cached_property
    def tree(self) -> Node | None:
        """The formula; None where it is nested too deep or holds what is no number."""
        try:
            return self.build()
        except FormulaError:
            return None

    @property
    def length(self) -> int:
        """Its number of nodes."""
        return complexity(self.tree) if self.tree is not None else 0


def simplicity(p: Proposal) -> tuple[int, int, float]:
    """What proposals are ordered by."""
    return p.parameters, p.length, p.error


def ready(tree: Node, error: float = np.inf) -> Proposal:
    """A formula that is there already."""
    return Proposal(lambda: tree, error, len(constants(tree)))
