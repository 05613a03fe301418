"""The vote of the nearest prototypes over boxes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array, Flags
from distill.bounds.builder import Builder
from distill.bounds.form import Form
from distill.bounds.jets import Range
from distill.bounds.rounding import gamma
from distill.bounds.steps.ranged import Ranged
from distill.chain.checks import Whole
from distill.chain.steps.prototypes import Nearest

_HELD = 2**22
"""Numbers that distances, and comparisons of prototypes with each other, hold at most."""


@dataclass(frozen=True, eq=False)
class Near:
    """Means over those of the prototypes that may be among the nearest."""

    step: Nearest

    def ranges(self, form: Form) -> Range:
        """The lowest and highest means of values that can be chosen."""
        count = form.least.shape[1]
        step = max(1, _HELD // len(self.step.prototypes))
        parts = [slice(start, start + step) for start in range(0, count, step)]
        found = [self._part(form.least[:, part], form.most[:, part]) for part in parts]
        return (
            np.concatenate([low for low, _ in found], axis=1),
            np.concatenate([high for _, high in found], axis=1),
        )

    def _part(self, low: Array, high: Array) -> Range:
        near, far = _distances(self.step, low, high)
        count = self.step.count
        # What is farther than so many surely are is among the nearest nowhere in the box.
        farthest = np.partition(far, count - 1, axis=0)[count - 1]
        able = near <= np.where(np.isnan(farthest), np.inf, farthest)
        order = np.argsort(~able, axis=0, kind="stable")
        heights = able.sum(axis=0)
        answers = np.full((2, self.step.outputs, near.shape[1]), np.nan)
        for boxes in _alike(np.maximum(heights, 1), self.step.inputs):
            rows = order[: heights[boxes].max(initial=1), boxes]
            part = _Candidates(
                self.step,
                rows,
                np.take_along_axis(able[:, boxes], rows, axis=0),
                np.take_along_axis(near[:, boxes], rows, axis=0),
                np.take_along_axis(far[:, boxes], rows, axis=0),
            )
            answers[:, :, boxes] = part.ranges(low[:, boxes], high[:, boxes])
        return answers[0], answers[1]

    def aims(self, form: Form) -> Array:
        """Every input."""
        return form.reach


def _alike(heights: Whole, inputs: int) -> Iterator[Whole]:
    """Boxes with about as many candidates, few enough to be compared at once."""
    group = np.ceil(np.log2(heights))
    for size in np.unique(group):
        boxes = np.flatnonzero(group == size)
        step = max(1, _HELD // (4 ** int(size) * inputs))
        for start in range(0, len(boxes), step):
            yield boxes[start : start + step]


@dataclass(frozen=True, eq=False)
class _Candidates:
    """For each box the prototypes that may be among the nearest: rows, all (c, n).

    ``able`` is false for rows that only fill up; near and far bound the distances.
    """

    step: Nearest
    rows: Whole
    able: Flags
    near: Array
    far: Array

    def ranges(self, low: Array, high: Array) -> Array:
        """Bounds (2, k, n) of the answers over boxes (d, n)."""
        nearer = _surely_nearer(self.step, self.step.prototypes[self.rows], low, high)
        nearer &= self.able[:, None] & self.able[None, :]
        count, able = self.step.count, self.able
        may = able & (nearer.sum(axis=0) < count)
        must = able & (able.sum(axis=0) - 1 - nearer.sum(axis=1) < count)
        values = self.step.values[self.rows]
        if self.step.weights == "uniform":
            return np.stack([self._means(v, may, must) for v in np.moveaxis(values, 2, 0)], axis=1)
        with np.errstate(all="ignore"):
            strong = np.where(may, 1 / self.near, 0.0)
            weak = np.where(must, 1 / self.far, 0.0)
        return np.stack([_weighed(v, weak, strong) for v in np.moveaxis(values, 2, 0)], axis=1)

    def _means(self, values: Array, may: Flags, must: Flags) -> Array:
        """Of the values (c, n) that must count, and the lowest or highest of the others."""
        count, answers = self.step.count, []
        left = count - must.sum(axis=0)
        for sign in (1.0, -1.0):
            order = np.argsort(sign * values, axis=0, kind="stable")
            ranked, sure, able = (
                np.take_along_axis(a, order, axis=0) for a in (values, must, may & ~must)
            )
            chosen = sure | (able & (np.cumsum(able, axis=0) <= left))
            mean = np.where(chosen, ranked, 0.0).sum(axis=0) / count
            size = np.where(chosen, np.abs(ranked), 0.0).sum(axis=0) / count
            answers.append(mean - sign * gamma(count + 2) * size)
        return np.array(answers)


def _weighed(values: Array, weak: Array, strong: Array) -> Array:
    """The extremes (2, n) of means of values weighed by numbers between weak and strong: (c, n).

    The highest has strong weights from some value on and weak ones below it.
    """
    answers = []
    for sign in (1.0, -1.0):
        order = np.argsort(sign * values, axis=0, kind="stable")
        ranked, first, second = (
            np.take_along_axis(a, order, axis=0) for a in (sign * values, strong, weak)
        )
        answers.append(sign * _lowest(ranked, first, second))
    return np.array(answers)


def _lowest(values: Array, strong: Array, weak: Array) -> Array:
    """The lowest weighted mean (n,) of ascending values (m, n)."""
    m = len(values)
    with np.errstate(all="ignore"):
        # Weights may be infinite on a prototype: then it is alone, or nothing but its values holds.
        fine = np.isfinite(strong).all(axis=0)
        head = np.cumsum(strong, axis=0)
        tail = np.cumsum(weak[::-1], axis=0)[::-1]
        tail = np.concatenate([tail[1:], np.zeros((1, tail.shape[1]))])
        top = np.cumsum(strong * values, axis=0)
        rest = np.cumsum((weak * values)[::-1], axis=0)[::-1]
        rest = np.concatenate([rest[1:], np.zeros((1, rest.shape[1]))])
        means = (top + rest) / (head + tail)
        size = np.abs(values).max(axis=0) * gamma(4 * m + 8)
        lowest = np.where(np.isnan(means), np.inf, means).min(axis=0) - size
        first = np.where(strong > 0, values, np.inf).min(axis=0)
    found: Array = np.where(fine, np.maximum(lowest, first), first)
    return found


def _distances(step: Nearest, low: Array, high: Array) -> Range:
    """Bounds (m, n) of the distances of a box from the prototypes."""
    return _between(step, step.prototypes[:, None], low, high)


def _between(step: Nearest, points: Array, low: Array, high: Array) -> Range:
    """Bounds (c, n) of the distances of boxes (d, n) from points (c, n or 1, d)."""
    shape = (len(points), low.shape[1])
    near, far = np.zeros(shape), np.zeros(shape)
    with np.errstate(all="ignore"):
        for a, b, p in zip(low, high, np.moveaxis(points, 2, 0), strict=True):
            below, above = a - p, b - p
            least = np.maximum(np.maximum(below, -above), 0.0)
            most = np.maximum(-below, above)
            if step.metric == "chebyshev":
                near, far = np.maximum(near, least), np.maximum(far, most)
            elif step.metric == "manhattan":
                near, far = near + least, far + most
            else:
                near, far = near + least * least, far + most * most
        if step.metric == "euclidean":
            near, far = np.sqrt(near), np.sqrt(far)
        slack = gamma(2 * step.inputs + 6)
        return near * (1 - slack), far * (1 + slack)


def _surely_nearer(step: Nearest, points: Array, low: Array, high: Array) -> Flags:
    """(c, c, n): whether the first is nearer than the second from every point of a box.

    ``points`` (c, n, d) are each box's own. The difference of squared distances is linear in the
    point, and others are bounded input by input, so that what both share cancels.
    """
    if step.metric == "chebyshev":
        near, far = _between(step, points, low, high)
        nearer: Flags = far[:, None] < near[None, :]
        return nearer
    c, n = points.shape[:2]
    most, size = np.zeros((c, c, n)), np.zeros((c, n))
    with np.errstate(all="ignore"):
        for a, b, p in zip(low, high, np.moveaxis(points, 2, 0), strict=True):
            ends = []
            for x in (a, b):
                u = x - p
                own = np.abs(u)
                size += own + own * own
                if step.metric == "manhattan":
                    ends.append(own[:, None] - own[None, :])
                else:
                    ends.append((p[None, :] - p[:, None]) * (u[:, None] + u[None, :]))
            # |x - p| - |x - q| grows or falls with x: its ends are its extremes.
            most += np.maximum(*ends)
        slack = gamma(4 * step.inputs + 12) * (size[:, None] + size[None, :])
        found: Flags = most + slack < 0
    return found


def make_nearest(builder: Builder, source: int, step: Nearest) -> int:
    """Ranges of means."""
    return builder.push(Ranged(source, Near(step)), step.outputs)
