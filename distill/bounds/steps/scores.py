"""Steps from scores to shares, votes and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.bounds.base import NotBounded
from distill.bounds.builder import Builder
from distill.bounds.form import Form
from distill.bounds.jets import Range
from distill.bounds.lines import Lines
from distill.bounds.lines import step as stairs
from distill.bounds.rounding import gamma
from distill.bounds.steps.blocks import Activation, Bent, Each, Mixed, Narrowed, within
from distill.bounds.steps.ranged import Ranged, widths
from distill.bounds.steps.sums import total
from distill.chain.steps.columns import OneHot
from distill.chain.steps.elementwise import Above
from distill.chain.steps.kernels import OneVsOne
from distill.chain.steps.winner import Softmax, Winner

MOST = 64
"""Classes whose scores are compared pair by pair."""

NOT_BELOW = Lines((0.0,), (0.0, 0.0), (0.0, 1.0), (1.0,))
"""1 from 0 on, 0 below."""


def make_softmax(builder: Builder, source: int, step: Softmax) -> int:
    """``1 / (1 + sum of exp(other - own))``: differences of scores keep what both share.

    Raises
    ------
    NotBounded : for more than ``MOST`` classes.
    """
    k = step.width
    if k == 1:
        return builder.fixed(np.ones(1))
    if k == 2:
        apart = builder.linear([(source, np.array([[1.0, -1.0], [-1.0, 1.0]]))])
        return builder.push(Each(apart, Activation.of("sigmoid")), 2)
    if k > MOST:
        raise _too_many(k)
    apart = builder.linear([(source, _pairs(k))])
    others = builder.apply(apart, "exp")
    sums = total(builder, others, k - 1, offset=1.0)
    shares = builder.apply(sums, "inv")
    return builder.push(Narrowed(shares, shares, within(0.0, 1.0)), k)


def _pairs(k: int) -> Array:
    """(k * (k - 1), k): for each own score every other less it."""
    rows = []
    for own in range(k):
        for other in range(k):
            if other != own:
                rows.append(np.eye(k)[other] - np.eye(k)[own])
    return np.array(rows)


def _too_many(k: int) -> NotBounded:
    return NotBounded(
        f"scores of {k} classes are too many to be compared with each other in a proof; "
        f"{MOST} is the limit.",
        hint="rely on the errors found and on the statistical statement.",
    )


def make_above(builder: Builder, source: int, step: Above) -> int:
    """A step each."""
    apart = builder.shift(source, step.threshold, np.ones(step.inputs))
    return builder.push(Each(apart, Bent(stairs(0.0))), step.outputs)


def make_one_vs_one(builder: Builder, source: int, step: OneVsOne) -> int:
    """A vote of each margin, and with ``ties="margins"`` what their sums add.

    Raises
    ------
    NotBounded : for more than ``MOST`` classes.
    """
    k = step.classes
    if k > MOST:
        raise _too_many(k)
    lines = stairs(0.0) if step.ties == "first" else NOT_BELOW
    votes = builder.push(Each(source, Bent(lines)), step.inputs)
    signs, lost = np.zeros((k, step.inputs)), np.zeros(k)
    for at, (i, j) in enumerate(step.pairs):
        signs[i, at], signs[j, at] = 1.0, -1.0
        lost[j] += 1.0
    counted = builder.linear([(votes, signs)], lost)
    if step.ties == "first":
        return counted
    margins = builder.linear([(source, signs)])
    small = builder.push(Each(margins, Activation.of("softsign")), k)
    third = builder.shift(small, np.zeros(k), np.full(k, 3.0))
    return builder.push(Mixed((counted, third), (1.0, 1.0)), k)


@dataclass(frozen=True)
class Best:
    """The number of the largest or smallest score, from the scores that may be it."""

    largest: bool

    def ranges(self, form: Form) -> Range:
        """From the first to the last score that none is surely better than."""
        possible = self._possible(form)
        numbers = np.arange(len(possible), dtype=float)[:, None]
        least = np.where(possible, numbers, np.inf).min(axis=0)
        most = np.where(possible, numbers, -np.inf).max(axis=0)
        return least[None, :], most[None, :]

    def aims(self, form: Form) -> Array:
        """The scores that may win, where they are several."""
        possible = self._possible(form)
        found: Array = possible * (possible.sum(axis=0) > 1) * form.reach
        return found

    def _possible(self, form: Form) -> Array:
        sign = 1.0 if self.largest else -1.0
        possible = np.ones(form.centre.shape, dtype=bool)
        with np.errstate(all="ignore"):
            sizes = form.size + form.rest
            for i in range(len(possible)):
                slope = np.abs(form.slope[i] - form.slope).sum(axis=1)
                middle = sign * (form.centre[i] - form.centre)
                rest = form.rest[i] + form.rest
                slack = gamma(form.slope.shape[1] + 6) * (sizes[i] + sizes)
                ahead = middle + slope + rest + slack
                if self.largest:
                    ahead = np.fmin(ahead, form.most[i] - form.least)
                else:
                    ahead = np.fmin(ahead, form.most - form.least[i])
                ahead[i] = 0.0
                possible[i] = ~(ahead < 0).any(axis=0)
        return possible


def make_winner(builder: Builder, source: int, step: Winner) -> int:
    """Its range.

    Raises
    ------
    NotBounded : for more than ``MOST`` scores.
    """
    if step.width > MOST:
        raise _too_many(step.width)
    return builder.push(Ranged(source, Best(step.largest)), 1)


@dataclass(frozen=True, eq=False)
class Categories:
    """1 for the category that a number equals, 0 for the others."""

    step: OneHot

    def ranges(self, form: Form) -> Range:
        """1 where a box is the category, 0 where it does not hold it."""
        least, most = [], []
        for values, low, high in zip(self.step.categories, form.least, form.most, strict=True):
            known = values[~np.isnan(values)][:, None]
            may, must = (low <= known) & (known <= high), (low == known) & (high == known)
            other_may, other_must = ~must.any(axis=0), ~may.any(axis=0)
            for value in values:
                if np.isnan(value):
                    most.append(other_may)
                    least.append(other_must)
                else:
                    most.append((low <= value) & (value <= high))
                    least.append((low == value) & (high == value))
        return np.array(least, dtype=float), np.array(most, dtype=float)

    def aims(self, form: Form) -> Array:
        """Inputs that are not one number."""
        return widths(form)


def make_one_hot(builder: Builder, source: int, step: OneHot) -> int:
    """The ranges of the comparisons."""
    return builder.push(Ranged(source, Categories(step)), step.outputs)
