"""How shares of the result go back through the steps of a tape, by the chain rule in reverse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from flint import arb, arb_mat

from distill.checking.balls import ZERO
from distill.checking.terms import Bend, Term


class Collector(Protocol):
    """What gathers, on the way back, all that is not linear in the inputs."""

    def curved(self, left: Sequence[arb], right: Sequence[arb]) -> None:
        """Add ``(left . e) * (right . e)`` to the second derivatives."""

    def loosened(self, share: arb) -> None:
        """Add what a free number adds to the result."""


class Step(Protocol):
    """How shares of the result go back through one step."""

    def back(self, shares: list[arb | None], result: Collector) -> None:
        """Hand the shares of what the step gave to what it took."""


@dataclass(slots=True)
class Bent:
    """A function of one number."""

    source: int
    target: int
    bend: Bend
    slopes: Sequence[arb]

    def back(self, shares: list[arb | None], result: Collector) -> None:
        """The argument gets its share; what bends and what is free is collected."""
        share = shares[self.target]
        if share is None:
            return
        bend = self.bend
        if bend.curves is not ZERO:
            factor = share * bend.curves
            result.curved([factor * g for g in self.slopes], self.slopes)
        if bend.free is not ZERO:
            result.loosened(share * bend.free)
        _hand(shares, self.source, share * bend.slopes)


@dataclass(slots=True)
class Loose:
    """A number of which only a range is known."""

    target: int
    free: arb

    def back(self, shares: list[arb | None], result: Collector) -> None:
        """All of it is free."""
        share = shares[self.target]
        if share is not None:
            result.loosened(share * self.free)


@dataclass(slots=True)
class Sum:
    """A sum of numbers, each with its factor."""

    target: int
    parts: tuple[tuple[int, arb], ...]

    def back(self, shares: list[arb | None], result: Collector) -> None:
        """Every part gets its factor of the share."""
        share = shares[self.target]
        if share is not None:
            for at, factor in self.parts:
                _hand(shares, at, share * factor)


@dataclass(slots=True)
class Product:
    """A product of two numbers."""

    target: int
    a: Term
    b: Term

    def back(self, shares: list[arb | None], result: Collector) -> None:
        """Each gets the other's range of the share; that both move together is collected."""
        share = shares[self.target]
        if share is None:
            return
        a, b = self.a, self.b
        if not (a.constant or b.constant):
            twice = share + share
            result.curved([twice * g for g in a.slopes], b.slopes)
        _hand(shares, a.at, share * b.range)
        _hand(shares, b.at, share * a.range)


@dataclass(slots=True)
class Mapped:
    """A linear map of numbers."""

    sources: tuple[int, ...]
    targets: tuple[int, ...]
    weights: arb_mat

    def back(self, shares: list[arb | None], result: Collector) -> None:
        """The sources get the shares of all targets through the map."""
        given = [shares[at] for at in self.targets]
        if all(share is None for share in given):
            return
        row = arb_mat(1, len(given), [ZERO if share is None else share for share in given])
        for at, share in zip(self.sources, (row * self.weights).entries(), strict=True):
            _hand(shares, at, share)


def _hand(shares: list[arb | None], at: int, share: arb) -> None:
    """Add a share to that of a number; constants have no place."""
    if at >= 0:
        before = shares[at]
        shares[at] = share if before is None else before + share
