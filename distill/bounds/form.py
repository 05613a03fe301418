"""What is known of each row of a block over each box, on the way forward."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from distill.arrays import Array, Flags
from distill.bounds.rounding import gamma
from distill.chain.checks import Whole


@dataclass(frozen=True, eq=False)
class Form:
    """m rows over n boxes of d inputs: ``centre + sum_i slope_i e_i + [low, high]``.

    Attributes
    ----------
    centre : (m, n), any finite numbers.
    slope : (m, d, n).
    low, high : (m, n), where the row less centre and slopes lies; infinite where nothing is known.
    least, most : (m, n), the row's own range.
    lost : (m, n), where nothing but the range is known: centre and remainder are made of it.
    """

    centre: Array
    slope: Array
    low: Array
    high: Array
    least: Array
    most: Array
    lost: Flags

    @cached_property
    def reach(self) -> Array:
        """(m, n): how far the slopes move the row from its centre."""
        reach: Array = np.abs(self.slope).sum(axis=1) * (1 + gamma(self.slope.shape[1]))
        return reach

    @property
    def size(self) -> Array:
        """(m, n): how large centre and slopes may make the row."""
        return np.abs(self.centre) + self.reach

    @cached_property
    def rest(self) -> Array:
        """(m, n): the size of what centre and slopes leave."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def rows(self, index: Whole) -> Form:
        """Some rows."""
        return Form(
            self.centre[index],
            self.slope[index],
            self.low[index],
            self.high[index],
            self.least[index],
            self.most[index],
            np.zeros((len(index), self.centre.shape[1]), dtype=bool),
        )


def formed(
    centre: Array,
    slope: Array,
    low: Array,
    high: Array,
    least: Array | float = -np.inf,
    most: Array | float = np.inf,
) -> Form:
    """A form whose range is the narrower of the one given and the one that follows.

    Where a number is not finite nothing is known but the range given.
    """
    shape = centre.shape
    least, most = np.broadcast_to(least, shape), np.broadcast_to(most, shape)
    # A range that is no number says nothing.
    least = np.where(np.isnan(least), -np.inf, least)
    most = np.where(np.isnan(most), np.inf, most)
    with np.errstate(invalid="ignore", over="ignore"):
        reach = np.abs(slope).sum(axis=1)
        lost = ~(np.isfinite(centre) & np.isfinite(reach) & np.isfinite(low) & np.isfinite(high))
        slack = gamma(slope.shape[1] + 3) * (np.abs(centre) + reach)
        slack = slack + gamma(3) * (np.abs(low) + np.abs(high))
        follows_low, follows_high = centre - reach + low - slack, centre + reach + high + slack
        if lost.any():
            slope = np.where(lost[:, None], 0.0, slope)
            middle = np.where(np.isfinite(least) & np.isfinite(most), least / 2 + most / 2, 0.0)
            centre = np.where(lost, middle, centre)
            slack = gamma(3) * (np.abs(least) + np.abs(most))
            low = np.where(lost, least - middle - slack, low)
            high = np.where(lost, most - middle + slack, high)
            follows_low = np.where(lost, -np.inf, follows_low)
            follows_high = np.where(lost, np.inf, follows_high)
    return Form(
        centre,
        slope,
        low,
        high,
        np.maximum(least, follows_low),
        np.minimum(most, follows_high),
        lost,
    )


def times(weight: Array, size: Array) -> Array:
    """Their product; a weight of 0 takes nothing of an infinite size."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(weight == 0, 0.0, weight * size)
