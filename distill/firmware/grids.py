"""Grids of points over a domain, and the truth at them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from distill.arrays import Array
from distill.domain import Domain, Variable
from distill.errors import ExportError
from distill.firmware.axes import Axis


def breakpoints(axes: Sequence[Axis]) -> list[Array]:
    """The breakpoints of every axis; the middle of an axis that holds one value only."""
    return [axis.breakpoints() for axis in axes]


def grid_points(axes: list[Array]) -> Array:
    """All points of a grid, (n, d), the last axis running fastest."""
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)


def with_middles(axis: Array, variable: Variable) -> Array:
    """The breakpoints of an axis and the middles between them, where interpolation is worst."""
    if len(axis) < 2:
        return axis
    between = np.array([(a + b) / 2 for a, b in pairwise(axis)])
    both = np.concatenate([axis, between])
    return np.unique(np.floor(both + 0.5) if variable.discrete else both)


def finite_truth(truth: Callable[[Array], Array], domain: Domain, x: Array) -> Array:
    """The truth at x (n, d), shape (n,), which must be finite.

    Raises
    ------
    ExportError : naming the first point at which it is not.
    """
    y = np.asarray(truth(x), dtype=float)
    if y.shape != (len(x),):
        raise ExportError(
            f"the truth of a table answered with shape {y.shape} to {len(x)} points.",
            hint="give a function from (n, d) to (n,).",
        )
    bad = np.flatnonzero(~np.isfinite(y))
    if len(bad):
        point = ", ".join(
            f"{name} = {value:.9g}" for name, value in zip(domain.names, x[bad[0]], strict=True)
        )
        raise ExportError(
            f"the teacher has no finite value at {point}, so no table can hold it.",
            hint="leave such inputs out of the domain.",
        )
    return y
