"""Choosing, encoding and joining columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from distill.arrays import Array

Whole = npt.NDArray[np.int64]

from distill.chain.chain import Chain


@dataclass(frozen=True, eq=False)
class Pick:
    """The inputs of these numbers, in this order."""

    inputs: int
    columns: Whole


@dataclass(frozen=True, eq=False)
class OneHot:
    """For each input in turn: 1 for the category that it equals, 0 for the others.

    A category of NaN stands for "none of the others". Outputs: all categories of all inputs.
    """

    categories: tuple[Array, ...]


@dataclass(frozen=True, eq=False)
class Branches:
    """Several chains over the same inputs; their outputs one after another."""

    chains: tuple[Chain, ...]


@dataclass(frozen=True, slots=True)
class Normalise:
    """x divided by its norm; zeros stay zeros."""

    width: int
    norm: Literal["l1", "l2", "max"] = "l2"
