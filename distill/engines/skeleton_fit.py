"""All constants of a formula of a given form, fitted together and made simple.

Numbers written in the skeleton stay; a part that is used several times is one and the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from distill.arrays import Array
from distill.engines import polish
from distill.engines.polish import NEGLIGIBLE, least_squares
from distill.engines.skeleton import FIXED, Skeleton
from distill.engines.snap import simple_values
from distill.errors import FormulaError
from distill.formula import Formula
from distill.formula.simplify import simplify_formula
from distill.formula.tree import Node, Number, rewrite

SNAP_FACTOR = 1.02
ROUNDED = 1e-12
ITERATIONS = 40

Points = tuple[Array, Array]
"""Points (n, d) and the answers there (n,)."""


def fitted_forms(
    skeleton: Skeleton,
    parts: Mapping[str, Node],
    constants: Mapping[str, float],
    fitting: Points,
    checking: Points,
) -> Iterator[tuple[Formula, str, float]]:
    """The skeleton with these parts: formulas, how their constants were fitted, and their errors.

    Errors are root mean squares over the points ``checking``; formulas without values there, and
    those nested too deep, are left out.
    """
    try:
        tree = skeleton.fill(parts, constants)
    except FormulaError:
        return
    x, y = checking
    floor = NEGLIGIBLE * float(np.max(np.abs(fitting[1])))
    tied = _Tied.tied(tree, skeleton.labels(parts), skeleton, fitting)
    fitted = tied.improved(ITERATIONS)
    simple = fitted.simpler(max(SNAP_FACTOR * fitted.rms(), floor))
    worst = fitted.levelled()
    for each, how in ((fitted, "fitted"), (worst, "minimax"), (simple, "simple constants")):
        formula = Formula(each.solved, skeleton.domain)
        tidy = simplify_formula(formula, x, seconds=None)
        # Constants that became one are off by rounding: exp(0.693...)*0.5 is 1.
        tidy = Formula(rewrite(tidy.tree, _unrounded), skeleton.domain)
        tidy = simplify_formula(tidy, x, seconds=None)
        with np.errstate(all="ignore"):
            off = float(np.sqrt(np.mean((tidy(x) - y) ** 2)))
        if math.isfinite(off):
            yield tidy, how, off


def _unrounded(node: Node) -> Node:
    """A number that six digits say but for rounding, as these say it."""
    if not isinstance(node, Number):
        return node
    short = float(f"{node.value:.6g}")
    return Number(short) if abs(short - node.value) <= ROUNDED * abs(short) else node


@dataclass(frozen=True)
class _Tied(polish.Fit):
    """A fit in which constants with one label are one: column j of ``ties`` says which.

    ``free`` holds the first of each, for those who ask how large the free constants are.
    """

    ties: Array

    @classmethod
    def tied(cls, tree: Node, labels: list[int], skeleton: Skeleton, points: Points) -> _Tied:
        """All constants but the skeleton's own numbers are free."""
        plain = polish.Fit.of(tree, skeleton.domain.names, *points)
        different = [label for label in dict.fromkeys(labels) if label != FIXED]
        ties = np.array(labels)[:, None] == np.array(different)[None, :]
        tied = cls(**vars(plain), ties=np.empty((len(labels), 0)))
        return tied.tying(ties.astype(float).reshape(len(labels), len(different)))

    def tying(self, ties: Array) -> _Tied:
        """The same with other constants free."""
        first = ties.argmax(axis=0) if ties.shape[1] else np.empty(0, dtype=int)
        return replace(self, ties=ties, free=first)

    def slopes(self) -> tuple[Array, Array]:
        """Signed errors (n,) and their derivatives by what is free (n, k)."""
        values, jacobian = self.program.by_constants(self.x, self.theta)
        return (values - self.y) * self.weight, jacobian * self.weight[:, None] @ self.ties

    def moved(self, step: Array) -> _Tied:
        """The fit with what is free moved by ``step`` (k,)."""
        return replace(self, theta=self.theta + self.ties @ step)

    def improved(self, iterations: int) -> _Tied:
        """The least squares fit near its constants."""
        if not (self.ties.shape[1] and math.isfinite(self.rms())):
            return self
        return replace(self, theta=least_squares(self, iterations).theta)

    def levelled(self) -> _Tied:
        """The fit whose largest error is smallest near its constants."""
        return replace(self, theta=polish.minimax(self).theta)

    def simpler(self, limit: float) -> _Tied:
        """Constants as simple as a root mean square error of ``limit`` allows: 0, 1, rounder ones.

        Factors and addends that the form leaves open become 1 and 0, and vanish.
        """
        fit, open_ = self, list(range(self.ties.shape[1]))
        # What vanishes goes first: where two constants do one thing, one of them is not needed.
        stages: tuple[Callable[[float], Iterable[float]], ...]
        stages = (lambda value: (0.0,), lambda value: (1.0,), simple_values)
        for values in stages:
            for at in reversed(open_.copy()):
                rest = fit.tying(self.ties[:, [other for other in open_ if other != at]])
                which = self.ties[:, at] > 0.0
                for simple in values(float(fit.theta[which][0])):
                    trial = replace(rest, theta=np.where(which, simple, fit.theta))
                    # Without a part of the formula the others have far to go.
                    trial = trial.improved(8 if simple else ITERATIONS)
                    if trial.rms() <= limit:
                        fit = trial
                        open_.remove(at)
                        break
        return fit
