"""The errors of one formula against some truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from distill.arrays import Array
from distill.extremum import Extremum
from distill.scoring.score import Errors


def measure_errors(values: Array, truth: Array, x: Array, worst: Extremum | None = None) -> Errors:
    """Compare a formula's values (n,) with the finite truth (n,) at the points x (n, d).

    ``worst`` is the result of a search for the worst point. RMSE and R2 are over the points with
    finite values; infinite and 0 where there is none. For a constant truth R2 is 1 when every
    value is exact and 0 otherwise (as in scikit-learn), and the relative RMSE 0 or infinite.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        error = np.abs(values - truth)
        spread = _root_mean_square(truth - truth.mean())
    bad = ~np.isfinite(error)
    at = int(np.argmax(np.where(bad, np.inf, error)))
    rmse = _root_mean_square(error[~bad])
    relative = rmse / spread if spread > 0 else (0.0 if rmse == 0 else float("inf"))
    errors = Errors(
        rmse=rmse,
        relative_rmse=relative,
        r2=_r2(relative, spread),
        max_error=float("inf") if bad[at] else float(error[at]),
        max_error_at=tuple(map(float, x[at])),
        non_finite=int(bad.sum()),
        points=len(x),
    )
    return errors if worst is None else with_worst(errors, worst, searched=True)


def with_worst(errors: Errors, worst: Extremum, *, searched: bool) -> Errors:
    """The same errors with one more point, known to be bad: it counts for the largest error."""
    errors = replace(errors, searched=searched)
    if worst.value <= errors.max_error:
        return errors
    return replace(
        errors,
        max_error=worst.value,
        max_error_at=tuple(map(float, worst.x)),
        non_finite=errors.non_finite + (not np.isfinite(worst.value)),
    )


def _r2(relative: float, spread: float) -> float:
    if spread == 0 or not np.isfinite(relative):
        return 1.0 if relative == 0 else 0.0
    return 1.0 - relative * relative


def _root_mean_square(values: Array) -> float:
    """Without overflow for values whose squares are not finite; infinite for no values."""
    if not len(values):
        return float("inf")
    size = float(np.abs(values).max())
    if size == 0 or not np.isfinite(size):
        return size
    return size * float(np.sqrt(np.mean((values / size) ** 2)))
