"""Ensembles of trees as ONNX stores them: checked, and read as one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.chain.steps.affine import Affine
from distill.chain.steps.trees import Trees
from distill.errors import TeacherError
from distill.teachers.onnx.flow import Flow, Handler, NoChain, Node, attributes
from distill.teachers.onnx.tensors import nodes_of

if TYPE_CHECKING:
    import onnx

Whole = npt.NDArray[np.int64]

LEAF, EQUALS = "LEAF", ("BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER")


@dataclass(frozen=True, eq=False)
class Ensemble:
    """The nodes in one row, parents before their children; true and false branches not yet sides.

    Attributes
    ----------
    roots : (trees,).
    mode : (nodes,), as ONNX names them.
    feature, yes, no : (nodes,); of leaves ``yes`` is -1.
    values : (nodes,), thresholds.
    missing : (nodes,), whether a NaN takes the branch of ``yes``.
    row : (nodes,), of a leaf its row of ``leaves``.
    leaves : (rows, k).
    """

    roots: Whole
    mode: npt.NDArray[np.str_]
    feature: Whole
    values: Array
    yes: Whole
    no: Whole
    missing: npt.NDArray[np.bool_]
    row: Whole
    leaves: Array


def read_ensemble(given: Mapping[str, Any], outputs: int, prefix: str) -> Ensemble:
    """The trees in a node's attributes.

    Raises
    ------
    NoChain : when they are no trees: nodes that are missing, twice there, or in a circle.
    """
    ids = np.array(given["nodes_treeids"], np.int64), np.array(given["nodes_nodeids"], np.int64)
    count = len(ids[0])
    values = given.get("nodes_values_as_tensor", given.get("nodes_values"))
    columns = {
        "nodes_nodeids": ids[1],
        "nodes_modes": np.array(given["nodes_modes"]),
        "nodes_featureids": np.array(given["nodes_featureids"], np.int64),
        "nodes_values": np.array(values, np.float64),
        "nodes_truenodeids": np.array(given["nodes_truenodeids"], np.int64),
        "nodes_falsenodeids": np.array(given["nodes_falsenodeids"], np.int64),
    }
    tracks = np.array(given.get("nodes_missing_value_tracks_true") or [0] * count, bool)
    for name, column in columns.items():
        if len(column) != count:
            raise NoChain(f"the trees have {count} nodes, but {len(column)} of `{name}`")
    place = {pair: i for i, pair in enumerate(zip(*(part.tolist() for part in ids), strict=True))}
    if len(place) < count or len(tracks) != count:
        raise NoChain("a node of the trees is there twice")
    leaf = columns["nodes_modes"] == LEAF
    yes, no = np.full(count, -1), np.full(count, -1)
    for i in np.flatnonzero(~leaf):
        tree = int(ids[0][i])
        yes[i] = place.get((tree, int(columns["nodes_truenodeids"][i])), -1)
        no[i] = place.get((tree, int(columns["nodes_falsenodeids"][i])), -1)
    inner = np.flatnonzero(~leaf)
    children = np.concatenate([yes[inner], no[inner]])
    if (children < 0).any():
        raise NoChain("a node of the trees has a child that is missing")
    roots = np.setdiff1d(np.arange(count), children)
    if len(np.unique(children)) < len(children):
        raise NoChain("two nodes of the trees have the same child")
    order = _parents_first(roots, yes, no)
    if len(order) < count or len(roots) != len(np.unique(ids[0])):
        raise NoChain("the nodes of a tree go in a circle, or do not hang together")
    row, leaves = _leaves(given, prefix, place, count, outputs, leaf)
    number = np.empty(count, np.int64)
    number[order] = np.arange(count)
    return Ensemble(
        number[roots],
        columns["nodes_modes"][order],
        np.where(leaf, 0, columns["nodes_featureids"])[order],
        columns["nodes_values"][order],
        np.where(leaf, -1, number[yes])[order],
        np.where(leaf, -1, number[no])[order],
        tracks[order],
        row[order],
        leaves,
    )


def _parents_first(roots: Whole, yes: Whole, no: Whole) -> Whole:
    """Nodes level by level; those in circles are never reached."""
    levels, at = [roots], roots
    while len(at):
        at = np.stack([yes[at], no[at]], axis=1).reshape(-1)
        at = at[at >= 0]
        levels.append(at)
    return np.concatenate(levels)


def _leaves(
    given: Mapping[str, Any],
    prefix: str,
    place: Mapping[tuple[int, int], int],
    count: int,
    outputs: int,
    leaf: npt.NDArray[np.bool_],
) -> tuple[Whole, Array]:
    weights = given.get(f"{prefix}_weights_as_tensor", given.get(f"{prefix}_weights"))
    trees, nodes = given[f"{prefix}_treeids"], given[f"{prefix}_nodeids"]
    row = np.cumsum(leaf) - 1
    leaves = np.zeros((int(leaf.sum()), outputs))
    for tree, node, column, weight in zip(
        trees, nodes, given[f"{prefix}_ids"], np.asarray(weights).tolist(), strict=True
    ):
        at = place.get((tree, node), -1)
        if at < 0 or not leaf[at] or not 0 <= column < outputs:
            raise NoChain("a weight of the trees belongs to no leaf or to no output")
        leaves[row[at], column] += weight
    return np.where(leaf, row, 0)[:count], leaves


def step_of(ensemble: Ensemble, inputs: int, double: bool, bias: Array, divisor: float) -> Trees:
    """The trees as a step: every question turned into ``x <= t`` or ``x < t``.

    Raises
    ------
    NoChain : for questions that are neither.
    """
    inner = ensemble.yes >= 0
    asked = set(ensemble.mode[inner].tolist())
    if odd := asked & set(EQUALS):
        raise NoChain(f"trees that ask `{sorted(odd)[0]}` (categories) have no step")
    swapped = np.isin(ensemble.mode, ("BRANCH_GT", "BRANCH_GTE"))
    strict = np.isin(ensemble.mode, ("BRANCH_LT", "BRANCH_GTE"))
    values = ensemble.values
    goes: Literal["at_most", "below", "float32_at_most", "float32_below"] = (
        "at_most" if double else "float32_at_most"
    )
    if strict[inner].all() and inner.any():
        goes = "below" if double else "float32_below"
    else:  # x < t is x <= the number before t
        before = np.nextafter(values, -np.inf)
        if not double:
            before = np.nextafter(values.astype(np.float32), np.float32(-np.inf)).astype(float)
        values = np.where(strict, before, values)
    k = ensemble.leaves.shape[1]
    return Trees(
        inputs=inputs,
        roots=ensemble.roots,
        feature=ensemble.feature,
        threshold=np.where(inner, values, 0.0),
        left=np.where(swapped, ensemble.no, ensemble.yes),
        right=np.where(inner, np.where(swapped, ensemble.yes, ensemble.no), ensemble.row),
        leaves=ensemble.leaves,
        scale=np.full(k, divisor),
        bias=bias,
        goes=goes,
        missing=np.where(inner, ensemble.missing ^ swapped, False),
        divide=divisor != 1.0,
    )


def _base(node: Node, k: int) -> Array:
    base = node.given.get("base_values_as_tensor", node.given.get("base_values"))
    values = np.asarray([] if base is None else base, dtype=np.float64)
    return values if len(values) == k else np.zeros(k) if not len(values) else _odd(len(values), k)


def _odd(found: int, wanted: int) -> Array:
    raise NoChain(f"the trees have {found} base values for {wanted} outputs")


def _regressor(node: Node) -> Flow:
    x = node.flow()
    k = int(node.given.get("n_targets", 1))
    how, after = node.given.get("aggregate_function", "SUM"), node.given.get("post_transform")
    if how not in {"SUM", "AVERAGE"} or after not in {None, "NONE"}:
        raise NoChain(f"`{node.name}` with {how} and {after}")
    ensemble = read_ensemble(node.given, k, "target")
    divisor = float(len(ensemble.roots)) if how == "AVERAGE" else 1.0
    return x.then(step_of(ensemble, x.width, x.double, _base(node, k), divisor), shape=(k,))


def _classifier(node: Node) -> tuple[Flow, ...]:
    """Labels are not followed; the scores are those before the post-transform."""
    x = node.flow()
    labels = node.given.get("classlabels_int64s") or node.given.get("classlabels_strings") or []
    ids = node.given["class_ids"]
    if len(labels) != 2 or len(set(ids)) != 1:
        ensemble = read_ensemble(node.given, len(labels), "class")
        step = step_of(ensemble, x.width, x.double, _base(node, len(labels)), 1.0)
        return x, x.then(step, shape=(len(labels),))
    # One score for two classes: above 0 it is the second, or above a half where no vote is below 0.
    ensemble = read_ensemble({**node.given, "class_ids": [0] * len(ids)}, 1, "class")
    weights = node.given.get("class_weights_as_tensor", node.given.get("class_weights"))
    step = step_of(ensemble, x.width, x.double, _base(node, 1), 1.0)
    score = x.then(step, shape=(1,))
    if (np.asarray(weights) >= 0).all():
        return x, score.then(Affine(np.array([[-1.0], [1.0]]), np.array([1.0, 0.0])), shape=(2,))
    return x, score.then(Affine(np.array([[-1.0], [1.0]]), np.zeros(2)), shape=(2,))


def check_trees(model: onnx.ModelProto, where: str) -> None:
    """Raise for trees whose nodes are missing, twice there, or in a circle.

    Raises
    ------
    TeacherError : naming what is wrong.
    """
    for node in nodes_of(model):
        if node.op_type not in HANDLERS:
            continue
        given = attributes(node)
        prefix = "target" if node.op_type == "TreeEnsembleRegressor" else "class"
        try:
            read_ensemble(given, max(given.get("n_targets", 1), *_classes(given)), prefix)
        except (NoChain, KeyError, ValueError) as error:
            raise TeacherError(
                f"the model's trees are none: {error}.",
                where=f"{where}, node `{node.name or node.op_type}`",
                hint="the file is damaged or was made to mislead; export the model again.",
            ) from None


def _classes(given: Mapping[str, Any]) -> tuple[int, int]:
    labels = given.get("classlabels_int64s") or given.get("classlabels_strings") or []
    return 1, len(labels)


HANDLERS: dict[str, Handler] = {
    "TreeEnsembleRegressor": _regressor,
    "TreeEnsembleClassifier": _classifier,
}
"""How each operator made of trees is read."""
