"""How far two functions are apart at most, as closely as a budget of boxes allows."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from distill.arrays import Array
from distill.bounds.base import Enclosable
from distill.bounds.prove import Bound, Limits, prove
from distill.domain import Domain
from distill.progress import Progress

CLOSE = 1.05
"""A bound so near to the largest value found is close enough where the limit does not matter."""

FIRST_PART = 4
"""The part of the boxes, one in so many, that a bound of its own may take before the limit counts.
"""


@dataclass(frozen=True)
class Budget:
    """What proofs of one export may take.

    ``boxes`` makes a proof reproducible; ``until``, a time of ``time.monotonic``, is for safety;
    ``workers`` are processes.
    """

    boxes: int
    until: float | None = None
    workers: int = 1

    @classmethod
    def of(cls, boxes: int, seconds: float | None, workers: int) -> Budget:
        """A budget that begins now."""
        return cls(boxes, None if seconds is None else time.monotonic() + seconds, workers)

    @property
    def seconds(self) -> float | None:
        """What is left; None for any time."""
        return None if self.until is None else max(0.0, self.until - time.monotonic())


def bound_within(
    function: Enclosable,
    domain: Domain,
    allowed: float,
    budget: Budget,
    progress: Progress,
    *,
    what: str,
    found: Array | None = None,
) -> Bound:
    """A bound of |function|: close to the largest value found, or at least within ``allowed``.

    Neither where the budget ends before; ``found`` are points (m, d) to look at.
    """

    def tell(bound: float, size: float, boxes: int) -> None:
        progress.advance(None, f"proving {what}: at most {bound:.4g}, found {size:.4g}, {boxes:,}")

    boxes = max(1, budget.boxes // FIRST_PART)
    closely = Limits(CLOSE, seconds=budget.seconds, boxes=boxes, workers=budget.workers)
    first = prove(function, domain, closely, found=found, tell=tell)
    if first.bound <= allowed or not first.found < allowed:
        return first
    limit = replace(closely, ratio=1.0, below=allowed, seconds=budget.seconds, boxes=budget.boxes)
    starts = first.at[None] if found is None else np.vstack([first.at[None], found])
    second = prove(function, domain, limit, found=starts, tell=tell)
    return second if second.bound < first.bound else first
