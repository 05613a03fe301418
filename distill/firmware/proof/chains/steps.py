"""The steps of chains with a running error; all numbers are (k, n), a box a column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.bounds.rounding import TINY, gamma
from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, OneHot, Pick
from distill.chain.steps.elementwise import Above, Apply, Scale, Stretch
from distill.chain.steps.formula import Each
from distill.chain.steps.images import Convolution, Pool
from distill.chain.steps.logic import Logic
from distill.chain.steps.packed import Packed
from distill.chain.steps.trees import Trees
from distill.chain.steps.winner import Softmax, Winner
from distill.errors import FormulaError
from distill.firmware.graph import build_graph
from distill.firmware.proof.chains.functions import applied
from distill.firmware.proof.chains.running import (
    WIDER,
    Machine,
    Running,
    add,
    div,
    mul,
    settled,
    stacked,
)
from distill.firmware.proof.chains.trees import tree_sums
from distill.firmware.proof.floats import float_bounds
from distill.firmware.proof.lines import line_of
from distill.firmware.proof.slopes import magnitude
from distill.firmware.ranges import Boxes

Rule = Callable[[Any, Running, Machine], Running]
"""From a step and its inputs to its outputs."""


MOST_WEIGHTS = 2**22
"""Numbers of the matrix that a step over images may be written as."""


class NotAnalysed(FormulaError):
    """A step whose rounding is not bounded by anything here, and which."""


def run_chain(chain: Chain, x: Running, machine: Machine) -> Running:
    """The outputs (k, n) of a chain at inputs (d, n).

    Raises
    ------
    NotAnalysed : naming the step.
    """
    with np.errstate(all="ignore"):
        for step in chain.steps:
            x = _rule_of(step)(step, x, machine)
    return x


def why_not(chain: Chain) -> str:
    """Which step of a chain has no analysis; empty where all have one."""
    for step in chain.steps:
        if isinstance(step, Branches):
            whys = [why_not(branch) for branch in step.chains]
            if found := next(filter(None, whys), ""):
                return found
        elif type(step) not in STEPS:
            return f"the rounding of the step `{type(step).__name__}` is not analysed"
    return ""


def _rule_of(step: Step) -> Rule:
    rule = STEPS.get(type(step))
    if rule is None:
        raise NotAnalysed(f"the rounding of the step `{type(step).__name__}` is not analysed")
    return rule


def _affine(step: Affine, x: Running, machine: Machine) -> Running:
    """Products added one by one, each partial sum rounded; exact products may be fused in.

    What is multiplied by 0 adds nothing, and no rounding either.
    """
    weights, d = step.weights, step.inputs
    up, down = np.maximum(weights, 0.0), np.minimum(weights, 0.0)
    size = np.abs(weights) @ x.size + np.abs(step.bias)[:, None]
    slack = gamma(d + 2) * size + TINY
    low = up @ x.low + down @ x.high + step.bias[:, None] - slack
    high = up @ x.high + down @ x.low + step.bias[:, None] + slack
    held, bias = machine.held(weights), machine.held(step.bias)[:, None]
    carried = np.abs(held) @ x.error + np.abs(held - weights) @ x.size
    carried += np.abs(bias - step.bias[:, None])
    reach = x.reach
    least = np.repeat(bias, x.low.shape[1], axis=1)
    most, passed = least.copy(), np.zeros_like(least)
    for j in range(d):
        rows = np.flatnonzero(held[:, j])
        column = held[rows, j : j + 1]
        ends = column * reach.low[j], column * reach.high[j]
        least[rows] += np.minimum(*ends)
        most[rows] += np.maximum(*ends)
        sums = np.maximum(np.abs(least[rows]), np.abs(most[rows]))
        passed[rows] += np.maximum(*np.abs(ends)) + sums
    grown = (1 + 2 * (d + 1) * machine.unit) * WIDER
    own = (machine.unit * passed + 2 * d * machine.tiny) * grown
    return settled((low, high), carried * WIDER + own, machine)


def _scale(step: Scale, x: Running, machine: Machine) -> Running:
    shift = Running.constant(-step.shift[:, None], machine)
    return div(add(x, shift, machine), Running.constant(step.divisor[:, None], machine), machine)


def _stretch(step: Stretch, x: Running, machine: Machine) -> Running:
    factor = Running.constant(step.factor[:, None], machine)
    return add(mul(x, factor, machine), Running.constant(step.offset[:, None], machine), machine)


def _pick(step: Pick, x: Running, machine: Machine) -> Running:
    return x.rows(step.columns)


def _apply(step: Apply, x: Running, machine: Machine) -> Running:
    return applied(step, x, machine)


def _branches(step: Branches, x: Running, machine: Machine) -> Running:
    return stacked([run_chain(chain, x, machine) for chain in step.chains])


def _above(step: Above, x: Running, machine: Machine) -> Running:
    """Of exact numbers exact: the cut decides every float as the threshold does."""
    cut, reach = step.threshold[:, None], x.reach
    turned = (x.error > 0) & (reach.low <= cut) & (reach.high > cut)
    low, high = (x.low > cut).astype(float), (x.high > cut).astype(float)
    return settled((low, high), np.where(turned, 1.0, 0.0) + 0 * x.error, machine)


def _one_hot(step: OneHot, x: Running, machine: Machine) -> Running:
    """Exact where the numbers are, and the categories are numbers of the C."""
    rows = []
    for values, low, error in zip(step.categories, x.low, x.error, strict=True):
        known = values[~np.isnan(values)]
        exact = bool((machine.held(known) == known).all())
        doubt = np.where((error == 0) & exact, 0.0, np.where(np.isfinite(error), 1.0, np.inf))
        zeros = np.zeros((len(values), len(low)))
        rows.append(Running(zeros, zeros + 1, zeros + doubt))
    return stacked(rows)


def _each(step: Each, x: Running, machine: Machine) -> Running:
    """A formula of one variable at all that the C may have, and what its slope makes of errors."""
    graph, shape = build_graph(step.formula), x.low.shape
    reach = x.reach
    ends = reach.low.reshape(-1), reach.high.reshape(-1)
    arithmetic = machine.real
    own = float_bounds(graph, Boxes(ends[0][:, None], ends[1][:, None]), arithmetic).error
    jet, exact = line_of(graph)(*ends), line_of(graph)(x.low.reshape(-1), x.high.reshape(-1))
    steep = magnitude(jet.slope) * WIDER
    error = x.error.reshape(-1)
    carried = np.where(error > 0, steep * error, 0.0)
    value = exact.value[0].reshape(shape), exact.value[1].reshape(shape)
    return settled(value, (own + carried).reshape(shape), machine)


def _softmax(step: Softmax, x: Running, machine: Machine) -> Running:
    """Shares of exponentials: what they add themselves does not depend on the scores.

    Of scores off by e each share is off by e/2 at most. A difference d is rounded by unit*|d|,
    which moves exp(d), d <= 0, by unit/2.7 at most; the sum is 1 at least.
    """
    width, unit = step.width, machine.unit
    power = 0.37 * unit + machine.library(np.ones(1))[0] + machine.tiny
    own = (2 * power + (width - 1) * power + (width + 2) * unit + machine.tiny) * 1.01
    error = x.error.max(axis=0, keepdims=True) / 2 + own
    shape = x.low.shape
    return settled((np.zeros(shape), np.ones(shape)), np.broadcast_to(error, shape), machine)


def _winner(step: Winner, x: Running, machine: Machine) -> Running:
    """Right where the scores are exact, or one is ahead of all others by more than errors."""
    sign = 1 if step.largest else -1
    low, high = np.minimum(sign * x.low, sign * x.high), np.maximum(sign * x.low, sign * x.high)
    best = np.argmax(low - x.error, axis=0)[None]
    others = (high + x.error).copy()
    np.put_along_axis(others, best, -np.inf, axis=0)
    ahead = np.take_along_axis(low - x.error, best, axis=0) > others.max(axis=0, keepdims=True)
    exact = (x.error == 0).all(axis=0, keepdims=True)
    last = float(step.width - 1)
    error = np.where(exact | ahead, 0.0, last)
    return settled((np.zeros(error.shape), np.full(error.shape, last)), error, machine)


def _trees(step: Trees, x: Running, machine: Machine) -> Running:
    """Sums of leaves; decisions about numbers that are rounded have no bound here.

    Raises
    ------
    NotAnalysed : where a tree asks for such a number.
    """
    asked = np.unique(step.feature[step.splits])
    if (x.error[asked] != 0).any():
        raise NotAnalysed(
            "rounding may turn the decisions of trees, which ask for computed numbers"
        )
    sums = tree_sums(step, machine)
    shape = (step.outputs, x.low.shape[1])
    return Running(*(np.broadcast_to(a, shape) for a in (sums.low, sums.high, sums.error)))


def _table(step: Logic | Packed, x: Running, machine: Machine) -> Running:
    """Functions of whole numbers: each answer is rounded once.

    Raises
    ------
    NotAnalysed : for computed numbers, which may be rounded to another whole one.
    """
    if x.error.any():
        raise NotAnalysed("rounding may turn what a table of whole numbers is asked for")
    rows = [(v.min(), v.max(), np.abs(machine.held(v) - v).max()) for v in step.levels]
    columns = np.array(rows).T[:, :, None]
    return Running(*(np.broadcast_to(c, (step.outputs, x.low.shape[1])) for c in columns))


def _seen(step: Convolution | Pool) -> Array:
    """What each output (k, d) has of each input: its answers to one pixel alone.

    Raises
    ------
    NotAnalysed : for images too large to be written as a matrix.
    """
    if step.inputs * step.outputs > MOST_WEIGHTS:
        raise NotAnalysed(f"the rounding of a `{type(step).__name__}` so large is not analysed")
    return step.evaluate(np.eye(step.inputs), "double").T


def _convolution(step: Convolution, x: Running, machine: Machine) -> Running:
    """A product of matrices: the pixels that an output sees are added in their order, too."""
    weights = _seen(replace(step, bias=np.zeros(len(step.bias))))
    bias = np.repeat(step.bias, step.outputs // len(step.bias))
    return _affine(Affine(weights, bias), x, machine)


def _pool(step: Pool, x: Running, machine: Machine) -> Running:
    """The largest is no further off than the worst of its window; the mean is a sum, divided."""
    if step.kind == "max":
        parts = (x.low, x.high, x.error)
        return Running(*(step.evaluate(part.T, "double").T for part in parts))
    mask = (_seen(step) != 0).astype(np.float64)
    sums = _affine(Affine(mask, np.zeros(step.outputs)), x, machine)
    return div(sums, Running.constant(mask.sum(axis=1, keepdims=True), machine), machine)


STEPS: Mapping[type[Any], Rule] = {
    Above: _above,
    Affine: _affine,
    Apply: _apply,
    Branches: _branches,
    Convolution: _convolution,
    Each: _each,
    Logic: _table,
    OneHot: _one_hot,
    Packed: _table,
    Pick: _pick,
    Pool: _pool,
    Scale: _scale,
    Softmax: _softmax,
    Stretch: _stretch,
    Trees: _trees,
    Winner: _winner,
}
"""All steps whose rounding is analysed."""
