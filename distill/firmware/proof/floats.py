"""How far the C's floats can be from the graph in real numbers, proven over boxes.

Two bounds hold at once, and the smaller one counts in each box:

- *forward*: an operation adds its rounding to its arguments' errors, each times the largest slope
  between the exact arguments and the C's (Higham, Accuracy and Stability of Numerical Algorithms,
  2002, chapter 3, all orders kept: slopes are taken over intervals that hold both);
- *backward*: the C computes the graph with a small number added to every operation; by the mean
  value theorem each of them moves the result by itself times a slope of the result by that
  operation, taken over all values on the way (A. Solovyev et al., FPTaylor, TOPLAS 2018, with
  intervals in place of the second-order terms).

Any operation may also be left unrounded: compilers may fuse a product into a sum. Underflow to zero
is counted, overflow has no bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.firmware.graph import CONSTANT, INPUT, Arithmetic, Graph, Operation, dtype
from distill.firmware.intervals import Interval, apply
from distill.firmware.proof.kernels import kernel_bound
from distill.firmware.proof.lines import line_of
from distill.firmware.proof.slopes import Slopes, hull, magnitude, partials, undefined
from distill.firmware.ranges import Boxes, box_ranges
from distill.firmware.rounding import EXACT, FUNCTION_ULPS, ROUNDED

_SLACK = 1 + 1e-9
"""For the roundings of this analysis: sums of products of bounds, each good to 2^-52."""


@dataclass(frozen=True)
class FloatBounds:
    """What is known on each of m boxes.

    Attributes
    ----------
    error : bound (m,) of |C - graph in real numbers|; infinite where there is none.
    culprit : the first operation (m,) without a bound, -1 where all have one.
    """

    error: Array
    culprit: npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Held:
    """One operation on all boxes: its exact values, the C's, all between them, and its errors.

    ``way`` holds the values on the way from the exact graph to the C's, ``rounding`` what the
    operation itself may add, ``error`` how far the C's value is from the exact one.
    """

    exact: Interval
    computed: Interval
    way: Interval
    rounding: Array
    error: Array


def float_bounds(graph: Graph, boxes: Boxes, arithmetic: Arithmetic) -> FloatBounds:
    """Bounds on every box, the inputs being numbers of ``arithmetic``; (m, d) corners.

    Raises
    ------
    ExportError : for an operator without interval arithmetic.
    """
    exact = _exact_ranges(graph, boxes)
    held: list[_Held] = []
    slopes: list[Slopes] = []
    doubtful = _doubtful(graph) if arithmetic == "float32" else frozenset()
    with np.errstate(all="ignore"):
        for at, operation in enumerate(graph.operations):
            if operation.name == INPUT:
                held.append(_as_given(exact[at], np.zeros(len(boxes))))
                slopes.append(())
            elif operation.name == CONSTANT:
                if at in doubtful:
                    exact[at] = _neighbours(exact[at])
                held.append(_constant(exact[at], operation.value, arithmetic))
                slopes.append(())
            else:
                one, slope = _operation(graph, operation, exact[at], held, arithmetic)
                held.append(one)
                slopes.append(slope)
        culprit = np.full(len(boxes), -1)
        for at in reversed(range(len(held))):
            culprit = np.where(np.isfinite(held[at].error), culprit, at)
        back = _backward(graph, held, slopes, arithmetic)
        error = np.fmin(held[-1].error, back) * _SLACK
    return FloatBounds(error, np.where(np.isfinite(error), -1, culprit))


def _exact_ranges(graph: Graph, boxes: Boxes) -> list[Interval]:
    """Bounds of the exact values; a kernel's are those of what it stands for."""
    bounds: list[Interval] = []
    for operation in graph.operations:
        if operation.kernel is not None:
            low, high = bounds[operation.args[0]]
            meaning = operation.kernel.meaning
            with np.errstate(all="ignore"):
                bounds.append(box_ranges(meaning, Boxes(low[:, None], high[:, None]))[-1])
        elif operation.name == INPUT:
            column = operation.column
            bounds.append((boxes.low[:, column], boxes.high[:, column]))
        elif operation.name == CONSTANT:
            value = np.full(len(boxes), operation.value)
            bounds.append((value, value))
        else:
            with np.errstate(all="ignore"):
                bounds.append(_value(operation, [bounds[a] for a in operation.args]))
    return bounds


def _value(operation: Operation, args: list[Interval]) -> Interval:
    if operation.name == "mul" and operation.args[0] == operation.args[1]:
        return apply("square", args[0])
    return apply(operation.name, *args)


def _as_given(value: Interval, error: Array) -> _Held:
    return _Held(value, value, value, error, error)


def _doubtful(graph: Graph) -> frozenset[int]:
    """Thresholds of computed values: they were rounded to the next float32, up or down.

    Those of inputs decide as before the rounding, because inputs are floats.
    """
    found = set()
    for operation in graph.operations:
        if operation.name == "ifless":
            pair = operation.args[:2]
            for one, other in (pair, pair[::-1]):
                if graph.operations[other].name != INPUT:
                    found.add(one)
    return frozenset(at for at in found if graph.operations[at].name == CONSTANT)


def _neighbours(exact: Interval) -> Interval:
    """One float32 further on both sides."""
    ends = np.float32(exact[0][0]), np.float32(exact[1][0])
    low = float(np.nextafter(ends[0], np.float32(-np.inf)))
    high = float(np.nextafter(ends[1], np.float32(np.inf)))
    return np.full(len(exact[0]), low), np.full(len(exact[0]), high)


def _constant(exact: Interval, value: float, arithmetic: Arithmetic) -> _Held:
    rounded = float(dtype(arithmetic)(value))
    # A constant that is no normal number may be read as zero.
    read = (rounded, 0.0) if abs(rounded) < float(np.finfo(dtype(arithmetic)).tiny) else (rounded,)
    low, high = np.full(len(exact[0]), min(read)), np.full(len(exact[0]), max(read))
    error = np.maximum(high - exact[0], exact[1] - low)
    return _Held(exact, (low, high), hull(exact, (low, high)), error, error)


def _operation(
    graph: Graph, operation: Operation, exact: Interval, held: list[_Held], arithmetic: Arithmetic
) -> tuple[_Held, Slopes]:
    """An operation's values and errors, and bounds of its slopes on the way."""
    args = [held[a] for a in operation.args]
    if operation.kernel is not None:
        return _kernel(operation, exact, args[0])
    computed = _value(operation, [a.computed for a in args])
    way = _value(operation, [a.way for a in args])
    rounding = _rounding(graph, operation, args, hull(computed, way), arithmetic)
    own = _turned(args, rounding) if operation.name == "ifless" else rounding
    between = tuple(hull(a.exact, a.computed) for a in args)
    error = _carried(operation.name, args, between, hull(exact, computed)) + own
    # However the arguments' errors are carried, the values themselves lie in two intervals.
    ends = _rounded(computed, rounding)
    apart = np.maximum(ends[1] - exact[0], exact[1] - ends[0])
    lost = _undefined(operation, args) | _lost(operation.name, args, between, exact)
    error = np.where(lost, np.inf, np.fmin(error, apart))
    most = float(np.finfo(dtype(arithmetic)).max)
    # In C a product that overflows may meet a zero: nothing is said of what is infinite.
    error = np.where(magnitude(ends) <= most, error, np.inf)
    result = _Held(exact, ends, (way[0] - own, way[1] + own), own, error)
    return result, partials(operation.name, tuple(a.way for a in args), way)


def _kernel(operation: Operation, exact: Interval, arg: _Held) -> tuple[_Held, Slopes]:
    """A function of our own: within a proven bound of its meaning, where it is made for."""
    kernel = operation.kernel
    assert kernel is not None  # the caller has looked
    seen = hull(arg.computed, arg.way)
    inside = (seen[0] >= kernel.low) & (seen[1] <= kernel.high)
    reach = (np.maximum(seen[0], kernel.low), np.minimum(seen[1], kernel.high))
    reach = (np.minimum(reach[0], kernel.high), np.maximum(reach[1], kernel.low))
    meaning = line_of(kernel.meaning)(*reach)
    absolute, relative = kernel_bound(kernel)
    own = np.where(inside, absolute + relative * magnitude(meaning.value), np.inf)
    error = np.where(arg.error > 0, magnitude(meaning.slope) * arg.error, 0.0) + own
    low, high = meaning.value
    computed = low - own, high + own
    return _Held(exact, computed, computed, own, error), (meaning.slope,)


def _rounding(
    graph: Graph, operation: Operation, args: list[_Held], value: Interval, arithmetic: Arithmetic
) -> Array:
    """What an operation adds to its exact value of the C's arguments."""
    if operation.name in EXACT or operation.name == "ifless":
        return np.zeros(len(value[0]))
    limits = np.finfo(dtype(arithmetic))
    size = magnitude(value)
    if operation.name in ROUNDED:
        rounding = _half_unit(size, limits.nmant + 1)
        if operation.name == "mul" and any(
            graph.operations[a].name == CONSTANT and _power_of_two(graph.operations[a].value)
            for a in operation.args
        ):
            rounding = np.zeros(len(size))
        elif operation.name == "sub" and not any(fusable(graph, a) for a in operation.args):
            rounding = np.where(_near(*(a.computed for a in args)), 0.0, rounding)
    else:
        rounding = FUNCTION_ULPS * float(limits.eps) * size
    # Results below the normal numbers may become zero.
    return rounding + FUNCTION_ULPS * float(limits.tiny)


def fusable(graph: Graph, at: int) -> bool:
    """Whether a compiler may leave the operation unrounded inside a sum."""
    operation = graph.operations[at]
    return operation.name == "mul" or (
        operation.name == "neg" and fusable(graph, operation.args[0])
    )


def _half_unit(size: Array, digits: int) -> Array:
    """Half the distance (m,) of the floats around ``size``, or below."""
    exponent = np.frexp(np.where(np.isfinite(size), size, 1.0))[1]
    unit = np.ldexp(1.0, exponent - digits - 1)
    return np.where(np.isfinite(size), unit, np.inf)


def _power_of_two(value: float) -> bool:
    return abs(float(np.frexp(value)[0])) == 0.5


def _near(a: Interval, b: Interval) -> npt.NDArray[np.bool_]:
    """Whether the floats in a and b are always within a factor of two: no difference is rounded."""
    positive = (a[0] > 0) & (b[0] > 0) & (a[1] <= 2 * b[0]) & (b[1] <= 2 * a[0])
    negative = (a[1] < 0) & (b[1] < 0) & (a[0] >= 2 * b[1]) & (b[0] >= 2 * a[1])
    return np.asarray(positive | negative)


def _rounded(value: Interval, rounding: Array) -> Interval:
    """The C's values; what is never negative stays so: rounding keeps the order of numbers."""
    low, high = value[0] - rounding, value[1] + rounding
    low = np.where((value[0] >= 0) & (low < 0), 0.0, low)
    return low, np.where((value[1] <= 0) & (high > 0), 0.0, high)


def _turned(args: list[_Held], rounding: Array) -> Array:
    """How far apart the branches are where rounding may turn the comparison between them."""
    a, b, then, other = args
    doubt = a.error + b.error
    sure = (hull(a.exact, a.computed)[1] < hull(b.exact, b.computed)[0]) | (
        hull(a.exact, a.computed)[0] >= hull(b.exact, b.computed)[1]
    )
    apart = np.maximum(then.way[1] - other.way[0], other.way[1] - then.way[0])
    return rounding + np.where(sure | (doubt == 0), 0.0, np.maximum(apart, 0.0))


def _carried(name: str, args: list[_Held], between: tuple[Interval, ...], value: Interval) -> Array:
    """What the arguments' errors make of the result."""
    if name in ("min", "max"):
        return np.maximum(args[0].error, args[1].error)
    if name == "ifless":
        (_, _, then, other) = partials(name, between, value)
        return np.maximum(
            np.where(then[1] > 0, args[2].error, 0.0), np.where(other[1] > 0, args[3].error, 0.0)
        )
    error = np.zeros(len(value[0]))
    for arg, slope in zip(args, partials(name, between, value), strict=True):
        error += np.where(arg.error > 0, magnitude(slope) * arg.error, 0.0)
    if name == "sqrt":
        # |sqrt(a) - sqrt(b)| = |a - b| / (sqrt(a) + sqrt(b)), and its square is at most |a - b|.
        (arg,) = args
        ends = np.sqrt(np.maximum(arg.exact[0], 0.0)) + np.sqrt(np.maximum(arg.computed[0], 0.0))
        error = np.fmin(error, np.fmin(arg.error / ends, np.sqrt(arg.error)))
    return np.where(np.isnan(error), np.inf, error)


def _lost(
    name: str, args: list[_Held], between: tuple[Interval, ...], value: Interval
) -> npt.NDArray[np.bool_]:
    """Where an argument that counts has no bound: it may be no number at all."""
    known = [np.isfinite(a.error) for a in args]
    if name == "ifless":
        (_, _, then, other) = partials(name, between, value)
        known[2:] = [known[2] | (then[1] == 0), known[3] | (other[1] == 0)]
    return np.asarray(~np.logical_and.reduce(known))


def _undefined(operation: Operation, args: list[_Held]) -> npt.NDArray[np.bool_]:
    """Where the exact arguments or the C's may lie outside what the operator is defined for."""
    return undefined(operation.name, [hull(a.exact, a.computed) for a in args])


def _backward(
    graph: Graph, held: list[_Held], slopes: list[Slopes], arithmetic: Arithmetic
) -> Array:
    """The sum of all roundings, each times the slope of the result by its operation."""
    count = len(held[-1].error)
    zero, one = np.zeros(count), np.ones(count)
    by: list[Interval] = [(zero, zero)] * len(held)
    by[-1] = (one, one)
    total = np.zeros(count)
    for at in reversed(range(len(held))):
        rounding = held[at].rounding
        total += np.where(rounding > 0, magnitude(by[at]) * rounding, 0.0)
        for arg, slope in zip(graph.operations[at].args, slopes[at], strict=True):
            by[arg] = apply("add", by[arg], apply("mul", by[at], slope))
    # A place without a value on the way has none of these slopes either.
    lost = np.zeros(count, dtype=bool)
    most = float(np.finfo(dtype(arithmetic)).max)
    for operation, one_held in zip(graph.operations, held, strict=True):
        if operation.args:
            lost |= ~(magnitude(one_held.way) <= most)
            on_way = [
                _Held(held[a].way, held[a].way, held[a].way, zero, zero) for a in operation.args
            ]
            lost |= _undefined(operation, on_way)
    return np.where(lost | np.isnan(total), np.inf, total)
