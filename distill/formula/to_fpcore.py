"""Printing a tree as FPCore 2.0 (https://fpbench.org), the text that Herbie and others read."""

from __future__ import annotations

from distill.domain import Domain, Variable
from distill.errors import FormulaError
from distill.formula.tree import Call, Node, Number, Symbol

_CONSTANTS = frozenset(
    ["E", "LOG2E", "LOG10E", "LN2", "LN10", "PI", "PI_2", "PI_4", "M_1_PI", "M_2_PI",
     "M_2_SQRTPI", "SQRT2", "SQRT1_2", "INFINITY", "NAN", "TRUE", "FALSE"]
)  # fmt: skip

# {0}, {1}... are the arguments; an argument that stands twice is bound by `let` first.
_TABLE = {
    "add": "(+ {0} {1})",
    "sub": "(- {0} {1})",
    "mul": "(* {0} {1})",
    "div": "(/ {0} {1})",
    "neg": "(- {0})",
    "pow": "(pow {0} {1})",
    "square": "(* {0} {0})",
    "cube": "(* (* {0} {0}) {0})",
    "inv": "(/ 1 {0})",
    "sqrt": "(sqrt {0})",
    "cbrt": "(cbrt {0})",
    "exp": "(exp {0})",
    "log": "(log {0})",
    "sin": "(sin {0})",
    "cos": "(cos {0})",
    "tan": "(tan {0})",
    "asin": "(asin {0})",
    "acos": "(acos {0})",
    "atan": "(atan {0})",
    "sinh": "(sinh {0})",
    "cosh": "(cosh {0})",
    "tanh": "(tanh {0})",
    "abs": "(fabs {0})",
    "atan2": "(atan2 {0} {1})",
    "min": "(fmin {0} {1})",
    "max": "(fmax {0} {1})",
    "ifless": "(if (< {0} {1}) {2} {3})",
}


def to_fpcore(tree: Node, domain: Domain) -> str:
    """The tree as one FPCore over all variables of the domain, whose bounds are the precondition.

    Constants carry all their digits. A variable that has the name of one of FPCore's constants
    gets a dot at its end, which no C identifier has.

    Raises
    ------
    FormulaError : for an operator that FPCore does not have.
    """
    names = " ".join(_name(name) for name in domain.names)
    bounds = " ".join(_bounds(variable) for variable in domain.variables)
    return f"(FPCore ({names})\n :precision binary64\n :pre (and {bounds})\n {_print(tree)})"


def _print(node: Node) -> str:
    if isinstance(node, Number):
        return _number(node.value)
    if isinstance(node, Symbol):
        return _name(node.name)
    if node.operator not in _TABLE:
        raise FormulaError(
            f"FPCore has no `{node.operator}`.",
            where="distill.formula.to_fpcore",
            hint="leave the operator out, or add it to the table there.",
        )
    pattern = _TABLE[node.operator]
    args = [_print(a) for a in node.args]
    if pattern.count("{0}") > 1 and isinstance(node.args[0], Call):
        return f"(let ([t. {args[0]}]) {pattern.format('t.')})"
    return pattern.format(*args)


def _bounds(variable: Variable) -> str:
    name = _name(variable.name)
    inside = f"(<= {_number(variable.low)} {name} {_number(variable.high)})"
    return f"{inside} (== {name} (trunc {name}))" if variable.discrete else inside


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def _name(name: str) -> str:
    return f"{name}." if name in _CONSTANTS else name
