"""What is to be explained: a function of a few variables over a box, with its error bars.

The whole teacher is one piece, and every finding turns a piece into smaller ones. A piece's
variables are views (``x1 - x2``, ``log(m)``) of the teacher's inputs. Its answers carry their
*sensitivity*: how far an error of 1 in the teacher's answers moves them. Thresholds need no scale
of their own then: every deviation a test sees is compared with what the teacher's own error can do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from distill.arrays import Array
from distill.formula.tree import Node


class Values(NamedTuple):
    """Answers y (n,), NaN where there is none, and their sensitivities s (n,), positive.

    ``s`` has the unit of y over that of the teacher's output.
    """

    y: Array
    s: Array


@dataclass(frozen=True)
class Curve:
    """A function of one variable on [low, high]."""

    ask: Callable[[Array], Values]
    low: float
    high: float

    def __call__(self, x: Array) -> Values:
        """Answers at x (n,)."""
        return self.ask(x)


@dataclass(frozen=True)
class Fit:
    """A formula for a piece and its error.

    ``error`` is the root mean square of (formula - y) / s on points it was not fitted on: so far
    off the teacher's answers would have to be. Infinite where the formula is not finite.
    """

    tree: Node
    error: float


def weighted_error(values: Array, truth: Values) -> float:
    """The root mean square of (values - y) / s over the finite y; infinite without any."""
    with np.errstate(all="ignore"):
        off = (values - truth.y) / truth.s
    off = off[np.isfinite(truth.y)]
    error = float(np.sqrt(np.mean(off * off))) if len(off) else np.inf
    return error if np.isfinite(error) else np.inf
