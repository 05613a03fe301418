"""Checks of loaded estimators whose compiled code believes the numbers it is given.

A forest walks from node to node by the numbers that its file holds, and a support vector machine
reads as many vectors as it says there are: numbers that do not fit would read memory of others or
never end. Files of skops are checked here before anything is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from distill.errors import TeacherError


def check_sound(model: Any, where: str) -> None:
    """Look at everything an estimator is made of; rebuild the search trees of neighbours.

    Raises
    ------
    TeacherError : where numbers do not fit each other.
    """
    for part in parts_of(model):
        name = type(part).__name__
        if why := _why_not(part, name):
            raise TeacherError(
                f"the {name} in the file does not hold together: {why}.",
                where=where,
                hint="the file is damaged or made to do harm; train and save the model again.",
            )
        if hasattr(part, "_fit_X") and hasattr(part, "_tree"):
            _rebuild(part)


def parts_of(model: Any) -> Iterator[Any]:
    """Every object that an estimator refers to, itself first, each once."""
    waiting, seen, kept = [model], set(), []
    while waiting:
        part = waiting.pop()
        if id(part) in seen or part is None or isinstance(part, str | bytes | int | float | type):
            continue
        seen.add(id(part))
        kept.append(part)  # an object that is gone could lend its id to another one
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list | tuple | set):
            waiting += part
        elif isinstance(part, np.ndarray):
            if part.dtype == object:
                waiting += part.ravel().tolist()
        else:
            yield part
            waiting += getattr(part, "__dict__", {}).values()


def _why_not(part: Any, name: str) -> str | None:
    from scipy import sparse

    if sparse.issparse(part):
        return _sparse(part)
    if name == "Tree" and hasattr(part, "children_left"):
        return _nodes(part.children_left, part.children_right, part.feature, part.n_features)
    if hasattr(part, "tree_"):
        return _owner(part)
    if hasattr(part, "estimators_") and hasattr(part, "n_features_in_"):
        return _members(part)
    if hasattr(part, "_predictors"):
        return _histogram(part)
    if hasattr(part, "_n_support") and hasattr(part, "support_vectors_"):
        return _machine(part)
    return None


def _nodes(left: Any, right: Any, feature: Any, features: int) -> str | None:
    left, right, feature = (np.asarray(v, dtype=np.int64) for v in (left, right, feature))
    count = len(left)
    if not count:
        return "a tree has no node"
    inner = left != -1  # what compiled code takes for a leaf; it goes to every other number
    if ((right != -1) != inner).any():
        return "a node has one child only"
    here = np.arange(count)[inner]
    for child in (left[inner], right[inner]):
        if ((child <= here) | (child >= count)).any():
            return "a node's child is not behind it in the tree"
    if ((feature[inner] < 0) | (feature[inner] >= features)).any():
        return "a node asks for an input that there is not"
    return None


def _owner(part: Any) -> str | None:
    if part.tree_.n_features != part.n_features_in_:
        return "its tree has another number of inputs"
    if part.tree_.n_outputs != part.n_outputs_:
        return "its tree has another number of outputs"
    return None


def _members(part: Any) -> str | None:
    members = np.ravel(np.asarray(part.estimators_, dtype=object)).tolist()
    chosen = getattr(part, "estimators_features_", None)
    if chosen is not None and len(chosen) != len(members):
        return "it does not say the inputs of every member"
    for at, member in enumerate(members):
        if not hasattr(member, "tree_"):
            continue
        wanted = part.n_features_in_ if chosen is None else len(chosen[at])
        if member.tree_.n_features != wanted:
            return "a member has another number of inputs"
        if chosen is not None and not all(0 <= i < part.n_features_in_ for i in chosen[at]):
            return "a member asks for an input that there is not"
    return _stages(part) if hasattr(part, "_raw_predict_init") else None


def _stages(part: Any) -> str | None:
    """Boosted trees add to the columns of a first estimate, one tree to each."""
    trees = np.asarray(part.estimators_, dtype=object)
    if trees.ndim != 2 or any(getattr(t, "n_outputs_", 0) != 1 for t in trees.flat):
        return "its members are no stages of trees of one output"
    try:
        first = part._raw_predict_init(np.zeros((1, part.n_features_in_), dtype=np.float32))
    except Exception as error:  # whatever parts that do not fit each other raise
        return f"its first estimate cannot be made ({type(error).__name__})"
    if first.shape != (1, trees.shape[1]):
        return "its stages have another number of trees than its first estimate has columns"
    return None


def _histogram(part: Any) -> str | None:
    for stage in part._predictors:
        for tree in stage:
            nodes = tree.nodes
            leaf = nodes["is_leaf"].astype(bool)
            left, right = (
                np.where(leaf, -1, nodes[side].astype(np.int64)) for side in ("left", "right")
            )
            if why := _nodes(left, right, nodes["feature_idx"], part.n_features_in_):
                return why
            split = nodes["is_categorical"].astype(bool) & ~leaf
            if (nodes["bitset_idx"][split] >= len(tree.raw_left_cat_bitsets)).any():
                return "a node asks for categories that there are not"
    return None


def _machine(part: Any) -> str | None:
    support, vectors = np.asarray(part._n_support), part.support_vectors_
    count = vectors.shape[0]
    dual, bias = part._dual_coef_, np.asarray(part._intercept_)
    classes = len(part.classes_) if hasattr(part, "classes_") else 2
    # libsvm counts the vectors of a regression in two parts, of which the first holds all.
    counted = int(support.sum()) if hasattr(part, "classes_") else int(support[:1].sum())
    if (support < 0).any() or counted != count or vectors.shape[1] != part.shape_fit_[1]:
        return "the numbers of support vectors do not fit"
    if len(support) != 2 and len(support) != classes:
        return "the numbers of support vectors do not fit"
    pairs = classes * (classes - 1) // 2
    if dual.shape != (classes - 1, count) or bias.shape != (pairs,):
        return "the weights do not fit the support vectors"
    return None


def _sparse(part: Any) -> str | None:
    try:
        part.check_format(full_check=True)
    except AttributeError:
        return None if part.format in {"coo", "dia", "dok", "lil"} else "its format is not known"
    except ValueError as error:
        return str(error)
    return None


def _rebuild(part: Any) -> None:
    """Build the search tree of neighbours again from the points, whatever the file holds."""
    if part._tree is not None:
        part._tree = type(part._tree)(
            np.asarray(part._fit_X, dtype=np.float64),
            part.leaf_size,
            metric=part.effective_metric_,
            **part.effective_metric_params_,
        )
