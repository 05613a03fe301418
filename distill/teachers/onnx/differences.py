"""Derivatives by differences of a function's values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from distill.arrays import Array
from distill.domain import Domain

STEP = {True: 1e-2, False: 1e-3}
"""The smaller step as a part of the variable's range, by whether values are float32."""


def slopes(
    function: Callable[[Array], Array], x: Array, domain: Domain | None, *, single: bool
) -> Array:
    """Derivatives (n, k, d) of a function (n, d) -> (n, k) at x (n, d).

    Central differences over one step and two, extrapolated to none (Richardson): what remains is
    of the fourth order in the step. The range of a variable is that of the domain, or twice its
    size where there is none. Steps are taken between numbers that ``single`` precision has.
    """
    n, d = x.shape
    span = 2 * np.maximum(np.abs(x), 1.0)
    if domain is not None:
        span = np.broadcast_to([v.high - v.low for v in domain.variables], x.shape)
    columns = []
    for i in range(d):
        step = STEP[single] * span[:, i]
        near = _difference(function, x, i, step, single)
        far = _difference(function, x, i, 2 * step, single)
        columns.append((4 * near - far) / 3)
    return np.stack(columns, axis=2) if d else np.empty((n, 0, 0))


def _difference(
    function: Callable[[Array], Array], x: Array, i: int, step: Array, single: bool
) -> Array:
    up, down = x.copy(), x.copy()
    up[:, i] += step
    down[:, i] -= step
    if single:
        up, down = (points.astype(np.float32).astype(np.float64) for points in (up, down))
    with np.errstate(invalid="ignore"):
        return (function(up) - function(down)) / (up[:, i] - down[:, i])[:, None]
