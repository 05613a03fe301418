"""Chains of trees in fixed point: integer inputs, integer cuts, integer leaves, nothing else.

An input q stands for ``q * 2**-fraction``. A cut is rounded down to its input's format, so that
every integer goes where the real number that it stands for goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from distill.arrays import Array
from distill.chain.base import Real, Step
from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Pick
from distill.chain.steps.elementwise import Scale, Stretch
from distill.chain.steps.trees import Trees
from distill.chain.steps.winner import Winner
from distill.errors import ExportError, FormulaError
from distill.firmware.chains.forest import Forest, Whole, forest_of, leaf_rows
from distill.firmware.fixed.formats import LARGEST, LEAST_FRACTION, MOST_FRACTION, QFormat
from distill.formula.tree import Node


@dataclass(frozen=True, eq=False)
class IntegerTrees:
    """The sum of the leaves that a point falls into, plus ``bias`` (k,), all of them integers."""

    forest: Forest
    bias: Whole

    @property
    def inputs(self) -> int:
        """Inputs of the trees."""
        return self.forest.inputs

    @property
    def outputs(self) -> int:
        """Numbers of a leaf."""
        return len(self.bias)

    @property
    def stored(self) -> int:
        """Cuts and leaves."""
        return self.forest.splits + self.forest.leaves.size

    @property
    def operations(self) -> int:
        """A comparison for each split on the way, about, and a sum for each tree."""
        trees = len(self.forest.roots)
        return trees * (self.outputs + max(1, self.forest.splits // trees).bit_length())

    def evaluate(self, x: Array, real: Real = "double") -> Array:
        """Answers (n, k) at integers x (n, d), exact in every arithmetic that holds them."""
        sums = np.repeat(self.bias[None], len(x), axis=0)
        for rows in leaf_rows(self.forest, x):
            sums += self.forest.leaves[rows]
        return sums.astype(float)

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nothing: there is no formula in integers."""
        raise FormulaError("trees in integers have no formula.", hint="expand the real ones.")

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """Nothing: there is no formula in integers."""
        raise FormulaError("trees in integers have no formula.", hint="expand the real ones.")


def integer_trees(chain: Chain, formats: Sequence[QFormat]) -> tuple[Chain, QFormat]:
    """The chain in integers, and the format of its answers.

    Its ``evaluate`` takes integers (n, d) as float64 and gives integers (n, k): what the C does.
    What is linear behind the trees, such as a mean, goes into their leaves.
    The answers' format has as many fraction bits as no sum of leaves overflows, and no more than
    make all leaves exact. Each leaf is rounded once, so k answers are off by at most half a step
    a tree; where the leaves are exact, so are they.

    Parameters
    ----------
    formats : of each of the chain's inputs.

    Raises
    ------
    ExportError : for steps that fixed point does not know, or another number of formats.
    """
    if len(formats) != chain.inputs:
        raise ExportError(f"{len(formats)} number formats for {chain.inputs} inputs.")
    steps: list[Step] = []
    output: QFormat | None = None
    known = list(formats)
    for step in _with_linear(chain.steps):
        if isinstance(step, Pick) and output is None:
            known = [known[i] for i in step.columns.tolist()]
            steps.append(step)
        elif isinstance(step, Trees) and output is None:
            found, output = _trees(step, known)
            steps.append(found)
        elif isinstance(step, Winner) and output is not None:
            output = QFormat(0)
            steps.append(step)
        else:
            raise _refusal(type(step).__name__)
    if output is None:
        raise _refusal("none")
    return Chain(chain.inputs, tuple(steps)), output


def _with_linear(steps: Sequence[Step]) -> list[Step]:
    """The steps, with linear ones behind trees taken into the leaves."""
    found: list[Step] = []
    for step in steps:
        line = _line(step) if found and isinstance(found[-1], Trees) else None
        if line is not None:
            found[-1] = _moved(found[-1], *line)
        else:
            found.append(step)
    return found


def _line(step: Step) -> tuple[Array, Array] | None:
    """Matrix (k, d) and offset (k,) of a linear step; None for others."""
    if isinstance(step, Affine):
        return step.weights, step.bias
    if isinstance(step, Pick):
        return np.eye(step.inputs)[step.columns], np.zeros(step.outputs)
    if isinstance(step, Scale):
        return np.diag(1 / step.divisor), -step.shift / step.divisor
    if isinstance(step, Stretch):
        return np.diag(step.factor), step.offset
    return None


def _moved(trees: Step, weights: Array, offset: Array) -> Trees:
    """Trees whose answers are multiplied and moved."""
    assert isinstance(trees, Trees)  # what the caller looked at
    leaves = trees.leaves * (1 / trees.scale if trees.divide else trees.scale)
    return replace(
        trees,
        leaves=leaves @ weights.T,
        scale=np.ones(len(offset)),
        bias=weights @ trees.bias + offset,
        divide=False,
    )


def _refusal(kind: str) -> ExportError:
    return ExportError(
        "a teacher's own arithmetic is exported in fixed point where it is decision trees, with a "
        "choice of inputs before them, linear steps and a winner after them; the step "
        f"`{kind}` is in the way.",
        where="export.arithmetic",
        hint="use export.arithmetic=float32, or export a formula found by the search.",
    )


def _trees(step: Trees, formats: Sequence[QFormat]) -> tuple[IntegerTrees, QFormat]:
    fractions = np.array([form.fraction for form in formats])
    factor = 1 / step.scale if step.divide else step.scale
    values, bias = step.leaves * factor, step.bias
    output = _format(values, bias, len(step.roots))
    feature = np.where(step.left < 0, 0, step.feature)  # a leaf has none
    cuts = np.floor(np.ldexp(step.cuts("double").astype(float), fractions[feature]))
    held = np.clip(cuts, -LARGEST - 1, LARGEST).astype(np.int64)
    forest = forest_of(step, held, output.integers(values))
    return IntegerTrees(forest, output.integers(bias)), output


def _format(values: Array, bias: Array, trees: int) -> QFormat:
    """The finest format in which no sum overflows; a coarser one where that is exact already."""
    numbers = np.concatenate([values.ravel(), bias])
    largest = float(np.abs(bias).max() + trees * np.abs(values).max())
    # Each of the rounded numbers is off by at most half a step.
    room = LARGEST - trees - 1
    finest = LEAST_FRACTION
    for fraction in range(LEAST_FRACTION, MOST_FRACTION + 1):
        if np.ldexp(largest, fraction) > room:
            break
        finest = fraction
        scaled = np.ldexp(numbers, fraction)
        if (scaled == np.floor(scaled)).all():
            break
    return QFormat(finest)
