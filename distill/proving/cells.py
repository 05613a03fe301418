"""Which cells of a grid a function cannot be proven to stay within a limit in."""

from __future__ import annotations

import numpy as np

from distill.arrays import Flags
from distill.bounds.base import Enclosable
from distill.bounds.boxes import Boxes
from distill.bounds.deadline import Deadline
from distill.bounds.enclosure import Enclosure, joined

PIECES = 128
"""Boxes that a cell may be in at once before it is given up."""

ROUNDS = 40


def unproven(
    function: Enclosable,
    cells: Boxes,
    allowed: float,
    boxes: int,
    until: float | None = None,
) -> Flags:
    """Which of the cells (n,) are not proven to keep |function| within ``allowed``.

    A cell is given up where a value beyond the limit is found in it, where it falls into too many
    pieces, and all that are undecided after ``boxes`` boxes, or at ``until``, a time of
    ``time.monotonic``.
    """
    failed = np.zeros(cells.count, dtype=bool)
    deadline = Deadline(until)
    owner, pieces = np.arange(cells.count), cells
    size = np.where(cells.high > cells.low, cells.high - cells.low, 1.0)
    for _ in range(ROUNDS):
        if not len(owner):
            return failed
        boxes -= len(owner)
        if boxes < 0:
            break
        band = _enclosed(function, pieces, deadline)
        if band is None:
            break
        low, high = band.range()
        worst = np.maximum(-low, high)
        sign = np.where(high >= -low, 1.0, -1.0)
        x = pieces.middle + pieces.radius * band.highest(sign=sign)
        x = np.clip(x, pieces.low, pieces.high)
        values = np.abs(function(x.T))
        failed[owner[~(values <= allowed)]] = True
        open_ = ~(worst <= allowed) & ~failed[owner]
        crowded = np.bincount(owner[open_], minlength=cells.count) > PIECES
        failed |= crowded
        open_ &= ~crowded[owner]
        owner, pieces = owner[open_], pieces.take(np.flatnonzero(open_))
        blame = np.where(np.isfinite(band.blame), band.blame, 0.0)[:, open_]
        width = (pieces.high - pieces.low) / size[:, owner]
        # Whatever is to blame, no side of a piece stays much longer than the others.
        score = np.where(blame.sum(axis=0) > 0, blame, 1.0) * width
        owner, pieces = _halved(owner, pieces, score.argmax(axis=0), function)
    failed[owner] = True
    return failed


def _enclosed(function: Enclosable, pieces: Boxes, deadline: Deadline) -> Enclosure | None:
    """The bands of the pieces; None where the time is over before all are known."""
    bands, done = [], 0
    while done < pieces.count:
        if deadline.over:
            return None
        count = deadline.at_once(pieces.count - done)
        with deadline.bounding(count):
            bands.append(function.enclose(pieces.take(np.arange(done, done + count))))
        done += count
    return joined(bands)


def _halved(
    owner: np.ndarray[tuple[int], np.dtype[np.intp]],
    pieces: Boxes,
    axis: np.ndarray[tuple[int], np.dtype[np.intp]],
    function: Enclosable,
) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], Boxes]:
    """Every piece as two, cut where the function says, else in the middle, which both hold."""
    rows = np.arange(len(owner))
    middle = pieces.middle[axis, rows]
    cuts = function.cuts(pieces) if len(rows) else None
    place = np.full(len(rows), np.nan) if cuts is None else cuts[axis, rows]
    below, above = pieces.high.copy(), pieces.low.copy()
    below[axis, rows] = np.where(np.isnan(place), middle, place)
    above[axis, rows] = np.where(np.isnan(place), middle, np.nextafter(place, np.inf))
    return np.concatenate([owner, owner]), Boxes(
        np.hstack([pieces.low, above]), np.hstack([below, pieces.high])
    )
