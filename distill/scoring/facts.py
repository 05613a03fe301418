"""What a formula keeps to, proven of itself whatever the teacher is: finite, in range, monotone.

Boxes in which it cannot be shown are split until it can, or the budget is spent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from distill.bounds.base import NotBounded
from distill.bounds.boxes import Boxes
from distill.bounds.deadline import Deadline
from distill.bounds.read import enclosable
from distill.chain.expression import Expression
from distill.domain import Domain
from distill.scoring.halving import Axes, blamed, divisible, halves, widest
from distill.scoring.proof import Fact

BATCH = 2048
"""Boxes that are looked at together."""

FINITE = "finite everywhere on the domain"

Look = Callable[[Boxes], tuple[npt.NDArray[np.bool_], Axes]]
"""Where something holds (n,), and along which axis a box is split where it cannot be shown."""


@dataclass(frozen=True)
class Demands:
    """What is demanded of a formula's values; nothing by default.

    ``low`` and ``high`` bound the output; ``monotone`` maps variables to ``increasing`` or
    ``decreasing``.
    """

    low: float = -np.inf
    high: float = np.inf
    monotone: Mapping[str, str] = field(default_factory=dict)


def facts_of(
    expression: Expression,
    demands: Demands,
    domain: Domain,
    boxes: int,
    *,
    finite: bool = False,
    until: float | None = None,
) -> tuple[Fact, ...]:
    """Whether it is finite, and what is demanded of it, each proven or not.

    ``boxes`` is how many boxes each proof may look at; ``finite`` says that this is known already,
    as from a bound of its error. What cannot be shown before ``until``, a time of
    ``time.monotonic``, is not proven.
    """
    low, high = demands.low, demands.high
    looks: dict[str, Callable[[], Look]] = {}
    if not finite:
        looks[FINITE] = lambda: _within(expression, -np.inf, np.inf, domain)
    if np.isfinite(low) or np.isfinite(high):
        ends = [(f"at least {low:g}", low), (f"at most {high:g}", high)]
        says = " and ".join(text for text, end in ends if np.isfinite(end))
        looks[says] = lambda: _within(expression, low, high, domain)
    for name, way in demands.monotone.items():
        looks[f"{way} in {name}"] = partial(_monotone, expression, name, way, domain)
    facts = [Fact(FINITE, proven=True)] if finite else []
    for says, look in looks.items():
        try:
            facts.append(Fact(says, everywhere(look(), domain, boxes, until)))
        except NotBounded:
            facts.append(Fact(says, proven=False))
    return tuple(facts)


def everywhere(look: Look, domain: Domain, boxes: int, until: float | None = None) -> bool:
    """Whether something can be shown of the whole domain, in time, with so many boxes looked at."""
    left, spent, deadline = Boxes.of(domain), 0, Deadline(until)
    while left.count:
        if deadline.over:
            return False
        part = left.take(np.arange(deadline.at_once(min(BATCH, left.count))))
        rest = left.count - part.count
        spent += part.count
        with deadline.bounding(part.count):
            holds, axes = look(part)
        failed = part.take(~holds)
        if not divisible(failed).all() or spent + 2 * failed.count + rest > boxes:
            return False
        split = halves(failed, axes[~holds], domain)
        later = left.take(np.arange(part.count, left.count))
        # The new ones first: what cannot be shown at all is then met soon.
        left = Boxes(np.hstack([split.low, later.low]), np.hstack([split.high, later.high]))
    return True


def _within(expression: Expression, low: float, high: float, domain: Domain) -> Look:
    function = enclosable(expression)

    def look(boxes: Boxes) -> tuple[npt.NDArray[np.bool_], Axes]:
        band = function.enclose(boxes)
        least, most = band.range()
        holds = np.isfinite(least) & np.isfinite(most) & (least >= low) & (most <= high)
        return holds, blamed(band.blame, boxes, domain)

    return look


def _monotone(expression: Expression, name: str, way: str, domain: Domain) -> Look:
    at = domain.names.index(name)
    function = enclosable(expression)

    def look(boxes: Boxes) -> tuple[npt.NDArray[np.bool_], Axes]:
        low, high = function.slopes(boxes)
        holds = low[at] >= 0 if way == "increasing" else high[at] <= 0
        return holds, widest(boxes, domain)

    return look
