"""Windows over images: how many there are, what they see, and the counts that describe them."""

from __future__ import annotations

from distill.chain.checks import wrong

Shape = tuple[int, int, int]
"""Channels, height, width."""


def window_count(
    shape: Shape,
    axis: int,
    reach: int,
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
) -> int:
    """How many windows stand side by side."""
    return (shape[axis + 1] + padding[axis] + padding[axis + 2] - reach) // stride[axis] + 1


def seen_by(first: int, stride: int, pixels: int, count: int) -> tuple[slice, slice]:
    """Of ``count`` windows those whose pixel ``first + stride*i`` is in the image; those pixels."""
    start = max(0, -(first // stride))
    stop = min(count, (pixels - 1 - first) // stride + 1)
    if stop <= start:
        return slice(0, 0), slice(0, 0)
    return slice(start, stop), slice(
        first + stride * start, first + stride * (stop - 1) + 1, stride
    )


def keep_counts(step: object, name: str, length: int, low: int) -> None:
    """Make the field a tuple of whole numbers from ``low`` on."""
    values = tuple(getattr(step, name))
    if len(values) != length or not all(
        isinstance(v, int) and not isinstance(v, bool) and v >= low for v in values
    ):
        raise wrong(step, f"`{name}` is {values}, not {length} whole numbers from {low} on.")
    object.__setattr__(step, name, values)
