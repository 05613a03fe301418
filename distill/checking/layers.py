"""The steps of chains, read as data, put on a tape: all that are sums and functions of numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from flint import arb, arb_mat

from distill.chain.steps.affine import Affine
from distill.chain.steps.elementwise import Apply, Scale, Stretch
from distill.chain.steps.formula import Each
from distill.chain.steps.gaussians import Gaussians
from distill.chain.steps.images import Convolution, Pool
from distill.chain.steps.kernels import Kernel
from distill.chain.steps.polynomials import Monomials
from distill.chain.steps.prototypes import Distances
from distill.chain.steps.winner import Softmax
from distill.checking.balls import HALF, ONE, ZERO
from distill.checking.formulas import absolute, larger, operate, power, put_tree
from distill.checking.functions import bender
from distill.checking.refusals import CannotCheck
from distill.checking.tape import Tape
from distill.checking.terms import Term

Layer = Callable[[Tape, Sequence[Term]], list[Term]]
"""Puts a step on a tape: the terms of its outputs from those of its inputs."""


def exact(values: np.ndarray[Any, Any]) -> list[arb]:
    """Float64 numbers as exact balls, row by row."""
    return [arb(v) for v in np.asarray(values, dtype=np.float64).ravel().tolist()]


def put_affine(step: Affine) -> Layer:
    """``weights @ x + bias``; narrow ones sum by sum, whose ranges are better."""
    weights, bias = exact(step.weights), exact(step.bias)
    rows, columns = step.weights.shape
    if not rows or not columns:
        return lambda tape, x: [tape.constant(b) for b in bias]
    if rows * columns <= 8:
        return lambda tape, x: [
            tape.total(x, weights[k * columns : (k + 1) * columns], bias[k]) for k in range(rows)
        ]
    matrix = arb_mat(rows, columns, weights)
    return lambda tape, x: tape.mapped(x, matrix, bias)


def put_apply(step: Apply) -> Layer:
    """One function of each number.

    Raises
    ------
    CannotCheck : for a function that is not known here.
    """
    bent = bender(step.function, step.parameter)
    if bent is None:
        raise CannotCheck(f"the function `{step.function}`")
    if step.function == "identity":
        return lambda tape, x: list(x)
    return lambda tape, x: [tape.bent(term, bent(term)) for term in x]


def put_scale(step: Scale) -> Layer:
    """``(x - shift) / divisor``."""
    shifts, divisors = exact(step.shift), exact(step.divisor)

    def put(tape: Tape, x: Sequence[Term]) -> list[Term]:
        rows = zip(x, shifts, divisors, strict=True)
        return [tape.scaled(tape.scaled(t, ONE, -s), ONE / d) for t, s, d in rows]

    return put


def put_stretch(step: Stretch) -> Layer:
    """``x * factor + offset``."""
    factors, offsets = exact(step.factor), exact(step.offset)
    return lambda tape, x: [
        tape.scaled(t, f, o) for t, f, o in zip(x, factors, offsets, strict=True)
    ]


def put_each(step: Each) -> Layer:
    """A formula of each number."""
    put = put_tree(step.formula.tree, step.formula.domain.names)
    return lambda tape, x: [put(tape, [term]) for term in x]


def put_monomials(step: Monomials) -> Layer:
    """Products of powers; equal powers are put once."""
    rows: list[list[int]] = step.exponents.tolist()

    def put(tape: Tape, x: Sequence[Term]) -> list[Term]:
        powers: dict[tuple[int, int], Term] = {}
        found = []
        for row in rows:
            product = tape.constant(ONE)
            for i, exponent in enumerate(row):
                if exponent:
                    key = (i, exponent)
                    if key not in powers:
                        powers[key] = power(tape, x[i], tape.constant(arb(exponent)))
                    product = tape.product(product, powers[key])
            found.append(product)
        return found

    return put


def put_softmax(step: Softmax) -> Layer:
    """``1 / sum of exp(other - own)``."""

    def put(tape: Tape, x: Sequence[Term]) -> list[Term]:
        found = []
        for own in x:
            parts = [
                operate(tape, "exp", [tape.minus(other, own)]) for other in x if other is not own
            ]
            found.append(operate(tape, "inv", [tape.total(parts, [ONE] * len(parts), ONE)]))
        return found

    return put


def _squares(tape: Tape, terms: Sequence[Term]) -> Term:
    squares = [operate(tape, "square", [t]) for t in terms]
    return tape.total(squares, [ONE] * len(squares), ZERO)


def put_gaussians(step: Gaussians) -> Layer:
    """``constant - 0.5 * sum of squares``."""
    centres = [exact(row) for row in step.centres]
    constants = exact(step.constants)
    factors = [[exact(row) for row in np.atleast_2d(f)] for f in step.factors]

    def put(tape: Tape, x: Sequence[Term]) -> list[Term]:
        found = []
        for centre, rows, constant in zip(centres, factors, constants, strict=True):
            off = [tape.scaled(t, ONE, -c) for t, c in zip(x, centre, strict=True)]
            if step.diagonal:
                parts = [tape.scaled(t, f) for t, f in zip(off, rows[0], strict=True)]
            else:
                parts = [tape.total(off, row, ZERO) for row in rows]
            found.append(tape.scaled(_squares(tape, parts), -HALF, constant))
        return found

    return put


def distance_terms(
    tape: Tape, x: Sequence[Term], prototypes: Sequence[Sequence[arb]], metric: str
) -> list[Term]:
    """Distances of x to prototypes."""
    found = []
    for prototype in prototypes:
        off = [tape.scaled(t, ONE, -p) for t, p in zip(x, prototype, strict=True)]
        if metric in ("squared", "euclidean"):
            square = _squares(tape, off)
            found.append(operate(tape, "sqrt", [square]) if metric == "euclidean" else square)
            continue
        sizes = [absolute(tape, t) for t in off]
        if metric == "manhattan":
            found.append(tape.total(sizes, [ONE] * len(sizes), ZERO))
        else:
            found.append(largest(tape, sizes))
    return found


def largest(tape: Tape, terms: Sequence[Term]) -> Term:
    """The largest of terms."""
    while len(terms) > 1:
        pairs = [larger(tape, a, b) for a, b in zip(terms[::2], terms[1::2], strict=False)]
        terms = [*pairs, *terms[2 * len(pairs) :]]
    return terms[0]


def put_distances(step: Distances) -> Layer:
    """Distances to prototypes."""
    prototypes = [exact(row) for row in step.prototypes]
    return lambda tape, x: distance_terms(tape, x, prototypes, step.metric)


def put_kernel(step: Kernel) -> Layer:
    """Kernels with vectors: ``exp(-gamma*|x - v|^2)``, powers or tanh of products."""
    vectors = [exact(row) for row in step.vectors]
    gamma, constant = arb(step.gamma), arb(step.constant)

    def put(tape: Tape, x: Sequence[Term]) -> list[Term]:
        if step.kind == "rbf":
            squares = distance_terms(tape, x, vectors, "squared")
            return [operate(tape, "exp", [tape.scaled(s, -gamma)]) for s in squares]
        sums = [tape.total(x, [gamma * v for v in row], constant) for row in vectors]
        if step.kind == "sigmoid":
            return [operate(tape, "tanh", [s]) for s in sums]
        degree = tape.constant(arb(step.degree))
        return [power(tape, s, degree) for s in sums]

    return put


def put_convolution(step: Convolution) -> Layer:
    """Sums over windows, zeros around the image."""
    channels, height, width = step.shape
    maps, rows, columns = step.image
    inside = step.weights.shape[1]
    windows: list[tuple[list[int], list[arb], arb]] = []
    for out in range(maps):
        first = out // (maps // step.groups) * inside
        bias = arb(float(step.bias[out]))
        for y in range(rows):
            for x in range(columns):
                places, factors = [], []
                for c, i, j in np.ndindex(step.weights.shape[1:]):
                    v = y * step.stride[0] - step.padding[0] + i * step.dilation[0]
                    u = x * step.stride[1] - step.padding[1] + j * step.dilation[1]
                    if 0 <= v < height and 0 <= u < width:
                        places.append(((first + c) * height + v) * width + u)
                        factors.append(arb(float(step.weights[out, c, i, j])))
                windows.append((places, factors, bias))
    assert channels == inside * step.groups  # the step has seen to it
    return lambda tape, pixels: [
        tape.total([pixels[i] for i in places], factors, bias) for places, factors, bias in windows
    ]


def put_pool(step: Pool) -> Layer:
    """The largest or the mean of each window."""
    _, height, width = step.shape
    channels, rows, columns = step.image
    windows = []
    for c, y, x in np.ndindex(channels, rows, columns):
        top = y * step.stride[0] - step.padding[0]
        left = x * step.stride[1] - step.padding[1]
        windows.append(
            [
                (c * height + v) * width + u
                for v in range(max(top, 0), min(top + step.size[0], height))
                for u in range(max(left, 0), min(left + step.size[1], width))
            ]
        )

    def put(tape: Tape, pixels: Sequence[Term]) -> list[Term]:
        found = []
        for places in windows:
            seen = [pixels[i] for i in places]
            if step.kind == "max":
                found.append(largest(tape, seen))
            else:
                found.append(tape.total(seen, [ONE / len(seen)] * len(seen), ZERO))
        return found

    return put
