"""Rows of which over a box only their range is known: votes, trees, tables, the nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from distill.arrays import Array
from distill.bounds.form import Form, formed
from distill.bounds.gathered import Gathered
from distill.bounds.jets import Range
from distill.bounds.rounding import gamma


class Ranger(Protocol):
    """A step over boxes."""

    def ranges(self, form: Form) -> Range:
        """Bounds (m, n) of its outputs where its inputs are what the form (k, n) says."""
        ...

    def aims(self, form: Form) -> Array:
        """(k, n), not negative: how much each of its inputs keeps the ranges wide."""
        ...


@dataclass(frozen=True, eq=False)
class Ranged:
    """A step's outputs by their ranges; infinite where an input may be."""

    source: int
    ranger: Ranger

    @property
    def sources(self) -> tuple[int, ...]:
        """The one."""
        return (self.source,)

    def forward(self, given: Sequence[Form]) -> tuple[Form, None]:
        """The middle of each range and what is left."""
        form = given[0]
        with np.errstate(all="ignore"):
            least, most = self.ranger.ranges(form)
            known = (np.isfinite(form.least) & np.isfinite(form.most)).all(axis=0)
            least, most = np.where(known, least, -np.inf), np.where(known, most, np.inf)
            middle = least / 2 + most / 2
            slack = gamma(3) * (np.abs(least) + np.abs(most))
            slack = np.where(least == most, 0.0, slack)
            slope = np.zeros((len(least), *form.slope.shape[1:]))
            low, high = least - middle - slack, most - middle + slack
        return formed(middle, slope, low, high, least, most), None

    def backward(
        self, weight: Array, given: Sequence[Form], own: Form, kept: None, into: Gathered
    ) -> list[Array]:
        """Nothing goes further; the inputs are to blame as the ranger says."""
        form = given[0]
        aims = self.ranger.aims(form)
        share = np.where(form.reach > 0, aims / form.reach, 0.0)
        guide = np.einsum("kn,kdn->dn", share, np.abs(form.slope))
        slope = np.broadcast_to(guide, (len(weight), *guide.shape))
        into.remainder(weight, own.low, own.high, _guided(own, slope))
        return [np.zeros_like(form.centre)]

    def steep(self, slope: Range, given: Sequence[Form], own: Form) -> list[Range]:
        """Unknown where the outputs may change at all: they may jump."""
        form = given[0]
        asked = ((slope[0] != 0) | (slope[1] != 0)) & (own.least < own.most)
        edge = np.where(asked.any(axis=0), np.inf, 0.0)
        edge = np.broadcast_to(edge, form.centre.shape)
        return [(-edge, edge)]


def _guided(own: Form, slope: Array) -> Form:
    return Form(own.centre, slope, own.low, own.high, own.least, own.most, own.lost)


def widths(form: Form) -> Array:
    """Aims by nothing but how much the inputs vary, (k, n)."""
    return form.reach
