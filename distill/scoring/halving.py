"""Splitting boxes where a proof, or a suspicion, needs smaller ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.bounds.boxes import Boxes
from distill.domain import Domain

Axes = npt.NDArray[np.intp]
"""(n,): the axis along which each box is split."""


def halves(boxes: Boxes, axes: Axes, domain: Domain) -> Boxes:
    """Each of n boxes as two, the lower halves first; together they hold all points of the domain.

    Between whole numbers where a variable is discrete; along axes that have a width alone.
    """
    each = np.arange(boxes.count)
    whole = np.array([v.discrete for v in domain.variables])[axes]
    cut = boxes.middle[axes, each]
    cut = np.where(whole, np.floor(cut), cut)
    below, above = boxes.high.copy(), boxes.low.copy()
    below[axes, each] = cut
    above[axes, each] = np.where(whole, cut + 1, cut)
    return Boxes(np.hstack([boxes.low, above]), np.hstack([below, boxes.high]))


def widest(boxes: Boxes, domain: Domain) -> Axes:
    """The axis along which each box is the widest part of the domain."""
    part: Array = (boxes.high - boxes.low) / (domain.high - domain.low)[:, None]
    return np.asarray(part.argmax(axis=0), dtype=np.intp)


def blamed(blame: Array, boxes: Boxes, domain: Domain) -> Axes:
    """The axis to blame most, ``blame`` (d, n), of those with a width; the widest for no blame."""
    width = boxes.high - boxes.low
    known = np.where(np.isfinite(blame) & (width > 0), blame, 0.0)
    best = np.asarray(known.argmax(axis=0), dtype=np.intp)
    return np.where(known.max(axis=0) > 0, best, widest(boxes, domain))


def divisible(boxes: Boxes) -> npt.NDArray[np.bool_]:
    """Which boxes are more than a point, or two floats next to each other (n,)."""
    inside = (boxes.middle > boxes.low) & (boxes.middle < boxes.high)
    whole = (boxes.low < boxes.high) & (boxes.low == np.round(boxes.low))
    return np.asarray((inside | whole).any(axis=0))
