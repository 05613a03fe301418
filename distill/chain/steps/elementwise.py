"""Functions of each number alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from distill.arrays import Array

Whole = npt.NDArray[np.int64]


Function = Literal[
    "tanh", "sigmoid", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "sin", "exp", "log",
    "sqrt", "square", "abs", "inv", "expm1", "log1p", "erf", "hardtanh", "relu6", "hardsigmoid",
    "hardswish", "identity", "sign", "cos", "softsign", "selu", "mish",
]  # fmt: skip
"""What stands between layers; ``parameter`` is its one parameter, where it has one."""


@dataclass(frozen=True, slots=True)
class Apply:
    """One function applied to each of ``width`` numbers.

    ``parameter`` is leaky_relu's and elu's slope or alpha (0.01 and 1 by default in torch).
    """

    function: Function
    width: int
    parameter: float = 0.0


@dataclass(frozen=True, eq=False)
class Scale:
    """``(x - shift) / divisor``, each (d,): what scalers do, in their two operations."""

    shift: Array
    divisor: Array


@dataclass(frozen=True, eq=False)
class Above:
    """1 where x is above its threshold (d,), else 0."""

    threshold: Array
