"""Matrix products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distill.arrays import Array

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Affine:
    """``weights @ x + bias``: weights (k, d), bias (k,). Summed over the inputs in their order."""

    weights: Array
    bias: Array
