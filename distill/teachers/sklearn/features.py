"""The inputs of an estimator: their names, and the categories that become whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.domain import Domain, Variable
from distill.errors import TeacherError
from distill.identifiers import why_not_identifier
from distill.teachers.options import identifier

SHOWN = 8
"""Categories that are shown in a message or a unit."""


@dataclass(frozen=True)
class Feature:
    """One input.

    Attributes
    ----------
    name : the variable's, a C identifier.
    column : what the estimator calls it, or None.
    categories : what an encoder knows; empty for a number.
    coded : whether the categories are no numbers: the input is then the number of one, from 0.
    strict : whether the estimator refuses other categories.
    low, high : the range the estimator was trained on, where it remembers.
    """

    name: str
    column: str | None = None
    categories: tuple[Any, ...] = ()
    coded: bool = False
    strict: bool = False
    low: float | None = None
    high: float | None = None

    @property
    def meaning(self) -> str:
        """What the whole numbers stand for, such as "0 = blue, 1 = green"."""
        if not self.coded:
            return ""
        shown = [f"{code} = {value}" for code, value in enumerate(self.categories[:SHOWN])]
        return ", ".join(shown + ["..."] * (len(self.categories) > SHOWN))

    @property
    def values(self) -> Array | None:
        """What the input is for each category; None for a number."""
        if not self.categories:
            return None
        if self.coded:
            return np.arange(float(len(self.categories)))
        return np.asarray(self.categories, dtype=np.float64)

    def variable(self) -> Variable | None:
        """The variable where its range is known, else None."""
        low, high = self.low, self.high
        kind = "continuous"
        if self.values is not None:
            low, high = float(self.values.min()), float(self.values.max())
            if all(value.is_integer() for value in self.values.tolist()):
                kind = "boolean" if (low, high) == (0.0, 1.0) else "integer"
        if low is None or high is None or not low < high:
            return None
        unit = "".join(c if c.isascii() and c.isprintable() else "?" for c in self.meaning)
        return Variable(self.name, low, high, unit=unit, kind=kind)  # type: ignore[arg-type]


def features_of(model: Any) -> tuple[Feature, ...] | None:
    """The inputs of a fitted estimator; None where it does not say how many there are."""
    count = getattr(model, "n_features_in_", None)
    if count is None:
        return None
    columns = getattr(model, "feature_names_in_", None)
    names = _names(columns, int(count))
    found = _Found({}, {})
    _walk(model, list(range(int(count))), found)
    return tuple(
        Feature(
            name=names[i],
            column=None if columns is None else str(columns[i]),
            **found.encoded.get(i, {}),
            low=found.ranges.get(i, (None, None))[0],
            high=found.ranges.get(i, (None, None))[1],
        )
        for i in range(int(count))
    )


def domain_of(features: Sequence[Feature]) -> Domain | None:
    """The box of all inputs where every range is known, else None."""
    variables = [feature.variable() for feature in features]
    known = [variable for variable in variables if variable is not None]
    return Domain(tuple(known)) if known and len(known) == len(variables) else None


def check_domain(features: Sequence[Feature], domain: Domain, where: str) -> None:
    """Refuse a domain that asks for categories there are not, or has the inputs in another order.

    Raises
    ------
    TeacherError : naming the variable.
    """
    if len(features) != len(domain):
        raise TeacherError(
            f"wrong number of inputs: the estimator takes {len(features)}, the domain has "
            f"{len(domain)}.",
            where=where,
            hint=f"state one variable for each, in this order: {_listed(features)}.",
        )
    names = tuple(feature.name for feature in features)
    if names != domain.names and set(names) == set(domain.names):
        raise TeacherError(
            "the domain has the estimator's inputs in another order: "
            f"{', '.join(domain.names[:SHOWN])}.",
            where=where,
            hint=f"state them in this one: {_listed(features)}.",
        )
    for feature, variable in zip(features, domain.variables, strict=True):
        if feature.values is None or not (feature.coded or feature.strict):
            continue
        known = set(feature.values.tolist())
        wide = variable.high - variable.low >= len(known)
        inside = not wide and {
            float(value) for value in range(int(variable.low), int(variable.high) + 1)
        }
        if not variable.discrete or not inside or not inside <= known:
            low, high = min(known), max(known)
            raise TeacherError(
                f"`{variable.name}` has {len(known)} categories ({shown(feature)}), but the domain "
                f"asks for other values in [{variable.low:g}, {variable.high:g}].",
                where=f"domain variable `{variable.name}`",
                hint=f"state it as {{low: {low:g}, high: {high:g}, kind: integer}}, or narrower.",
            )


def shown(feature: Feature) -> str:
    """The categories, for a message."""
    if feature.coded:
        return feature.meaning
    parts = [f"{value:g}" for value in feature.categories[:SHOWN]]
    return ", ".join(parts + ["..."] * (len(feature.categories) > SHOWN))


def _listed(features: Sequence[Feature]) -> str:
    names = [feature.name for feature in features[:SHOWN]]
    return ", ".join(names + ["..."] * (len(features) > SHOWN))


def as_input(features: Sequence[Feature], x: Array) -> Any:
    """What the estimator takes for the points x (n, d): an array, or a frame with its columns.

    Raises
    ------
    TeacherError : for a category that there is not.
    """
    columns: dict[int, Any] = {}
    for i, feature in enumerate(features):
        if feature.categories and (feature.coded or feature.strict):
            _check_known(feature, x[:, i])
            if feature.coded:
                table = np.empty(len(feature.categories), dtype=object)
                table[:] = feature.categories
                columns[i] = table[x[:, i].astype(np.int64)]
    named = bool(features) and all(feature.column is not None for feature in features)
    if not named:
        if not columns:
            return x
        mixed = x.astype(object)
        for i, values in columns.items():
            mixed[:, i] = values
        return mixed
    import pandas as pd

    names = [feature.column for feature in features]
    if not columns:
        return pd.DataFrame(x, columns=names)
    return pd.DataFrame({name: columns.get(i, x[:, i]) for i, name in enumerate(names)})


def _check_known(feature: Feature, column: Array) -> None:
    known = feature.values
    assert known is not None
    unknown = ~np.isin(column, known)
    if unknown.any():
        raise TeacherError(
            f"`{feature.name}` = {column[int(np.argmax(unknown))]:g} is none of its "
            f"{len(known)} categories ({shown(feature)}).",
            where=f"domain variable `{feature.name}`",
            hint="ask for the categories the encoder was trained with.",
        )


@dataclass
class _Found:
    """What is found on the way through an estimator, by the number of the input."""

    encoded: dict[int, dict[str, Any]]
    ranges: dict[int, tuple[float, float]]


def _walk(model: Any, columns: list[int], found: _Found) -> None:
    """Look for encoders and ranges that see the inputs as they come."""
    name = type(model).__name__
    if name == "Pipeline":
        for _, step in model.steps:
            _walk(step, columns, found)
            if type(step).__name__ != "SimpleImputer":
                return
    elif name == "ColumnTransformer":
        for part, transformer, _ in model.transformers_:
            chosen = np.atleast_1d(model._transformer_to_input_indices[part])
            _walk(transformer, [columns[i] for i in chosen], found)
    elif name == "FeatureUnion":
        for _, transformer in model.transformer_list:
            _walk(transformer, columns, found)
    elif (inner := _inner(model)) is not None:
        _walk(inner, columns, found)
    elif name in {"OneHotEncoder", "OrdinalEncoder", "TargetEncoder"}:
        strict = name != "TargetEncoder" and model.handle_unknown == "error"
        for i, values in zip(columns, model.categories_, strict=True):
            found.encoded[i] = _categories(values, strict)
    elif name == "CategoricalNB":
        for i, count in zip(columns, model.n_categories_, strict=True):
            found.encoded[i] = _categories(np.arange(int(count)), True)
    elif name == "MinMaxScaler":
        for i, low, high in zip(columns, model.data_min_, model.data_max_, strict=True):
            found.ranges[i] = (float(low), float(high))


def _inner(model: Any) -> Any:
    for attribute in ("best_estimator_", "regressor_"):
        if hasattr(model, attribute):
            return getattr(model, attribute)
    return None


def _categories(values: Any, strict: bool) -> dict[str, Any]:
    plain = tuple(np.asarray(values).tolist())
    numbers = all(isinstance(v, int | float) and np.isfinite(v) for v in plain)
    if numbers:
        plain = tuple(float(v) for v in plain)
    return {"categories": plain, "coded": not numbers, "strict": strict or not numbers}


def _names(columns: Any, count: int) -> list[str]:
    """Identifiers for the columns, each once, whatever their case."""
    if columns is None:
        return [f"x{i}" for i in range(count)]
    names: list[str] = []
    taken: set[str] = set()
    for i, column in enumerate(columns):
        plain = str(column)
        name = plain if why_not_identifier(plain) is None else _resembling(plain, i)
        if name.lower() in taken:
            name = f"{name[:50]}_{i}"
        while name.lower() in taken:
            name = f"x_{name[:50]}"
        taken.add(name.lower())
        names.append(name)
    return names


def _resembling(text: str, number: int) -> str:
    name = identifier(text)
    return f"x{number}" if name.startswith("teacher_") or name == "teacher" else name
