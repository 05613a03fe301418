"""Points in the boxes of which least is proven: where an error may be that no search found."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

import numpy as np

from distill.arrays import Array
from distill.bounds.base import Difference, NotBounded
from distill.bounds.prove import Limits, prove
from distill.bounds.read import enclosable
from distill.domain import Domain
from distill.formula import Formula
from distill.scoring.own_form import OwnForm

RATIO = 1.01
"""The proof goes on to this ratio of bound to found, so that the boxes close in on the worst."""


def suspects(
    formulas: Sequence[Formula],
    own: OwnForm,
    domain: Domain,
    *,
    boxes: int,
    n: int,
    seconds: float | None = None,
) -> Array:
    """At most n points (m, d) where the formulas may be more wrong than a search found.

    A short proof of each formula, with so many boxes, gives the worst point that it met and the
    middles of the boxes with the highest bounds. The formulas take turns, and every point keeps a
    distance from those already taken. Formulas that cannot be enclosed give none, nor do
    those that ``seconds``, for all of them together, leave no time for.
    """
    ranked: list[Array] = []
    if own.function is None or n < 1:
        return np.empty((0, len(domain)))
    until = None if seconds is None else time.monotonic() + seconds
    for number, formula in enumerate(formulas):
        left = None if until is None else until - time.monotonic()
        if left is not None and left <= 0:
            break
        share = None if left is None else left / (len(formulas) - number)
        try:
            difference = Difference(enclosable(formula), own.function)
        except NotBounded:
            continue
        bound = prove(difference, domain, Limits(ratio=RATIO, seconds=share, boxes=boxes))
        ranked.append(domain.clip(np.vstack([bound.at[None, :], bound.worst])))
    distance = 0.5 * n ** (-1 / len(domain))
    taken: list[Array] = []
    for x in itertools.chain.from_iterable(itertools.zip_longest(*ranked)):
        if x is None or len(taken) == n:
            continue
        place = domain.to_unit(x[None, :])
        if all(np.abs(domain.to_unit(t[None, :]) - place).max() > distance for t in taken):
            taken.append(x)
    return np.array(taken).reshape(-1, len(domain))
