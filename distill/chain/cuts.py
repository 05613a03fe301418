"""Where trees turn: thresholds as numbers that decide exactly as the model does."""

from __future__ import annotations

from typing import Literal

import numpy as np

from distill.arrays import Array
from distill.chain.arithmetic import Reals, at_most, rounded
from distill.chain.base import Real

Goes = Literal["float32_at_most", "float32_below", "at_most", "below"]
"""When a point goes left: ``float32(x) <= t`` (scikit-learn), ``float32(x) < float32(t)``
(XGBoost), ``x <= t`` (LightGBM, histogram boosting), ``x < t``."""

_BEHIND = 2.0**128
"""What stands behind the largest float32: rounding takes it for the next one, infinity."""


def cuts(threshold: Array, goes: Goes, real: Real) -> Reals:
    """For each threshold the c with ``x <= c`` for every x of the arithmetic that goes left.

    And for no other: all decisions are the model's own. (A threshold of "float32_below" must not be
    minus infinity in float32: then nothing goes left, and no c says that.)
    """
    if goes == "at_most":
        return at_most(threshold, real)
    with np.errstate(over="ignore"):  # infinity stands behind the largest number, and is meant
        if goes == "below":
            return at_most(np.nextafter(threshold, -np.inf), real)
        floor = at_most(threshold, "float32")
        if goes == "float32_below":
            floor = np.nextafter(rounded(threshold, "float32"), np.float32(-np.inf))
    return floor if real == "float32" else last_rounded_to(floor)


def last_rounded_to(values: Reals) -> Array:
    """The largest float64 that float32 rounds to at most each of these float32 values."""
    with np.errstate(over="ignore"):
        above = np.nextafter(values.astype(np.float32), np.float32(np.inf)).astype(np.float64)
    low = np.clip(values.astype(np.float64), -_BEHIND, _BEHIND)
    middle = (low + np.clip(above, -_BEHIND, _BEHIND)) / 2  # exact in float64
    # Halfway between two float32, rounding goes to the one with an even last bit.
    with np.errstate(over="ignore"):
        stays = middle.astype(np.float32) <= values
    last: Array = np.where(stays, middle, np.nextafter(middle, -np.inf))
    return np.where(np.isposinf(values), np.inf, last)
