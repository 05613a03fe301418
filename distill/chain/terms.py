"""What expansions are made of: sums, distances and choices as trees, each beside its node count.

The counts tell what an expansion would be before anything is built: expansions grow
exponentially.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from distill.chain.base import Step
from distill.errors import FormulaError
from distill.formula.tree import (
    Node,
    Number,
    call,
    complexity,
    div,
    mul,
    sub,
    total,
)

LIMIT = 20_000
"""Nodes of one output; what is larger helps nobody and takes too long to handle."""


def refuse_growth(step: Step, x: Sequence[Node]) -> None:
    """Refuse an expansion that would be too large, before it is built.

    Raises
    ------
    FormulaError : when there are not as many trees as inputs, or an output would have more than
        ``LIMIT`` nodes.
    """
    where = f"chain step `{type(step).__name__}`"
    if len(x) != step.inputs:
        raise FormulaError(f"{len(x)} trees for a step of {step.inputs} inputs.", where=where)
    most = max(step.growth([complexity(node) for node in x]), default=0)
    if most > LIMIT:
        raise FormulaError(
            f"written out, this would be a formula of {most:,} nodes.",
            where=where,
            hint=f"up to {LIMIT:,} are written out; export the closed form as it is instead.",
        )


def linear(weights: Sequence[float], x: Sequence[Node], bias: float) -> Node:
    """``bias + sum of w*x``; factors of 0 and 1 and a bias of 0 are left out."""
    terms = [
        node if w == 1 else mul(Number(w), node) for w, node in zip(weights, x, strict=True) if w
    ]
    return total([*terms, Number(bias)] if bias or not terms else terms)


def linear_size(weights: Sequence[float], sizes: Sequence[int], bias: float) -> int:
    """The node count of :func:`linear`."""
    terms = [s if w == 1 else s + 2 for w, s in zip(weights, sizes, strict=True) if w]
    return sum_size([*terms, 1] if bias or not terms else terms)


def sum_size(sizes: Sequence[int]) -> int:
    """The node count of :func:`distill.formula.tree.total` of terms with these counts."""
    return sum(sizes) + len(sizes) - 1 if sizes else 1


def shifted(node: Node, shift: float) -> Node:
    """``node - shift``, without a shift of 0."""
    return sub(node, Number(shift)) if shift else node


def divided(node: Node, divisor: float) -> Node:
    """``node / divisor``, without a divisor of 1."""
    return div(node, Number(divisor)) if divisor != 1 else node


def balanced(operator: str, nodes: Sequence[Node]) -> Node:
    """An operator like max over all nodes, balanced so that many stay shallow."""
    if len(nodes) == 1:
        return nodes[0]
    middle = (len(nodes) + 1) // 2
    return call(operator, balanced(operator, nodes[:middle]), balanced(operator, nodes[middle:]))


def squares(x: Sequence[Node], centre: Sequence[float]) -> Node:
    """The squared distance of x from a centre."""
    return total([call("square", shifted(a, c)) for a, c in zip(x, centre, strict=True)])


def squares_size(sizes: Sequence[int], centre: Sequence[float]) -> int:
    """The node count of :func:`squares`; of every sum of one-argument functions of differences."""
    return sum_size([s + (3 if c else 1) for s, c in zip(sizes, centre, strict=True)])


def winner(scores: Sequence[Node], answers: Sequence[float], *, largest: bool) -> Node:
    """The answer of the largest (or smallest) score, of equals the first."""
    best, answer = scores[0], _number(answers[0])
    for i, (score, value) in enumerate(zip(scores[1:], answers[1:], strict=True), 2):
        pair = (best, score) if largest else (score, best)
        answer = call("ifless", *pair, _number(value), answer)
        if i < len(scores):
            best = call("max" if largest else "min", best, score)
    return answer


def winner_size(sizes: Iterable[int]) -> int:
    """The node count of :func:`winner` from those of the scores."""
    best = 0
    answer = 1
    for i, size in enumerate(sizes):
        if i:
            answer += best + size + 2
        best += size + (1 if i else 0)
    return answer


def _number(value: float) -> Node:
    return Number(float(value))
