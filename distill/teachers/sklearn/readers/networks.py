"""Multilayer perceptrons."""

from __future__ import annotations

from typing import Any

from distill.chain.base import Step
from distill.chain.steps.elementwise import Apply, Function
from distill.chain.steps.winner import Softmax
from distill.teachers.sklearn.readers.base import (
    OUTPUTS,
    PROBABILITIES,
    Columns,
    Unreadable,
    affine,
    reads,
)
from distill.teachers.sklearn.readers.linear import both

ACTIVATIONS: dict[str, Function | None] = {
    "tanh": "tanh",
    "relu": "relu",
    "logistic": "sigmoid",
    "exp": "exp",
    "identity": None,
}


@reads(OUTPUTS, "MLPClassifier")
def _scores(model: Any, columns: Columns) -> list[Step]:
    if len(model.classes_) > 2 and model.out_activation_ != "softmax":
        raise Unreadable("MLPClassifier of several labels has no known closed form")
    return _layers(model)


@reads(PROBABILITIES, "MLPClassifier")
def _probabilities(model: Any, columns: Columns) -> list[Step]:
    scores = _scores(model, columns)
    if len(model.classes_) > 2:
        return [*scores, Softmax(len(model.classes_))]
    return [*scores, Apply("sigmoid", 1), both()]


@reads(OUTPUTS, "MLPRegressor")
def _values(model: Any, columns: Columns) -> list[Step]:
    return [*_layers(model), *_activation(model.out_activation_, model.n_outputs_)]


def _layers(model: Any) -> list[Step]:
    """All layers, without what follows the last one."""
    steps: list[Step] = []
    for at, (weights, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        if at:
            steps += _activation(model.activation, len(weights))
        steps.append(affine(weights.T, bias))
    return steps


def _activation(name: str, width: int) -> list[Step]:
    if name not in ACTIVATIONS:
        raise Unreadable(f"the activation {name!r} has no known closed form")
    function = ACTIVATIONS[name]
    return [] if function is None else [Apply(function, width)]
