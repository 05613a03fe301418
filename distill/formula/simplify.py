"""Rewriting a formula into fewer nodes without changing its values beyond rounding."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from distill.arrays import Array
from distill.errors import FormulaError
from distill.formula.formula import Formula
from distill.formula.normal_form import Algebra, OutOfTime
from distill.formula.text import to_text
from distill.formula.tree import Node, complexity, symbols

PASSES = 8
"""A normal form usually repeats itself after the second pass."""

RELATIVE = 1e-9
"""Values further apart than this are another formula."""


def simplify(
    tree: Node, variables: Sequence[str] | None = None, *, seconds: float | None = 1.0
) -> Node:
    """An equal tree with at most as many nodes.

    Like terms and equal factors are merged, constants folded and collected, inverse functions
    undone, common factors pulled out where that saves nodes. The result may be finite where the
    tree was not (``x/x`` becomes 1), never the other way round but for overflow.

    Parameters
    ----------
    variables : the tree may use these names only; None for any.
    seconds : wall-clock limit; None for none. When it is over, the best tree so far is returned.

    Raises
    ------
    FormulaError : when the tree uses another variable.
    """
    unknown = set(symbols(tree)) - set(symbols(tree) if variables is None else variables)
    if unknown:
        raise FormulaError(f"the formula uses `{min(unknown)}`, which is not an input.")
    return Simplifier(None if seconds is None else time.monotonic() + seconds)(tree)


class Simplifier:
    """Does what :func:`simplify` says; what was found out about a part serves all trees with it.

    ``deadline`` is on the monotonic clock; None for none.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self._plain = Algebra(deadline)
        self._expanding = Algebra(deadline, expanding=True)

    def __call__(self, tree: Node) -> Node:
        """An equal tree with at most as many nodes."""
        seen: list[Node] = []
        current = tree
        try:
            while current not in seen and len(seen) <= PASSES:
                seen.append(current)
                with np.errstate(all="ignore"):
                    current = self._rebuilt(current)
        except (OutOfTime, FormulaError, OverflowError, ZeroDivisionError, RecursionError):
            # A constant part without a finite value, or a tree beyond every limit: keep what
            # there is.
            pass
        # Forms that alternate are equal; the choice must not depend on where the round began.
        settled = seen[seen.index(current) :] if current in seen else seen[-1:]
        best = min(settled, key=lambda t: (complexity(t), to_text(t)))
        return best if complexity(best) <= complexity(tree) else tree

    def _rebuilt(self, tree: Node) -> Node:
        """The cheaper tree of two normal forms: products of sums as they are, or multiplied out."""
        plain, expanding = self._plain, self._expanding
        result = plain.trees.tree(plain.linear(tree))
        form = expanding.linear(tree)
        if not expanding.has_expanded:
            return result
        return min(result, expanding.trees.tree(form), key=complexity)


def simplify_formula(formula: Formula, x: Array, *, seconds: float | None = 1.0) -> Formula:
    """The simplified formula, or the same one where the values at x (n, d) would change.

    Values count as the same within 1e-9 of their size; a value must stay finite where it was.
    """
    tree = simplify(formula.tree, formula.domain.names, seconds=seconds)
    if tree == formula.tree:
        return formula
    simpler = Formula(tree, formula.domain)
    return simpler if same_values(simpler(x), formula(x)) else formula


def same_values(new: Array, old: Array) -> bool:
    """Whether ``new`` is within 1e-9 of ``old`` (relative to its size) wherever that is finite."""
    finite = np.isfinite(old)
    scale = np.abs(old[finite])
    floor = RELATIVE * float(
        scale.max(initial=0.0)
    )  # near a zero crossing rounding is all there is
    with np.errstate(all="ignore"):
        off = np.abs(new[finite] - old[finite])
    return bool(np.all(off <= RELATIVE * np.maximum(scale, floor)))
