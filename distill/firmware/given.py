"""What the C takes its inputs for, before any formula: the policies in Python, to the bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.domain import Domain
from distill.firmware.axes import bounds
from distill.firmware.fixed.formats import Integers, input_bounds, input_formats
from distill.firmware.graph import Arithmetic, dtype
from distill.firmware.holding import held, moved_inside
from distill.firmware.policy import Policy


@dataclass(frozen=True, eq=False)
class Given:
    """Inputs as the C holds them: the ``rows`` that get an answer other than NaN, and their points.

    ``reals`` (m, d) are floats of the domain, ``integers`` (m, d) the held numbers of fixed point;
    one of them is there.
    """

    rows: npt.NDArray[np.intp]
    reals: Array | None = None
    integers: Integers | None = None


def take(x: Array, domain: Domain, arithmetic: Arithmetic, policy: Policy, integer: bool) -> Given:
    """What the C makes of points x (n, d): its own numbers, which ``integer`` says are integers."""
    if integer:
        return Given(np.arange(len(x)), integers=_bounded(np.rint(x).astype(np.int64), domain))
    with np.errstate(over="ignore"):
        rounded = x.astype(dtype(arithmetic)).astype(float)
    missing = np.isnan(rounded)
    low, high = np.array([bounds(v, arithmetic) for v in domain.variables]).T
    rounded = np.where(missing, low, rounded)
    if arithmetic == "fixed":
        given = np.column_stack(
            [form.integers(rounded[:, i]) for i, form in enumerate(input_formats(domain))]
        )
        outside = given != _bounded(given, domain)
    else:
        outside = (rounded < low) | (rounded > high)
    refused = np.zeros(len(x), dtype=bool)
    if policy.nan_input == "propagate":
        refused |= missing.any(axis=1)
    if policy.out_of_domain == "nan":
        refused |= outside.any(axis=1)
    rows = np.flatnonzero(~refused)
    if arithmetic == "fixed":
        return Given(rows, integers=_bounded(given[rows], domain))
    if not policy.checked:  # whole numbers are believed to be whole, and a -0 stays one
        return Given(rows, reals=moved_inside(rounded[rows], low, high))
    return Given(rows, reals=held(rounded[rows], domain, arithmetic))


def _bounded(q: Integers, domain: Domain) -> Integers:
    low, high = np.array([input_bounds(v) for v in domain.variables]).T
    return np.clip(q, low, high)
