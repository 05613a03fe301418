"""Fewer square roots: ``sqrt(a)*sqrt(b)`` is ``sqrt(a*b)``, ``x/sqrt(x)`` is ``sqrt(x)``.

Applied where the domain's ranges show that the arguments are positive and their product or
quotient neither overflows nor underflows. A root halves the relative error of its argument.
"""

from __future__ import annotations

from distill.domain import Domain
from distill.firmware.graph import Graph, rewrite
from distill.firmware.passes.bounds import BoundRule, Bounds, bounded


def share_roots(graph: Graph, domain: Domain) -> Graph:
    """The graph with as few square roots as these rules find."""
    rules: dict[str, BoundRule] = {"mul": _pair("mul"), "div": _div, "sqrt": _sqrt}
    return rewrite(graph, {name: bounded(rule, domain) for name, rule in rules.items()}, "roots")


def _pair(operator: str) -> BoundRule:
    def rule(bounds: Bounds, args: tuple[int, ...]) -> int | None:
        builder = bounds.builder
        if not all(builder[a].name == "sqrt" for a in args):
            return None
        inner = tuple(builder[a].args[0] for a in args)
        if operator == "mul" and inner[0] == inner[1]:
            return inner[0] if bounds.positive(inner[0]) else None
        if inner[0] == inner[1] or not all(map(builder.used_once, args)):
            return None
        joined = builder.call(operator, *inner)
        return builder.call("sqrt", joined) if bounds.positive(*inner, joined) else None

    return rule


def _div(bounds: Bounds, args: tuple[int, ...]) -> int | None:
    root = bounds.builder[args[1]]
    if root.name == "sqrt" and root.args[0] == args[0] and bounds.positive(args[0]):
        return args[1]
    return _pair("div")(bounds, args)


def _sqrt(bounds: Bounds, args: tuple[int, ...]) -> int | None:
    """``sqrt(x*x)`` is ``abs(x)``."""
    inner = bounds.builder[args[0]]
    if inner.name != "mul" or inner.args[0] != inner.args[1] or not bounds.apart(inner.args[0]):
        return None
    return bounds.builder.call("abs", inner.args[0])
