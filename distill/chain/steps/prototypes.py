"""Distances to prototypes, and the vote of the nearest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from distill.arrays import Array

Whole = npt.NDArray[np.int64]


Metric = Literal["squared", "euclidean", "manhattan", "chebyshev"]


@dataclass(frozen=True, eq=False)
class Distances:
    """Distances to the m prototypes (m, d): outputs (m,)."""

    prototypes: Array
    metric: Metric = "squared"


@dataclass(frozen=True, eq=False)
class Nearest:
    """The mean of ``values`` (m, k) over the ``count`` nearest of the prototypes (m, d).

    Equally near ones count in their order. ``weights="distance"`` weighs by the inverse distance;
    a point on prototypes takes their values alone.
    """

    prototypes: Array
    values: Array
    count: int
    metric: Metric = "squared"
    weights: Literal["uniform", "distance"] = "uniform"
