"""Arrays for the page: 16 bits a number, which is finer than any screen, in base64."""

from __future__ import annotations

import base64

import numpy as np

from distill.arrays import Array

STEPS = 65534
"""Steps from the lowest to the highest value; one number more stands for NaN."""

Packed = dict[str, float | str]
"""``low``, ``high``, and ``data``: little-endian uint16 in base64, row after row."""


def packed(values: Array) -> Packed:
    """The values of any shape; what is not finite becomes NaN.

    >>> packed(np.array([1.0, np.nan, 3.0]))
    {'low': 1.0, 'high': 3.0, 'data': 'AAD///7/'}
    """
    flat = np.asarray(values, dtype=float).ravel()
    finite = np.isfinite(flat)
    low, high = (
        (float(flat[finite].min()), float(flat[finite].max())) if finite.any() else (0.0, 0.0)
    )
    steps = np.full(len(flat), STEPS + 1, dtype="<u2")
    # Halved, because the range of two finite numbers may not be finite.
    span = high / 2 - low / 2
    share = (flat[finite] / 2 - low / 2) / span if span > 0 else np.zeros(int(finite.sum()))
    steps[finite] = np.round(share * STEPS).astype("<u2")
    return {"low": low, "high": high, "data": base64.b64encode(steps.tobytes()).decode()}
