"""A limit of time for proofs, looked at often enough that it is not passed by much."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

FIRST = 16
"""Boxes that are bounded at once before it is known how long they take."""

STEP = 0.5
"""Seconds that those bounded at once may take."""


@dataclass
class Deadline:
    """When to end; ``until`` is a time of ``time.monotonic``, None for never.

    Boxes are bounded many at once, and of a large network thousands take minutes: with a deadline
    there are only as many at once as can be bounded in a moment. Without one it changes nothing.
    """

    until: float | None = None
    _rate: float | None = field(default=None, init=False)

    @classmethod
    def after(cls, seconds: float | None) -> Deadline:
        """So many seconds from now; None for never."""
        return cls(None if seconds is None else time.monotonic() + seconds)

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return self.until is not None and time.monotonic() >= self.until

    def at_once(self, boxes: int) -> int:
        """How many of so many boxes to bound before the clock is looked at again."""
        if self.until is None:
            return boxes
        known = FIRST if self._rate is None else int(STEP * self._rate)
        return min(boxes, max(1, known))

    @contextmanager
    def bounding(self, boxes: int) -> Iterator[None]:
        """A block in which so many are bounded, from which it learns how long they take."""
        began = time.monotonic()
        yield
        self._rate = boxes / max(time.monotonic() - began, 1e-9)
