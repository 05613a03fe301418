"""What a test hands to the search: a way to take a piece apart, and what it costs in accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from distill.engines.structure.piece import Piece, Values
from distill.formula.tree import Node


@dataclass(frozen=True)
class Level:
    """How exactly things are to be true.

    Attributes
    ----------
    bar : the error the teacher's answers are taken to have, root mean square.
    slack : a finding is believed when an error of ``slack * bar`` explains all deviations.
    target : the error at which a formula of a part counts as found.
    final : the same of the whole.
    rough : parts that are further off are not put together.
    power : a finding is believed only when the test would have seen a deviation this many times
        larger.
    exact : whether nothing but rounding stands between the answers and the formula behind them.
    """

    bar: float
    slack: float
    target: float
    final: float
    rough: float
    power: float
    exact: bool

    @property
    def limit(self) -> float:
        """The largest deviation that is believed to be the teacher's error."""
        return self.slack * self.bar

    def believes(self, deviation: Values, scale: Values | None = None) -> float | None:
        """The price of a finding, None where it is not believed.

        ``deviation`` would be zero if it were true; ``scale`` is how large the test's terms are
        that then cancel.
        """
        price = deviation.size
        if not price <= self.limit:
            return None
        if scale is not None and scale.size < self.power * max(price, self.bar):
            return None
        return price


@dataclass(frozen=True)
class Move:
    """A piece is ``join`` of its ``parts``.

    Attributes
    ----------
    text : what was found, for people.
    price : how far the teacher's answers would have to be off for it to be true.
    parts : the smaller pieces.
    join : the piece's formula from those of the parts, in their order.
    """

    text: str
    price: float
    parts: tuple[Piece, ...]
    join: Callable[[Sequence[Node]], Node]

    def wrapped(self, text: str, back: Callable[[Node], Node]) -> Move:
        """The same move on a piece that is ``back`` of this one."""
        join = self.join
        return replace(self, text=f"{text}: {self.text}", join=lambda trees: back(join(trees)))
