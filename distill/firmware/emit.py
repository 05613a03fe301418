"""Printing C: literals, and a formula's graph as one pure function.

Values used more than once, operands that C would compute twice, and whatever makes a line too
long become named locals; everything else stays where it is read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from distill.errors import ExportError
from distill.firmware.branches import TOP, Block, blocks, indented, otherwise
from distill.firmware.graph import CONSTANT, INPUT, Arithmetic, Graph, Operation
from distill.firmware.kernels.base import Kernel, helper_text
from distill.firmware.kernels.machine import HEADERS
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


def literal(value: float, arithmetic: Arithmetic, *, may_vanish: bool = False) -> str:
    """The shortest decimal literal that reads back to ``value`` rounded to ``arithmetic``.

    Raises
    ------
    ExportError : when the value is not finite or becomes infinite in float32; also when it becomes
        zero there, but where it ``may_vanish``.
    """
    with np.errstate(over="ignore", under="ignore"):
        rounded = np.float32(value) if arithmetic == "float32" else np.float64(value)
    if not math.isfinite(rounded) or (rounded == 0 != value and not may_vanish):
        raise ExportError(
            f"the constant {value!r} cannot be held in {arithmetic}.",
            where="the formula's constants and the domain's bounds",
            hint="use arithmetic: double, or rescale the inputs.",
        )
    return str(rounded) + ("f" if arithmetic == "float32" else "")


def emit_function(
    formula: Formula,
    name: str,
    arithmetic: Arithmetic,
    *,
    static: bool = False,
    accuracy: float | None = None,
    costs: Mapping[str, float] | None = None,
) -> str:
    """C99 text of one pure function of the formula's variables, in the order of its domain.

    ``accuracy`` and ``costs`` are those of :func:`distill.firmware.passes.lower`. The text needs
    ``<math.h>`` and includes what else it needs. It checks neither its inputs nor its result: that
    is the bundle's part. Variables keep their names unless C or the C library uses them. Equal
    formulas give equal bytes.

    Raises
    ------
    ExportError : for a function name C cannot have, an operator without C, or a constant that
        the arithmetic cannot hold.
    """
    check_function_name(name)
    names = Names(name)
    parameters = names.parameters(formula.domain.names)
    graph = lower(formula, arithmetic, accuracy=accuracy, costs=costs)
    text = function_text(graph, name, arithmetic, parameters, names, static)
    includes = "".join(f"#include <{header}>\n" for header in headers(graph))
    return f"{includes}\n{text}" if includes else text


def headers(graph: Graph) -> tuple[str, ...]:
    """The headers of the C library, other than ``<math.h>``, that a graph's C needs."""
    return HEADERS if kernels(graph) else ()


def kernels(graph: Graph) -> tuple[Kernel, ...]:
    """The kernels of a graph, in order."""
    return tuple(dict.fromkeys(o.kernel for o in graph.operations if o.kernel is not None))


def function_text(
    graph: Graph,
    name: str,
    arithmetic: Arithmetic,
    parameters: tuple[str, ...],
    names: Names,
    static: bool,
) -> str:
    """The function of a lowered graph, after its static helpers; locals come from ``names``."""
    real = real_type(arithmetic)
    called = _kernel_names(kernels(graph), name)
    statements, (result,) = _Printer(graph, arithmetic, parameters, names, called).print()
    used = _used(graph)
    unused = [f"(void){p};" for i, p in enumerate(parameters) if i not in used]
    head = ("static " if static else "") + signature(real, name, parameters)
    return _with_helpers(called, name, head, [*unused, *statements, f"return {result};"])


def array_function_text(graph: Graph, name: str, arithmetic: Arithmetic, names: Names) -> str:
    """``static void NAME(const real *x, real *y)`` of a graph, one result after another in y."""
    real = real_type(arithmetic)
    parameters = names.parameters(graph.inputs)
    x, y = names.parameter("x"), names.parameter("y")
    called = _kernel_names(kernels(graph), name)
    statements, results = _Printer(graph, arithmetic, parameters, names, called).print()
    taken = [f"const {real} {parameters[i]} = {x}[{i}];" for i in sorted(_used(graph))]
    given = [f"{y}[{i}] = {text};" for i, text in enumerate(results)]
    unused = [] if taken else [f"(void){x};"]
    head = f"static void {name}(const {real} *{x}, {real} *{y})"
    return _with_helpers(called, name, head, [*unused, *taken, *statements, *given])


def _used(graph: Graph) -> set[int]:
    """The columns that a graph reads."""
    return {operation.column for operation in graph.operations if operation.name == INPUT}


def _with_helpers(called: Mapping[Kernel, str], name: str, head: str, body: list[str]) -> str:
    function = "\n".join([head, "{", *(f"    {line}" for line in body), "}\n"])
    helpers = [helper_text(list(called), name)] if called else []
    return "\n".join([*helpers, *(k.text(c, name) for k, c in called.items()), function])


def _kernel_names(kernels: tuple[Kernel, ...], function: str) -> dict[Kernel, str]:
    """``f_log``, ``f_log2``, ...: a name for each kernel in the function's own family."""
    names: dict[Kernel, str] = {}
    for kernel in kernels:
        alike = sum(other.STEM == kernel.STEM for other in names)
        names[kernel] = f"{function}_{kernel.STEM}{alike + 1 if alike else ''}"
    return names


def signature(real: str, name: str, parameters: tuple[str, ...]) -> str:
    """``float NAME(float a, float b)``, one parameter a line where it gets long."""
    declared = [f"{real} {p}" for p in parameters]
    line = f"{real} {name}({', '.join(declared)})"
    if len(line) <= 90:
        return line
    return f"{real} {name}(\n    " + ",\n    ".join(declared) + ")"


class _Printer:
    """Prints one graph; ``texts[i]`` is the text of operation i and how tightly it binds.

    Every operation is printed in the innermost branch that holds all its uses, so that a branch
    that is not taken is not computed.
    """

    def __init__(
        self,
        graph: Graph,
        arithmetic: Arithmetic,
        parameters: tuple[str, ...],
        names: Names,
        called: Mapping[Kernel, str],
    ) -> None:
        self.called = called
        self.graph, self.arithmetic = graph, arithmetic
        self.parameters, self.names = parameters, names
        self.suffix = "f" if arithmetic == "float32" else ""
        self.divisors = {o.args[1] for o in graph.operations if o.name == "div"}
        self.texts: dict[int, tuple[str, int]] = {}
        self.statements: list[str] = []
        self.members: dict[Block, list[int]] = {}
        for at, block in enumerate(blocks(graph)):
            self.members.setdefault(block, []).append(at)

    def print(self) -> tuple[list[str], list[str]]:
        """The statements that define the locals, and the expressions of the results."""
        statements, _ = self._block(TOP, len(self.graph.operations) - 1, "")
        return statements, [self.texts[end][0] for end in self.graph.ends]

    def _block(self, block: Block, result: int, target: str) -> tuple[list[str], str]:
        """The statements of a block and the expression of its result.

        The expression is ``target``, if there is one, where the statements assign it.
        """
        outer, self.statements = self.statements, []
        for at in self.members.get(block, ()):
            operation = self.graph.operations[at]
            if operation.name == INPUT:
                self.texts[at] = (self.parameters[operation.column], _ATOM)
            elif operation.name == CONSTANT:
                # A term that small is below the rounding, which is counted; a divisor is not.
                text = literal(operation.value, self.arithmetic, may_vanish=at not in self.divisors)
                self.texts[at] = (text, _NEG if text.startswith("-") else _ATOM)
            else:
                if operation.name == "ifless":
                    self._branch(at, target if at == result else "")
                else:
                    self.texts[at] = self._call(operation)
                if self.graph.uses[at] > 1:
                    self._name(at)
        statements, self.statements = self.statements, outer
        return statements, self.texts[result][0]

    def _branch(self, at: int, target: str) -> None:
        """A conditional expression where it is short, else statements that assign a local."""
        a, b, then, other = self.graph.operations[at].args
        condition = f"{self._operand(a, 1)} < {self._operand(b, 1)}"
        variable = target or f"\0{at}\0"  # gets its name once it is needed
        first, first_text = self._block((at, 2), then, variable)
        second, second_text = self._block((at, 3), other, variable)
        expression = f"({condition} ? {first_text} : {second_text})"
        if not first and not second and len(expression) <= _WIDTH:
            self.texts[at] = (expression, _ATOM)
            return
        lines = [
            f"if ({condition}) {{",
            *indented(first, first_text, variable),
            *otherwise(second, second_text, variable),
        ]
        if not target:
            local = self.names.local("t")
            lines = [line.replace(variable, local) for line in lines]
            lines.insert(0, f"{real_type(self.arithmetic)} {local};")
            variable = local
        self.statements.extend(lines)
        self.texts[at] = (variable, _ATOM)

    def _name(self, at: int) -> None:
        """Give operation ``at`` a local of its own."""
        if self.graph.operations[at].name in (INPUT, CONSTANT) or self._is_name(at):
            return
        local = self.names.local("t")
        real = real_type(self.arithmetic)
        self.statements.append(f"const {real} {local} = {self.texts[at][0]};")
        self.texts[at] = (local, _ATOM)

    def _is_name(self, at: int) -> bool:
        return self.texts[at][0].strip("\0").isidentifier()

    def _call(self, operation: Operation) -> tuple[str, int]:
        args = operation.args
        if operation.name in _CHOICES:
            for arg in args:
                self._name(arg)
        text, binds = self._format(operation)
        for arg in sorted(set(args), key=lambda a: -len(self.texts[a][0])):
            if len(text) <= _WIDTH:
                break
            self._name(arg)
            text, binds = self._format(operation)
        return text, binds

    def _format(self, operation: Operation) -> tuple[str, int]:
        operator, args = operation.name, operation.args
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
        if operation.kernel is not None:
            return f"{self.called[operation.kernel]}({texts[0]})", _ATOM
        if operator in _FUNCTIONS:
            return f"{_FUNCTIONS[operator]}{self.suffix}({', '.join(texts)})", _ATOM
        raise ExportError(
            f"the C printer does not know the operator `{operator}`.",
            hint="the passes of distill.firmware.passes lower a formula to what it knows.",
        )

    def _operand(self, at: int, least: int) -> str:
        text, binds = self.texts[at]
        return text if binds >= least else f"({text})"
