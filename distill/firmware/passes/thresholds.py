"""Thresholds of float32 comparisons: rounded to the side on which they decide as in float64.

For every float32 x, ``x < c`` holds exactly where ``x < c'`` does, c' being the smallest float32
that is not below c; and ``c < x`` where ``c' < x`` does, c' being the largest that is not above c.
A comparison that the domain decides is left out with the branch that is never taken.
"""

from __future__ import annotations

import numpy as np

from distill.domain import Domain
from distill.firmware.graph import INPUT, Builder, Graph, rewrite


def exact_thresholds(graph: Graph, domain: Domain) -> Graph:
    """The graph whose constant thresholds are float32 numbers, without decided comparisons."""

    def ifless(builder: Builder, args: tuple[int, ...]) -> int | None:
        a, b = args[:2]
        for at, bound in ((a, builder.value_of(b)), (b, builder.value_of(a))):
            operation = builder[at]
            if operation.name == INPUT and bound is not None:
                variable = domain.variables[operation.column]
                low, high = _single(variable.low, False), _single(variable.high, True)
                if at == a and (high < bound or low >= bound):
                    return args[2] if high < bound else args[3]
                if at == b and (bound < low or bound >= high):
                    return args[2] if bound < low else args[3]
        rounded = list(args)
        for i, up in ((0, False), (1, True)):
            if (value := builder.value_of(args[i])) is not None:
                rounded[i] = builder.constant(_single(value, up))
        return builder.call("ifless", *rounded)

    return rewrite(graph, {"ifless": ifless}, "exact thresholds")


def _single(value: float, up: bool) -> float:
    """The float32 next to ``value`` that is not below it, or not above it."""
    with np.errstate(over="ignore"):
        nearest = np.float32(value)
    if (float(nearest) < value) if up else (float(nearest) > value):
        nearest = np.nextafter(nearest, np.float32(np.inf if up else -np.inf))
    return float(nearest)
