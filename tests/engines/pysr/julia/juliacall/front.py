"""Fronts of true formulas: found by least squares, or told as guesses and scored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from juliacall.expressions import SAFE, Call, Tree, complexity, evaluate, operators_of, read, show
from juliacall.templates import Template
from juliacall.values import Function, JuliaError


class Row(NamedTuple):
    """A line of the hall of fame."""

    complexity: int
    loss: float
    equation: str


@dataclass(frozen=True)
class Data:
    """What is to be explained: columns by name, `y` and `weights` of shape (n,)."""

    columns: dict[str, np.ndarray]
    y: np.ndarray
    weights: np.ndarray | None
    operators: frozenset[tuple[str, int]]
    functions: dict[str, Call]
    costs: dict[str, float]
    template: Template | None

    def loss(self, values: Any) -> float:
        """Return the mean squared error; the stand-in knows no other loss."""
        values = np.broadcast_to(values, self.y.shape)
        return float(np.average((values - self.y) ** 2, weights=self.weights))

    def row(self, tree: Tree) -> Row:
        loss = self.loss(evaluate(tree, self.columns, self.functions))
        return Row(complexity(tree, self.costs), loss, show(tree))

    def template_row(
        self, parts: Mapping[str, Tree], parameters: Mapping[str, Sequence[float]]
    ) -> Row:
        assert self.template is not None
        loss = self.loss(self.template.evaluate(parts, parameters, self.columns))
        total = sum(complexity(part, self.costs) for part in parts.values())
        return Row(total, loss, self.template.show(parts, parameters))


def best(rows: Iterable[Row]) -> list[Row]:
    """Return the Pareto front, as the hall of fame file holds it."""
    front: list[Row] = []
    for row in sorted(rows):
        if np.isfinite(row.loss) and (not front or row.loss < front[-1].loss):
            front.append(row)
    return front


def fitted(data: Data, texts: Sequence[str]) -> list[Row]:
    """Return a constant, `a*t + b` for each of the texts, and the sum of them all."""
    if data.template is not None:
        return _fitted_template(data, data.template, texts)
    terms = [read(text) for text in texts]
    one_each = [_line(data, [term]) for term in terms]
    return best([data.row(tree) for tree in (_line(data, []), *one_each, _line(data, terms))])


def _line(data: Data, terms: Sequence[Tree]) -> Tree:
    """Return the best sum of the terms, each times a number, and a number."""
    values = [
        np.broadcast_to(evaluate(term, data.columns, data.functions), data.y.shape)
        for term in terms
    ]
    matrix = np.column_stack([np.ones_like(data.y), *values])
    root = np.sqrt(np.ones_like(data.y) if data.weights is None else data.weights)
    solved = np.linalg.lstsq(matrix * root[:, None], data.y * root, rcond=None)[0]
    return _sum([float(number) for number in solved], terms)


def _sum(numbers: Sequence[float], terms: Sequence[Tree]) -> Tree:
    tree: Tree = numbers[0]
    for factor, term in zip(numbers[1:], terms, strict=True):
        tree = ("+", ("*", term, factor), tree)
    return tree


def _fitted_template(data: Data, template: Template, texts: Sequence[str]) -> list[Row]:
    """Return constant parts and parts that are sums of the texts (of their arguments if none)."""
    from scipy.optimize import least_squares

    def build(terms: Mapping[str, Sequence[Tree]]) -> Row:
        sizes = [len(terms[name]) + 1 for name in template.expressions]
        sizes += template.parameters.values()
        keys = [*template.expressions, *template.parameters]

        def split(numbers: np.ndarray) -> tuple[dict[str, Tree], dict[str, list[float]]]:
            groups = np.split(numbers, np.cumsum(sizes)[:-1])
            lists = {key: group.tolist() for key, group in zip(keys, groups, strict=True)}
            parts = {name: _sum(lists[name], terms[name]) for name in template.expressions}
            return parts, {name: lists[name] for name in template.parameters}

        def residuals(numbers: np.ndarray) -> np.ndarray:
            values = template.evaluate(*split(numbers), data.columns)
            return np.nan_to_num(np.broadcast_to(values, data.y.shape) - data.y, nan=1e9)

        return data.template_row(*split(least_squares(residuals, np.ones(sum(sizes))).x))

    own = {name: [f"#{i + 1}" for i in range(n)] for name, n in template.arities.items()}
    told = {name: [read(text) for text in texts] for name in own}
    return best([build(dict.fromkeys(own, ())), build(told if texts else own)])


def scored(data: Data, guesses: Sequence[Any]) -> list[Row]:
    """Return the front of the guesses and a constant; unknown operators raise, as in Julia."""
    rows = []
    for guess in guesses:
        if isinstance(guess, str) == (data.template is not None):
            raise JuliaError(f"a guess of the wrong kind for this expression: {guess!r}")
        if isinstance(guess, str):
            rows.append(data.row(_known(data, read(guess))))
            continue
        assert data.template is not None
        parts = {name: _known(data, read(guess[name])) for name in data.template.expressions}
        parameters = {name: guess[name] for name in data.template.parameters}
        rows.append(data.template_row(parts, parameters))
    constant = [] if data.template is not None else [data.row(_line(data, []))]
    return best(rows + constant)


def _known(data: Data, tree: Tree) -> Tree:
    for name, arity in sorted(operators_of(tree) - data.operators):
        raise JuliaError(f"Unrecognized operator: `{name}` with {arity} arguments")
    return tree


def costs_of(major: int, told: Mapping[Function, float] | None) -> dict[str, float]:
    """Return what operators count, by the name they have in expressions.

    From 2.0 the backend looks costs up after it has replaced operators by safe ones, so that only
    those under the safe names count.
    """
    listed = {function.name: number for function, number in (told or {}).items()}
    if major == 1:
        return listed
    return {
        name: listed.get(SAFE.get(name, name), 1) for name in {*listed, *SAFE} if name in SAFE
    } | {name: number for name, number in listed.items() if name not in SAFE}
