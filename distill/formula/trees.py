"""Decision trees, forests and boosted trees as formulas that decide exactly as the trees do.

Nothing is fitted: a split becomes ``ifless``, a leaf its number, an ensemble a sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import FormulaError
from distill.formula.formula import Formula
from distill.formula.tree import Node, Number, Symbol, call, total

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class DecisionTree:
    """A tree as arrays of its n nodes, node 0 the root: the layout of scikit-learn's ``tree_``.

    A point goes to ``left`` where its input number ``feature``, rounded to float32, is at most
    ``threshold``; a node whose ``left`` is negative is a leaf and answers with its ``value``.
    Children stand behind their parent. Values (n,) are one number a leaf: a mean, the share of
    one class, or the number of the class that wins.

    Raises
    ------
    FormulaError : for arrays that describe no such tree.
    """

    feature: npt.NDArray[np.int64]
    threshold: Array
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    value: Array

    def __post_init__(self) -> None:
        arrays = (self.feature, self.threshold, self.left, self.right, self.value)
        shapes = [np.shape(array) for array in arrays]
        if shapes != [shapes[0]] * 5 or len(shapes[0]) != 1 or not shapes[0][0]:
            raise FormulaError(
                f"the arrays of a decision tree have the shapes {shapes}.",
                hint="give five arrays (n,); of several outputs or classes, one column of values.",
            )
        split = np.flatnonzero(self.left >= 0)
        for name, child in (("left", self.left[split]), ("right", self.right[split])):
            if ((child <= split) | (child >= len(self.left))).any():
                raise FormulaError(
                    f"`{name}` of a decision tree does not lead from parents to later nodes.",
                    hint="number the nodes from the root, parents before their children.",
                )
        if not (np.abs(self.threshold[split]) < _LARGEST).all():
            raise FormulaError("a threshold of a decision tree lies outside float32.")


def boundaries(threshold: Array) -> Array:
    """For each t the c with ``c < x`` exactly where ``float32(x) <= t`` does not hold.

    With f the largest float32 up to t, that is ``float32(x) > f``, and c is the largest float64
    that is rounded to f. So the answer is right for every float64 x; and where arithmetic is in
    float32, c becomes f, and ``f < x`` is right for every float32 x.
    """
    # Next to the largest float32 there is infinity, and it is meant.
    with np.errstate(over="ignore"):
        nearest = threshold.astype(np.float32)
        below = np.nextafter(nearest, np.float32(-np.inf))
        f = np.where(nearest.astype(float) > threshold, below, nearest)
        above = np.nextafter(f, np.float32(np.inf))
    middle = (f.astype(float) + above.astype(float)) / 2  # exact in float64
    # Halfway between two float32, rounding goes to the one with an even last bit.
    cuts: Array = np.where(middle.astype(np.float32) == f, middle, np.nextafter(middle, -np.inf))
    return cuts


def tree_formula(tree: DecisionTree, domain: Domain) -> Formula:
    """The tree as a formula over ``domain``, whose variables are the tree's inputs in order.

    Splits between equal subtrees are left out.

    Raises
    ------
    FormulaError : for a tree that uses more inputs, or is deeper than formulas may be.
    """
    return ensemble_formula([tree], domain)


def ensemble_formula(
    trees: Sequence[DecisionTree], domain: Domain, *, scale: float = 1.0, bias: float = 0.0
) -> Formula:
    """The formula ``bias + scale * (sum of the trees)``, the scale multiplied into the leaves.

    A forest's average has the scale 1/n; boosted trees have their learning rate as scale and
    their first guess as bias.

    Raises
    ------
    FormulaError : as :func:`tree_formula`, for each tree.
    """
    terms = [_tree(tree, domain, scale) for tree in trees]
    return Formula(total([*terms, Number(bias)] if bias else terms), domain)


def _tree(tree: DecisionTree, domain: Domain, scale: float) -> Node:
    """Built from the last node to the first: children are ready when their parent's turn comes."""
    cuts = boundaries(np.where(tree.left < 0, 0.0, tree.threshold))  # a leaf has none
    nodes: dict[int, Node] = {}
    for i in reversed(range(len(tree.left))):
        if tree.left[i] < 0:
            nodes[i] = Number(float(tree.value[i]) * scale)
            continue
        left, right = nodes[int(tree.left[i])], nodes[int(tree.right[i])]
        if not 0 <= tree.feature[i] < len(domain):
            raise FormulaError(
                f"the decision tree asks for its input {tree.feature[i]}; the domain has "
                f"{len(domain)} variables.",
                hint="give the domain one variable for each input of the tree, in its order.",
            )
        variable = domain.variables[tree.feature[i]]
        cut = Number(float(np.floor(cuts[i]) if variable.discrete else cuts[i]))
        nodes[i] = (
            left if left == right else call("ifless", cut, Symbol(variable.name), right, left)
        )
    return nodes[0]
