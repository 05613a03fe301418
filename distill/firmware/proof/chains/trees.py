"""Trees with a running error: decisions that are exact, sums of leaves that are rounded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from distill.arrays import Array
from distill.bounds.rounding import UNIT, gamma
from distill.chain.chain import Chain
from distill.chain.checks import Whole
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, Pick
from distill.chain.steps.elementwise import Apply, Scale, Stretch
from distill.chain.steps.trees import Trees
from distill.domain import Domain
from distill.firmware.chains.integers import IntegerTrees, integer_trees
from distill.firmware.fixed.formats import input_formats
from distill.firmware.proof.chains.running import WIDER, Machine, Running, add, div, mul


def owners(step: Trees) -> Whole:
    """The tree (nodes,) that each node belongs to, -1 for nodes that no root leads to."""
    tree = np.full(len(step.left), -1)
    at, number = step.roots, np.arange(len(step.roots))
    while len(at):
        tree[at] = number
        inner = step.left[at] >= 0
        at, number = at[inner], number[inner]
        at = np.concatenate([step.left[at], step.right[at]])
        number = np.concatenate([number, number])
    return tree


def _of_each_tree(step: Trees, values: Array) -> tuple[Array, Array]:
    """The least and the largest (trees, k) of values (rows, k) of each tree's leaves."""
    # A root that two trees share is a tree of its own for both.
    tree = owners(step)
    nodes = np.flatnonzero((step.left < 0) & (tree >= 0))
    shape = (len(step.roots), values.shape[1])
    least, most = np.full(shape, np.inf), np.full(shape, -np.inf)
    np.minimum.at(least, tree[nodes], values[step.right[nodes]])
    np.maximum.at(most, tree[nodes], values[step.right[nodes]])
    last = tree[step.roots]
    return least[last], most[last]


def tree_sums(step: Trees, machine: Machine) -> Running:
    """The answers (k, 1) wherever a point falls, decisions being exact."""
    held = machine.held(step.leaves)
    least, most = _of_each_tree(step, step.leaves)
    _, off = _of_each_tree(step, np.abs(held - step.leaves))
    low, high = _of_each_tree(step, held)
    partial = np.maximum(np.abs(low.cumsum(axis=0)), np.abs(high.cumsum(axis=0)))
    sizes = np.maximum(np.abs(low), np.abs(high)).sum(axis=0)
    count = len(step.roots)
    # The first leaf is added to 0. Errors of sums grow by later ones: (1 + unit)^count.
    grown = math.exp(count * machine.unit) * WIDER
    rounding = partial[1:].sum(axis=0) * machine.unit * grown
    rounding = np.where(_exact_sums(held, sizes, machine), 0.0, rounding)
    slack = gamma(count) * np.maximum(np.abs(least), np.abs(most)).sum(axis=0)
    slack = np.where(_exact_sums(step.leaves, sizes, Machine("double")), 0.0, slack)
    error = (off.sum(axis=0) * (1 + gamma(count)) + rounding)[:, None]
    sums = Running((least.sum(axis=0) - slack)[:, None], (most.sum(axis=0) + slack)[:, None], error)
    scale = Running.constant(step.scale[:, None], machine)
    scaled = (div if step.divide else mul)(sums, scale, machine)
    return add(scaled, Running.constant(step.bias[:, None], machine), machine)


def _exact_sums(leaves: Array, sizes: Array, machine: Machine) -> Array:
    """Of each output (k,), whether all leaves are whole numbers of a step that sums stay exact in.

    ``sizes`` are what the sums' magnitudes stay below.
    """
    exact = []
    for column, size in zip(leaves.T, sizes.tolist(), strict=True):
        values = np.unique(np.abs(column[column != 0]))
        if not len(values):
            exact.append(True)
            continue
        mantissa, exponent = np.frexp(values)
        whole = np.ldexp(mantissa, 53).astype(np.int64)
        lowest = np.log2((whole & -whole).astype(np.float64)).astype(np.int64)
        step = int((exponent - 53 + lowest).min())
        fine = step > math.log2(machine.tiny) and size < math.ldexp(1.0, step + machine.digits)
        exact.append(bool(fine))
    return np.array(exact)


@dataclass(frozen=True, eq=False)
class FixedBound:
    """A chain of trees in integers: the error (k,) of its answers, and their largest integer."""

    error: Array
    largest: int
    fraction: int


def fixed_trees(chain: Chain, domain: Domain) -> FixedBound | None:
    """The error in integers, at inputs that are numbers of their formats; None for other steps.

    Cuts are rounded down to their input's format, so every decision is exact; each leaf was
    rounded once.
    """
    whole, form = integer_trees(chain, input_formats(domain))
    found = next(step for step in whole.steps if isinstance(step, IntegerTrees))
    if found is not whole.steps[-1]:
        return None  # a winner: rounding may turn it
    at = next(i for i, step in enumerate(chain.steps) if isinstance(step, Trees))
    step = chain.steps[at]
    assert isinstance(step, Trees)  # what was looked for
    leaves = step.leaves / step.scale if step.divide else step.leaves * step.scale
    bias = step.bias
    exact = bool((np.abs(np.frexp(step.scale)[0]) == 0.5).all())
    doubt, bias_doubt = (0 if exact else 3 * UNIT) * np.abs(leaves), np.zeros(len(bias))
    for behind in chain.steps[at + 1 :]:
        weights, offset = _linear(behind)
        n = 6 + weights.shape[1]
        size, bias_size = np.abs(leaves) @ np.abs(weights).T, np.abs(weights) @ np.abs(bias)
        leaves, bias = leaves @ weights.T, weights @ bias + offset
        doubt = doubt @ np.abs(weights).T + 2 * gamma(n) * size
        bias_doubt = np.abs(weights) @ bias_doubt + 2 * gamma(n) * (bias_size + np.abs(offset))
    off = np.abs(form.reals(form.integers(leaves)) - leaves) + 2 * doubt
    each = _of_each_tree(step, off)[1].sum(axis=0)
    bias_off = np.abs(form.reals(form.integers(bias)) - bias) + 2 * bias_doubt
    error = (each + bias_off) * (1 + gamma(len(step.roots) + 2))
    sizes = np.abs(found.forest.leaves).max(axis=0).astype(np.int64) * len(step.roots)
    return FixedBound(error, int((sizes + np.abs(found.bias)).max()), form.fraction)


def _linear(step: object) -> tuple[Array, Array]:
    """Matrix and offset of what :func:`integer_trees` takes into the leaves."""
    if isinstance(step, Pick):
        return np.eye(step.inputs)[step.columns], np.zeros(step.outputs)
    if isinstance(step, Scale):
        return np.diag(1 / step.divisor), -step.shift / step.divisor
    if isinstance(step, Stretch):
        return np.diag(step.factor), step.offset
    assert isinstance(step, Affine)  # all that it knows
    return step.weights, step.bias


Line = tuple[int, Fraction, Fraction]
"""Column, factor and offset of a number that is linear in one input."""


def same_decisions(original: Chain, folded: Chain, domain: Domain) -> bool:
    """Whether the folded trees decide every float32 of the domain as the original does in reals.

    Folding moves a scaler into the trees behind it by what double computes; here the numbers next
    to each new threshold are asked in exact fractions. False, too, where nothing is known.
    """
    lines: list[Line] = [(i, Fraction(1), Fraction(0)) for i in range(original.inputs)]
    for number, step in enumerate(original.steps):
        if isinstance(step, Trees):
            rest = original.steps[number + 1 :]
            if any(isinstance(later, Trees | Branches) for later in rest):
                return False  # another scaler may have been taken in there
            first = folded.steps[0]
            return isinstance(first, Trees) and _alike(step, first, lines, domain)
        if isinstance(step, Pick):
            lines = [lines[i] for i in step.columns.tolist()]
        elif isinstance(step, Scale):
            lines = [_scaled(*row) for row in zip(lines, step.shift, step.divisor, strict=True)]
        elif isinstance(step, Stretch):
            lines = [_moved(*row) for row in zip(lines, step.factor, step.offset, strict=True)]
        elif not (isinstance(step, Apply) and step.function == "identity"):
            return False
    return False


def _scaled(line: Line, shift: float, divisor: float) -> Line:
    column, factor, offset = line
    return column, factor / Fraction(divisor), (offset - Fraction(shift)) / Fraction(divisor)


def _moved(line: Line, factor: float, offset: float) -> Line:
    column, slope, start = line
    return column, slope * Fraction(factor), start * Fraction(factor) + Fraction(offset)


def _alike(before: Trees, after: Trees, lines: Sequence[Line], domain: Domain) -> bool:
    """Whether two trees of the same nodes decide alike at both sides of each threshold."""
    cuts, moved = before.cuts("double").astype(float), after.cuts("float32").astype(float)
    if len(before.left) != len(after.left):
        return False
    for node in before.splits.tolist():
        column, factor, offset = lines[int(before.feature[node])]
        swapped = before.left[node] != after.left[node]
        kept = (after.left[node], after.right[node])
        ends = (before.left[node], before.right[node])
        if kept != (ends[::-1] if swapped else ends) or after.feature[node] != column:
            return False
        limit = float(cuts[node])
        for x in _beside(float(moved[node]), domain.low[column], domain.high[column]):
            left = math.isinf(limit) or factor * Fraction(x) + offset <= Fraction(limit)
            if left == ((x <= moved[node]) == swapped):
                return False
    return True


def _beside(cut: float, low: float, high: float) -> list[float]:
    """The float32 at a threshold and behind it, held in the domain: between them nothing turns."""
    ends = [float(np.float32(low)), float(np.float32(high))]
    if math.isinf(cut):
        return ends
    behind = float(np.nextafter(np.float32(cut), np.float32(np.inf)))
    return [min(max(x, ends[0]), ends[1]) for x in (cut, behind)] + ends
