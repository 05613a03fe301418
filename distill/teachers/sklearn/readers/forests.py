"""Decision trees, their forests, and trees whose leaves are weighted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.chain.base import Step
from distill.chain.cuts import Goes
from distill.chain.steps.elementwise import Apply, Scale
from distill.chain.steps.trees import Trees
from distill.teachers.sklearn.readers.base import (
    OUTPUTS,
    PROBABILITIES,
    Columns,
    Unreadable,
    difference,
    reads,
    stretch,
    with_ties,
)

Whole = npt.NDArray[np.int64]

LEAF = -1


class Grove:
    """Trees collected one after another into the arrays of one step."""

    def __init__(self, inputs: int, goes: Goes = "float32_at_most") -> None:
        self.inputs, self.goes = inputs, goes
        self.roots: list[int] = []
        self.parts: list[tuple[Whole, Array, Whole, Whole, Array]] = []
        self.nodes = self.rows = 0

    def plant(self, feature: Whole, threshold: Array, left: Whole, right: Whole, y: Array) -> None:
        """Add a tree: (n,) each, ``left`` negative at leaves; y (n, k), where leaves count."""
        leaf = left < 0
        row = np.cumsum(leaf) - 1 + self.rows
        self.parts.append(
            (
                np.where(leaf, 0, feature),
                np.where(leaf, 0.0, threshold),
                np.where(leaf, LEAF, left + self.nodes),
                np.where(leaf, row, right + self.nodes),
                y[leaf],
            )
        )
        self.roots.append(self.nodes)
        self.nodes += len(left)
        self.rows += int(leaf.sum())

    def step(self, bias: Array | None = None) -> Trees:
        """All trees; the sum of their leaves plus ``bias`` (k,)."""
        feature, threshold, left, right, leaves = (
            np.concatenate([part[i] for part in self.parts]) for i in range(5)
        )
        k = leaves.shape[1]
        return Trees(
            inputs=self.inputs,
            roots=np.asarray(self.roots, dtype=np.int64),
            feature=feature.astype(np.int64),
            threshold=threshold.astype(np.float64),
            left=left.astype(np.int64),
            right=right.astype(np.int64),
            leaves=leaves.astype(np.float64),
            scale=np.ones(k),
            bias=np.zeros(k) if bias is None else np.asarray(bias, dtype=np.float64),
            goes=self.goes,
        )

    def plant_sklearn(self, tree: Any, y: Array, features: Any = None) -> None:
        """Add a ``Tree`` of scikit-learn, of which a subset of the features may be told."""
        feature = np.asarray(tree.feature)
        if features is not None:
            feature = np.asarray(features)[np.maximum(feature, 0)]
        self.plant(feature, tree.threshold, tree.children_left, tree.children_right, y)


def fractions(model: Any) -> Array:
    """The share of each class in each node of a classification tree, (nodes, classes)."""
    if not np.ndim(model.n_classes_) == 0:
        raise Unreadable("a tree of several labels has no known closed form")
    values: Array = np.asarray(model.tree_.value)[:, 0, :]
    return values


def forest(
    inputs: int, members: Sequence[Any], leaves: Callable[[Any], Array], features: Any = None
) -> Trees:
    """The sum of what ``leaves`` gives for each node of each member, in their order."""
    grove = Grove(inputs)
    for at, member in enumerate(members):
        if not type(member).__module__.startswith("sklearn.tree"):
            raise Unreadable(f"a member is a {type(member).__name__}, no tree")
        grove.plant_sklearn(
            member.tree_, leaves(member), None if features is None else features[at]
        )
    return grove.step()


def values_of(member: Any) -> Array:
    """What a regression tree predicts at each node, (nodes, outputs)."""
    values: Array = np.asarray(member.tree_.value)[:, :, 0]
    return values


def mean(width: int, count: float) -> Scale:
    """A sum divided by its number, as scikit-learn divides."""
    return Scale(np.zeros(width), np.full(width, float(count)))


def shares(inputs: int, members: Sequence[Any], features: Any = None) -> list[Step]:
    """The mean share of each class over classification trees."""
    step = forest(inputs, members, fractions, features)
    return [step] if len(members) == 1 else [step, mean(step.outputs, len(members))]


def share_margin(inputs: int, members: Sequence[Any], features: Any = None) -> list[Step]:
    """Outputs of an argmax over mean shares; of two classes the margin alone.

    Where every margin is a small dyadic fraction their sum is exact in any order, and one number
    a leaf is enough; else both sums are made as scikit-learn makes them, so that ties agree.
    """
    shared = [fractions(member) for member in members]
    if shared[0].shape[1] != 2:
        return shares(inputs, members, features)
    margins = [part[:, 1:] - part[:, :1] for part in shared]
    exact = all(bool((part * 2**20 == np.round(part * 2**20)).all()) for part in margins)
    if len(members) > 1 and not exact:
        return [*shares(inputs, members, features), difference()]
    grove = Grove(inputs)
    for at, (member, part) in enumerate(zip(members, margins, strict=True)):
        grove.plant_sklearn(member.tree_, part, None if features is None else features[at])
    return [grove.step()] if len(members) == 1 else [grove.step(), mean(1, len(members))]


@reads(OUTPUTS, "DecisionTreeClassifier", "ExtraTreeClassifier")
def _tree_classes(model: Any, columns: Columns) -> list[Step]:
    return share_margin(len(columns), [model])


@reads(OUTPUTS, "RandomForestClassifier", "ExtraTreesClassifier")
def _forest_classes(model: Any, columns: Columns) -> list[Step]:
    return share_margin(len(columns), model.estimators_)


@reads(PROBABILITIES, "DecisionTreeClassifier", "ExtraTreeClassifier")
def _tree_probabilities(model: Any, columns: Columns) -> list[Step]:
    return shares(len(columns), [model])


@reads(PROBABILITIES, "RandomForestClassifier", "ExtraTreesClassifier")
def _forest_probabilities(model: Any, columns: Columns) -> list[Step]:
    return shares(len(columns), model.estimators_)


@reads(OUTPUTS, "DecisionTreeRegressor", "ExtraTreeRegressor")
def _tree_values(model: Any, columns: Columns) -> list[Step]:
    return [forest(len(columns), [model], values_of)]


@reads(OUTPUTS, "RandomForestRegressor", "ExtraTreesRegressor")
def _forest_values(model: Any, columns: Columns) -> list[Step]:
    step = forest(len(columns), model.estimators_, values_of)
    return [step, mean(step.outputs, len(model.estimators_))]


@reads(OUTPUTS, "AdaBoostClassifier")
def _ada_boost(model: Any, columns: Columns) -> list[Step]:
    weights = np.asarray(model.estimator_weights_)[: len(model.estimators_)]
    count = len(model.classes_)
    rank = {id(member): weight for member, weight in zip(model.estimators_, weights, strict=True)}

    def leaves(member: Any) -> Array:
        if len(member.classes_) != count:
            raise Unreadable("a member of AdaBoostClassifier does not know all classes")
        chosen = fractions(member).argmax(axis=1)
        weight = rank[id(member)]
        if count == 2:
            signed: Array = np.where(chosen == 1, weight, -weight)[:, None]
            return signed
        rest = -1 / (count - 1) * weight
        each: Array = np.where(chosen[:, None] == np.arange(count), weight, rest)
        return each

    step = forest(len(columns), model.estimators_, leaves)
    # Of two classes scikit-learn adds the same number twice: twice the sum over the weights.
    total = np.asarray(model.estimator_weights_).sum() / (2 if count == 2 else 1)
    return [step, mean(step.outputs, total)]


@reads(OUTPUTS, "IsolationForest")
def _isolation(model: Any, columns: Columns) -> list[Step]:
    from sklearn.ensemble._iforest import _average_path_length

    grove = Grove(len(columns))
    for member, chosen, lengths, average in zip(
        model.estimators_,
        model.estimators_features_,
        model._decision_path_lengths,
        model._average_path_length_per_tree,
        strict=True,
    ):
        depth = (np.asarray(lengths) + np.asarray(average) - 1.0)[:, None]
        grove.plant_sklearn(member.tree_, depth, chosen)
    whole = len(model.estimators_) * float(_average_path_length([model._max_samples])[0])
    if whole == 0:
        raise Unreadable("IsolationForest was trained on one sample")
    return [
        grove.step(),
        stretch(1, -np.log(2.0) / whole),
        Apply("exp", 1),
        stretch(1, -1.0, -float(model.offset_)),
        with_ties(),
    ]
