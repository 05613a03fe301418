"""What Julia prints on the way: how many formulas it has looked at, and how fast."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

TAIL = 20_000
"""The last block stands in so many bytes at the end of what was printed."""

_ITERATIONS = re.compile(r"^Progress: (\d+) / (\d+) total iterations", re.MULTILINE)
_SPEED = re.compile(r"^Expressions evaluated per second: ([\d.]+e[-+]\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Printed:
    """The last block of SymbolicRegression.jl's progress, which comes every five seconds.

    Attributes
    ----------
    iterations : of all populations; 1.x counts each population's for itself.
    speed : formulas a second.
    """

    iterations: int = 0
    speed: float = 0.0


def printed(log: Path, start: int, populations: int) -> Printed:
    """The newest block that stands in ``log`` after byte ``start``; zeros where there is none.

    ``populations`` divides the iterations: their number where each is counted, else 1.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(start, log.stat().st_size - TAIL))
            text = file.read().decode(errors="replace")
    except OSError:
        return Printed()
    iterations, speeds = _ITERATIONS.findall(text), _SPEED.findall(text)
    return Printed(
        int(iterations[-1][0]) // populations if iterations else 0,
        float(speeds[-1]) if speeds else 0.0,
    )
