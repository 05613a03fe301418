"""How far rounding can move the C's answer from the formula's, point by point.

A running error analysis to first order: every operation adds its own rounding, and its arguments'
errors arrive through its derivatives (Higham, Accuracy and Stability of Numerical Algorithms,
2002, section 3.3; worst case, no cancellation of errors counted).
"""

from __future__ import annotations

import numpy as np

from distill.arrays import Array
from distill.firmware.graph import CONSTANT, INPUT, Arithmetic, Graph, dtype
from distill.formula.operators import OPERATORS

EXACT = frozenset(["neg", "abs", "min", "max"])
ROUNDED = frozenset(["add", "sub", "mul", "div", "sqrt"])

FUNCTION_ULPS = 4.0
"""What a C library may lose in one mathematical function, in units in the last place. glibc, musl,
newlib and avr-libc stay below for the ranges they document."""


def rounding_bound(graph: Graph, x: Array, arithmetic: Arithmetic) -> Array:
    """A bound (n,) of |C - real value| at x (n, d), x being exact in ``arithmetic``.

    Infinite where a derivative is: next to the end of a square root, say.
    """
    unit = float(np.finfo(dtype(arithmetic)).eps) / 2
    smallest = float(np.finfo(dtype(arithmetic)).smallest_subnormal)
    values = graph.evaluate_all(x, "double")
    errors: list[Array] = []
    with np.errstate(all="ignore"):
        for operation, value in zip(graph.operations, values, strict=True):
            if operation.name == INPUT:
                errors.append(np.zeros(len(x)))
                continue
            if operation.name == CONSTANT:
                rounded = float(dtype(arithmetic)(operation.value))
                errors.append(np.full(len(x), abs(rounded - operation.value)))
                continue
            error = np.zeros(len(x))
            args = [values[i] for i in operation.args]
            for i, partial in zip(operation.args, OPERATORS[operation.name].partials, strict=True):
                # Either side of a kink may be the one that counts.
                slope = 1.0 if operation.name in EXACT else np.abs(partial(*args, value))
                error += np.where(errors[i] > 0, slope * errors[i], 0.0)
            if operation.name not in EXACT:
                ulps = 1.0 if operation.name in ROUNDED else 2 * FUNCTION_ULPS
                error += ulps * unit * (np.abs(value) + error) + smallest
            errors.append(np.where(np.isnan(error), np.inf, error))
    return errors[-1]
