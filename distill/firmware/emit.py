"""Printing C: literals, and a formula's graph as one pure function.

Values used more than once, operands that C would compute twice, and whatever makes a line too
long become named locals; everything else stays where it is read.
"""

from __future__ import annotations

import math

import numpy as np

from distill.errors import ExportError
from distill.firmware.graph import CONSTANT, INPUT, Arithmetic, Graph
from distill.firmware.names import Names, check_function_name
from distill.firmware.passes import lower
from distill.formula import Formula

_INFIX = {"add": ("+", 1), "sub": ("-", 1), "mul": ("*", 2), "div": ("/", 2)}
_NEG, _ATOM = 3, 4
_FUNCTIONS = {
    "pow": "pow", "sqrt": "sqrt", "cbrt": "cbrt", "exp": "exp", "log": "log", "sin": "sin",
    "cos": "cos", "tan": "tan", "asin": "asin", "acos": "acos", "atan": "atan", "sinh": "sinh",
    "cosh": "cosh", "tanh": "tanh", "abs": "fabs", "atan2": "atan2",
}  # fmt: skip
_CHOICES = {"min": "<", "max": ">"}

_WIDTH = 72
"""Longer expressions are cut into locals."""


def real_type(arithmetic: Arithmetic) -> str:
    """The C type of an arithmetic."""
    return "float" if arithmetic == "float32" else "double"


def literal(value: float, arithmetic: Arithmetic) -> str:
    """The shortest decimal literal that reads back to ``value`` rounded to ``arithmetic``.

    Raises
    ------
    ExportError : when the value is not finite, or becomes zero or infinite in float32.
    """
    with np.errstate(over="ignore", under="ignore"):
        rounded = np.float32(value) if arithmetic == "float32" else np.float64(value)
    if not math.isfinite(rounded) or (rounded == 0) != (value == 0):
        raise ExportError(
            f"the constant {value!r} cannot be held in {arithmetic}.",
            where="the formula's constants and the domain's bounds",
            hint="use arithmetic: double, or rescale the inputs.",
        )
    return str(rounded) + ("f" if arithmetic == "float32" else "")


def emit_function(
    formula: Formula, name: str, arithmetic: Arithmetic, *, static: bool = False
) -> str:
    """C99 text of one pure function of the formula's variables, in the order of its domain.

    It needs ``<math.h>``, and checks neither its inputs nor its result: that is the bundle's part.
    Variables keep their names unless C or the C library uses them. Equal formulas give equal
    bytes.

    Raises
    ------
    ExportError : for a function name C cannot have, an operator without C, or a constant that
        the arithmetic cannot hold.
    """
    check_function_name(name)
    names = Names(name)
    parameters = names.parameters(formula.domain.names)
    return function_text(lower(formula, arithmetic), name, arithmetic, parameters, names, static)


def function_text(
    graph: Graph,
    name: str,
    arithmetic: Arithmetic,
    parameters: tuple[str, ...],
    names: Names,
    static: bool,
) -> str:
    """The function of a lowered graph; locals come from ``names``."""
    real = real_type(arithmetic)
    statements, result = _Printer(graph, arithmetic, parameters, names).print()
    used = {operation.column for operation in graph.operations if operation.name == INPUT}
    unused = [f"(void){p};" for i, p in enumerate(parameters) if i not in used]
    body = [*unused, *statements, f"return {result};"]
    return "\n".join(
        [
            ("static " if static else "") + signature(real, name, parameters),
            "{",
            *(f"    {line}" for line in body),
            "}\n",
        ]
    )


def signature(real: str, name: str, parameters: tuple[str, ...]) -> str:
    """``float NAME(float a, float b)``, one parameter a line where it gets long."""
    declared = [f"{real} {p}" for p in parameters]
    line = f"{real} {name}({', '.join(declared)})"
    if len(line) <= 90:
        return line
    return f"{real} {name}(\n    " + ",\n    ".join(declared) + ")"


class _Printer:
    """Prints one graph; ``texts[i]`` is the text of operation i and how tightly it binds."""

    def __init__(
        self, graph: Graph, arithmetic: Arithmetic, parameters: tuple[str, ...], names: Names
    ) -> None:
        self.graph, self.arithmetic = graph, arithmetic
        self.parameters, self.names = parameters, names
        self.suffix = "f" if arithmetic == "float32" else ""
        self.texts: list[tuple[str, int]] = []
        self.statements: list[str] = []

    def print(self) -> tuple[list[str], str]:
        """The statements that define the locals, and the expression of the result."""
        for at, operation in enumerate(self.graph.operations):
            if operation.name == INPUT:
                self.texts.append((self.parameters[operation.column], _ATOM))
            elif operation.name == CONSTANT:
                text = literal(operation.value, self.arithmetic)
                self.texts.append((text, _NEG if text.startswith("-") else _ATOM))
            else:
                self.texts.append(self._call(operation.name, operation.args))
                if self.graph.uses[at] > 1:
                    self._name(at)
        return self.statements, self.texts[-1][0]

    def _name(self, at: int) -> None:
        """Give operation ``at`` a local of its own."""
        if self.graph.operations[at].name in (INPUT, CONSTANT) or self._is_name(at):
            return
        local = self.names.local("t")
        real = real_type(self.arithmetic)
        self.statements.append(f"const {real} {local} = {self.texts[at][0]};")
        self.texts[at] = (local, _ATOM)

    def _is_name(self, at: int) -> bool:
        return self.texts[at][0].isidentifier()

    def _call(self, operator: str, args: tuple[int, ...]) -> tuple[str, int]:
        if operator in _CHOICES:
            for arg in args:
                self._name(arg)
        text, binds = self._format(operator, args)
        for arg in sorted(set(args), key=lambda a: -len(self.texts[a][0])):
            if len(text) <= _WIDTH:
                break
            self._name(arg)
            text, binds = self._format(operator, args)
        return text, binds

    def _format(self, operator: str, args: tuple[int, ...]) -> tuple[str, int]:
        if operator in _INFIX:
            symbol, binds = _INFIX[operator]
            # Addition and multiplication of floats are not associative: the order is kept.
            left, right = self._operand(args[0], binds), self._operand(args[1], binds + 1)
            return f"{left} {symbol} {right}", binds
        if operator == "neg":
            return f"-{self._operand(args[0], _ATOM)}", _NEG
        texts = [self.texts[a][0] for a in args]
        if operator in _CHOICES:
            a, b = texts
            return f"({a} {_CHOICES[operator]} {b} ? {a} : {b})", _ATOM
        if operator in _FUNCTIONS:
            return f"{_FUNCTIONS[operator]}{self.suffix}({', '.join(texts)})", _ATOM
        raise ExportError(
            f"the C printer does not know the operator `{operator}`.",
            hint="the passes of distill.firmware.passes lower a formula to what it knows.",
        )

    def _operand(self, at: int, least: int) -> str:
        text, binds = self.texts[at]
        return text if binds >= least else f"({text})"
