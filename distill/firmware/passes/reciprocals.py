"""Reciprocals to divisions: ``inv(x)`` is ``1/x``, and ``a * (1/x)`` is ``a/x``.

The second saves a multiplication and a rounding; it applies where the reciprocal is used once.
It differs only where ``1/x`` alone would overflow, and there the quotient is the better value.
"""

from __future__ import annotations

from distill.firmware.graph import Builder, Graph, rewrite


def reciprocals_to_divisions(graph: Graph) -> Graph:
    """The graph without inv, and with products by a reciprocal as quotients."""
    return rewrite(graph, {"inv": _inv, "mul": _mul}, "reciprocals to divisions")


def _inv(builder: Builder, args: tuple[int, ...]) -> int:
    return builder.call("div", builder.constant(1.0), args[0])


def _mul(builder: Builder, args: tuple[int, ...]) -> int | None:
    for factor, other in (args, args[::-1]):
        quotient = builder[other]
        if (
            quotient.name == "div"
            and builder.value_of(quotient.args[0]) == 1.0
            and builder.used_once(other)
        ):
            return builder.call("div", factor, quotient.args[1])
    return None
