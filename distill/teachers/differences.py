"""Where derivatives by differences of values end: with the number of inputs."""

from __future__ import annotations

from distill.errors import NotDifferentiable

MOST = 512
"""With more inputs differences take too long for anything that derivatives are good for."""


def refuse_many(inputs: int, name: str) -> None:
    """Raise NotDifferentiable where differences would take too long."""
    if inputs > MOST:
        raise NotDifferentiable(
            f"the teacher `{name}` has {inputs:,} inputs: derivatives by differences of its values "
            f"are for {MOST} at most."
        )
