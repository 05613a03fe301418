"""Functions of the library written by others: a power by ``exp`` and ``log``, ``tanh`` by ``exp``.

Dearer by the library, but ``exp``, ``log``, ``sin`` and ``atan`` may become kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from distill.domain import Domain
from distill.firmware.graph import Builder, Graph
from distill.firmware.ranges import operation_ranges


def library_calls(graph: Graph) -> frozenset[str]:
    """The functions of a graph that :func:`spread_functions` knows."""
    return frozenset(o.name for o in graph.operations if o.name in _SPREAD)


def spread_functions(graph: Graph, domain: Domain, names: frozenset[str]) -> Graph:
    """The graph with these of its functions written by others, where those have a value."""
    low, _ = operation_ranges(graph, domain)
    builder = Builder(graph.inputs)
    places: list[int] = []
    for operation in graph.operations:
        args = tuple(places[a] for a in operation.args)
        positive = _OF_POSITIVE.get(operation.name)
        if operation.name in names and (positive is None or low[operation.args[positive]] > 0):
            places.append(_SPREAD[operation.name](builder, args))
        else:
            places.append(builder.add(replace(operation, args=args)))
    return builder.finish(places[-1])


def _pow(builder: Builder, args: tuple[int, ...]) -> int:
    return builder.call("exp", builder.call("mul", args[1], builder.call("log", args[0])))


def _cbrt(builder: Builder, args: tuple[int, ...]) -> int:
    return _pow(builder, (args[0], builder.constant(1 / 3)))


def _tanh(builder: Builder, args: tuple[int, ...]) -> int:
    """``1 - 2/(exp(2x) + 1)``."""
    square = builder.call("exp", builder.call("mul", args[0], builder.constant(2.0)))
    divisor = builder.call("add", square, builder.constant(1.0))
    quotient = builder.call("div", builder.constant(2.0), divisor)
    return builder.call("sub", builder.constant(1.0), quotient)


def _hyperbolic(sign: str) -> Callable[[Builder, tuple[int, ...]], int]:
    def spread(builder: Builder, args: tuple[int, ...]) -> int:
        """``(e - 1/e)/2`` or ``(e + 1/e)/2``."""
        e = builder.call("exp", args[0])
        pair = builder.call(sign, e, builder.call("div", builder.constant(1.0), e))
        return builder.call("mul", pair, builder.constant(0.5))

    return spread


def _tan(builder: Builder, args: tuple[int, ...]) -> int:
    return builder.call("div", builder.call("sin", args[0]), builder.call("cos", args[0]))


def _atan2(builder: Builder, args: tuple[int, ...]) -> int:
    return builder.call("atan", builder.call("div", *args))


_SPREAD = {
    "pow": _pow, "cbrt": _cbrt, "tanh": _tanh, "tan": _tan,
    "sinh": _hyperbolic("sub"), "cosh": _hyperbolic("add"), "atan2": _atan2,
}  # fmt: skip
_OF_POSITIVE = {"pow": 0, "cbrt": 0, "atan2": 1}
"""Which argument must be positive."""
