"""Operon (pyoperon) behind the engine protocol: genetic programming over whole formulas.

The library works in float32 and is not to be trusted with the life of a run, so it searches
standardised data in a process of its own (:mod:`distill.engines.operon_worker`); what it sends is
brought back to raw units, simplified and passed on when it is better than anything before.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.engines.base import Budget, Candidate, Problem
from distill.engines.child import Child, EngineError
from distill.engines.news import News
from distill.errors import ConfigError
from distill.formula import Formula
from distill.formula.program import compile_tree
from distill.formula.simplify import simplify
from distill.formula.tree import Call, Node, Number, Symbol, add, call, mul, sub
from distill.sampling.sample_set import SampleSet

log = logging.getLogger(__name__)

# Our names and Operon's.
NAMES = {
    "add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "square": "Square", "sqrt": "Sqrt",
    "exp": "Exp", "log": "Log", "sin": "Sin", "cos": "Cos", "tanh": "Tanh", "abs": "Abs",
    "min": "Fmin", "max": "Fmax", "pow": "Pow", "tan": "Tan", "asin": "Asin", "acos": "Acos",
    "atan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "cbrt": "Cbrt",
}  # fmt: skip
OURS = {theirs: ours for ours, theirs in NAMES.items()}

# These take Operon 145 to 250 ns a row (measured), a hundred times an addition.
SLOW = frozenset(["tan", "asin", "acos", "atan", "sinh", "cosh", "cbrt"])

# Operon needs no word for these: they are a subtraction, a division, a square times its base.
IMPLIED = frozenset(["neg", "inv", "cube"])

WORKER = "distill.engines.operon_worker"
MAX_RESTARTS = 64
MAX_CRASHES = 3
HUGE = 1e100  # values beyond it are of no use and would overflow when squared
CONSTANT = 1e-6  # a block that varies by less than this part of its size is none in float32
FAR_FROM_ZERO = 8.0
"""A range this many of its half-widths away from zero is moved to zero in every restart."""


@dataclass(frozen=True, slots=True)
class OperonOptions:
    """How Operon searches."""

    population_size: int = 1000  # formulas per generation
    max_length: int = 30  # nodes of Operon's own trees, in which variables carry free factors
    max_depth: int = 10
    optimizer_iterations: int = 5  # Levenberg-Marquardt steps for the constants of every formula
    rows: int = 256  # points drawn anew for each restart; the rest of the sample still judges
    generations: int = 60  # of the first restart; each pair of restarts gets twice as many
    threads: int = 0  # 0: one for each core, up to 8; the result does not depend on it
    slow_operators: bool = False  # whether to use tan, asin, acos, atan, sinh, cosh, cbrt

    def __post_init__(self) -> None:
        for key, value in asdict(self).items():
            least = 0 if key in ("optimizer_iterations", "threads", "slow_operators") else 1
            if value < least:
                raise ConfigError(
                    f"`{key}` is {value}.",
                    where=f"config key `engine.options.{key}`",
                    hint=f"give a whole number of at least {least}.",
                )


@dataclass(frozen=True, slots=True)
class Scaling:
    """What Operon sees of the inputs: (x - offset) / scale, each of shape (d,)."""

    offset: Array
    scale: Array

    def tree(self, column: int, weight: float, columns: Sequence[Node]) -> Node:
        """``weight`` times the scaled column, in raw units."""
        moved = columns[column]
        if self.offset[column]:
            moved = sub(moved, Number(float(self.offset[column])))
        return mul(Number(weight / float(self.scale[column])), moved)


@dataclass(frozen=True)
class Operon:
    """The engine."""

    options: OperonOptions = OperonOptions()

    @property
    def name(self) -> str:
        """``operon``."""
        return "operon"

    def search(self, problem: Problem, blocks: Sequence[Node] = ()) -> Iterator[Candidate]:
        """Candidates on the way, each better than all before it that are as simple.

        An evaluation is one pass of a formula, or of its derivatives, over the rows of a restart.
        ``blocks`` are trees over the inputs that formulas may use as if they were inputs; those
        without finite values, or with the same everywhere, are left out.

        Raises
        ------
        EngineError : when the library crashed again and again.
        ConfigError : when no allowed operator is one that Operon has.
        """
        started = time.monotonic()
        budget = problem.budget
        deadline = None if budget.seconds is None else started + budget.seconds
        sample = problem.sample
        operators = self._operators(problem.operators)
        x, columns = _columns(sample, blocks)
        table = np.column_stack([x, sample.y])
        scalings = _scalings(x)
        # Pairs of restarts: values as they are (roots and logarithms need that), then centred.
        job: dict[str, Any] = {
            "seed": problem.seed,
            "operators": operators,
            "population": self.options.population_size,
            "iterations": self.options.optimizer_iterations,
            "max_depth": self.options.max_depth,
            "max_length": self.options.max_length,
            "rows": self.options.rows,
            "threads": self.options.threads or min(os.cpu_count() or 1, 8),
            "generations": [
                self.options.generations * 2 ** min(i // 2, 20) for i in range(MAX_RESTARTS)
            ],
            "scalings": [[s.offset.tolist(), s.scale.tolist()] for s in scalings],
            "output": [float(sample.y.mean()), float(sample.y.std()) or 1.0],
        }
        news = News(sample, problem.rules)
        first, crashes, spent = 0, 0, 0
        while first < MAX_RESTARTS:
            current, before = first, 0
            with Child(WORKER, {**job, "first": first}, table) as child:
                try:
                    for message in child.messages(deadline):
                        if message["restart"] != current:
                            spent += before
                            current = message["restart"]
                        before = message["evaluations"]
                        problem.tell(_spent(budget, started, spent + before))
                        scaling = scalings[current % len(scalings)]
                        for nodes in message["front"]:
                            formula = _formula(nodes, scaling, columns, sample)
                            if formula is not None and news.better(formula):
                                origin = f"restart {current}, generation {message['generation']}"
                                yield Candidate(formula, self.name, origin)
                        if budget.evaluations is not None and spent + before >= budget.evaluations:
                            return
                    return
                except EngineError as error:
                    crashes += 1
                    if crashes >= MAX_CRASHES:
                        raise
                    log.warning(
                        "operon crashed in restart %d, the next one goes on: %s", current, error
                    )
            spent += before
            first = current + 1

    def _operators(self, costs: Mapping[str, float]) -> dict[str, int]:
        """Operon's names and how often each is drawn: inversely to its cost, cheapest 60 times.

        An operator hardly drawn still survives where it pays: the front keeps it by its error.
        """
        left_out = sorted(
            name
            for name in set(costs) - IMPLIED
            if name not in NAMES or (name in SLOW and not self.options.slow_operators)
        )
        if left_out:
            log.info("operon searches without %s (unknown to it or slow)", ", ".join(left_out))
        used = {
            name: cost for name, cost in costs.items() if name in NAMES and name not in left_out
        }
        if not used:
            raise ConfigError(
                "operon can use none of the allowed operators.",
                where="config key `engine.operators`",
                hint=f"allow some of {', '.join(n for n in NAMES if n not in SLOW)}.",
            )
        cheapest = min(used.values())
        return {NAMES[n]: max(1, round(60 * cheapest / cost)) for n, cost in used.items()}


def _spent(budget: Budget, started: float, evaluations: int) -> float:
    """The part of the budget that is spent."""
    if budget.evaluations is not None:
        return min(1.0, evaluations / budget.evaluations)
    return min(1.0, (time.monotonic() - started) / (budget.seconds or math.inf))


def _scalings(x: Array) -> list[Scaling]:
    """Inputs divided by their size, and centred ones; only these where zero is far away."""
    middle, half = (x.max(axis=0) + x.min(axis=0)) / 2, (x.max(axis=0) - x.min(axis=0)) / 2
    half = np.where(half > 0, half, 1.0)
    far = np.abs(middle) > FAR_FROM_ZERO * half
    size = np.where(far, half, np.maximum(np.abs(x).max(axis=0), half))
    centred = Scaling(middle, half)
    if far.all():
        return [centred]
    return [Scaling(np.where(far, middle, 0.0), size), centred]


def _columns(sample: SampleSet, blocks: Sequence[Node]) -> tuple[Array, list[Node]]:
    """What formulas are made of: the values (n, k) on the sample and the tree of each column."""
    columns: list[Node] = [Symbol(name) for name in sample.domain.names]
    values = list(sample.x.T)
    for block in dict.fromkeys(blocks):
        value = compile_tree(block, sample.domain.names)(sample.x)
        size = np.abs(value).max()
        if block not in columns and size < HUGE and np.ptp(value) > CONSTANT * size:
            columns.append(block)
            values.append(value)
    return np.column_stack(values), columns


def _formula(
    nodes: list[list[Any]], scaling: Scaling, columns: Sequence[Node], sample: SampleSet
) -> Formula | None:
    """The formula in raw units with the output's scale and offset fitted; None without values."""
    inner = Formula(_tree(nodes, scaling, columns), sample.domain)
    values = inner(sample.x)
    if not np.isfinite(values).all() or np.abs(values).max() > HUGE:
        return None
    spread = float(np.std(values))
    if spread == 0.0:
        return None
    basis = np.column_stack([(values - values.mean()) / spread, np.ones_like(values)])
    (slope, _), *_ = np.linalg.lstsq(basis, sample.y - sample.y.mean(), rcond=None)
    slope /= spread
    shift = float(sample.y.mean() - slope * values.mean())
    tree = add(mul(Number(float(slope)), inner.tree), Number(shift))
    return Formula(simplify(tree, seconds=None), sample.domain)


def _tree(nodes: list[list[Any]], scaling: Scaling, columns: Sequence[Node]) -> Node:
    """Operon's post-order nodes as a tree; the first operand popped is the left one."""
    stack: list[Node] = []
    for kind, *rest in nodes:
        if kind == "Variable":
            stack.append(scaling.tree(rest[0], rest[1], columns))
        elif kind == "Constant":
            stack.append(Number(rest[1]))
        else:
            args = [stack.pop() for _ in range(rest[0])]
            stack.append(_apply(OURS[kind], args))
    (tree,) = stack
    return tree


def _apply(operator: str, args: list[Node]) -> Node:
    if len(args) == 1 and operator in ("add", "sub", "mul", "div"):
        alone = {"sub": "neg", "div": "inv"}.get(operator)
        return args[0] if alone is None else call(alone, args[0])
    result = args[0] if len(args) > 1 else Call(operator, (args[0],))
    for arg in args[1:]:
        result = Call(operator, (result, arg))
    return result
