"""Formulas of each number alone in C."""

from __future__ import annotations

from distill.chain.steps.formula import Each
from distill.firmware.chains.calls import Call
from distill.firmware.chains.writer import Writer
from distill.firmware.emit import function_text
from distill.firmware.graph import Builder, Rule, build_graph, rewrite
from distill.firmware.names import Names

_EACH = """\
static void $function(const $real *x, $real *y, unsigned d)
{
    for (unsigned i = 0u; i < d; i++) {
        y[i] = $formula(x[i]);
    }
}
"""

_OPERATORS = frozenset(["input", "constant", "add", "sub", "mul", "div", "neg", "min", "max",
                        "ifless"])  # fmt: skip
_ROUNDED_ALIKE = frozenset(["sqrt", "abs"])


def print_each(step: Each, writer: Writer) -> Call:
    """A static function of one number, operator by operator as the step evaluates it, and a loop.

    The passes that make a formula cheaper are left out: they move the last bits.
    """
    graph = rewrite(build_graph(step.formula), _RULES, "operators of C")
    for operation in graph.operations:
        if operation.name not in _OPERATORS:
            writer.math(operation.name, exact=operation.name in _ROUNDED_ALIKE)
    names = Names(writer.name)
    parameters = names.parameters(step.formula.domain.names)
    text = function_text(graph, "$function", writer.arithmetic, parameters, names, static=True)
    formula = writer.function("formula", text)
    each = writer.function("each", _EACH, formula=formula)
    return Call(each, (f"{step.width}u",), in_place=True)


def _square(builder: Builder, args: tuple[int, ...]) -> int:
    return builder.call("mul", args[0], args[0])


def _cube(builder: Builder, args: tuple[int, ...]) -> int:
    return builder.call("mul", _square(builder, args), args[0])


def _inverse(builder: Builder, args: tuple[int, ...]) -> int:
    return builder.call("div", builder.constant(1.0), args[0])


_RULES: dict[str, Rule] = {"square": _square, "cube": _cube, "inv": _inverse}
