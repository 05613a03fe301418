"""Constants meet: ``2*(3*x)`` is ``6*x``, ``2*(3/x)`` is ``6/x``, ``(x + 1) + 2`` is ``x + 3``.

One rounding less where it applies: to what nothing else uses, and while the joint constant is a
normal number of the arithmetic.
"""

from __future__ import annotations

import numpy as np

from distill.firmware.graph import Arithmetic, Builder, Graph, Rule, dtype, rewrite


def join_constants(graph: Graph, arithmetic: Arithmetic) -> Graph:
    """The graph with one constant where a product or a sum had two."""
    limits = np.finfo(dtype(arithmetic))
    tiny, most = float(limits.tiny), float(limits.max)

    def usable(value: float) -> bool:
        return tiny <= abs(value) <= most

    def mul(builder: Builder, args: tuple[int, ...]) -> int | None:
        for one, other in (args, args[::-1]):
            c, inner = builder.value_of(one), builder[other]
            if c is None or not builder.used_once(other):
                continue
            if inner.name in ("mul", "div"):
                for i in (0, 1) if inner.name == "mul" else (0,):
                    k = builder.value_of(inner.args[i])
                    if k is not None and usable(c * k):
                        joint, rest = builder.constant(c * k), inner.args[1 - i]
                        return builder.call(inner.name, joint, rest)
        return None

    def div(builder: Builder, args: tuple[int, ...]) -> int | None:
        c, inner = builder.value_of(args[0]), builder[args[1]]
        if c is None or inner.name != "mul" or not builder.used_once(args[1]):
            return None
        for i in (0, 1):
            k = builder.value_of(inner.args[i])
            if k and usable(c / k):
                return builder.call("div", builder.constant(c / k), inner.args[1 - i])
        return None

    rules: dict[str, Rule] = {"mul": mul, "div": div, "add": _sum, "sub": _sum_of_difference}
    return rewrite(graph, rules, "joint constants")


def _offset(builder: Builder, at: int) -> tuple[float, float, int] | None:
    """``at`` as ``constant + sign*x``: constant, sign and x."""
    operation = builder[at]
    if operation.name not in ("add", "sub") or not builder.used_once(at):
        return None
    left, right = operation.args
    a, b = builder.value_of(left), builder.value_of(right)
    minus = -1.0 if operation.name == "sub" else 1.0
    if a is not None:
        return a, minus, right
    return None if b is None else (minus * b, 1.0, left)


def _joint(builder: Builder, constant: float, sign: float, x: int) -> int:
    if sign < 0:
        return builder.call("sub", builder.constant(constant), x)
    return builder.call("add", x, builder.constant(constant))


def _sum(builder: Builder, args: tuple[int, ...]) -> int | None:
    for one, other in (args, args[::-1]):
        c, inner = builder.value_of(one), _offset(builder, other)
        if c is not None and inner is not None:
            return _joint(builder, c + inner[0], inner[1], inner[2])
    return None


def _sum_of_difference(builder: Builder, args: tuple[int, ...]) -> int | None:
    left, right = builder.value_of(args[0]), builder.value_of(args[1])
    if right is not None and (inner := _offset(builder, args[0])) is not None:
        return _joint(builder, inner[0] - right, inner[1], inner[2])
    if left is not None and (inner := _offset(builder, args[1])) is not None:
        return _joint(builder, left - inner[0], -inner[1], inner[2])
    return None
