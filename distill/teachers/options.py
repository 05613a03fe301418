"""Reading the options a teacher is loaded with: each fault names its config key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from distill.errors import ConfigError
from distill.identifiers import why_not_identifier
from distill.teachers.base import Output
from distill.teachers.card import read_outputs

Options = dict[str, Any]
"""The options a user gave, without those left at None."""


def identifier(text: str) -> str:
    """A C identifier that resembles ``text``."""
    plain = re.sub(r"\W|[^\x00-\x7f]", "_", text).strip("_")[:63] or "teacher"
    return plain if why_not_identifier(plain) is None else f"teacher_{plain}"[:63]


def outputs_option(options: Options) -> tuple[Output, ...] | None:
    """The stated outputs, or None."""
    outputs = options.get("outputs")
    if outputs is None:
        return None
    if isinstance(outputs, str | Mapping | Output):
        outputs = [outputs]
    if not isinstance(outputs, Iterable):
        raise ConfigError(
            f"`outputs` must list names, or {{name, unit}}, not {outputs!r}.",
            where="config key `teacher.options.outputs`",
        )
    return read_outputs(list(outputs))


def names_option(options: Options, key: str) -> tuple[str, ...] | None:
    """A name or a list of names, or None."""
    value = options.get(key)
    if value is None:
        return None
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Iterable):
        names = tuple(value)
        if all(isinstance(name, str) for name in names):
            return names
    raise ConfigError(
        f"`{key}` must list names of columns, not {value!r}.",
        where=f"config key `teacher.options.{key}`",
    )


def truth_option(options: Options, key: str, default: bool) -> bool:
    """A truth value."""
    value = options.get(key, default)
    if not isinstance(value, bool):
        raise ConfigError(
            f"`{key}` must be true or false, not {value!r}.",
            where=f"config key `teacher.options.{key}`",
        )
    return value


def positive_option(options: Options, key: str, default: float) -> float:
    """A number of a thousandth at least."""
    value = options.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 1e-3:
        raise ConfigError(
            f"`{key}` must be a positive number, not {value!r}.",
            where=f"config key `teacher.options.{key}`",
        )
    return value
