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


def duration(seconds: float) -> str:
    """A length of time with about two digits that count.

    >>> duration(0.4), duration(42.4), duration(190), duration(7500)
    ('0 s', '42 s', '3 min', '2 h 5 min')
    """
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
