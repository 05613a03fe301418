"""How far rounding can move the C's answer from the formula's, point by point.

A running error analysis to first order: every operation adds its own rounding, and its arguments'
errors arrive through its derivatives (Higham, Accuracy and Stability of Numerical Algorithms,
2002, section 3.3; worst case, no cancellation of errors counted).
"""

from __future__ import annotations

import numpy as np

from distill.arrays import Array
from distill.firmware.graph import CONSTANT, INPUT, Arithmetic, Graph, Operation, dtype
from distill.formula.operators import OPERATORS

EXACT = frozenset(["neg", "abs", "min", "max"])
ROUNDED = frozenset(["add", "sub", "mul", "div", "sqrt"])

FUNCTION_ULPS = 4.0
"""What a C library may lose in one mathematical function, in units in the last place. glibc, musl,
newlib and avr-libc stay below for the ranges they document."""


def rounding_bound(
    graph: Graph, x: Array, arithmetic: Arithmetic, *, kernels: bool = True
) -> Array:
    """A bound (n,) of |C - real value| at x (n, d), x being exact in ``arithmetic``.

    The real value is the formula's: what kernels lose against what they stand for is counted,
    unless ``kernels`` is false, which leaves what compilers may do to operations of floats.
    Infinite where a derivative is: next to the end of a square root, say. Where rounding may turn
    a comparison, the bound holds for either branch.
    """
    values = graph.evaluate_all(x, "double")
    errors: list[Array] = []
    with np.errstate(all="ignore"):
        for operation, value in zip(graph.operations, values, strict=True):
            if operation.name == INPUT:
                error = np.zeros(len(x))
            elif operation.name == CONSTANT:
                rounded = float(dtype(arithmetic)(operation.value))
                error = np.full(len(x), abs(rounded - operation.value))
            elif operation.kernel is not None:
                error = _kernel_error(operation, values, errors, value, own=kernels)
            elif operation.name == "ifless":
                error = _branch_error(operation, values, errors, value)
            else:
                error = _operator_error(operation, values, errors, value, arithmetic)
            errors.append(np.where(np.isnan(error), np.inf, error))
    return errors[-1]


def _operator_error(
    operation: Operation,
    values: list[Array],
    errors: list[Array],
    value: Array,
    arithmetic: Arithmetic,
) -> Array:
    """The arguments' errors through the derivatives, and the rounding of the result."""
    error = np.zeros(len(value))
    args = [values[i] for i in operation.args]
    for i, partial in zip(operation.args, OPERATORS[operation.name].partials, strict=True):
        # Either side of a kink may be the one that counts.
        slope = 1.0 if operation.name in EXACT else np.abs(partial(*args, value))
        error += np.where(errors[i] > 0, slope * errors[i], 0.0)
    if operation.name == "atan2":  # to the left of the origin rounding may turn the sign of a zero
        (a, b), (of_a, of_b) = args, (errors[i] for i in operation.args)
        error = np.where((of_a > 0) & (np.abs(a) <= of_a) & (b <= of_b), 2 * np.pi, error)
    if operation.name not in EXACT:
        limits = np.finfo(dtype(arithmetic))
        ulps = 1.0 if operation.name in ROUNDED else 2 * FUNCTION_ULPS
        error += ulps * float(limits.eps) / 2 * (np.abs(value) + error)
        error += float(limits.smallest_subnormal)
    return error


def _branch_error(
    operation: Operation, values: list[Array], errors: list[Array], value: Array
) -> Array:
    """The error of the branch taken; of either one, seen from this one, where rounding decides."""
    a, b, then, other = operation.args
    taken = values[a] < values[b]
    unsure = np.abs(values[a] - values[b]) < errors[a] + errors[b]
    error = np.where(taken, errors[then], errors[other])
    either = [np.abs(values[i] - value) + errors[i] for i in (then, other)]
    return np.where(unsure, np.maximum(*either), error)


def _kernel_error(
    operation: Operation, values: list[Array], errors: list[Array], value: Array, *, own: bool
) -> Array:
    """A kernel's own error if asked for, and its argument's through the slope of its meaning."""
    kernel, at = operation.kernel, operation.args[0]
    assert kernel is not None  # the caller has looked
    through = np.abs(_slope(kernel.meaning, values[at])) * errors[at]
    inherited = np.where(errors[at] > 0, through, 0.0)
    return kernel.bound(value) + inherited if own else inherited


def _slope(graph: Graph, x: Array) -> Array:
    """The derivative (n,) of a graph of one input at x (n,)."""
    values = graph.evaluate_all(x[:, None], "double")
    slopes: list[Array] = []
    for operation, value in zip(graph.operations, values, strict=True):
        slope = np.full(len(x), 1.0 if operation.name == INPUT else 0.0)
        if operation.args:
            args = [values[i] for i in operation.args]
            rows = zip(operation.args, OPERATORS[operation.name].partials, strict=True)
            for i, partial in rows:
                slope = slope + np.where(slopes[i] == 0, 0.0, partial(*args, value) * slopes[i])
        slopes.append(slope)
    return slopes[-1]
