"""The one array type of the project: float64, because every tolerance is judged in it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
"""float64; (n, d) for points, (n,) for one output, (n, k) for k outputs unless said otherwise."""
