"""Convolutions and pooling over images of shape (channels, height, width), row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal, get_args

import numpy as np

from distill.arrays import Array
from distill.chain.arithmetic import Reals, computed, larger, rounded
from distill.chain.base import Real
from distill.chain.checks import check_choice, check_count, keep_numbers, wrong
from distill.chain.terms import balanced, linear, linear_size, refuse_growth, sum_size
from distill.chain.windows import Shape, keep_counts, seen_by, window_count
from distill.formula.tree import Node, Number, div, total


@dataclass(frozen=True, eq=False)
class Convolution:
    """A cross-correlation as torch's Conv2d: weights (out, in / groups, kh, kw), bias (out,).

    Zeros stand around the image, ``padding`` = (top, left, bottom, right) of them. Outputs are
    (out, height, width), row by row.

    In C: ``y = bias``, then ``y = y + w*x`` for each channel of the group, row and column of the
    weights in turn; what stands outside the image is skipped. A NaN makes the outputs NaN that see
    it.

    Raises
    ------
    FormulaError : when shapes do not fit, numbers are not finite, or zeros alone are seen.
    """

    shape: Shape
    weights: Array
    bias: Array
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def __post_init__(self) -> None:
        keep_counts(self, "shape", 3, 1)
        keep_counts(self, "stride", 2, 1)
        keep_counts(self, "padding", 4, 0)
        keep_counts(self, "dilation", 2, 1)
        check_count(self, "groups")
        keep_numbers(self, "weights", (-1, -1, -1, -1))
        keep_numbers(self, "bias", (len(self.weights),))
        if not self.weights.size:
            raise wrong(self, "`weights` is empty.")
        channels = self.weights.shape[1] * self.groups
        if channels != self.shape[0] or len(self.weights) % self.groups:
            raise wrong(
                self,
                f"weights of shape {self.weights.shape} in {self.groups} groups do not fit "
                f"{self.shape[0]} channels.",
            )
        for axis in (0, 1):
            reach = self._reach(axis)
            before, after = self.padding[axis], self.padding[axis + 2]
            if max(before, after) >= max(reach, 2) or reach > self.shape[axis + 1] + before + after:
                raise wrong(
                    self,
                    f"weights that reach {reach} pixels do not fit {self.shape[axis + 1]} pixels "
                    f"with {before} and {after} zeros around.",
                )

    def _reach(self, axis: int) -> int:
        return int(self.dilation[axis] * (self.weights.shape[axis + 2] - 1) + 1)

    @property
    def image(self) -> Shape:
        """The shape of the outputs."""
        rows, columns = (
            window_count(self.shape, axis, self._reach(axis), self.stride, self.padding)
            for axis in (0, 1)
        )
        return len(self.weights), rows, columns

    @property
    def inputs(self) -> int:
        """All pixels."""
        return prod(self.shape)

    @property
    def outputs(self) -> int:
        """All pixels of the outputs."""
        return prod(self.image)

    @property
    def stored(self) -> int:
        """Weights and biases."""
        return self.weights.size + self.bias.size

    @property
    def operations(self) -> int:
        """A product and a sum for each weight at each place, those outside the image too."""
        _, rows, columns = self.image
        return 2 * self.weights.size * rows * columns

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, outputs) at x (n, inputs)."""
        weights, bias = rounded(self.weights, real), rounded(self.bias, real)
        out, rows, columns = self.image
        each = out // self.groups
        _, depth, high, wide = weights.shape

        def kernel(pixels: Reals) -> Reals:
            image = pixels.reshape(*self.shape, -1)
            sums = np.empty((out, rows, columns, image.shape[-1]), dtype=image.dtype)
            sums[:] = bias[:, None, None, None]
            for c in range(depth):
                for i in range(high):
                    for j in range(wide):
                        to_row, row = self._seen(0, i * self.dilation[0], rows)
                        to_column, column = self._seen(1, j * self.dilation[1], columns)
                        for o in range(out):
                            channel = o // each * depth + c
                            seen = image[channel, row, column]
                            sums[o, to_row, to_column] += weights[o, c, i, j] * seen
            return sums.reshape(self.outputs, -1)

        return computed(kernel, x, real, inputs=self.inputs, outputs=self.outputs)

    def _seen(self, axis: int, offset: int, count: int) -> tuple[slice, slice]:
        """The places whose weight at the offset falls on the image, and where it does."""
        return seen_by(offset - self.padding[axis], self.stride[axis], self.shape[axis + 1], count)

    def _windows(self) -> Iterator[tuple[int, list[float], list[int]]]:
        """For each output its channel, and the weights and numbers of the pixels it sees."""
        out, rows, columns = self.image
        each, depth = out // self.groups, self.weights.shape[1]
        _, height, width = self.shape
        for o in range(out):
            weights = self.weights[o].tolist()
            for y in range(rows):
                lines = [
                    (i, y * self.stride[0] - self.padding[0] + i * self.dilation[0])
                    for i in range(self.weights.shape[2])
                ]
                for x in range(columns):
                    places = [
                        (j, x * self.stride[1] - self.padding[1] + j * self.dilation[1])
                        for j in range(self.weights.shape[3])
                    ]
                    seen = [
                        (weights[c][i][j], ((o // each * depth + c) * height + v) * width + u)
                        for c in range(depth)
                        for i, v in lines
                        for j, u in places
                        if 0 <= v < height and 0 <= u < width
                    ]
                    yield o, [w for w, _ in seen], [at for _, at in seen]

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output."""
        bias = self.bias.tolist()
        return [
            linear_size(weights, [sizes[i] for i in at], bias[o])
            for o, weights, at in self._windows()
        ]

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """A weighted sum for each output; factors of 0 and 1 are left out."""
        refuse_growth(self, x)
        bias = self.bias.tolist()
        return [linear(weights, [x[i] for i in at], bias[o]) for o, weights, at in self._windows()]


@dataclass(frozen=True, slots=True)
class Pool:
    """The largest or the mean of each window; what stands around the image does not count.

    ``padding`` = (top, left, bottom, right). Outputs are (channels, height, width), row by row.

    In C, over the pixels of the window inside the image, row by row: the first, then
    ``if (x > y || x != x) y = x`` for each other, so that a NaN wins and stays; or ``s = 0``, then
    ``s = s + x`` for each, then s divided by their number.

    Raises
    ------
    FormulaError : when shapes do not fit, or a window sees nothing.
    """

    shape: Shape
    kind: Literal["max", "mean"]
    size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)

    def __post_init__(self) -> None:
        keep_counts(self, "shape", 3, 1)
        check_choice(self, "kind", get_args(Literal["max", "mean"]))
        keep_counts(self, "size", 2, 1)
        keep_counts(self, "stride", 2, 1)
        keep_counts(self, "padding", 4, 0)
        for axis in (0, 1):
            pixels, size, before = self.shape[axis + 1], self.size[axis], self.padding[axis]
            if size > pixels + before + self.padding[axis + 2]:
                raise wrong(self, f"a window of {size} pixels does not fit {pixels}.")
            last = (self.image[axis + 1] - 1) * self.stride[axis] - before
            if before >= size or last >= pixels:
                raise wrong(self, "a window sees nothing but what stands around the image.")

    @property
    def image(self) -> Shape:
        """The shape of the outputs."""
        rows, columns = (
            window_count(self.shape, axis, self.size[axis], self.stride, self.padding)
            for axis in (0, 1)
        )
        return self.shape[0], rows, columns

    @property
    def inputs(self) -> int:
        """All pixels."""
        return prod(self.shape)

    @property
    def outputs(self) -> int:
        """All pixels of the outputs."""
        return prod(self.image)

    @property
    def stored(self) -> int:
        """Nothing."""
        return 0

    @property
    def operations(self) -> int:
        """One for each pixel of each window."""
        return self.outputs * prod(self.size)

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, outputs) at x (n, inputs)."""
        channels, rows, columns = self.image
        largest = self.kind == "max"

        def kernel(pixels: Reals) -> Reals:
            image = pixels.reshape(*self.shape, -1)
            shape = (channels, rows, columns, image.shape[-1])
            found = np.full(shape, -np.inf if largest else 0.0, dtype=image.dtype)
            counts = np.zeros((1, rows, columns, 1), dtype=image.dtype)
            for i in range(self._most(0)):
                to_row, row = self._seen(0, i, rows)
                for j in range(self._most(1)):
                    to_column, column = self._seen(1, j, columns)
                    place = (slice(None), to_row, to_column)
                    seen = image[:, row, column]
                    found[place] = larger(found[place], seen) if largest else found[place] + seen
                    counts[place] += 1
            answers: Reals = found if largest else found / counts
            return answers.reshape(self.outputs, -1)

        return computed(kernel, x, real, inputs=self.inputs, outputs=self.outputs)

    def _most(self, axis: int) -> int:
        """Offsets from here on fall outside every image."""
        return min(self.size[axis], self.shape[axis + 1] + self.padding[axis])

    def _seen(self, axis: int, offset: int, count: int) -> tuple[slice, slice]:
        return seen_by(offset - self.padding[axis], self.stride[axis], self.shape[axis + 1], count)

    def _windows(self) -> Iterator[list[int]]:
        """For each output the numbers of the pixels it sees."""
        channels, rows, columns = self.image
        _, height, width = self.shape
        for c in range(channels):
            for y in range(rows):
                top = y * self.stride[0] - self.padding[0]
                lines = range(max(top, 0), min(top + self.size[0], height))
                for x in range(columns):
                    left = x * self.stride[1] - self.padding[1]
                    places = range(max(left, 0), min(left + self.size[1], width))
                    yield [(c * height + v) * width + u for v in lines for u in places]

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output."""
        mean = self.kind == "mean"
        return [
            sum_size([sizes[i] for i in at]) + 2 * (mean and len(at) > 1) for at in self._windows()
        ]

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """The largest, or the mean, of the trees of each window."""
        refuse_growth(self, x)
        trees: list[Node] = []
        for at in self._windows():
            seen = [x[i] for i in at]
            if len(seen) == 1:
                trees.append(seen[0])
            elif self.kind == "max":
                trees.append(balanced("max", seen))
            else:
                trees.append(div(total(seen), Number(float(len(seen)))))
        return trees
