"""What the shipped teacher `wet_bulb` was learned from: psychrolib, over arrays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from distill.arrays import Array

PRESSURE = 101_325.0
"""Standard atmosphere in Pa."""


def wet_bulb_reference(x: Array, *, tolerance: float | None = None) -> Array:
    """Wet-bulb temperature (n,) in degC at x (n, 2): temperature in degC, humidity in percent.

    psychrolib solves equations 33 and 35 of the ASHRAE Handbook of Fundamentals (2017), chapter 1,
    by bisection until the bracket is narrower than ``tolerance`` in degC (its own: 0.001, so its
    answers jump by up to half of that).
    """
    import psychrolib

    with _si_units(tolerance):
        return np.array(
            [
                psychrolib.GetTWetBulbFromRelHum(temperature, humidity / 100, PRESSURE)
                for temperature, humidity in x.tolist()
            ],
            dtype=np.float64,
        )


@contextmanager
def _si_units(tolerance: float | None) -> Iterator[None]:
    """The library keeps units and tolerance in globals: set ours, put back the caller's."""
    import psychrolib

    before = psychrolib.PSYCHROLIB_UNITS, psychrolib.PSYCHROLIB_TOLERANCE
    psychrolib.SetUnitSystem(psychrolib.SI)
    if tolerance is not None:
        psychrolib.PSYCHROLIB_TOLERANCE = tolerance
    try:
        yield
    finally:
        psychrolib.PSYCHROLIB_UNITS, psychrolib.PSYCHROLIB_TOLERANCE = before
