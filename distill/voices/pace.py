"""How long a stage will still take, from how fast it went so far."""

from __future__ import annotations

from dataclasses import dataclass

LEAST = 0.02
"""No estimate before this part of a stage was done under our eyes."""


@dataclass
class Pace:
    """Watches the finished fraction of a stage that began (or went on) at ``began`` seconds.

    A stage that was killed goes on in the middle, so only what was done since the first news tells
    how fast it is.
    """

    began: float
    start: float | None = None
    fraction: float | None = None

    def at(self, fraction: float | None) -> None:
        """The finished fraction, 0 to 1, or None where it is unknown."""
        self.fraction = fraction
        if self.start is None:
            self.start = fraction

    def left(self, now: float) -> float | None:
        """Seconds left at ``now``; None where nothing can be said."""
        if self.fraction is None or self.start is None or self.fraction - self.start < LEAST:
            return None
        return (now - self.began) * (1 - self.fraction) / (self.fraction - self.start)
