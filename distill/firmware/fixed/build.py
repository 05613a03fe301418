"""Steps for all nodes at given precisions, with formats, bounds and errors."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import ExportError
from distill.firmware.fixed.curves import apply_curve
from distill.firmware.fixed.estimates import Estimates
from distill.firmware.fixed.formats import (
    LARGEST,
    LEAST_FRACTION,
    MOST_FRACTION,
    input_bounds,
    input_formats,
)
from distill.firmware.fixed.nodes import Node
from distill.firmware.fixed.operators import APPLY
from distill.firmware.fixed.steps import WORD
from distill.firmware.fixed.values import Builder, DoesNotFit, Value
from distill.firmware.graph import CONSTANT, INPUT, Graph
from distill.firmware.intervals import Interval
from distill.firmware.ranges import Boxes, box_ranges, describe


@dataclass(frozen=True)
class Frame:
    """A graph over boxes of a domain, with the bounds of its operations on them.

    ``held`` says that comparisons are of inputs as they are held; else inputs that were rounded
    may fall on the other side.
    """

    graph: Graph
    domain: Domain
    boxes: Boxes
    bounds: list[Interval]
    whole_bytes: bool
    held: bool = True

    @classmethod
    def of(cls, graph: Graph, domain: Domain, boxes: Boxes, whole_bytes: bool = False) -> Frame:
        """The frame of a graph over boxes; ``whole_bytes`` as a builder takes it."""
        return cls(graph, domain, boxes, box_ranges(graph, boxes), whole_bytes)


@dataclass(frozen=True)
class Built:
    """A program in the making."""

    builder: Builder
    result: Value

    @property
    def error(self) -> float:
        """The bound of the result's error."""
        return float(self.errors.max())

    @property
    def errors(self) -> Array:
        """The bound (m,) on every box, with what the float64 of this analysis may lose."""
        return self.result.error * (1 + 1e-9)

    def cost(self, estimates: Estimates) -> float:
        """The estimate; a wide product costs a little more for every bit beyond a word."""
        steps = self.builder.steps
        total = 0.0
        for at in used_steps(self.builder, self.result):
            total += estimates.of(steps[at])
            if steps[at].wide:
                a, b = (max(abs(steps[i].low), abs(steps[i].high)) for i in steps[at].args)
                total += (a * b).bit_length() / 64
        return total


@dataclass(frozen=True)
class Failure:
    """The operation that 32 bits could not hold."""

    at: int
    why: str

    def error(self, graph: Graph, accuracy: float, held: float) -> ExportError:
        """What to tell a person; ``held`` is the least error that was reached."""
        able = f"an error of {held:.3g} could be held" if math.isfinite(held) else "nothing fits"
        return ExportError(
            f"32-bit fixed point cannot hold the formula to {accuracy:.3g}: {able}.",
            where=f"the subexpression `{describe(graph, self.at)}`: {self.why}",
            hint="allow a larger error, narrow the domain, rewrite that part, or use arithmetic: "
            "float32.",
        )


def build(frame: Frame, nodes: list[Node], precisions: dict[int, int]) -> Built | Failure:
    """The steps of all nodes at these precisions."""
    builder = Builder(len(frame.boxes), frame.whole_bytes)
    values: dict[int, Value] = {}
    at = nodes[-1].at
    try:
        # What overflows float64 has no bound, and does not fit.
        with np.errstate(all="ignore"):
            for node in nodes:
                at = node.at
                values[at] = _value(frame, builder, values, node, precisions)
            result = values[at]
            result = builder.at(result, min(max(result.fraction, LEAST_FRACTION), MOST_FRACTION))
    except DoesNotFit as failure:
        return Failure(at, failure.why)
    return Built(builder, result)


def _value(
    frame: Frame,
    builder: Builder,
    values: dict[int, Value],
    node: Node,
    precisions: dict[int, int],
) -> Value:
    """The value of one node, from those of its arguments."""
    operation, exact = frame.graph.operations[node.at], frame.bounds[node.at]
    if operation.name == INPUT:
        return _input(frame, builder, operation.column, exact)
    precision = precisions[node.at]
    if operation.name == CONSTANT:
        return _constant(builder, "add", operation.value, [], precision)
    if node.curve is not None:
        return apply_curve(builder, node.curve, values[node.args[0]], precision, exact)
    given: list[Value | None] = [values.get(a) for a in node.args]
    compared = 2 if operation.name == "ifless" else 0
    for i, (arg, value) in enumerate(zip(node.args, given, strict=True)):
        if value is not None and frame.graph.operations[arg].name == INPUT:
            if i >= compared:
                given[i] = builder.coarser(value, precisions[arg])
            elif frame.held:
                given[i] = replace(value, error=np.zeros_like(value.error))
    args = []
    for i, (arg, value) in enumerate(zip(node.args, given, strict=True)):
        if value is not None:
            args.append(value)
        elif i < compared:
            other = given[1 - i]
            assert other is not None  # a comparison of two constants was folded
            args.append(_threshold(builder, frame.graph.operations[arg].value, other, i == 1))
        else:
            constant = frame.graph.operations[arg].value
            partners = [v for v in given[compared:] if v is not None]
            args.append(_constant(builder, operation.name, constant, partners, precision))
    return APPLY[operation.name](builder, tuple(args), precision, exact)


def _input(frame: Frame, builder: Builder, column: int, exact: Interval) -> Value:
    """An input as it arrives; a continuous one was rounded to its format."""
    variable = frame.domain.variables[column]
    form = input_formats(frame.domain)[column]
    error = 0.0 if variable.discrete else form.step / 2
    return builder.input(column, form.fraction, exact, error, input_bounds(variable))


def _threshold(builder: Builder, value: float, other: Value, right: bool) -> Value:
    """A constant to compare with, rounded so that the comparison stays exact.

    ``a < c`` of whole numbers a is ``a < ceil(c)``, and ``c < a`` is ``floor(c) < a``.
    """
    scaled = math.ldexp(value, other.fraction)
    whole = math.ceil(scaled) if right else math.floor(scaled)
    held = math.ldexp(min(max(whole, -LARGEST), LARGEST), -other.fraction)
    # What is compared in real numbers is the value itself.
    ends = np.full(builder.boxes, value)
    return replace(builder.constant(held, other.fraction), low=ends, high=ends)


def _constant(
    builder: Builder, operator: str, value: float, partners: list[Value], precision: int
) -> Value:
    """A constant in the format that suits what it is combined with."""
    bits = math.frexp(value)[1] if value else 0
    finest = WORD - 1 - bits
    if operator in ("add", "sub", "min", "max", "ifless"):
        fraction = min((p.fraction for p in partners), default=precision + 1)
        if not math.ldexp(value, fraction).is_integer():
            fraction = max(fraction, precision + 1)
    elif operator == "mul":
        fraction = precision + 2 + math.frexp(float(partners[0].largest.max()))[1]
    else:
        fraction = finest
    return builder.constant(value, min(fraction, finest))


def used_steps(builder: Builder, result: Value) -> list[int]:
    """The places of the steps that the result needs, in order."""
    used = {result.step}
    for at in range(result.step, -1, -1):
        if at in used:
            used.update(builder.steps[at].args)
    return sorted(used)
