"""Gradient boosting: trees that correct each other, one row of them a class."""

from __future__ import annotations

from typing import Any

import numpy as np

from distill.chain.base import Step
from distill.chain.steps.elementwise import Apply
from distill.teachers.sklearn.readers.base import (
    OUTPUTS,
    Columns,
    Unreadable,
    reads,
    side_by_side,
    with_ties,
)
from distill.teachers.sklearn.readers.forests import Grove, values_of


@reads(OUTPUTS, "GradientBoostingRegressor", "GradientBoostingClassifier")
def _gradient_boosting(model: Any, columns: Columns) -> list[Step]:
    if not isinstance(model.init_, str) and type(model.init_).__name__ not in {
        "DummyRegressor",
        "DummyClassifier",
    }:
        raise Unreadable(f"boosting starts from a {type(model.init_).__name__}")
    start = model._raw_predict_init(np.zeros((1, len(columns)), dtype=np.float32))[0]
    parts: list[list[Step]] = []
    for k, bias in enumerate(start):
        grove = Grove(len(columns))
        for member in model.estimators_[:, k]:
            grove.plant_sklearn(member.tree_, values_of(member) * model.learning_rate)
        parts.append([grove.step(np.array([bias]))])
    steps = side_by_side(len(columns), parts)
    margin = hasattr(model, "classes_") and len(parts) == 1
    return [*steps, with_ties()] if margin else steps


@reads(OUTPUTS, "HistGradientBoostingRegressor", "HistGradientBoostingClassifier")
def _histogram(model: Any, columns: Columns) -> list[Step]:
    if model._preprocessor is not None:
        raise Unreadable(f"{type(model).__name__} splits by categories")
    start = np.asarray(model._baseline_prediction).ravel()
    parts: list[list[Step]] = []
    for k, bias in enumerate(start):
        grove = Grove(len(columns), "at_most")
        for stage in model._predictors:
            nodes = stage[k].nodes
            if nodes["is_categorical"].any():
                raise Unreadable(f"{type(model).__name__} splits by categories")
            leaf = nodes["is_leaf"].astype(bool)
            grove.plant(
                nodes["feature_idx"].astype(np.int64),
                nodes["num_threshold"],
                np.where(leaf, -1, nodes["left"].astype(np.int64)),
                nodes["right"].astype(np.int64),
                nodes["value"][:, None],
            )
        parts.append([grove.step(np.array([bias]))])
    steps = side_by_side(len(columns), parts)
    if not hasattr(model, "classes_"):
        link = type(model._loss.link).__name__
        if link == "LogLink":
            return [*steps, Apply("exp", 1)]
        if link != "IdentityLink":
            raise Unreadable(f"the link {link} has no known closed form")
    return steps
