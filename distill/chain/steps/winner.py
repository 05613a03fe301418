"""From scores to probabilities and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Softmax:
    """Exponentials of the scores less the largest, divided by their sum."""

    width: int


@dataclass(frozen=True, slots=True)
class Winner:
    """The number of the largest (or smallest) of ``width`` scores; of equals the first."""

    width: int
    largest: bool = True
