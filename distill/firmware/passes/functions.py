"""Functions of our own in place of the C library's, where they are cheaper and close enough.

Every part of the graph that depends on one operation only is a function of one variable, from a
single ``log`` to ``17.6*t/(243 + t)`` or the whole formula. Such parts become kernels
(:mod:`distill.firmware.kernels`) where that saves instructions. All kernels together may move the
result by the accuracy that is given: each gets an equal share, divided by how strongly the
result depends on it; the sum is checked at many points, and the shares shrink until it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.firmware.graph import (
    CONSTANT,
    INPUT,
    KERNEL,
    LIBRARY,
    Builder,
    Graph,
    Operation,
)
from distill.firmware.kernels.base import Kernel, Words
from distill.firmware.kernels.design import design
from distill.firmware.passes.regions import cuts, only_for, part, users
from distill.firmware.passes.spread import library_calls, spread_functions
from distill.firmware.ranges import operation_ranges
from distill.firmware.target import Target
from distill.formula.operators import OPERATORS

POINTS = 4096
_SAFETY = 1.2
_ROUNDS = 8
_ONE_ROUNDING, _ROUNDING = 2e-7, 4e-6
"""How far float32 may leave the bounds of an input, and of what is computed, in relation."""

_SOFT_FLOAT = 10.0
"""A chip whose multiplication takes more instructions has no floating-point unit."""

TYPICAL = {
    "add": 80.0, "sub": 80.0, "mul": 50.0, "div": 90.0, "neg": 1.0, "abs": 1.0, "sqrt": 140.0,
    "min": 60.0, "max": 60.0, "ifless": 60.0,
} | dict.fromkeys(LIBRARY, 1500.0)  # fmt: skip
"""Instructions where no target's are given: a 32-bit chip without a floating-point unit."""

_INTEGERS = {
    "arm-m0plus": {"step16": 5.0, "step32": 34.0, "around": 1.3},
    "avr": {"step16": 33.0, "step32": 275.0, "around": 8.0},
}
"""Processors without a product of 32-bit words in one instruction; measured like operators."""


@dataclass(frozen=True)
class _Need:
    """What a kernel in the place of an operation must keep: its errors and its range.

    Attributes
    ----------
    room : how far each operation may be moved at most, however little the result depends on it.
    """

    slopes: Array
    values: Array
    low: Array
    high: Array
    room: Array


@dataclass(frozen=True)
class _Choice:
    """A kernel, the operation it is a function of, and the instructions it saves."""

    kernel: Kernel
    argument: int
    saved: float


def own_functions(
    graph: Graph, domain: Domain, accuracy: float, costs: Mapping[str, float] | None = None
) -> Graph:
    """The graph with kernels that together move its result by at most ``accuracy``.

    Parameters
    ----------
    accuracy : the largest error that all kernels together may add, in units of the result.
    costs : what each float32 operator takes on the target; kernels are used where they take
        less. ``step16``, ``step32`` and ``around`` among them are those of
        :class:`distill.firmware.kernels.base.Words`; :func:`machine_costs` gives all of them.
    """
    if too_long(graph):
        return graph
    return _own_functions(graph, domain, accuracy, tuple(sorted((costs or TYPICAL).items())))


MOST_OPERATIONS = 1024
"""Of longer graphs the C library's functions are kept: every cut of every operation is looked at,
which took 8 s for 161 operations and 14 s for 321."""


def too_long(graph: Graph) -> bool:
    """Whether functions of our own are not looked for in a graph."""
    return len(graph.operations) > MOST_OPERATIONS


@lru_cache(maxsize=64)
def _own_functions(
    graph: Graph, domain: Domain, accuracy: float, rows: tuple[tuple[str, float], ...]
) -> Graph:
    """The same; remembered, because a bundle asks for the same graph in several places."""
    costs = dict(rows)
    x = np.vstack([domain.sample(POINTS), domain.corners()])
    best = _replaced(graph, domain, x, accuracy, costs)
    left = library_calls(best)
    if left:
        spread = spread_functions(graph, domain, left)
        if spread != graph:
            best = min(
                best, _replaced(spread, domain, x, accuracy, costs), key=lambda g: cost(g, costs)
            )
    return best


def cost(graph: Graph, costs: Mapping[str, float]) -> float:
    """What all operations of a graph take, in the unit of ``costs``."""
    words = _words(costs)
    return sum(
        operation.kernel.cost(words) if operation.kernel else costs.get(operation.name, 0.0)
        for operation in graph.operations
    )


def _words(costs: Mapping[str, float]) -> Words:
    fpu = costs["mul"] <= _SOFT_FLOAT
    steps = {"step16": 4.0, "step32": 4.0} if fpu else {"step16": 5.0, "step32": 8.0}
    row = steps | {key: costs[key] for key in (*steps, "around") if key in costs}
    return Words(fpu, row["step16"], row["step32"], row.get("around", 1.0), costs["div"])


def machine_costs(target: Target) -> dict[str, float]:
    """The costs of a target's float32 operators, and of its integers."""
    return {**target.costs("float32"), **_INTEGERS.get(target.emulator, {})}


def _replaced(
    graph: Graph, domain: Domain, x: Array, accuracy: float, costs: Mapping[str, float]
) -> Graph:
    """The graph with the kernels that save most, or unchanged where none does."""
    need = _needs(graph, domain, x)
    exact = graph.evaluate(x)
    shares = 1.0
    for _ in range(_ROUNDS):
        choices = _choose(graph, need, accuracy / shares, accuracy, costs)
        if not choices:
            return graph
        if len(choices) > shares:
            shares = float(len(choices))
            continue
        result = _with_kernels(graph, choices)
        moved = np.abs(_with_kernels_evaluated(result, x) - exact)
        if np.where(np.isfinite(exact), moved, 0.0).max() <= accuracy:  # a NaN is too far
            return result if cost(result, costs) < cost(graph, costs) else graph
        shares *= 1.5
    return graph


def _with_kernels_evaluated(graph: Graph, x: Array) -> Array:
    """The result at x (n, d) in float64 but for the kernels, which compute as the C does."""
    values: list[Array] = []
    with np.errstate(all="ignore"):
        for operation in graph.operations:
            if operation.name == INPUT:
                values.append(x[:, operation.column])
            elif operation.name == CONSTANT:
                values.append(np.full(len(x), operation.value))
            elif operation.kernel is not None:
                argument = values[operation.args[0]].astype(np.float32)
                values.append(operation.kernel.evaluate(argument).astype(float))
            else:
                args = [values[i] for i in operation.args]
                values.append(OPERATORS[operation.name].value(*args))
    return values[-1]


def _needs(graph: Graph, domain: Domain, x: Array) -> _Need:
    """Slopes of the result by each operation at x, their values, and their ranges."""
    values = graph.evaluate_all(x)
    slopes = [np.zeros(len(x)) for _ in values]
    slopes[-1] += 1.0
    with np.errstate(all="ignore"):
        for at in reversed(range(len(values))):
            operation = graph.operations[at]
            if operation.name in (INPUT, CONSTANT):
                continue
            args = [values[a] for a in operation.args]
            for arg, partial in zip(
                operation.args, OPERATORS[operation.name].partials, strict=True
            ):
                flow = np.where(slopes[at] == 0, 0.0, slopes[at] * partial(*args, values[at]))
                slopes[arg] = slopes[arg] + flow
            if operation.name == "ifless":
                # What decides a branch may not move at all.
                for arg in operation.args[:2]:
                    slopes[arg] = np.full(len(x), np.inf)
    low, high = operation_ranges(graph, domain)
    room = _room(graph, low, high)
    return _Need(_SAFETY * np.abs(np.array(slopes)), np.abs(np.array(values)), low, high, room)


def _room(graph: Graph, low: Array, high: Array) -> Array:
    """How far each operation may be moved: a divisor no further than half the way to zero.

    Where a quotient saturates what follows (``atan2(1, x/d)``), slopes allow a divisor any error.
    """
    room = np.full(len(low), np.inf)
    for operation in graph.operations:
        if operation.name == "div":
            at = operation.args[1]
            room[at] = max(0.0, low[at], -high[at]) / 2
    return room


def _choose(
    graph: Graph, need: _Need, share: float, accuracy: float, costs: Mapping[str, float]
) -> dict[int, _Choice]:
    """For each operation that becomes a kernel, which one and of what argument."""
    words = _words(costs)
    below, needed_by = cuts(graph), users(graph)
    choices: dict[int, _Choice] = {}
    for at in range(len(graph.operations)):
        saved: float | None = None
        for argument in sorted(below[at] - {at}):
            removed = only_for(graph, needed_by, at, argument)
            if any(graph.operations[i].name == "ifless" for i in removed):
                continue
            spent = sum(costs.get(graph.operations[i].name, 0.0) for i in removed)
            if spent <= Kernel.AROUND[words.fpu] * words.around / 2:
                continue
            # What the kernels below may move the argument by; all of the accuracy at most.
            moved = accuracy if _kept(graph, choices, argument) else 0.0
            kernel = _design(graph, need, at, argument, share, moved, words)
            if kernel is None:
                continue
            saved = _saved(graph, choices, at) if saved is None else saved
            gain = spent - kernel.cost(words)
            total = gain + _saved(graph, choices, argument)
            if total > saved:
                saved = total
                choices[at] = _Choice(kernel, argument, gain)
    return _kept(graph, choices, len(graph.operations) - 1)


def _saved(graph: Graph, choices: Mapping[int, _Choice], result: int) -> float:
    return sum(choice.saved for choice in _kept(graph, choices, result).values())


def _kept(graph: Graph, choices: Mapping[int, _Choice], result: int) -> dict[int, _Choice]:
    """The choices that count when ``result`` is computed: the outermost ones and those below."""
    kept: dict[int, _Choice] = {}
    seen, stack = set[int](), [result]
    while stack:
        at = stack.pop()
        if at in seen:
            continue
        seen.add(at)
        if at in choices:
            kept[at] = choices[at]
            stack.append(choices[at].argument)
        else:
            stack.extend(graph.operations[at].args)
    return kept


def _design(
    graph: Graph, need: _Need, at: int, argument: int, share: float, moved: float, words: Words
) -> Kernel | None:
    """The kernel from ``argument``, which others may move as far as ``moved`` of the result."""
    slope = float(need.slopes[at].max())
    with np.errstate(invalid="ignore"):  # no slope at an infinite value: no kernel, as below
        weighted = float((need.slopes[at] * need.values[at]).max())
    low, high = float(need.low[argument]), float(need.high[argument])
    reach = moved / max(float(need.slopes[argument].max()), 1e-300) if moved else 0.0
    room = float(need.room[at])
    if not all(map(np.isfinite, (slope, weighted, low, high, reach))) or slope == 0 or room == 0:
        return None
    rounded = graph.operations[argument].name != INPUT
    pad = (_ROUNDING if rounded else _ONE_ROUNDING) * max(abs(low), abs(high))
    below = max(low - pad, low / 2) if low > 0 else low - pad
    above = min(high + pad, high / 2) if high < 0 else high + pad
    relative = share / weighted if weighted else 0.0
    if np.isfinite(room):
        relative = min(relative, 0.5)
    meaning = part(graph, at, argument)
    close = min(share / slope, room)
    return design(meaning, below - reach, above + reach, close, relative, words)


def _with_kernels(graph: Graph, choices: Mapping[int, _Choice]) -> Graph:
    builder = Builder(graph.inputs)
    places: list[int] = []
    for at, operation in enumerate(graph.operations):
        choice = choices.get(at)
        if choice is None:
            args = tuple(places[a] for a in operation.args)
            places.append(builder.add(replace(operation, args=args)))
        else:
            kernel, argument = choice.kernel, places[choice.argument]
            places.append(builder.add(Operation(KERNEL, (argument,), kernel=kernel)))
    return builder.finish(places[-1])
