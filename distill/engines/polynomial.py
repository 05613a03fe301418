"""Polynomials and ratios of polynomials by least squares: the baseline of every search.

The terms are products of powers of each input or of one simple function of it. They are chosen
one after the other by orthogonal least squares (Chen, Billings and Luo 1989) and then left out
again one by one, so that one run gives a front of sparse formulas. A ratio p/q is chosen in the
linear form ``p - y*(q - 1) = y`` and then fitted with weights 1/q (Sanathanan and Koerner 1963).
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.domain import Variable
from distill.engines.base import Candidate, Problem
from distill.engines.news import News
from distill.errors import ConfigError
from distill.formula import Formula
from distill.formula.program import compile_tree
from distill.formula.simplify import simplify
from distill.formula.tree import Call, Node, Number, Symbol, call, div, mul, sub, total

FAR_FROM_ZERO = 8.0
"""A range this many of its half-widths away from zero is moved to zero."""

MOST_TERMS = 500
"""So many terms are there to choose from at most; those of the lowest degree come first."""

MOST_ROWS = 800
MOST_CHOICES = 32
"""So many choices of one function for every input are tried; all of them for two inputs."""

REWEIGHTED = 5
HOPELESS = 1.5
"""Fits with an RMSE this many times that of a fit with no more terms are not looked at."""


@dataclass(frozen=True, slots=True)
class PolynomialOptions:
    """Which polynomials are tried."""

    max_degree: int = 5  # total degree of a term
    max_terms: int = 16  # terms of a formula; in a ratio those of both parts
    functions: bool = True  # also sqrt, log and 1/x of an input in the place of the input
    ratios: bool = True  # also ratios of two polynomials

    def __post_init__(self) -> None:
        for key in ("max_degree", "max_terms"):
            if getattr(self, key) < 1:
                raise ConfigError(
                    f"`{key}` is {getattr(self, key)}.",
                    where=f"config key `engine.options.{key}`",
                    hint="give a whole number of at least 1.",
                )


@dataclass(frozen=True, slots=True)
class _Term:
    """A product of powers, as a tree and as its values (n,) divided by their size."""

    tree: Node
    values: Array
    size: float


@dataclass(frozen=True, slots=True)
class _Fitted:
    tree: Node
    terms: int
    error: float
    origin: str


@dataclass(frozen=True)
class Polynomial:
    """The engine."""

    options: PolynomialOptions = PolynomialOptions()

    @property
    def name(self) -> str:
        """``polynomial``."""
        return "polynomial"

    def search(self, problem: Problem) -> Iterator[Candidate]:
        """Candidates, each better than all before it that are as simple.

        An evaluation is one least-squares fit. The seed has no effect.
        """
        budget = problem.budget
        deadline = None if budget.seconds is None else time.monotonic() + budget.seconds
        news = News(problem.sample, problem.rules)
        best: dict[int, float] = {}
        for count, fit in enumerate(self._fits(problem), 1):
            # A simplified tree costs more time than the fit: most need none.
            if fit.error < HOPELESS * min(
                (e for n, e in best.items() if n <= fit.terms), default=np.inf
            ):
                best[fit.terms] = min(fit.error, best.get(fit.terms, np.inf))
                formula = Formula(simplify(fit.tree, seconds=None), problem.sample.domain)
                if formula.complexity <= problem.max_complexity and news.better(formula):
                    yield Candidate(formula, self.name, fit.origin)
            if deadline is not None and time.monotonic() > deadline:
                return
            if budget.evaluations is not None and count >= budget.evaluations:
                return

    def _fits(self, problem: Problem) -> Iterator[_Fitted]:
        sample = problem.sample
        rows = np.random.default_rng(0).permutation(len(sample))[:MOST_ROWS]
        x, y = sample.x[rows], sample.y[rows]
        names = sample.domain.names
        variables = sample.domain.variables
        choices = [_functions(v, problem.operators, self.options.functions) for v in variables]
        for chosen in itertools.islice(itertools.product(*choices), MOST_CHOICES):
            pool = _pool([[tree] for tree in chosen], self.options.max_degree, names, x)
            yield from self._polynomials(pool, y)
            if self.options.ratios and "div" in problem.operators:
                low = _pool([[tree] for tree in chosen], min(3, self.options.max_degree), names, x)
                yield from self._ratios(low, y)
        if any(len(several) > 1 for several in choices):
            pool = _pool(choices, min(4, self.options.max_degree), names, x)
            yield from self._polynomials(pool, y)

    def _polynomials(self, pool: list[_Term], y: Array) -> Iterator[_Fitted]:
        columns = np.column_stack([t.values for t in pool])
        for used in _selections(columns, y, self.options.max_terms):
            weights = np.linalg.lstsq(columns[:, used], y, rcond=None)[0]
            error = float(np.sqrt(np.mean((columns[:, used] @ weights - y) ** 2)))
            tree = _sum(pool, used, weights.tolist())
            yield _Fitted(tree, len(used), error, f"{len(used)} terms")

    def _ratios(self, pool: list[_Term], y: Array) -> Iterator[_Fitted]:
        above = np.column_stack([t.values for t in pool])
        below = -y[:, None] * above[:, 1:]  # the constant of the denominator is 1
        for used in _selections(np.hstack([above, below]), y, self.options.max_terms):
            top = [i for i in used if i < len(pool)]
            bottom = [i - len(pool) + 1 for i in used if i >= len(pool)]
            if not top or not bottom:
                continue
            weights = np.ones(len(y))
            linear = np.hstack([above[:, top], -y[:, None] * above[:, bottom]])
            for _ in range(REWEIGHTED):
                basis = linear * weights[:, None]
                solution = np.linalg.lstsq(basis, y * weights, rcond=None)[0]
                denominator = 1.0 + above[:, bottom] @ solution[len(top) :]
                weights = 1.0 / np.maximum(np.abs(denominator), 1e-3)
            if denominator.min() <= 1e-3 * denominator.max():
                continue  # a pole runs through the domain
            numerator = above[:, top] @ solution[: len(top)]
            error = float(np.sqrt(np.mean((numerator / denominator - y) ** 2)))
            p = _sum(pool, top, solution[: len(top)].tolist())
            q = call("add", _sum(pool, bottom, solution[len(top) :].tolist()), Number(1.0))
            origin = f"ratio of {len(top)} and {len(bottom)} terms"
            yield _Fitted(div(p, q), len(used), error, origin)


def _functions(variable: Variable, operators: Mapping[str, float], wanted: bool) -> list[Node]:
    """The input, or simple functions of it that are finite and smooth over its range."""
    symbol = Symbol(variable.name)
    middle, half = (variable.high + variable.low) / 2, (variable.high - variable.low) / 2
    if abs(middle) > FAR_FROM_ZERO * half:
        return [sub(symbol, Number(middle))]
    result: list[Node] = [symbol]
    if wanted:
        if "sqrt" in operators and variable.low >= 0:
            result.append(call("sqrt", symbol))
        if "log" in operators and variable.low > 0:
            result.append(call("log", symbol))
        if "div" in operators and (variable.low > 0 or variable.high < 0):
            result.append(call("inv", symbol))
    return result


def _pool(
    factors: Sequence[Sequence[Node]], degree: int, names: Sequence[str], x: Array
) -> list[_Term]:
    """All products of total degree 0 to ``degree`` with one factor for each input."""
    flat = [tree for several in factors for tree in several]
    owner = [i for i, several in enumerate(factors) for _ in several]
    terms: list[_Term] = []
    for total_degree in range(degree + 1):
        for picked in itertools.combinations_with_replacement(range(len(flat)), total_degree):
            if len(terms) == MOST_TERMS:
                return terms
            if len({owner[i] for i in picked}) < len(set(picked)):
                continue  # two functions of one input
            tree = _product([flat[i] for i in picked])
            values = compile_tree(tree, names)(x)
            size = float(np.abs(values).max())
            if math.isfinite(size) and size > 0.0:
                terms.append(_Term(tree, values / size, size))
    return terms


def _product(factors: list[Node]) -> Node:
    result: Node = Number(1.0)
    for factor in factors:
        result = factor if result == Number(1.0) else Call("mul", (result, factor))
    return result


def _sum(pool: list[_Term], used: Sequence[int], weights: Sequence[float]) -> Node:
    """Weighted terms, in raw units."""
    return total(
        [mul(Number(w / pool[i].size), pool[i].tree) for i, w in zip(used, weights, strict=True)]
    )


def _selections(columns: Array, y: Array, count: int) -> Iterator[list[int]]:
    """Growing sets of columns, then the largest one as it loses what it needs least."""
    order = _chosen(columns, y, count)
    for size in range(1, len(order) + 1):
        yield order[:size]
    left = list(order)
    while len(left) > 1:
        basis = columns[:, left]
        across, sizes, along = np.linalg.svd(basis, full_matrices=False)
        sizes = np.maximum(sizes, 1e-12 * sizes[0])
        weights = along.T @ ((across.T @ y) / sizes)
        # What leaving a column out costs: its weight squared over its variance.
        loss = weights**2 / np.sum((along / sizes[:, None]) ** 2, axis=0)
        left.pop(int(np.argmin(loss)))
        yield list(left)


def _chosen(columns: Array, y: Array, count: int) -> list[int]:
    """Indices of columns in the order in which orthogonal least squares takes them."""
    left, rest = columns.copy(), y.copy()
    size = np.einsum("ij,ij->j", left, left)
    first = size.copy()
    chosen: list[int] = []
    for _ in range(min(count, *columns.shape)):
        usable = size > 1e-10 * first
        usable[chosen] = False
        if not usable.any():
            break
        gain = np.where(usable, (left.T @ rest) ** 2 / np.where(usable, size, 1.0), -1.0)
        best = int(np.argmax(gain))
        direction = left[:, best] / math.sqrt(size[best])
        chosen.append(best)
        rest -= direction * (direction @ rest)
        left -= np.outer(direction, direction @ left)
        size = np.einsum("ij,ij->j", left, left)
    return chosen
