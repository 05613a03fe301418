"""What a person should know about an estimator and the domain it is asked over."""

from __future__ import annotations

from typing import Any

import numpy as np

from distill.domain import Domain

FAR = 10.0
"""A domain this many times as wide as the data is probably in another unit."""

LARGE = 30.0
"""Inputs of a network without a scaler that are larger were probably scaled elsewhere."""


def remarks(model: Any, domain: Domain | None) -> tuple[str, ...]:
    """Sentences about a domain that does not look like what the estimator was trained on."""
    first = model
    while type(first).__name__ == "Pipeline" and hasattr(first, "steps"):
        first = first.steps[0][1]
    if type(_last(model)).__name__.startswith("KNeighbors"):
        return (
            "where several neighbours are equally far, which of them count depends on the order of "
            "scikit-learn's search tree; the closed form takes the first.",
            *_of_range(first, domain),
        )
    return _of_range(first, domain)


def _last(model: Any) -> Any:
    while type(model).__name__ == "Pipeline" and hasattr(model, "steps"):
        model = model.steps[-1][1]
    return model


def _of_range(first: Any, domain: Domain | None) -> tuple[str, ...]:
    if domain is not None and type(first).__name__ in {"MLPClassifier", "MLPRegressor"}:
        return _of_network(type(first).__name__, domain)
    seen = _seen(first)
    if domain is None or seen is None or len(seen[0]) != len(domain):
        return ()
    low, high = seen
    width = np.where(high > low, high - low, 1.0)
    far = np.maximum(low - domain.low, domain.high - high) / width
    worst = int(np.argmax(far))
    if not far[worst] > FAR:
        return ()
    return (
        f"`{domain.names[worst]}` reaches {far[worst]:.3g} times the width of the data beyond what "
        f"{type(first).__name__} was trained on ([{low[worst]:.4g}, {high[worst]:.4g}]): if values "
        "were scaled before the estimator saw them, put the scaler and it into one Pipeline.",
    )


def _of_network(title: str, domain: Domain) -> tuple[str, ...]:
    """A network does not remember its data, but seldom learns from numbers far from 1."""
    size = np.maximum(np.abs(domain.low), np.abs(domain.high))
    worst = int(np.argmax(size))
    if not size[worst] > LARGE:
        return ()
    return (
        f"`{domain.names[worst]}` reaches {size[worst]:.4g}, and {title} has no scaler before it: "
        "if values were scaled before it saw them, put the scaler and it into one Pipeline.",
    )


def _seen(model: Any) -> tuple[Any, Any] | None:
    """The range of the data an estimator remembers, (low, high) of shape (d,) each."""
    points = getattr(model, "_fit_X", None)
    if points is None:
        points = getattr(model, "support_vectors_", None)
    if points is None:
        points = getattr(model, "X_train_", None)
    if points is not None and not hasattr(points, "toarray") and np.ndim(points) == 2:
        if not len(points) or np.asarray(points).dtype.kind not in "fiu":
            return None
        return np.min(points, axis=0), np.max(points, axis=0)
    if type(model).__name__ == "StandardScaler" and model.mean_ is not None:
        spread = 4 * np.asarray(1.0 if model.scale_ is None else model.scale_)
        return model.mean_ - spread, model.mean_ + spread
    return None
