"""All smooth functions of one number."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from distill.bounds.angles import (
    acos_at,
    acos_over,
    asin_at,
    asin_over,
    atan_at,
    atan_over,
    cos_at,
    cos_over,
    sin_at,
    sin_over,
    tan_at,
    tan_over,
)
from distill.bounds.hyperbolic import cosh_at, cosh_over, sinh_at, sinh_over, tanh_at, tanh_over
from distill.bounds.jets import Smooth
from distill.bounds.powers import (
    cbrt_at,
    cbrt_over,
    exp_at,
    exp_over,
    inv_at,
    inv_over,
    log_at,
    log_over,
    power_at,
    power_over,
)

SMOOTH: Mapping[str, Smooth] = {
    "exp": Smooth(exp_at, exp_over),
    "log": Smooth(log_at, log_over),
    "inv": Smooth(inv_at, inv_over),
    "sqrt": Smooth(power_at(0.5), power_over(0.5)),
    "square": Smooth(lambda z: (z * z, 2 * z, np.ones_like(z)), power_over(2.0)),
    "cube": Smooth(lambda z: (z**3, 3 * z * z, 3 * z), power_over(3.0)),
    "cbrt": Smooth(cbrt_at, cbrt_over),
    "sin": Smooth(sin_at, sin_over, 8.0),
    "cos": Smooth(cos_at, cos_over, 8.0),
    "tan": Smooth(tan_at, tan_over),
    "asin": Smooth(asin_at, asin_over),
    "acos": Smooth(acos_at, acos_over),
    "atan": Smooth(atan_at, atan_over, 8.0),
    "sinh": Smooth(sinh_at, sinh_over),
    "cosh": Smooth(cosh_at, cosh_over),
    "tanh": Smooth(tanh_at, tanh_over, 8.0),
}
"""All smooth functions by name."""


def power(p: float) -> Smooth:
    """Z to a constant power."""
    return Smooth(power_at(p), power_over(p))
