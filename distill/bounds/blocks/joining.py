"""Products and choices, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from distill.arrays import Array, Flags
from distill.bounds.form import Form, formed, times
from distill.bounds.gathered import Gathered
from distill.bounds.jets import Range
from distill.bounds.rounding import TINY, gamma, product


@dataclass(frozen=True, eq=False)
class Product:
    """Two sources multiplied row by row."""

    first: int
    second: int

    @property
    def sources(self) -> tuple[int, ...]:
        """Both."""
        return self.first, self.second

    def forward(self, given: Sequence[Form]) -> tuple[Form, Array]:
        """Each times the other's centre; the product of slopes is quadratic, the rest remains."""
        a, b = given
        with np.errstate(all="ignore"):
            cross = a.reach * b.rest + b.reach * a.rest + a.rest * b.rest
            flat = (np.abs(a.centre) + a.reach) * (np.abs(b.centre) + b.reach)
            passed = np.abs(b.centre) * a.rest + np.abs(a.centre) * b.rest
            noise = gamma(6) * (flat + cross + passed) + TINY
            wide = cross + noise
            bend = a.reach * b.reach
            parts = [times(a.centre, e) for e in (b.low, b.high)]
            others = [times(b.centre, e) for e in (a.low, a.high)]
            low = np.minimum(*parts) + np.minimum(*others)
            high = np.maximum(*parts) + np.maximum(*others)
            rough = gamma(4) * (np.abs(low) + np.abs(high)) + wide
            least, most = product(a.least, a.most, b.least, b.most)
            made = formed(
                a.centre * b.centre,
                a.centre[:, None] * b.slope + b.centre[:, None] * a.slope,
                low - bend - rough,
                high + bend + rough,
                least,
                most,
            )
        return made, wide

    def backward(
        self,
        weight: Array,
        given: Sequence[Form],
        own: Form,
        kept: Array,
        into: Gathered,
    ) -> list[Array]:
        """The other's centre each; the product of slopes is collected."""
        a, b = given
        into.noise(weight, kept)
        into.product(weight, a, b)
        return [weight * b.centre, weight * a.centre]

    def steep(self, slope: Range, given: Sequence[Form], own: Form) -> list[Range]:
        """By the other's range each."""
        a, b = given
        return [product(b.least, b.most, *slope), product(a.least, a.most, *slope)]


@dataclass(frozen=True, eq=False)
class Choose:
    """``a < b ? then : otherwise``, row by row."""

    a: int
    b: int
    then: int
    otherwise: int

    @property
    def sources(self) -> tuple[int, ...]:
        """All four."""
        return self.a, self.b, self.then, self.otherwise

    def forward(self, given: Sequence[Form]) -> tuple[Form, tuple[Array, Array, Array]]:
        """The branch where it is known; else the middle of both, off by half their distance."""
        a, b, t, o = given
        less, not_less = _decided(a, b)
        wt = np.where(less, 1.0, np.where(not_less, 0.0, 0.5))
        wo = 1.0 - wt
        with np.errstate(all="ignore"):
            apart = np.abs(t.centre - o.centre) + np.abs(t.slope - o.slope).sum(axis=1)
            apart = apart * (1 + gamma(t.slope.shape[1] + 2)) + t.rest + o.rest
            wide = np.where(wt == 0.5, apart / 2 * (1 + gamma(2)), 0.0)
            noise = np.where(wt == 0.5, gamma(4) * (np.abs(t.size) + np.abs(o.size)), 0.0)
            wide = wide + noise
            made = formed(
                times(wt, t.centre) + times(wo, o.centre),
                times(wt[:, None], t.slope) + times(wo[:, None], o.slope),
                times(wt, t.low) + times(wo, o.low) - wide,
                times(wt, t.high) + times(wo, o.high) + wide,
                np.where(less, t.least, np.where(not_less, o.least, np.minimum(t.least, o.least))),
                np.where(less, t.most, np.where(not_less, o.most, np.maximum(t.most, o.most))),
            )
        return made, (wt, wo, wide)

    def backward(
        self,
        weight: Array,
        given: Sequence[Form],
        own: Form,
        kept: tuple[Array, Array, Array],
        into: Gathered,
    ) -> list[Array]:
        """To the branch that is taken, half to each where it is open."""
        a, b, _, _ = given
        wt, wo, wide = kept
        into.remainder(weight, -wide, wide, _apart(a, b))
        none = np.zeros_like(weight)
        return [none, none, weight * wt, weight * wo]

    def steep(self, slope: Range, given: Sequence[Form], own: Form) -> list[Range]:
        """Unknown where the branch is open: there may be a jump."""
        a, b, _, _ = given
        less, not_less = _decided(a, b)
        none = np.zeros_like(slope[0])
        unknown = (np.full_like(none, -np.inf), np.full_like(none, np.inf))

        def of(taken: Flags, other: Flags) -> Range:
            return (
                np.where(taken, slope[0], np.where(other, 0.0, unknown[0])),
                np.where(taken, slope[1], np.where(other, 0.0, unknown[1])),
            )

        decided = less | not_less
        asked = (np.where(decided, 0.0, -np.inf), np.where(decided, 0.0, np.inf))
        return [asked, asked, of(less, not_less), of(not_less, less)]


def _apart(a: Form, b: Form) -> Form:
    """``a - b``, as far as it says which inputs move it."""
    return replace(a, slope=np.abs(a.slope) + np.abs(b.slope))


def _decided(a: Form, b: Form) -> tuple[Flags, Flags]:
    """Where a is below b on the whole box, and where nowhere: flags (m, n)."""
    with np.errstate(all="ignore"):
        gap = np.abs(a.slope - b.slope).sum(axis=1)
        centre = a.centre - b.centre
        slack = gamma(a.slope.shape[1] + 4) * (a.size + b.size)
        low, high = centre - gap + (a.low - b.high), centre + gap + (a.high - b.low)
        slack = slack + gamma(4) * (np.abs(a.low - b.high) + np.abs(a.high - b.low))
        less = (high + slack < 0) | (a.most < b.least)
        not_less = (low - slack > 0) | (a.least >= b.most)
    return less, not_less & ~less
