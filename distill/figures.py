"""Numbers as people read them."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Decimal


def upward(value: float, digits: int = 4) -> str:
    """A bound with so many significant digits, never rounded down.

    >>> upward(0.04494123), upward(0.5), upward(0.0)
    ('0.04495', '0.5', '0')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    exact = Decimal(value)
    unit = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    return f"{float(exact.quantize(unit, ROUND_CEILING)):.{digits}g}"
