"""One box: how far apart two functions can be on it, found by halving it where needed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from flint import arb

from distill.checking.forms import mean_value, quadratic
from distill.checking.formulas import Put
from distill.checking.tape import Tape
from distill.checking.terms import Term

Box = tuple[tuple[float, ...], tuple[float, ...]]
"""Lowest and highest inputs, each (d,)."""

SLIM = 64
"""How much narrower than along another axis a box may become."""

BUDGET = 4_000
"""Into how many boxes one box of a certificate is divided at most."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A box on which the claim does not hold, or could not be shown.

    ``reached`` is the bound that was found there (infinite where a function may be undefined),
    ``certain`` whether the difference really is as large: then at ``low``, a point. ``why`` says
    what stood in the way of a bound, if that is known.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    reached: float
    certain: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Range:
    """The range of a difference over a box.

    [low, high] has exact ends, not finite where nothing is known; ``middle`` is the value at the
    middle, undefined where kinks are in the way; ``blame`` (d,) how much each axis adds to what is
    not known; ``why`` what stands in the way of a bound, if that is known.
    """

    low: arb
    high: arb
    middle: arb
    blame: tuple[float, ...]
    why: str = ""


Find = Callable[[Box], Range]
"""The range of a difference over a box."""


def difference(a: Put, b: Put, box: Box) -> Range:
    """The range of a - b over the box."""
    tape = Tape(*box)
    return range_of(tape, tape.minus(a(tape, tape.inputs), b(tape, tape.inputs)))


def range_of(tape: Tape, result: Term) -> Range:
    """The range of a term, from the narrowest of its forms; once for each tape."""
    form = tape.enclosure(result)
    low, high = form.low, form.high
    for below, above in (quadratic(form), mean_value(form)):
        low = below if below.is_finite() and not low >= below else low
        high = above if above.is_finite() and not high <= above else high
    middle = form.value if form.free.is_zero() else arb("nan")
    blame = tuple(
        sum(float(c.rad()) + (0.0 if i == j else 0.3 * abs(float(c))) for j, c in enumerate(row))
        for i, row in enumerate(form.curve)
    )
    return Range(low, high, middle, blame)


def verify(
    a: Put, b: Put, box: Box, bound: arb, budget: int = BUDGET
) -> tuple[int, Failure | None]:
    """Whether |a - b| <= bound on the box; see :func:`examine`."""
    return examine(lambda part: difference(a, b, part), box, bound, budget)


def examine(
    find: Find, box: Box, bound: arb, budget: int = BUDGET, *, noisy: bool = False
) -> tuple[int, Failure | None]:
    """Whether a difference stays within the bound; gives how many boxes it took, and what failed.

    The box is halved, again and again, along the axis that is to blame most (where none is, the
    one that is widest in the measure of the first box), until every part is verified, one is
    refuted, or the budget is spent. The part with the highest bound comes first: if the claim is
    wrong, that is where it shows.

    Parameters
    ----------
    noisy : whether the difference has a range even at a point. Such points are asked now and then:
        one that is not within the bound ends the search, as no smaller box would help.
    """
    scale = [h - low or 1.0 for low, h in zip(*box, strict=True)]
    waiting: list[tuple[float, int, Box]] = [(0.0, 0, box)]
    count = 0
    while waiting:
        _, _, part = heappop(waiting)
        count += 1
        found = find(part)
        if -bound <= found.low and found.high <= bound:
            continue
        if abs(found.middle) > bound:
            point = tuple(_middle(x, y) for x, y in zip(*part, strict=True))
            return count, Failure(point, point, _largest(found.middle, found.middle), True)
        reached = _largest(found.low, found.high)
        if noisy and count & (count - 1) == 0:
            failed = _at_points(find, part, bound, noisy=True)
            if failed is not None:
                return count, failed
        halves = _halved(part, scale, found.blame)
        if count >= budget or halves is None:
            failed = _at_points(find, part, bound, noisy=False)
            return count, failed or Failure(*part, reached, False, found.why)
        for number, half in enumerate(halves):
            heappush(waiting, (-reached, 2 * count + number, half))
    return count, None


def _at_points(find: Find, box: Box, bound: arb, *, noisy: bool) -> Failure | None:
    """A point of the box, corner or middle, where the difference surely is larger, if one is.

    With ``noisy`` also one where it may be, if there is none where it is.
    """
    unsure: Failure | None = None
    for point in (box[0], box[1], tuple(_middle(x, y) for x, y in zip(*box, strict=True))):
        found = find((point, point))
        reached = _largest(found.low, found.high)
        if found.low > bound or found.high < -bound:
            return Failure(point, point, reached, True, found.why)
        if noisy and not (-bound <= found.low and found.high <= bound):
            unsure = Failure(point, point, reached, False, found.why)
    return unsure


def _middle(low: float, high: float) -> float:
    return low + (high - low) / 2


def _halved(box: Box, scale: Sequence[float], blame: Sequence[float]) -> tuple[Box, Box] | None:
    """Both halves, with the middle in each; None where no number lies between the ends."""
    low, high = box
    wide = [(h - x) / s for x, h, s in zip(low, high, scale, strict=True)]
    # An axis that was halved often already waits, whoever is to blame.
    able = [w > 0 and w >= max(wide) / SLIM for w in wide]
    known = all(math.isfinite(share) for share in blame) and max(blame) > 0
    measure = blame if known else wide
    axis = max(range(len(low)), key=lambda i: (able[i], measure[i], wide[i]))
    middle = _middle(low[axis], high[axis])
    if not low[axis] < middle < high[axis]:
        return None
    left = (low, (*high[:axis], middle, *high[axis + 1 :]))
    right = ((*low[:axis], middle, *low[axis + 1 :]), high)
    return left, right


def _largest(low: arb, high: arb) -> float:
    """The larger size of two ends, as a number for people."""
    if not (low.is_finite() and high.is_finite()):
        return float("inf")
    return max(abs(float(low.mid())), abs(float(high.mid())))
