"""Where the numbers between steps lie: two arrays in turn, as large as what they ever hold."""

from __future__ import annotations

from collections.abc import Sequence


def place(steps: Sequence[tuple[bool, int]]) -> tuple[list[str], dict[str, int]]:
    """Where each step writes to, and the length of each array on the stack.

    Parameters
    ----------
    steps : of each step whether it may write over what it reads, and how many numbers it gives.
        The first reads ``x``, which nothing writes to, the last writes to ``y``.
    """
    places: list[str] = []
    lengths: dict[str, int] = {}
    at = "x"
    for in_place, width in steps[:-1]:
        if not in_place or at == "x":
            at = "b" if at == "a" else "a"
        lengths[at] = max(lengths.get(at, 0), width)
        places.append(at)
    return [*places, "y"], dict(sorted(lengths.items()))
