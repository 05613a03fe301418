"""Logarithms of normal densities: naive Bayes and quadratic discriminants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distill.arrays import Array

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Gaussians:
    """``constants_k - 0.5 * sum_r (factors_kr . (x - centres_k))^2`` for k classes.

    centres (k, d), constants (k,), factors (k, r, d); or (k, d), one factor an input, of naive
    Bayes.
    """

    centres: Array
    factors: Array
    constants: Array
