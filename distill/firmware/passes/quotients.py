"""Fewer divisions: quotients of one divisor are added first, quotients of quotients multiplied.

``a/x + b/x`` is ``(a + b)/x``, ``a/b/c`` is ``a/(b*c)``, ``a/(b/c)`` is ``a*c/b`` and
``(a/b)*(c/d)`` is ``(a*c)/(b*d)``. A product stands in for a division only where the domain's
ranges show that it neither overflows nor underflows; it costs one rounding, as the division did.
"""

from __future__ import annotations

from distill.domain import Domain
from distill.firmware.graph import Graph, rewrite
from distill.firmware.passes.bounds import BoundRule, Bounds, bounded


def share_quotients(graph: Graph, domain: Domain) -> Graph:
    """The graph with as few divisions as these rules find."""
    rules: dict[str, BoundRule] = {
        "add": _sum("add"), "sub": _sum("sub"), "div": _div, "mul": _mul,
    }  # fmt: skip
    return rewrite(
        graph, {name: bounded(rule, domain) for name, rule in rules.items()}, "quotients"
    )


def _parts(bounds: Bounds, at: int) -> tuple[int, int] | None:
    """Dividend and divisor of a quotient that nothing else uses."""
    operation = bounds.builder[at]
    if operation.name != "div" or not bounds.builder.used_once(at):
        return None
    dividend, divisor = operation.args
    return dividend, divisor


def _sum(operator: str) -> BoundRule:
    def rule(bounds: Bounds, args: tuple[int, ...]) -> int | None:
        first, second = (_parts(bounds, a) for a in args)
        if first is None or second is None or first[1] != second[1] or args[0] == args[1]:
            return None
        total = bounds.builder.call(operator, first[0], second[0])
        return bounds.builder.call("div", total, first[1])

    return rule


def _div(bounds: Bounds, args: tuple[int, ...]) -> int | None:
    builder, (dividend, divisor) = bounds.builder, args
    if (upper := _parts(bounds, dividend)) is not None:
        product = builder.call("mul", upper[1], divisor)
        if bounds.apart(product) and bounds.apart(upper[1]):
            return builder.call("div", upper[0], product)
    if (lower := _parts(bounds, divisor)) is not None:
        if builder.value_of(dividend) == 1.0:
            product = lower[1]
        else:
            product = builder.call("mul", dividend, lower[1])
        if bounds.apart(product) and bounds.apart(lower[0]) and bounds.apart(lower[1]):
            return builder.call("div", product, lower[0])
    return None


def _mul(bounds: Bounds, args: tuple[int, ...]) -> int | None:
    builder = bounds.builder
    first, second = (_parts(bounds, a) for a in args)
    if first is None or second is None or args[0] == args[1]:
        return None
    above = builder.call("mul", first[0], second[0])
    below = builder.call("mul", first[1], second[1])
    if not (bounds.apart(above) and bounds.apart(below)):
        return None
    return builder.call("div", above, below)
