"""Evaluating a tree on many points, with derivatives by constants and by inputs.

The tree is flattened once into a list of steps in which equal subtrees without constants stand
once; values flow forward through it, derivatives backward (reverse-mode differentiation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from distill.arrays import Array
from distill.errors import FormulaError
from distill.formula.operators import OPERATORS
from distill.formula.tree import Node, Number, Symbol

BLOCK = 16_384
"""Rows evaluated at once: the intermediate columns stay in the processor's cache."""


_FORGOTTEN = np.empty(0)


@dataclass(frozen=True, slots=True)
class _Step:
    operator: str  # "" for an input or a constant
    args: tuple[int, ...]
    source: int  # column of x, or index of the constant; unused for operators
    constant: bool
    spent: tuple[int, ...] = ()  # arguments that no later step needs


@dataclass(frozen=True, slots=True)
class Program:
    """A flattened tree. ``constants`` are in post-order, as :func:`tree.constants` gives them."""

    steps: tuple[_Step, ...]
    constants: Array

    def __call__(self, x: Array, constants: Array | None = None) -> Array:
        """Values at the points x (n, d), shape (n,); non-finite where the formula is not."""
        theta = self.constants if constants is None else constants
        result = np.empty(len(x))
        with np.errstate(all="ignore"):
            for start in range(0, len(x), BLOCK):
                block = x[start : start + BLOCK]
                result[start : start + BLOCK] = self._forward(block, theta, forget=True)[-1]
        return result

    def by_constants(self, x: Array, constants: Array | None = None) -> tuple[Array, Array]:
        """Values (n,) and their derivatives by the constants, (n, number of constants)."""
        theta = self.constants if constants is None else constants
        with np.errstate(all="ignore"):
            values, slopes = self._backward(x, theta)
            jacobian = np.zeros((len(x), len(theta)))
            for step, slope in zip(self.steps, slopes, strict=True):
                if step.constant and slope is not None:
                    jacobian[:, step.source] += slope
        return values, jacobian

    def by_inputs(self, x: Array) -> tuple[Array, Array]:
        """Values (n,) and their gradients by the inputs, (n, d)."""
        with np.errstate(all="ignore"):
            values, slopes = self._backward(x, self.constants)
            gradient = np.zeros_like(x)
            for step, slope in zip(self.steps, slopes, strict=True):
                if not step.operator and not step.constant and slope is not None:
                    gradient[:, step.source] += slope
        return values, gradient

    def _forward(self, x: Array, theta: Array, forget: bool = False) -> list[Array]:
        """The value of each step; with ``forget`` only of those that are still needed."""
        values: list[Array] = []
        for step in self.steps:
            if step.operator:
                args = [values[i] for i in step.args]
                values.append(np.asarray(OPERATORS[step.operator].value(*args), dtype=float))
                for i in step.spent if forget else ():
                    values[i] = _FORGOTTEN
            elif step.constant:
                values.append(np.float64(theta[step.source]) + np.zeros(1))
            else:
                values.append(x[:, step.source])
        return values

    def _backward(self, x: Array, theta: Array) -> tuple[Array, list[Array | None]]:
        values = self._forward(x, theta)
        slopes: list[Array | None] = [None] * len(values)
        slopes[-1] = np.ones(len(x))
        branching = any(step.operator == "ifless" for step in self.steps)
        for i in reversed(range(len(values))):
            step, slope = self.steps[i], slopes[i]
            if not step.operator or slope is None:
                continue
            args = [values[j] for j in step.args]
            for j, partial in zip(step.args, OPERATORS[step.operator].partials, strict=True):
                part = partial(*args, values[i])
                flow = slope * part
                if branching:  # a branch not taken counts for nothing, NaN and infinite or not
                    flow = np.where((slope == 0) | (part == 0), 0.0, flow)
                previous = slopes[j]
                slopes[j] = flow if previous is None else previous + flow
        result = np.broadcast_to(values[-1], (len(x),)).copy()
        return result, slopes


def compile_tree(tree: Node, variables: Sequence[str]) -> Program:
    """Flatten ``tree``, whose inputs are the columns named ``variables``.

    Raises
    ------
    FormulaError : when the tree uses a variable that is not among them.
    """
    columns = {name: i for i, name in enumerate(variables)}
    steps: list[_Step] = []
    values: list[float] = []
    places: dict[Node, int] = {}
    varying: dict[int, bool] = {}

    def place(node: Node) -> int:
        if node in places:
            return places[node]
        if isinstance(node, Number):
            step = _Step("", (), len(values), True)
            values.append(node.value)
        elif isinstance(node, Symbol):
            if node.name not in columns:
                raise FormulaError(
                    f"the formula uses `{node.name}`, which is not an input.",
                    hint=f"inputs: {', '.join(variables)}.",
                )
            step = _Step("", (), columns[node.name], False)
        else:
            step = _Step(node.operator, tuple(place(a) for a in node.args), -1, False)
        steps.append(step)
        at = len(steps) - 1
        # Every constant keeps a place of its own, so that constants can be fitted one by one.
        varying[at] = step.constant or any(varying[i] for i in step.args)
        if not varying[at]:
            places[node] = at
        return at

    place(tree)
    needed: set[int] = set()
    for i in reversed(range(len(steps))):
        spent = tuple(set(steps[i].args) - needed)
        needed.update(spent)
        steps[i] = replace(steps[i], spent=spent)
    return Program(tuple(steps), np.array(values))
