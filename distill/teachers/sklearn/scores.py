"""The scores of classes that an estimator compares, or of two classes the margin."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.teachers.sklearn.readers.base import TIE

Ask = Callable[[Any], Array]

MARGIN_AT_ZERO = frozenset(
    {
        "SVC",
        "NuSVC",
        "GradientBoostingClassifier",
        "IsolationForest",
        "EllipticEnvelope",
        "LocalOutlierFactor",
        "SGDOneClassSVM",
    }
)
"""Estimators that say label 1 where their margin is 0."""


def agreeing(scores: Array, labels: npt.NDArray[np.int64]) -> Array:
    """Scores (n, k) that say these labels, changed by as little as can be where they did not."""
    scores = np.array(scores, dtype=np.float64)
    if scores.shape[1] == 1:
        wrong = (scores[:, 0] > 0) != (labels == 1)
        scores[wrong, 0] = np.where(labels[wrong] == 1, TIE, -TIE)
        return scores
    wrong = np.nonzero(scores.argmax(axis=1) != labels)[0]
    scores[wrong, labels[wrong]] = np.nextafter(scores[wrong].max(axis=1), np.inf)
    return scores


def class_scores(last: Any, count: int) -> Ask:
    """Scores (n, classes), or of two classes the margin (n, 1)."""
    name = type(last).__name__
    if name in {"SVC", "NuSVC"} and count > 2 and not last.break_ties:
        return _votes(last, count)
    if name == "MLPClassifier":
        return _before_activation(last)
    if name == "NearestCentroid" and np.isclose(last.class_prior_, 1 / count).all():
        return nearer(last.centroids_, last.metric)
    if hasattr(last, "predict_joint_log_proba"):
        return lambda z: margin(last.predict_joint_log_proba(z))
    if name != "BaggingClassifier" and hasattr(last, "decision_function"):
        return decision(last)
    if hasattr(last, "predict_proba"):
        return lambda z: margin(last.predict_proba(z))
    return nothing(count)


def nothing(count: int) -> Ask:
    """Scores that are 0, for those who give labels only: the labels alone make them differ."""
    width = count if count > 2 else 1
    return lambda z: np.zeros((int(z.shape[0]), width))


def decision(last: Any) -> Ask:
    """What ``decision_function`` says, (n, k)."""
    return lambda z: columns(last.decision_function(z))


def _votes(last: Any, count: int) -> Ask:
    """Votes of the pairs, which ``predict`` counts without looking at how clear they are."""
    pairs = copy(last)
    pairs.decision_function_shape = "ovo"

    def ask(z: Any) -> Array:
        first = pairs.decision_function(z) > 0
        votes = np.zeros((len(first), count))
        at = 0
        for i in range(count):
            for j in range(i + 1, count):
                votes[:, i] += first[:, at]
                votes[:, j] += ~first[:, at]
                at += 1
        return votes

    return ask


def _before_activation(last: Any) -> Ask:
    """What a network gives before the last activation: scores without a bound, log-odds."""
    bare = copy(last)
    bare.out_activation_ = "identity"
    return lambda z: columns(bare._forward_pass_fast(z))


def nearer(centres: Any, metric: str) -> Ask:
    """Scores that are largest for the nearest centre."""
    from scipy.spatial.distance import cdist

    points = np.asarray(centres, dtype=np.float64)

    def ask(z: Any) -> Array:
        at = np.asarray(z, dtype=np.float64)
        if metric == "manhattan":
            return margin(-cdist(at, points, "cityblock"))
        return margin(-cdist(at, points, "sqeuclidean"))

    return ask


def margin(scores: Any) -> Array:
    """Of two classes the second less the first."""
    values: Array = np.asarray(scores, dtype=np.float64)
    return values[:, 1:] - values[:, :1] if values.shape[1] == 2 else values


def columns(values: Any) -> Array:
    """An answer as (n, k), whatever it is: dense, a frame, sparse or flat."""
    if hasattr(values, "toarray"):
        values = values.toarray()
    dense: Array = np.asarray(values, dtype=np.float64)
    return dense[:, None] if dense.ndim == 1 else dense
