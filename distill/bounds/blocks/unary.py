"""Functions of every row alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.bounds.form import Form, formed, times
from distill.bounds.gathered import Gathered
from distill.bounds.jets import SLACK, Range, Smooth
from distill.bounds.relax import Relaxation, relax, relax_kink
from distill.bounds.rounding import TINY, UNIT, gamma, product

Curved = tuple[Relaxation, Array, Array]
"""A relaxation, and the lower and upper end of all that it leaves."""


@dataclass(frozen=True, eq=False)
class _Curved:
    """What relaxed functions of one block have in common."""

    source: int

    @property
    def sources(self) -> tuple[int, ...]:
        """The one."""
        return (self.source,)

    def backward(
        self,
        weight: Array,
        given: Sequence[Form],
        own: Form,
        kept: Curved,
        into: Gathered,
    ) -> list[Array]:
        """The slope's part; the parabola's is collected."""
        return [curved_back(weight, given[0], kept, into)]


@dataclass(frozen=True, eq=False)
class Apply(_Curved):
    """A smooth function of every row."""

    function: Smooth

    def forward(self, given: Sequence[Form]) -> tuple[Form, Curved]:
        """A parabola and a remainder for each row."""
        form = given[0]
        made = relax(self.function, form.centre, form.least, form.most)
        return curved(made, form)

    def steep(self, slope: Range, given: Sequence[Form], own: Form) -> list[Range]:
        """By the range of the derivative."""
        with np.errstate(all="ignore"):
            jet = self.function.over(given[0].least, given[0].most)
            low, high = jet.first
            slack = SLACK * (np.maximum(np.abs(low), np.abs(high)) + self.function.scale)
        return [product(low - slack, high + slack, *slope)]


@dataclass(frozen=True, eq=False)
class Kink(_Curved):
    """``z < 0 ? below*z : above*z`` of every row."""

    below: float
    above: float

    def forward(self, given: Sequence[Form]) -> tuple[Form, Curved]:
        """Exact on one side of 0, a chord across it."""
        form = given[0]
        return curved(relax_kink(self.below, self.above, form.centre, form.least, form.most), form)

    def steep(self, slope: Range, given: Sequence[Form], own: Form) -> list[Range]:
        """Both slopes where 0 is between."""
        form = given[0]
        least, most = min(self.below, self.above), max(self.below, self.above)
        low = np.where(form.most < 0, self.below, np.where(form.least > 0, self.above, least))
        high = np.where(form.most < 0, self.below, np.where(form.least > 0, self.above, most))
        return [product(low, high, *slope)]


def curved(made: Relaxation, form: Form) -> tuple[Form, Curved]:
    """The form of a relaxed function of a form, and the relaxation with its whole remainder."""
    with np.errstate(all="ignore"):
        curve, slope = made.curve, made.slope
        # t = G e + rest: of curve*t^2 the part (G e)^2 is quadratic, the rest remains.
        cross = np.abs(curve) * (2 * form.reach + form.rest) * form.rest
        sizes = np.abs(slope) * form.reach + np.abs(made.value) + np.abs(curve) * form.reach**2
        noise = times(np.ones_like(cross), gamma(8) * sizes + TINY)
        cross = np.where(curve == 0, 0.0, cross * (1 + gamma(8)))
        low, high = made.low - cross - noise, made.high + cross + noise
        parts = [times(slope, form.low), times(slope, form.high)]
        bend = curve * form.reach**2
        below = np.minimum(*parts) + low + np.minimum(bend, 0.0)
        above = np.maximum(*parts) + high + np.maximum(bend, 0.0)
        slack = gamma(6) * (np.abs(below) + np.abs(above) + np.abs(bend))
        own = formed(
            made.value,
            slope[:, None] * form.slope,
            below - slack,
            above + slack,
            made.range[0],
            made.range[1],
        )
    return own, (made, low, high)


def curved_back(weight: Array, form: Form, kept: Curved, into: Gathered) -> Array:
    """The weight that reaches the argument of a relaxed function."""
    made, low, high = kept
    into.remainder(weight, low, high, form)
    if made.curve.any():
        into.product(weight * made.curve, form, form)
    passed = weight * made.slope
    if form.rest.any():
        into.noise(UNIT * 2 * np.abs(passed), form.rest)
    return passed
