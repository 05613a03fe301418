"""Mixing the values that meet in a cell: a model of the C, to the bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.firmware.axes import ONE

THIRD = 21_845
"""A third of :data:`ONE`, rounded down."""


def mix_levels(
    a: npt.NDArray[Any], b: npt.NDArray[Any], w: npt.NDArray[Any]
) -> npt.NDArray[np.uint32]:
    """Between two levels of 16 bits: at most 65535 * 65536 + 32768, which 32 bits hold."""
    one, half, sixteen = np.uint32(ONE), np.uint32(ONE // 2), np.uint32(16)
    mixed: npt.NDArray[np.uint32] = (a * (one - w) + b * w + half) >> sixteen
    return mixed


def mix_wide(
    a: npt.NDArray[Any], b: npt.NDArray[Any], w: npt.NDArray[Any]
) -> npt.NDArray[np.uint32]:
    """Between two levels of 32 bits, by two products of 32 bits."""
    up = b >= a
    size = np.where(up, b - a, a - b)
    low = (size & np.uint32(0xFFFF)) * w + np.uint32(ONE // 2)
    part = (size >> np.uint32(16)) * w + (low >> np.uint32(16))
    mixed: npt.NDArray[np.uint32] = np.where(up, a + part, a - part)
    return mixed


def mix_reals(a: npt.NDArray[Any], b: npt.NDArray[Any], w: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Between two floats."""
    mixed: npt.NDArray[Any] = a + w * (b - a)
    return mixed


def level_thirds(w: npt.NDArray[np.uint32]) -> list[npt.NDArray[np.uint32]]:
    """The weights of a cubic cell's first two steps: (w+2)/3, (w+1)/3, w/3, (w+1)/2, w/2."""
    third = (w * np.uint32(THIRD)) >> np.uint32(16)
    half = w >> np.uint32(1)
    return [
        third + np.uint32(2 * THIRD), third + np.uint32(THIRD), third,
        half + np.uint32(ONE // 2), half,
    ]  # fmt: skip


def real_thirds(w: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """The same of float weights, rounded as their type is."""
    real = w.dtype.type
    third, half = w * real(1 / 3), w * real(0.5)
    return [third + real(2 / 3), third + real(1 / 3), third, half + real(0.5), half]


def cubic(
    four: Sequence[npt.NDArray[Any]],
    u: Sequence[npt.NDArray[Any]],
    w: npt.NDArray[Any],
    mix: Callable[..., npt.NDArray[Any]],
) -> npt.NDArray[Any]:
    """De Boor's algorithm in one cell of a uniform cubic B-spline; u as ``level_thirds`` gives."""
    a, b, c, d = four
    p, q, r = mix(a, b, u[0]), mix(b, c, u[1]), mix(c, d, u[2])
    mixed: npt.NDArray[Any] = mix(mix(p, q, u[3]), mix(q, r, u[4]), w)
    return mixed
