"""The steps of chains that decide: trees, thresholds, categories, winners, votes.

A decision that a box leaves open counts as all its outcomes together. Decisions about inputs
themselves are exact: thresholds are compared with the ends of the box.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from flint import arb

from distill.arrays import Array
from distill.chain.checks import Whole
from distill.chain.cuts import Goes
from distill.chain.steps.columns import Normalise, OneHot
from distill.chain.steps.elementwise import Above
from distill.chain.steps.kernels import OneVsOne
from distill.chain.steps.prototypes import Nearest
from distill.chain.steps.trees import Trees
from distill.chain.steps.winner import Winner
from distill.checking.balls import ONE, UNDEFINED, ZERO, ends
from distill.checking.formulas import absolute, operate
from distill.checking.functions import SOFTSIGN
from distill.checking.layers import Layer, distance_terms, exact, largest
from distill.checking.tape import Tape
from distill.checking.terms import Term


def below(value: arb) -> float:
    """A float64 number that is at most an exact ball: itself where it is one."""
    near = float(value.mid())
    while arb(near) > value:
        near = math.nextafter(near, -math.inf)
    return near


def over(value: arb) -> float:
    """A float64 number that is at least an exact ball."""
    return -below(-value)


def float32_floor(value: float) -> float:
    """The largest float32 number up to a float64 number."""
    near = np.float32(value)
    return float(near if float(near) <= value else np.nextafter(near, np.float32(-np.inf)))


def last_left(threshold: float, goes: Goes) -> float:
    """The largest float64 number that goes left at a threshold."""
    if goes == "at_most":
        return threshold
    if goes == "below":
        return math.nextafter(threshold, -math.inf)
    with np.errstate(over="ignore"):
        if goes == "float32_at_most":
            floor = float32_floor(threshold)
        else:
            floor = float(np.nextafter(np.float32(threshold), np.float32(-np.inf)))
        behind = float(np.nextafter(np.float32(floor), np.float32(np.inf)))
    if floor == math.inf:
        return floor
    # Halfway to the next float32 number rounding goes to the even one of the two; beyond the
    # largest one 2^128 stands for infinity.
    middle = (max(floor, -(2.0**128)) + min(behind, 2.0**128)) / 2
    with np.errstate(over="ignore"):
        stays = float(np.float32(middle)) <= floor
    return middle if stays else math.nextafter(middle, -math.inf)


def put_trees(step: Trees) -> Layer:
    """The sum of the leaves that points of the box fall into, at least and at most."""
    leaf = step.left < 0
    cuts = np.array(
        [
            math.inf if at_leaf else last_left(float(t), step.goes)
            for t, at_leaf in zip(step.threshold.tolist(), leaf.tolist(), strict=True)
        ]
    )
    levels = _levels(step)
    tree, places = _numbered(step)
    scale = exact(step.scale)
    factors = [ONE / s for s in scale] if step.divide else scale
    bias = exact(step.bias)

    def sums(at: Whole, k: int) -> tuple[arb, arb]:
        values = step.leaves[step.right[at], k]
        least = np.full(len(step.roots), np.inf)
        most = np.full(len(step.roots), -np.inf)
        np.minimum.at(least, tree[at], values)
        np.maximum.at(most, tree[at], values)
        return _sum(least[places]), _sum(most[places])

    def put(tape: Tape, x: Sequence[Term]) -> list[Term]:
        if not all(t.range.is_finite() for t in x):
            return [tape.any_of(UNDEFINED, UNDEFINED) for _ in bias]
        low = np.array([below(t.low) for t in x])
        high = np.array([over(t.high) for t in x])
        reached = np.zeros(len(leaf), dtype=bool)
        reached[step.roots] = True
        for nodes in levels:
            at = nodes[reached[nodes]]
            feature = step.feature[at]
            reached[step.left[at]] = low[feature] <= cuts[at]
            reached[step.right[at]] = high[feature] > cuts[at]
        ends_at = np.flatnonzero(leaf & reached)
        found = []
        for k, (factor, b) in enumerate(zip(factors, bias, strict=True)):
            least, most = sums(ends_at, k)
            if least == most:
                found.append(tape.constant(factor * least + b))
            else:
                found.append(tape.any_of(*ends((factor * least + b, factor * most + b))))
        return found

    return put


def _levels(step: Trees) -> list[Whole]:
    """The splits by their depth."""
    levels: list[Whole] = []
    at = np.unique(step.roots)
    while True:
        at = at[step.left[at] >= 0]
        if not len(at):
            return levels
        levels.append(at)
        at = np.concatenate([step.left[at], step.right[at]])


def _numbered(step: Trees) -> tuple[Whole, Whole]:
    """For each node the tree it is of, for each of `roots` the tree it starts; trees may repeat."""
    roots, places = np.unique(step.roots, return_inverse=True)
    tree = np.zeros(len(step.left), dtype=np.int64)
    tree[roots] = np.arange(len(roots))
    for node in np.flatnonzero(step.left >= 0).tolist():  # parents stand before their children
        tree[step.left[node]] = tree[step.right[node]] = tree[node]
    return tree, places


def _sum(values: Array) -> arb:
    total = ZERO
    for value in values.tolist():
        total += arb(value)
    return total


def put_above(step: Above) -> Layer:
    """1 above a threshold, else 0."""
    thresholds = exact(step.threshold)
    return lambda tape, x: [_above(tape, t, c) for t, c in zip(x, thresholds, strict=True)]


def _above(tape: Tape, x: Term, threshold: arb) -> Term:
    if x.low > threshold:
        return tape.constant(ONE)
    if x.high <= threshold:
        return tape.constant(ZERO)
    return _either(tape, x.range)


def _either(tape: Tape, *given: arb) -> Term:
    """0 or 1, where what it depends on is defined."""
    defined = all(value.is_finite() for value in given)
    return tape.any_of(ZERO, ONE) if defined else tape.any_of(UNDEFINED, UNDEFINED)


def put_one_hot(step: OneHot) -> Layer:
    """1 for the category that an input equals."""
    categories = [values.tolist() for values in step.categories]

    def put(tape: Tape, x: Sequence[Term]) -> list[Term]:
        found = []
        for term, values in zip(x, categories, strict=True):
            known = {c: _equal(tape, term, arb(c)) for c in values if not math.isnan(c)}
            rest: Term = tape.constant(ONE)
            if known:
                rest = tape.total(list(known.values()), [-ONE] * len(known), ONE)
            found += [rest if math.isnan(c) else known[c] for c in values]
        return found

    return put


def _equal(tape: Tape, x: Term, value: arb) -> Term:
    if x.low > value or x.high < value:
        return tape.constant(ZERO)
    if x.low == value and x.high == value:
        return tape.constant(ONE)
    return _either(tape, x.range)


def put_winner(step: Winner) -> Layer:
    """The number of the largest (or smallest) score, of equals the first."""

    def beaten(tape: Tape, x: Sequence[Term], i: int) -> bool:
        for j, other in enumerate(x):
            if j != i:
                off = tape.minus(other, x[i]) if step.largest else tape.minus(x[i], other)
                if off.low > 0 or (j < i and off.low >= 0):
                    return True
        return False

    def put(tape: Tape, x: Sequence[Term]) -> list[Term]:
        if not all(t.range.is_finite() for t in x):
            return [tape.any_of(UNDEFINED, UNDEFINED)]
        left = [i for i in range(len(x)) if not beaten(tape, x, i)]
        if len(left) == 1:
            return [tape.constant(arb(left[0]))]
        return [tape.any_of(arb(left[0]), arb(left[-1]))]

    return put


def put_normalise(step: Normalise) -> Layer:
    """X by its norm; a number of [-1, 1] where the norm may be 0."""

    def put(tape: Tape, x: Sequence[Term]) -> list[Term]:
        if step.norm == "l2":
            squares = [operate(tape, "square", [t]) for t in x]
            norm = operate(tape, "sqrt", [tape.total(squares, [ONE] * len(x), ZERO)])
        else:
            sizes = [absolute(tape, t) for t in x]
            is_max = step.norm == "max"
            norm = largest(tape, sizes) if is_max else tape.total(sizes, [ONE] * len(x), ZERO)
        if not norm.low > 0:
            defined = norm.range.is_finite()
            bounds = (-ONE, ONE) if defined else (UNDEFINED, UNDEFINED)
            return [tape.any_of(*bounds) for _ in x]
        inverse = operate(tape, "inv", [norm])
        return [tape.product(t, inverse) for t in x]

    return put


def put_one_vs_one(step: OneVsOne) -> Layer:
    """Votes from the margins of pairs, and what the margins add to them."""

    def put(tape: Tape, x: Sequence[Term]) -> list[Term]:
        votes: list[list[Term]] = [[] for _ in range(step.classes)]
        margins: list[list[tuple[Term, arb]]] = [[] for _ in range(step.classes)]
        for (i, j), margin in zip(step.pairs, x, strict=True):
            first = _above(tape, margin, ZERO)
            if step.ties == "margins" and margin.low.is_zero() and margin.high.is_zero():
                first = tape.constant(ONE)
            votes[i].append(first)
            votes[j].append(tape.scaled(first, -ONE, ONE))
            margins[i].append((margin, ONE))
            margins[j].append((margin, -ONE))
        found = []
        for mine, own in zip(votes, margins, strict=True):
            total = tape.total(mine, [ONE] * len(mine), ZERO)
            if step.ties == "margins":
                total = tape.added(total, _share(tape, own))
            found.append(total)
        return found

    return put


def _share(tape: Tape, margins: Sequence[tuple[Term, arb]]) -> Term:
    """``s / (3 (|s| + 1))`` of a sum of margins."""
    total = tape.total([m for m, _ in margins], [s for _, s in margins], ZERO)
    return tape.scaled(tape.bent(total, SOFTSIGN.bend(total)), ONE / 3)


def put_nearest(step: Nearest) -> Layer:
    """The mean over the nearest prototypes: over those that may be among them."""
    prototypes = [exact(row) for row in step.prototypes]

    def put(tape: Tape, x: Sequence[Term]) -> list[Term]:
        near = distance_terms(tape, x, prototypes, step.metric)
        if not all(t.range.is_finite() for t in near):
            return [tape.any_of(UNDEFINED, UNDEFINED) for _ in range(step.outputs)]
        limit = sorted(over(t.high) for t in near)[step.count - 1]
        left = np.array([i for i, t in enumerate(near) if below(t.low) <= limit])
        count = step.count if step.weights == "uniform" else 1
        found: list[Term] = []
        for values in np.sort(step.values[left], axis=0).T:
            least, most = _sum(values[:count]) / count, _sum(values[-count:]) / count
            found.append(tape.any_of(*ends((least, most))))
        return found

    return put
