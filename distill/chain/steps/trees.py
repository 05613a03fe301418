"""Decision trees, forests and boosted trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from distill.arrays import Array

Whole = npt.NDArray[np.int64]


Goes = Literal["float32_at_most", "float32_below", "at_most", "below"]
"""When a point goes left: ``float32(x) <= t`` (scikit-learn), ``float32(x) < float32(t)``
(XGBoost), ``x <= t`` (LightGBM, histogram boosting), ``x < t``."""


@dataclass(frozen=True, eq=False)
class Trees:
    """The sum of the leaves that a point falls into, times ``scale``, plus ``bias``.

    Attributes
    ----------
    inputs : how many inputs there are, whether or not a tree asks for them.
    roots : (trees,), the node that each tree starts at.
    feature, left, right : (nodes,); a node whose ``left`` is negative is a leaf, and its ``right``
        is a row of ``leaves``. Children stand behind their parents.
    threshold : (nodes,), meaning what ``goes`` says.
    leaves : (rows, k).
    scale, bias : (k,). The sum over the trees is made in the order of ``roots``.
    """

    inputs: int
    roots: Whole
    feature: Whole
    threshold: Array
    left: Whole
    right: Whole
    leaves: Array
    scale: Array
    bias: Array
    goes: Goes = "float32_at_most"
