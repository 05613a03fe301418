"""Exponentials, logarithms and powers of one another become fewer of them.

``exp(a)*exp(b)`` is ``exp(a + b)``, ``1/exp(a)`` is ``exp(-a)``, ``log(a) - log(b)`` is
``log(a/b)``, ``x^a * x^b`` is ``x^(a + b)``; ``log(exp(a))`` and ``exp(log(a))`` are a. Each rule
applies where the domain's ranges show that nothing overflows or underflows before or after, and
where no part is used elsewhere. Values keep to the roundings of the functions themselves.
"""

from __future__ import annotations

from distill.domain import Domain
from distill.firmware.graph import Graph, rewrite
from distill.firmware.passes.bounds import BoundRule, Bounds, bounded

_EXP = 60.0
"""exp of larger magnitudes comes near the ends of float32."""


def merge_exponents(graph: Graph, domain: Domain) -> Graph:
    """The graph with fewer exponentials, logarithms and powers."""
    rules: dict[str, BoundRule] = {
        "mul": _mul, "div": _div, "inv": _inv, "add": _logs("mul"), "sub": _logs("div"),
        "log": _log, "exp": _exp, "sqrt": _sqrt,
    }  # fmt: skip
    return rewrite(
        graph, {name: bounded(rule, domain) for name, rule in rules.items()}, "exponents"
    )


def _arguments(bounds: Bounds, name: str, args: tuple[int, ...]) -> tuple[int, ...] | None:
    """The arguments of both, where both call the function and nothing else uses them."""
    builder = bounds.builder
    if all(builder[a].name == name and builder.used_once(a) for a in args) and len({*args}) == 2:
        return tuple(builder[a].args[0] for a in args)
    return None


def _mul(bounds: Bounds, args: tuple[int, ...]) -> int | None:
    builder = bounds.builder
    if (inner := _arguments(bounds, "exp", args)) is not None:
        total = builder.call("add", *inner)
        return builder.call("exp", total) if bounds.within(_EXP, *inner, total) else None
    return _powers(bounds, args, 1.0)


def _div(bounds: Bounds, args: tuple[int, ...]) -> int | None:
    builder = bounds.builder
    if (inner := _arguments(bounds, "exp", args)) is not None:
        difference = builder.call("sub", *inner)
        return builder.call("exp", difference) if bounds.within(_EXP, *inner, difference) else None
    if builder.value_of(args[0]) == 1.0:
        return _inv(bounds, args[1:])
    return _powers(bounds, args, -1.0)


def _inv(bounds: Bounds, args: tuple[int, ...]) -> int | None:
    builder, exponential = bounds.builder, bounds.builder[args[0]]
    if exponential.name != "exp" or not builder.used_once(args[0]):
        return None
    inner = exponential.args[0]
    if not bounds.within(_EXP, inner):
        return None
    return builder.call("exp", builder.call("neg", inner))


def _powers(bounds: Bounds, args: tuple[int, ...], sign: float) -> int | None:
    """``x^a * x^b`` with constant exponents."""
    builder = bounds.builder
    if not all(builder[a].name == "pow" and builder.used_once(a) for a in args):
        return None
    (base, first), (other, second) = (builder[a].args for a in args)
    values = [builder.value_of(first), builder.value_of(second)]
    if base != other or values[0] is None or values[1] is None:
        return None
    result = builder.call("pow", base, builder.constant(values[0] + sign * values[1]))
    return result if bounds.positive(base, *args, result) else None


def _logs(operator: str) -> BoundRule:
    def rule(bounds: Bounds, args: tuple[int, ...]) -> int | None:
        builder = bounds.builder
        if (inner := _arguments(bounds, "log", args)) is None:
            return None
        product = builder.call(operator, *inner)
        return builder.call("log", product) if bounds.positive(*inner, product) else None

    return rule


def _log(bounds: Bounds, args: tuple[int, ...]) -> int | None:
    inner = bounds.builder[args[0]]
    if inner.name == "exp" and bounds.within(_EXP, inner.args[0]):
        return inner.args[0]
    return None


def _exp(bounds: Bounds, args: tuple[int, ...]) -> int | None:
    inner = bounds.builder[args[0]]
    return inner.args[0] if inner.name == "log" and bounds.positive(inner.args[0]) else None


def _sqrt(bounds: Bounds, args: tuple[int, ...]) -> int | None:
    """``sqrt(exp(a))`` is ``exp(a/2)``."""
    builder, inner = bounds.builder, bounds.builder[args[0]]
    if (
        inner.name != "exp"
        or not builder.used_once(args[0])
        or not bounds.within(_EXP, inner.args[0])
    ):
        return None
    return builder.call("exp", builder.call("mul", inner.args[0], builder.constant(0.5)))
