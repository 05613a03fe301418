"""What engines that search the same problem know together: their front, and parts to build with."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from distill.arrays import Array
from distill.engines.base import Candidate, Problem
from distill.engines.news import News
from distill.engines.structure.engine import ALLOWED
from distill.formula import Formula
from distill.formula.program import compile_tree
from distill.formula.tree import (
    Node,
    complexity,
    constants,
    postorder,
    symbols,
    with_constants,
)
from distill.sampling.sample_set import SampleSet

MOST_BLOCKS = 6
"""So many parts are offered to an engine that builds on parts."""

SMALLEST_BLOCK, LARGEST_BLOCK = 3, 10
"""Nodes of a part worth a name of its own. Large ones crowd out what is simple: a search for short
formulas takes them for single inputs."""

EXACT = 1e-12
"""An error below this part of the largest answer is rounding."""

NEW = 1e-3
"""Of its spread: a part is new when so much of it is no weighted sum of what is there."""

Entry = tuple[int, float, Formula, str]
"""Complexity, RMSE on the sample, formula, finder."""


class Board:
    """The front of several engines as it grows, read by all of them, written by one thread.

    Attributes
    ----------
    known : formulas to start from: the front of what was found here, simplest first, then those
        that the problem came with.
    pieces : parts that an engine found out about, over the inputs.
    """

    def __init__(self, problem: Problem) -> None:
        self.known = problem.known
        self.pieces: tuple[Node, ...] = ()
        self._problem = problem
        self._news = News(problem.sample, problem.rules)
        self._front: list[Entry] = []
        self._best: dict[str, float] = {}

    def add(self, candidate: Candidate, finder: str) -> bool:
        """Take a candidate into account; whether it beats all before it that are as simple."""
        formula, sample = candidate.written, self._problem.sample
        better = self._news.better(formula)
        error = _rms(formula, sample)
        self._best[finder] = min(error, self._best.get(finder, math.inf))
        if error < math.inf and self._problem.rules.admits(formula, sample.x):
            self._front = _joined(self._front, (formula.complexity, error, formula, finder))
            front = [entry[2] for entry in self._front]
            self.known = tuple(dict.fromkeys([*front, *self._problem.known]))
        return better

    def solved_by(self, finder: str) -> bool:
        """Whether the best of what it found is as good as the teacher itself."""
        oracle, y = self._problem.oracle, self._problem.sample.y
        own = ALLOWED * oracle.error if oracle is not None else 0.0
        return self._best.get(finder, math.inf) <= max(own, EXACT * float(np.abs(y).max()))

    def blocks(self, finder: str) -> tuple[Node, ...]:
        """At most six small trees over the inputs to build on, for an engine of that name.

        Pieces come first, then parts of formulas that others found; it has its own already.
        """
        sample = self._problem.sample
        own = {entry[2] for entry in self._front if entry[3] == finder}
        others = [formula for formula in self.known if formula not in own]
        by_error = sorted(others, key=lambda formula: _rms(formula, sample))
        pieces = [piece for piece in self.pieces if _worth(piece)]
        return tuple(islice(_new([*pieces, *_parts(by_error)], sample), MOST_BLOCKS))


def _rms(formula: Formula, sample: SampleSet) -> float:
    """The root mean square error on the sample; infinite where a value is not finite."""
    error = float(np.sqrt(np.mean((formula(sample.x) - sample.y) ** 2)))
    return error if np.isfinite(error) else math.inf


def _joined(front: Sequence[Entry], new: Entry) -> list[Entry]:
    """The front with one more entry, simplest first; the same where that is beaten."""
    if any(e[0] <= new[0] and e[1] <= new[1] for e in front):
        return list(front)
    kept = [e for e in front if e[0] < new[0] or e[1] < new[1]]
    return sorted([*kept, new], key=lambda entry: entry[:2])


def _parts(known: Sequence[Formula]) -> Iterator[Node]:
    """Parts of formulas, given the best first: those that most of the formulas have come first.

    Formulas that differ in constants have the same parts; the best one's constants are taken.
    """
    parts: dict[Node, Node] = {}
    shared: Counter[Node] = Counter()
    for formula in known:
        shapes = {_shape(part): part for part in postorder(formula.tree) if _worth(part)}
        shared.update(shapes.keys())
        parts = shapes | parts
    order = sorted(parts, key=lambda shape: (-shared[shape], -complexity(shape)))
    yield from (parts[shape] for shape in order)


def _worth(part: Node) -> bool:
    size = complexity(part)
    return SMALLEST_BLOCK <= size <= LARGEST_BLOCK and bool(symbols(part))


def _shape(tree: Node) -> Node:
    return with_constants(tree, [1.0] * len(constants(tree)))


def _new(proposed: Sequence[Node], sample: SampleSet) -> Iterator[Node]:
    """Those that are no weighted sum of their inputs and of those before them."""
    names = sample.domain.names
    taken: list[Array] = []
    for tree in dict.fromkeys(proposed):
        value = compile_tree(tree, names)(sample.x)
        inputs = [sample.x[:, names.index(name)] for name in symbols(tree)]
        if np.isfinite(value).all() and _left(value, [*inputs, *taken]) > NEW:
            taken.append(value)
            yield tree


def _left(value: Array, columns: Sequence[Array]) -> float:
    """The part of the spread of a value (n,) that no weighted sum of the columns explains."""
    basis = np.column_stack([*map(_scaled, columns), np.ones_like(value)])
    target = _scaled(value)
    spread = float(np.std(target))
    if spread == 0.0:
        return 0.0
    weights, *_ = np.linalg.lstsq(basis, target, rcond=None)
    return float(np.std(target - basis @ weights)) / spread


def _scaled(column: Array) -> Array:
    return column / (np.abs(column).max() or 1.0)
