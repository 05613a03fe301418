"""Kernel machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from distill.arrays import Array

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Kernel:
    """The kernel of x with each of the m vectors (m, d): outputs (m,).

    rbf: ``exp(-gamma*|x - v|^2)``; poly: ``(gamma*x.v + constant)^degree``;
    sigmoid: ``tanh(gamma*x.v + constant)``.
    """

    vectors: Array
    kind: Literal["rbf", "poly", "sigmoid"]
    gamma: float
    constant: float = 0.0
    degree: int = 3


@dataclass(frozen=True, slots=True)
class OneVsOne:
    """Votes of classes from the margins of each pair, in the order (0,1), (0,2), ... (1,2), ...

    A positive margin votes for the first of the pair. Outputs (classes,): the numbers of votes, or
    with ``ties="margins"`` what scikit-learn's decision_function_shape="ovr" makes of them.
    """

    classes: int
    ties: Literal["first", "margins"] = "first"
