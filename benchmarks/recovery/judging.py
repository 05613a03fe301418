"""Whether a formula is the truth: its errors on new points of the box and of a wider one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.chain.expression import Expression
from recovery.problems import RecoveryProblem

RECOVERED = 1e-6
"""Relative RMSE below which a formula counts as the truth."""

WIDER = 1.5
"""The wider box, in widths of the first."""

POINTS = 4096
SEED = 730_211
"""Of the points nobody was trained on; engines draw theirs from small seeds."""


@dataclass(frozen=True, slots=True)
class Errors:
    """RMSE and largest error in the box, relative RMSE (by the standard deviation) in both."""

    rmse: float
    max_error: float
    relative: float
    wide: float

    @property
    def recovered(self) -> bool:
        """Whether the formula is the truth but for rounding."""
        return self.relative < RECOVERED and self.wide < RECOVERED


@dataclass(frozen=True)
class Judge:
    """Held-out points of a problem's box and of the wider one, with the truth."""

    x: Array
    y: Array
    wide_x: Array
    wide_y: Array

    @classmethod
    def of(cls, problem: RecoveryProblem) -> Judge:
        """The judge of a problem."""
        return cls(*problem.points(POINTS, SEED), *problem.points(POINTS, SEED + 1, WIDER))

    @property
    def range(self) -> float:
        """Largest minus smallest truth in the box."""
        return float(np.ptp(self.y))

    def errors(self, formula: Expression) -> Errors:
        """The errors of a formula; infinite where it has no value and the truth has one."""
        rmse, largest, relative = _errors(formula, self.x, self.y)
        return Errors(rmse, largest, relative, _errors(formula, self.wide_x, self.wide_y)[2])


def _errors(formula: Expression, x: Array, y: Array) -> tuple[float, float, float]:
    with np.errstate(all="ignore"):
        error = np.abs(formula(x) - y)
    if not np.isfinite(error).all():
        return (np.inf,) * 3
    largest = float(error.max())
    # Scaled first: squares of values beyond 1e154 overflow.
    rmse = largest * float(np.sqrt(np.mean((error / largest) ** 2))) if largest else 0.0
    unit = float(np.abs(y).max()) or 1.0
    spread = unit * float(np.std(y / unit)) or unit
    return rmse, largest, rmse / spread
