"""NumPy arrays in JSON: the bytes in base64, with their type and shape."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

KINDS = frozenset("biuf")
"""Booleans and numbers: nothing that reading could run."""


def array_to_data(array: Array) -> dict[str, Any]:
    """A plain form, the same on every machine."""
    little = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<")))
    return {
        "type": little.dtype.str,
        "shape": list(array.shape),
        "base64": base64.b64encode(little.tobytes()).decode(),
    }


def array_from_data(data: Mapping[str, Any]) -> Array:
    """Read what :func:`array_to_data` gave.

    Raises
    ------
    ValueError : when it is none, or has not the numbers that its shape asks for.
    """
    kind, shape = np.dtype(str(data["type"])), tuple(map(int, data["shape"]))
    raw = base64.b64decode(data["base64"], validate=True)
    if kind.kind not in KINDS or len(raw) != kind.itemsize * math.prod(shape):
        raise ValueError("an array has not the numbers that it states")
    array: Array = np.frombuffer(raw, kind).reshape(shape).astype(kind.newbyteorder("="))
    return array


def text_of(data: Mapping[str, Any]) -> str:
    """JSON with every key on a line of its own, so that lines can be compared."""
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in data.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"
