"""Functions of one variable on intervals: bounds of their values, slopes and second derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.firmware.graph import CONSTANT, INPUT, Builder, Graph, Operation
from distill.firmware.intervals import Interval, apply
from distill.firmware.proof.slopes import partials, undefined


@dataclass(frozen=True)
class Jet:
    """Bounds (m,) on every interval; infinite where nothing is known."""

    value: Interval
    slope: Interval
    bend: Interval

    def scaled(self, factor: float) -> Jet:
        """By ``x = factor*t``, as a function of t; a power of two, so that nothing is rounded."""
        return Jet(self.value, _scaled(self.slope, factor), _scaled(self.bend, factor * factor))

    def wider(self, by: float) -> Jet:
        """The same for constants inside that are known to the last place only."""
        return Jet(*((low - by, high + by) for low, high in (self.value, self.slope, self.bend)))


Line = Callable[[Array, Array], Jet]
"""From the ends of intervals, each (m,), to bounds on them."""


def line_of(graph: Graph, slack: float = 0.0) -> Line:
    """A graph of one input; ``slack`` is what the rounding of its constants may move it by."""

    def line(low: Array, high: Array) -> Jet:
        zero, one = np.zeros(len(low)), np.ones(len(low))
        jets: list[Jet] = []
        with np.errstate(all="ignore"):
            for operation in graph.operations:
                if operation.name == INPUT:
                    jets.append(Jet((low, high), (one, one), (zero, zero)))
                elif operation.name == CONSTANT:
                    value = one * operation.value
                    jets.append(Jet((value, value), (zero, zero), (zero, zero)))
                else:
                    jets.append(_applied(operation, [jets[a] for a in operation.args]))
        return jets[-1].wider(slack) if slack else jets[-1]

    return line


def function_line(name: str, inner: float = 1.0, factor: float = 1.0, slack: float = 0.0) -> Line:
    """``factor*name(inner*x)``."""
    builder = Builder(("x",))
    x = builder.add(Operation(INPUT, column=0))
    if inner != 1.0:
        x = builder.call("mul", x, builder.constant(inner))
    result = builder.call(name, x)
    if factor != 1.0:
        result = builder.call("mul", result, builder.constant(factor))
    return line_of(builder.finish(result), slack)


def _applied(operation: Operation, args: list[Jet]) -> Jet:
    """The chain rule, twice."""
    name = operation.name
    values = tuple(a.value for a in args)
    same = name == "mul" and operation.args[0] == operation.args[1]
    value = apply("square", values[0]) if same else apply(name, *values)
    # Where it may have no value, nothing is known of it.
    lost = undefined(name, values)
    value = np.where(lost, -np.inf, value[0]), np.where(lost, np.inf, value[1])
    slope, bend = _nothing(values[0]), _nothing(values[0])
    first = partials(name, values, value)
    for arg, partial in zip(args, first, strict=True):
        slope = apply("add", slope, apply("mul", partial, arg.slope))
        bend = apply("add", bend, apply("mul", partial, arg.bend))
    if name in ("add", "sub", "neg"):
        return Jet(value, slope, bend)
    if same:
        twice = _scaled(apply("square", args[0].slope), 2.0)
        return Jet(value, slope, apply("add", bend, twice))
    if name == "mul":
        twice = _scaled(apply("mul", args[0].slope, args[1].slope), 2.0)
        return Jet(value, slope, apply("add", bend, twice))
    if name == "div":
        # (a/b)'' = (a'' - 2 (a/b)' b' - (a/b) b'') / b.
        a, b = args
        twice = _scaled(apply("mul", slope, b.slope), 2.0)
        rest = apply("sub", apply("sub", a.bend, twice), apply("mul", value, b.bend))
        return Jet(value, slope, apply("div", rest, b.value))
    if len(args) > 1 and (name != "pow" or not _constant(args[1])):
        return Jet(value, slope, (_full(value, -np.inf)[0], _full(value, np.inf)[1]))
    second = _second(name, values, value)
    squared = apply("square", args[0].slope)
    return Jet(value, slope, apply("add", bend, apply("mul", second, squared)))


def _constant(a: Jet) -> bool:
    """Whether a value does not depend on the input."""
    return bool((a.slope[0] == 0).all() and (a.slope[1] == 0).all())


def _second(name: str, values: tuple[Interval, ...], v: Interval) -> Interval:
    """Bounds of the second derivative by the first argument; infinite where there is no rule."""
    a = values[0]
    one = _full(a, 1.0)
    squares = apply("add", one, apply("square", a))
    match name:
        case "square":
            return _full(a, 2.0)
        case "cube":
            return apply("mul", a, _full(a, 6.0))
        case "inv":
            return _scaled(apply("cube", v), 2.0)
        case "sqrt":
            return apply("div", _full(a, -0.25), apply("cube", v))
        case "cbrt":
            return apply("div", v, apply("mul", apply("square", a), _full(a, -4.5)))
        case "exp" | "sinh" | "cosh":
            return v
        case "log":
            return apply("neg", apply("inv", apply("square", a)))
        case "sin" | "cos":
            return apply("neg", v)
        case "tan":
            return _scaled(apply("mul", v, apply("add", one, apply("square", v))), 2.0)
        case "atan":
            return _scaled(apply("div", apply("neg", a), apply("square", squares)), 2.0)
        case "tanh":
            falling = apply("sub", apply("square", v), one)
            return _scaled(apply("mul", v, falling), 2.0)
        case "pow":
            b = values[1]
            lower = apply("pow", a, apply("sub", b, _full(a, 2.0)))
            return apply("mul", apply("mul", b, apply("sub", b, one)), lower)
        case _:
            return _full(a, -np.inf)[0], _full(a, np.inf)[1]


def _full(like: Interval, number: float) -> Interval:
    full = np.full(len(like[0]), number)
    return full, full


def _nothing(like: Interval) -> Interval:
    return _full(like, 0.0)


def _scaled(a: Interval, factor: float) -> Interval:
    """By a positive power of two: exact."""
    return a[0] * factor, a[1] * factor
