"""Monomials of the inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Monomials:
    """Products of powers of the inputs: exponents (m, d), whole and not negative."""

    exponents: Whole
