"""Nearest neighbours, nearest centroids and the centres of clusters."""

from __future__ import annotations

from typing import Any

import numpy as np

from distill.chain.base import Step
from distill.chain.distances import Metric
from distill.chain.steps.elementwise import Scale
from distill.chain.steps.prototypes import Distances, Nearest
from distill.teachers.sklearn.readers.base import (
    OUTPUTS,
    PROBABILITIES,
    Columns,
    Unreadable,
    affine,
    margin,
    reads,
    stretch,
)


@reads(PROBABILITIES, "KNeighborsClassifier")
def _shares(model: Any, columns: Columns) -> list[Step]:
    if np.ndim(model._y) != 1:
        raise Unreadable("neighbours of several labels have no known closed form")
    return [_nearest(model, np.eye(len(model.classes_))[model._y])]


@reads(OUTPUTS, "KNeighborsClassifier")
def _classes(model: Any, columns: Columns) -> list[Step]:
    return [*_shares(model, columns), *margin(len(model.classes_))]


@reads(OUTPUTS, "KNeighborsRegressor")
def _values(model: Any, columns: Columns) -> list[Step]:
    y = np.asarray(model._y, dtype=np.float64)
    return [_nearest(model, y.reshape(len(y), -1))]


def _nearest(model: Any, values: Any) -> Nearest:
    if model.weights not in {"uniform", "distance"}:
        raise Unreadable("the neighbours are weighted by a function")
    if hasattr(model._fit_X, "toarray"):
        raise Unreadable("the neighbours are sparse")
    metric = _metric(model)
    if model.weights == "uniform" and metric == "euclidean":
        metric = "squared"  # the same order without a root
    points = np.asarray(model._fit_X, dtype=np.float64)
    return Nearest(points, values, int(model.n_neighbors), metric, model.weights)


def _metric(model: Any) -> Metric:
    name = model.effective_metric_
    if name in {"euclidean", "l2"}:
        return "euclidean"
    if name in {"manhattan", "l1", "cityblock"}:
        return "manhattan"
    if name in {"chebyshev", "infinity"}:
        return "chebyshev"
    raise Unreadable(f"the distance {name!r} has no known closed form")


@reads(OUTPUTS, "NearestCentroid")
def _centroids(model: Any, columns: Columns) -> list[Step]:
    centroids = np.asarray(model.centroids_, dtype=np.float64)
    count = len(model.classes_)
    if not np.isclose(model.class_prior_, 1 / count).all():
        if model.metric != "euclidean":
            raise Unreadable("NearestCentroid has unequal priors and no euclidean distance")
        deviation = np.asarray(model.within_class_std_dev_, dtype=np.float64)
        deviation = np.where(deviation != 0, deviation, 1.0)
        return [
            Scale(np.zeros(len(columns)), deviation),
            Distances(centroids / deviation, "squared"),
            affine(-np.eye(count), 2.0 * np.log(model.class_prior_)),
            *margin(count),
        ]
    if model.metric not in {"euclidean", "manhattan"}:
        raise Unreadable(f"the distance {model.metric!r} has no known closed form")
    metric: Metric = "squared" if model.metric == "euclidean" else "manhattan"
    return _nearer(Distances(centroids, metric), count)


@reads(OUTPUTS, "KMeans", "MiniBatchKMeans")
def _clusters(model: Any, columns: Columns) -> list[Step]:
    centres = np.asarray(model.cluster_centers_, dtype=np.float64)
    return _nearer(Distances(centres, "squared"), len(centres))


def _nearer(distances: Distances, count: int) -> list[Step]:
    """Scores that are largest for the nearest; of two the margin."""
    if count == 2:
        return [distances, affine([[1.0, -1.0]])]
    return [distances, stretch(count, -1.0)]
