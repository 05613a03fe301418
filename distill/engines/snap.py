"""Constants a person would write: integers, simple fractions, multiples of pi, fewer digits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from distill.engines.polish import Fit, least_squares

FRACTIONS = (1, 2, 3, 4, 5, 6, 8, 10, 12)
MOST_DIGITS = 9

UNITS = (1.0, math.pi)
RARE_UNITS = (1 / math.pi, math.pi**2, 1 / math.pi**2, math.sqrt(2), math.sqrt(3),
              math.sqrt(math.pi), 1 / math.sqrt(2 * math.pi))  # fmt: skip
RARE_FRACTIONS = (1, 2, 3, 4, 6, 8)
LARGEST_RARE = 8
"""What formulas of physics are full of, taken with small factors only."""


def snapped(fit: Fit, limit: float) -> Fit:
    """A fit whose constants are as simple as a root mean square error of ``limit`` allows.

    The constant that matters least is made simple first; the others follow by least squares.
    """
    free = list(fit.free)
    while free:
        current = replace(fit, free=np.array(free))
        _, jacobian = current.slopes()
        weight = np.abs(current.theta[free]) * np.linalg.norm(jacobian, axis=0)
        chosen = free[int(np.argmin(np.nan_to_num(weight, nan=np.inf)))]
        free.remove(chosen)
        for value in simple_values(float(fit.theta[chosen])):
            theta = current.theta.copy()
            theta[chosen] = value
            trial = replace(fit, theta=theta, free=np.array(free, dtype=int))
            if free and trial.rms() > limit:
                trial = least_squares(trial, 3)
            if trial.rms() <= limit:
                fit = replace(trial, free=fit.free)
                break
    return fit


def rounded(fit: Fit, limit: float) -> Fit:
    """The fit with as few significant digits as a largest error of ``limit`` allows."""
    for digits in range(2, MOST_DIGITS + 1):
        theta = np.array([float(f"{v:.{digits}g}") for v in fit.theta])
        trial = replace(fit, theta=theta)
        if trial.worst() <= limit:
            return trial
    return fit


def simple_values(value: float) -> Iterator[float]:
    """Values near ``value`` that are simpler than it, the simplest first; six digits at most."""
    seen: set[float] = set()
    for near in _near(value):
        if near == value:
            return
        if near not in seen and abs(near - value) <= 0.2 * abs(value):
            seen.add(near)
            yield near


def _near(value: float) -> Iterator[float]:
    for unit in UNITS:
        for q in FRACTIONS:
            p = round(value / unit * q)
            if p and abs(p) <= 1000:
                yield p * unit / q
    for unit in RARE_UNITS:
        for q in RARE_FRACTIONS:
            p = round(value / unit * q)
            if p and abs(p) <= LARGEST_RARE:
                yield p * unit / q
    for digits in range(2, 7):
        yield float(f"{value:.{digits}g}")
