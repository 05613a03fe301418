"""Tables and guards as plain data and arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from distill.domain import Domain
from distill.errors import StorageError
from distill.firmware.axes import Axis, Even, Whole
from distill.firmware.fixed.formats import QFormat
from distill.firmware.graph import Arithmetic
from distill.firmware.guard import Guard
from distill.firmware.lookup import Table
from distill.firmware.uneven_axes import Placed, PowerOfTwo

VERSION = 2

_AXES: dict[str, type[Axis]] = {
    "single": Axis, "whole": Whole, "even": Even, "power_of_two": PowerOfTwo, "placed": Placed,
}  # fmt: skip
_NAMES = {kind: name for name, kind in _AXES.items()}

Arrays = dict[str, np.ndarray[Any, np.dtype[Any]]]


def table_to_data(table: Table) -> tuple[dict[str, Any], Arrays]:
    """A versioned plain form of a table, and its arrays."""
    axes = []
    for axis in table.axes:
        layout = asdict(axis)
        del layout["variable"], layout["arithmetic"]
        axes.append({"kind": _NAMES[type(axis)], **layout})
    data = {
        "version": VERSION,
        "axes": axes,
        "scale": table.scale,
        "offset": table.offset,
        "arithmetic": table.arithmetic,
        "output": None if table.output is None else table.output.fraction,
    }
    return data, {"values": table.values}


def table_from_data(data: Mapping[str, Any], arrays: Mapping[str, Any], domain: Domain) -> Table:
    """Read what :func:`table_to_data` gave.

    Raises
    ------
    StorageError : when it is of another version.
    """
    _check(data, "table")
    arithmetic: Arithmetic = data["arithmetic"]
    axes = []
    for variable, given in zip(domain.variables, data["axes"], strict=True):
        layout = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in given.items()
            if key != "kind"
        }
        axes.append(_AXES[given["kind"]](variable, arithmetic, **layout))
    return Table(
        domain,
        tuple(axes),
        arrays["values"],
        data["scale"],
        data["offset"],
        arithmetic,
        None if data["output"] is None else QFormat(data["output"]),
    )


def guard_to_data(guard: Guard) -> tuple[dict[str, Any], Arrays]:
    """A versioned plain form of a guard, and its arrays."""
    return {"version": VERSION, "arithmetic": guard.arithmetic}, {"flags": guard.flags}


def guard_from_data(data: Mapping[str, Any], arrays: Mapping[str, Any], domain: Domain) -> Guard:
    """Read what :func:`guard_to_data` gave.

    Raises
    ------
    StorageError : when it is of another version.
    """
    _check(data, "guard")
    return Guard(domain, arrays["flags"].astype(bool), data["arithmetic"])


def _check(data: Mapping[str, Any], what: str) -> None:
    if data.get("version") != VERSION:
        raise StorageError(
            f"not a {what} of version {VERSION}.", hint="export it again with this version."
        )
