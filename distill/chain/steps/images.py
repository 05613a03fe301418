"""Convolutions and pooling over images of shape (channels, height, width), row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from distill.arrays import Array

Whole = npt.NDArray[np.int64]


Shape = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Convolution:
    """A cross-correlation as torch's Conv2d: weights (out, in / groups, kh, kw), bias (out,).

    Zeros stand around the image, ``padding`` = (top, left, bottom, right) of them.
    """

    shape: Shape
    weights: Array
    bias: Array
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1


@dataclass(frozen=True, slots=True)
class Pool:
    """The largest or the mean of each window; what stands around the image does not count."""

    shape: Shape
    kind: Literal["max", "mean"]
    size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
