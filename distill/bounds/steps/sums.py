"""Steps made of sums, squares and products: densities, kernels, distances, monomials, images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from distill.arrays import Array
from distill.bounds.base import NotBounded
from distill.bounds.builder import Builder
from distill.bounds.lines import kink
from distill.bounds.smooth import power
from distill.bounds.steps.blocks import Bent, Each, Grouped, Mixed, Narrowed, within
from distill.chain.checks import Whole
from distill.chain.distances import Metric
from distill.chain.steps.columns import Normalise
from distill.chain.steps.gaussians import Gaussians
from distill.chain.steps.images import Convolution, Pool
from distill.chain.steps.kernels import Kernel
from distill.chain.steps.polynomials import Monomials
from distill.chain.steps.prototypes import Distances

WIDEST = 2**24
"""Numbers of a matrix that stands for a step; what needs a larger one is told to have none."""


def total(
    builder: Builder, source: int, width: int, factor: float = 1.0, offset: Array | float = 0.0
) -> int:
    """``factor`` times the sums of each ``width`` rows of a block, plus the offset."""
    rows = builder.heights[source] // width
    offsets = np.broadcast_to(np.asarray(offset, dtype=float), (rows,))
    return builder.push(Grouped(source, width, factor, offsets), rows)


def differences(builder: Builder, source: int, points: Array) -> int:
    """Of the block (d rows) from each of the points (m, d): m*d rows, point by point."""
    m, d = points.shape
    tiled = builder.rows([source], np.tile(np.arange(d), m))
    return builder.shift(tiled, points.reshape(-1), np.ones(m * d))


def squared(builder: Builder, source: int, points: Array, factor: float = 1.0) -> int:
    """``factor`` times the squared distances of the block from each of the points (m, d)."""
    squares = builder.apply(differences(builder, source, points), "square")
    return total(builder, squares, points.shape[1], factor)


def larger(builder: Builder, a: int, b: int) -> int:
    """``max(a, b) = b + max(a - b, 0)``, row by row, for blocks of many rows."""
    rows = builder.heights[a]
    apart = builder.push(Mixed((a, b), (1.0, -1.0)), rows)
    above = builder.push(Each(apart, Bent(kink(0.0, 1.0))), rows)
    return builder.push(Mixed((b, above), (1.0, 1.0)), rows)


def largest(builder: Builder, source: int, windows: Whole) -> int:
    """The largest of the block's rows in each window: windows (m, w), rows by number."""
    parts = [builder.rows([source], column) for column in windows.T]
    while len(parts) > 1:
        odd = parts[len(parts) // 2 * 2 :]
        pairs = zip(parts[:-1:2], parts[1::2], strict=False)
        parts = [larger(builder, a, b) for a, b in pairs] + odd
    return parts[0]


def distances(builder: Builder, source: int, points: Array, metric: Metric) -> int:
    """Distances of the block from the points (m, d)."""
    if metric in ("squared", "euclidean"):
        square = squared(builder, source, points)
        return builder.apply(square, "sqrt") if metric == "euclidean" else square
    m, d = points.shape
    sizes = builder.push(Each(differences(builder, source, points), Bent(kink(-1.0, 1.0))), m * d)
    if metric == "manhattan":
        return total(builder, sizes, d)
    return largest(builder, sizes, np.arange(m * d).reshape(m, d))


def make_distances(builder: Builder, source: int, step: Distances) -> int:
    """Distances to prototypes."""
    return distances(builder, source, step.prototypes, step.metric)


def make_gaussians(builder: Builder, source: int, step: Gaussians) -> int:
    """Constants less half the sums of squares.

    Raises
    ------
    NotBounded : where the matrix of all classes' factors would be too large.
    """
    k, d = step.centres.shape
    _affordable(step, step.factors.size, k * d)
    off = differences(builder, source, step.centres)
    if step.diagonal:
        scaled = builder.linear([(off, step.factors.reshape(-1))])
        width = d
    else:
        width = step.factors.shape[1]
        weights = np.zeros((k, width, k, d))
        weights[np.arange(k), :, np.arange(k)] = step.factors
        scaled = builder.linear([(off, weights.reshape(k * width, k * d))])
    squares = builder.apply(scaled, "square")
    return total(builder, squares, width, -0.5, step.constants)


def make_kernel(builder: Builder, source: int, step: Kernel) -> int:
    """Kernels with each vector."""
    if step.kind == "rbf":
        return builder.apply(squared(builder, source, step.vectors, -step.gamma), "exp")
    if step.kind == "poly" and not step.degree:
        return builder.fixed(np.ones(step.outputs))
    # gamma is multiplied into the inputs: gamma*v would be rounded.
    scaled = builder.push(Mixed((source,), (step.gamma,)), step.inputs)
    z = builder.linear([(scaled, step.vectors)], step.constant)
    if step.kind == "sigmoid":
        return builder.apply(z, "tanh")
    return builder.apply(z, power(float(step.degree))) if step.degree > 1 else z


def make_monomials(builder: Builder, source: int, step: Monomials) -> int:
    """Powers, and their products from the first input to the last."""
    exponents = step.exponents
    powers, heights = [source, builder.fixed(np.ones(1))], step.inputs + 1
    first = {1: 0}
    for e in sorted(set(exponents[exponents > 1].tolist())):
        first[e] = heights
        powers.append(builder.apply(source, power(float(e))))
        heights += step.inputs
    one = step.inputs
    most = max(1, int((exponents > 0).sum(axis=1).max(initial=0)))
    factors = np.full((len(exponents), most), one)
    for m, row in enumerate(exponents.tolist()):
        used = [first[e] + j for j, e in enumerate(row) if e]
        factors[m, : len(used)] = used
    columns = [builder.rows(powers, column) for column in factors.T]
    found = columns[0]
    for column in columns[1:]:
        found = builder.product(found, column)
    return found


def make_normalise(builder: Builder, source: int, step: Normalise) -> int:
    """Quotients by the norm, none beyond 1; next to 0 nothing else is known."""
    width = step.width
    if step.norm == "l2":
        norm = builder.apply(total(builder, builder.apply(source, "square"), width), "sqrt")
    else:
        sizes = builder.push(Each(source, Bent(kink(-1.0, 1.0))), width)
        if step.norm == "l1":
            norm = total(builder, sizes, width)
        else:
            norm = largest(builder, sizes, np.arange(width)[None, :])
    inverse = builder.rows([builder.apply(norm, "inv")], np.zeros(width, dtype=np.int64))
    quotient = builder.product(source, inverse)
    return builder.push(Narrowed(quotient, quotient, within(-1.0, 1.0)), width)


def _affordable(step: object, rows: int, columns: int) -> None:
    if rows * columns > WIDEST:
        raise NotBounded(
            f"the step `{type(step).__name__}` of the teacher is too large for an enclosure: it "
            f"needs a matrix of {rows:,} by {columns:,}.",
            hint="rely on the errors found and on the statistical statement.",
        )


def make_convolution(builder: Builder, source: int, step: Convolution) -> int:
    """One matrix, from the answers to each pixel alone.

    Raises
    ------
    NotBounded : where that matrix would be too large.
    """
    _affordable(step, step.inputs, max(step.inputs, step.outputs))
    alone = replace(step, bias=np.zeros_like(step.bias))
    weights = alone.evaluate(np.eye(step.inputs), "double").T
    pixels = step.outputs // len(step.bias)
    return builder.linear([(source, weights)], np.repeat(step.bias, pixels))


def make_pool(builder: Builder, source: int, step: Pool) -> int:
    """Means as a matrix, the largest by pairs.

    Raises
    ------
    NotBounded : where that matrix would be too large.
    """
    _affordable(step, step.inputs, max(step.inputs, step.outputs))
    windows = _windows(step)
    if step.kind == "mean":
        weights = np.zeros((step.outputs, step.inputs))
        for row, seen in zip(weights, windows, strict=True):
            row[seen] = 1.0
        counts = weights.sum(axis=1)
        sums = builder.linear([(source, weights)])
        return builder.shift(sums, np.zeros(step.outputs), counts)
    most = max(map(len, windows))
    # A window at the border sees its first pixel more than once.
    full = np.array([[*seen, *[seen[0]] * (most - len(seen))] for seen in windows])
    return largest(builder, source, full)


def _windows(step: Pool) -> Sequence[list[int]]:
    """The pixels that each output sees, by asking a mean which of them move it."""
    mean = replace(step, kind="mean")
    moved = mean.evaluate(np.eye(step.inputs), "double").T
    return [np.flatnonzero(row).tolist() for row in moved]
