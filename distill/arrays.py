"""The arrays of the project: float64, because every tolerance is judged in it, and flags."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
"""float64; (n, d) for points, (n,) for one output, (n, k) for k outputs unless said otherwise."""

Flags = npt.NDArray[np.bool_]
"""What holds, one by one."""

NUMBERS = 2**23
"""So many numbers points hold at most where they are drawn freely: 64 MiB of them."""


def affordable(points: int, width: int, numbers: int = NUMBERS) -> int:
    """How many of the points of ``width`` numbers each are held at once: fewer of wide ones."""
    return max(1, min(points, numbers // max(1, width)))
