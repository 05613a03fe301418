"""Smaller networks as candidates: students that learn from the teacher's answers.

Where no short formula comes near, a network of a few nodes may, and it is cheaper than the teacher.
Its weights are fitted by Levenberg and Marquardt's method (Marquardt 1963; for networks Hagan and
Menhaj 1994), which reaches errors that gradient descent does not.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.expansion import formula_of
from distill.chain.steps.affine import Affine
from distill.chain.steps.elementwise import Apply
from distill.domain import Domain
from distill.engines.base import Candidate, Problem
from distill.errors import ConfigError

NAME = "student"

READABLE = 120
"""Nodes of the longest network that is also given as a formula."""

ROWS = 2048
"""So many rows of the sample are learned from; the whole of it judges."""

WORTH = 0.95
"""Another network must be better by so much to be proposed."""

EXACT = 1e-12
"""A largest error that is this part of the answers is rounding."""

GIVEN_UP = 1e10
"""Damping at which no step helps any more."""

Layers = list[tuple[Array, Array]]


@dataclass(frozen=True, slots=True)
class StudentOptions:
    """Which networks are tried."""

    largest: int = 24  # hidden nodes of the largest network
    starts: int = 3  # random starts of each network
    iterations: int = 120  # steps of each start
    two_layers: bool = True  # also networks with two hidden layers

    def __post_init__(self) -> None:
        for key in ("largest", "starts", "iterations"):
            if getattr(self, key) < 1:
                raise ConfigError(
                    f"`{key}` is {getattr(self, key)}.",
                    where=f"config key `engine.options.{key}`",
                    hint="give a whole number of at least 1.",
                )


@dataclass(frozen=True)
class Student:
    """The engine."""

    options: StudentOptions = StudentOptions()
    name: str = NAME

    def search(self, problem: Problem) -> Iterator[Candidate]:
        """Networks of growing size, each better than all smaller ones.

        An evaluation is one answer at all rows, with its derivatives by the weights.
        """
        budget = problem.budget
        deadline = None if budget.seconds is None else time.monotonic() + budget.seconds
        left = budget.evaluations
        best = np.inf
        shapes = _shapes(self.options)
        for number, shape in enumerate(shapes):
            problem.tell(number / len(shapes))
            for start in range(self.options.starts):
                seed = [problem.seed, number, start]
                network, used = _learned(problem, shape, seed, self.options.iterations, deadline)
                chain = _chain(network, problem)
                off = chain.evaluate(problem.sample.x)[:, 0] - problem.sample.y
                error = float(np.abs(off).max())
                if np.isfinite(error) and error < WORTH * best:
                    best = error
                    yield from _candidates(chain, problem.sample.domain, shape)
                if left is not None and (left := left - used) <= 0:
                    return
                if deadline is not None and time.monotonic() > deadline:
                    return
            if best <= EXACT * float(np.abs(problem.sample.y).max(initial=0.0)):
                return


def _shapes(options: StudentOptions) -> list[tuple[int, ...]]:
    """The hidden layers that are tried, small ones first."""
    sizes = [n for n in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64) if n <= options.largest]
    shapes: list[tuple[int, ...]] = [(n,) for n in sizes]
    if options.two_layers:
        shapes += [(n // 2, n // 2) for n in sizes if n >= 6]
    return sorted(shapes, key=lambda shape: (sum(shape), len(shape)))


def _candidates(chain: Chain, domain: Domain, shape: Sequence[int]) -> Iterator[Candidate]:
    origin = f"network with {'-'.join(map(str, shape))} hidden nodes"
    formula = formula_of(chain, domain, limit=READABLE, seconds=None)
    if formula is not None:
        yield Candidate(formula, NAME, origin)
    yield Candidate(ClosedForm(chain, domain), NAME, origin)


def _learned(
    problem: Problem,
    shape: Sequence[int],
    seed: Sequence[int],
    iterations: int,
    deadline: float | None,
) -> tuple[Layers, int]:
    """The weights fitted to the sample in units of the box and the answers' spread; evaluations."""
    sample = problem.sample
    rng = np.random.default_rng(seed)
    rows = np.random.default_rng(0).permutation(len(sample))[:ROWS]
    x, y = _scaled(sample.x[rows], sample.domain), _standard(sample.y)[rows]
    widths = [x.shape[1], *shape, 1]
    layers: Layers = [
        (rng.normal(size=(b, a)) * 1.5 / np.sqrt(a), rng.uniform(-1, 1, b))
        for a, b in itertools.pairwise(widths)
    ]
    off, slopes = _answers(layers, x, y)
    cost, damping, used = float(off @ off), 1e-2, 1
    for _ in range(iterations):
        if damping > GIVEN_UP or (deadline is not None and time.monotonic() > deadline):
            break
        normal = slopes.T @ slopes
        ridge = damping * (np.diag(normal) + 1e-9 * float(np.trace(normal)))
        solved = np.linalg.lstsq(normal + np.diag(ridge), slopes.T @ off, rcond=None)
        step = np.asarray(solved[0], dtype=np.float64)
        trial = _moved(layers, -step)
        new, new_slopes = _answers(trial, x, y)
        used += 1
        if (new_cost := float(new @ new)) < cost:
            small = cost - new_cost < 1e-9 * cost
            layers, off, slopes, cost = trial, new, new_slopes, new_cost
            damping = max(damping / 5, 1e-14)
            if small:
                break
        else:
            damping *= 4
    return layers, used * len(rows)


def _answers(layers: Layers, x: Array, y: Array) -> tuple[Array, Array]:
    """How far the network is off (n,), and its derivatives by all weights (n, p)."""
    values = [x]
    for weights, bias in layers[:-1]:
        values.append(np.tanh(values[-1] @ weights.T + bias))
    weights, bias = layers[-1]
    answer = values[-1] @ weights.T + bias
    slopes: list[Array] = []
    back = np.ones((len(x), 1))
    for (matrix, _), before in zip(reversed(layers), reversed(values), strict=True):
        by_weights = (back[:, :, None] * before[:, None, :]).reshape(len(x), -1)
        slopes[:0] = [by_weights, back]
        back = (back @ matrix) * (1 - before * before)
    return answer[:, 0] - y, np.hstack(slopes)


def _moved(layers: Layers, step: Array) -> Layers:
    result, at = [], 0
    for weights, bias in layers:
        w = step[at : at + weights.size].reshape(weights.shape)
        at += weights.size
        result.append((weights + w, bias + step[at : at + len(bias)]))
        at += len(bias)
    return result


def _chain(layers: Layers, problem: Problem) -> Chain:
    """The network with the scaling of inputs and output in its first and last weights."""
    domain, y = problem.sample.domain, problem.sample.y
    middle, half = (domain.low + domain.high) / 2, (domain.high - domain.low) / 2
    (first, bias), *_ = layers
    weights = first / half
    scaled: Layers = [(weights, bias - weights @ middle), *layers[1:]]
    last, end = scaled[-1]
    scaled[-1] = (last * _spread(y), end * _spread(y) + y.mean())
    steps: list[Affine | Apply] = []
    for matrix, offset in scaled[:-1]:
        steps += [Affine(matrix, offset), Apply("tanh", len(offset))]
    return Chain(len(domain), (*steps, Affine(*scaled[-1])))


def _scaled(x: Array, domain: Domain) -> Array:
    """The box as the cube from -1 to 1."""
    result: Array = (2 * x - domain.low - domain.high) / (domain.high - domain.low)
    return result


def _standard(y: Array) -> Array:
    result: Array = (y - y.mean()) / _spread(y)
    return result


def _spread(y: Array) -> float:
    return float(y.std()) or 1.0
