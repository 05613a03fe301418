"""Estimators made of estimators: pipelines, unions, votes, scaled targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from distill.chain.base import Step
from distill.chain.steps.elementwise import Scale
from distill.teachers.sklearn.readers.base import (
    OUTPUTS,
    PROBABILITIES,
    TRANSFORMS,
    Columns,
    Unreadable,
    affine,
    find,
    margin,
    outputs_of,
    pick,
    probabilities_of,
    reads,
    side_by_side,
    stretch,
    transform_of,
    width_after,
)
from distill.teachers.sklearn.readers.forests import share_margin
from distill.teachers.sklearn.readers.scaling import function_steps


def _chained(
    steps: Sequence[Any], columns: Columns, last: Callable[[Any, Columns], list[Step]]
) -> list[Step]:
    result: list[Step] = []
    *before, end = steps
    for step in before:
        part = transform_of(step, columns)
        result += part
        columns = (None,) * width_after(len(columns), part) if part else columns
    return result + last(end, columns)


@reads(OUTPUTS, "Pipeline")
def _pipeline(model: Any, columns: Columns) -> list[Step]:
    return _chained([step for _, step in model.steps], columns, outputs_of)


@reads(TRANSFORMS, "Pipeline")
def _pipeline_transform(model: Any, columns: Columns) -> list[Step]:
    return _chained([step for _, step in model.steps], columns, transform_of)


@reads(PROBABILITIES, "Pipeline")
def _pipeline_probabilities(model: Any, columns: Columns) -> list[Step]:
    return _chained([step for _, step in model.steps], columns, probabilities_of)


@reads(TRANSFORMS, "ColumnTransformer")
def _column_transformer(model: Any, columns: Columns) -> list[Step]:
    parts: list[list[Step]] = []
    for name, transformer, _ in model.transformers_:
        chosen = np.atleast_1d(model._transformer_to_input_indices[name])
        if (isinstance(transformer, str) and transformer == "drop") or not len(chosen):
            continue
        taken = pick(len(columns), chosen)
        parts.append(taken + transform_of(transformer, tuple(columns[i] for i in chosen)))
    if not parts:
        raise Unreadable("ColumnTransformer leaves no column")
    return side_by_side(len(columns), parts)


@reads(TRANSFORMS, "FeatureUnion")
def _union(model: Any, columns: Columns) -> list[Step]:
    parts: list[list[Step]] = []
    for name, transformer in model.transformer_list:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        part = transform_of(transformer, columns)
        weight = (model.transformer_weights or {}).get(name)
        if weight is not None:
            part = [*part, stretch(width_after(len(columns), part), weight)]
        parts.append(part)
    return side_by_side(len(columns), parts)


@reads(OUTPUTS, "TransformedTargetRegressor")
def _target(model: Any, columns: Columns) -> list[Step]:
    steps = outputs_of(model.regressor_, columns)
    width = width_after(len(columns), steps)
    return steps + _inverse(model.transformer_, width)


def _inverse(transformer: Any, width: int) -> list[Step]:
    """What turns scaled targets back."""
    name = type(transformer).__name__
    if name == "FunctionTransformer":
        return function_steps(transformer.inverse_func, transformer.inv_kw_args, width)
    if name == "StandardScaler":
        scale = 1.0 if transformer.scale_ is None else transformer.scale_
        mean = transformer.mean_ if transformer.with_mean else 0.0
        return [stretch(width, scale, mean)]
    if name == "RobustScaler":
        scale = 1.0 if transformer.scale_ is None else transformer.scale_
        centre = 0.0 if transformer.center_ is None else transformer.center_
        return [stretch(width, scale, centre)]
    if name == "MinMaxScaler" and not transformer.clip:
        return [Scale(np.asarray(transformer.min_), np.asarray(transformer.scale_))]
    if name == "MaxAbsScaler":
        return [stretch(width, transformer.scale_)]
    if name == "Pipeline":
        steps: list[Step] = []
        for _, part in reversed(transformer.steps):
            steps += _inverse(part, width)
        return steps
    raise Unreadable(f"the inverse of {name} has no known closed form")


@reads(OUTPUTS, "MultiOutputRegressor")
def _several(model: Any, columns: Columns) -> list[Step]:
    return side_by_side(len(columns), [outputs_of(one, columns) for one in model.estimators_])


@reads(OUTPUTS, "OneVsRestClassifier")
def _one_vs_rest(model: Any, columns: Columns) -> list[Step]:
    if any(not hasattr(one, "decision_function") for one in model.estimators_):
        raise Unreadable("OneVsRestClassifier compares probabilities")
    return side_by_side(len(columns), [outputs_of(one, columns) for one in model.estimators_])


@reads(OUTPUTS, "VotingRegressor")
def _mean_vote(model: Any, columns: Columns) -> list[Step]:
    parts = [outputs_of(one, columns) for one in model.estimators_]
    return _averaged(parts, len(columns), _weights(model))


@reads(PROBABILITIES, "VotingClassifier")
def _soft_votes(model: Any, columns: Columns) -> list[Step]:
    if model.voting != "soft":
        raise Unreadable("VotingClassifier counts votes")
    parts = [probabilities_of(one, columns) for one in model.estimators_]
    return _averaged(parts, len(columns), _weights(model))


@reads(OUTPUTS, "VotingClassifier")
def _vote(model: Any, columns: Columns) -> list[Step]:
    return [*_soft_votes(model, columns), *margin(len(model.classes_))]


def _weights(model: Any) -> list[float]:
    weights = model._weights_not_none
    return [1.0] * len(model.estimators_) if weights is None else [float(w) for w in weights]


def _averaged(parts: Sequence[list[Step]], inputs: int, weights: Sequence[float]) -> list[Step]:
    """The weighted mean of several ways over the same inputs, all as wide."""
    width = width_after(inputs, parts[0])
    if any(width_after(inputs, part) != width for part in parts):
        raise Unreadable("the members do not know the same classes")
    steps = side_by_side(inputs, parts)
    row = np.asarray(weights) / np.sum(weights)
    return [*steps, affine(np.kron(row, np.eye(width)))] if len(parts) > 1 else steps


@reads(OUTPUTS, "BaggingClassifier")
def _bagged_classes(model: Any, columns: Columns) -> list[Step]:
    count = len(model.classes_)
    if any(list(one.classes_) != list(range(count)) for one in model.estimators_):
        raise Unreadable("a member of BaggingClassifier does not know all classes")
    members, features = model.estimators_, model.estimators_features_
    if all(type(one).__module__.startswith("sklearn.tree") for one in members):
        return share_margin(len(columns), members, features)
    parts = [
        pick(len(columns), chosen) + probabilities_of(one, tuple(columns[i] for i in chosen))
        for one, chosen in zip(members, features, strict=True)
    ]
    return [*_averaged(parts, len(columns), [1.0] * len(parts)), *margin(count)]


@reads(OUTPUTS, "BaggingRegressor")
def _bagged_values(model: Any, columns: Columns) -> list[Step]:
    parts = [
        pick(len(columns), chosen) + outputs_of(one, tuple(columns[i] for i in chosen))
        for one, chosen in zip(model.estimators_, model.estimators_features_, strict=True)
    ]
    return _averaged(parts, len(columns), [1.0] * len(parts))


def _searched(register: dict[str, Any]) -> None:
    """Searches over parameters stand for the best they found."""

    @reads(
        register,
        "GridSearchCV",
        "RandomizedSearchCV",
        "HalvingGridSearchCV",
        "HalvingRandomSearchCV",
    )
    def best(model: Any, columns: Columns) -> list[Step]:
        inner = model.best_estimator_
        return list(find(register, inner, "the prediction")(inner, columns))


for _register in (OUTPUTS, TRANSFORMS, PROBABILITIES):
    _searched(_register)
