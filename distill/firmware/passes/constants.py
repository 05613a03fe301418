"""Constant folding: operators of constants are computed now, neutral elements fall away.

``x + 0``, ``x - 0``, ``x * 1``, ``x / 1`` and ``pow(x, 1)`` become x; so do ``ifless`` of two
constants, or of two equal branches. Values stay equal to the
bit but for the sign of a zero. An operator of constants without a finite value (``log(-1)``) stays
for the machine to compute, so that the result is as non-finite as the formula's.
"""

from __future__ import annotations

import math

import numpy as np

from distill.firmware.graph import KNOWN, Builder, Graph, Rule, rewrite
from distill.formula.operators import OPERATORS

_NEUTRAL_RIGHT = {"add": 0.0, "sub": 0.0, "mul": 1.0, "div": 1.0, "pow": 1.0}
_NEUTRAL_LEFT = {"add": 0.0, "mul": 1.0}


def fold_constants(graph: Graph) -> Graph:
    """The graph without operators of constants alone and without neutral elements."""
    return rewrite(graph, _RULES, "constant folding")


def _rule(operator: str) -> Rule:
    def fold(builder: Builder, args: tuple[int, ...]) -> int | None:
        values = [builder.value_of(a) for a in args]
        known = [v for v in values if v is not None]
        if len(known) == len(args):
            with np.errstate(all="ignore"):
                value = float(OPERATORS[operator].value(*map(np.float64, known)))
            return builder.constant(value) if math.isfinite(value) else None
        if values[-1] is not None and values[-1] == _NEUTRAL_RIGHT.get(operator):
            return args[0]
        if values[0] is not None and values[0] == _NEUTRAL_LEFT.get(operator):
            return args[-1]
        return None

    return fold


def _ifless(builder: Builder, args: tuple[int, ...]) -> int | None:
    a, b = (builder.value_of(arg) for arg in args[:2])
    if a is not None and b is not None:
        return args[2] if a < b else args[3]
    return args[2] if args[2] == args[3] else None


_RULES = {operator: _rule(operator) for operator in KNOWN} | {"ifless": _ifless}
