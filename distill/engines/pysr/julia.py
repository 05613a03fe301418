"""Trees as Julia: every operation in parentheses, every number with all its digits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from distill.errors import FormulaError
from distill.formula.operators import OPERATORS
from distill.formula.parse import parse
from distill.formula.tree import Call, Node, Number, Symbol, postorder, substitute

MAX_TEXT = 20_000
"""Longer Julia is refused: a product for each square doubles the text of nested squares."""

INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "^"}
"""Our operators that Julia writes between their operands."""

_WRITTEN = {
    "neg": ("-1*a", "0 - a"),
    "sub": ("a + -1*b",),
    "div": ("a*inv(b)", "a*b^-1"),
    "square": ("a*a", "a^2"),
    "cube": ("a*a*a", "a^3"),
    "inv": ("1/a", "a^-1"),
    "sqrt": ("a^0.5",),
    "tan": ("sin(a)/cos(a)",),
    "atan": ("atan2(a, 1)",),
    "abs": ("max(a, -1*a)",),
    "max": ("0.5*(a + b + abs(a - b))",),
    "min": ("0.5*(a + b - abs(a - b))",),
}
"""How an operator is said by others where it is not among the allowed ones."""
_ARGUMENTS = ("a", "b")
_EQUIVALENTS = {
    name: tuple(parse(text, _ARGUMENTS) for text in texts) for name, texts in _WRITTEN.items()
}
_POWERS = {2.0: "square", 3.0: "cube", -1.0: "inv", 0.5: "sqrt"}
"""Powers that are operators of their own."""


def to_julia(tree: Node, names: Mapping[str, str], allowed: Collection[str]) -> str:
    """The tree as a Julia expression of the allowed operators (ours), to start a search from.

    ``names`` maps the tree's symbols to Julia. An operator that is not allowed is said by others
    where that means the same, up to rounding. Numbers are Float64 literals.

    Raises
    ------
    FormulaError : naming the operator that cannot be said, or for text beyond :data:`MAX_TEXT`.
    """
    return _write(tree, names, _Dialect(frozenset(allowed) - {"ifless"}))


def to_combine(tree: Node, names: Mapping[str, str]) -> str:
    """The tree as the body of a template, whose variables are whole columns.

    Raises
    ------
    FormulaError : naming the operator that columns do not have.
    """
    return _write(tree, names, _COLUMNS)


def to_definition(name: str, arguments: Sequence[str], tree: Node) -> str:
    """A Julia function of one number for each argument; NaN outside its domain.

    Its constants take the type of the first argument, so that Float32 stays Float32.
    """
    names = dict(zip(arguments, ("x", "y"), strict=False))
    return f"{name}({', '.join(names.values())}) = {_write(tree, names, _NUMBERS)}"


def to_literal(value: float) -> str:
    """A finite number as a Julia literal that reads back to the same bits."""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    if "." not in mantissa:
        mantissa += ".0"
    text = f"{mantissa}e{int(exponent)}" if exponent else mantissa
    return f"(-{text})" if value < 0 else text


@dataclass(frozen=True)
class _Dialect:
    """What can be said at one place in Julia: the operators, their names if not ours, numbers."""

    allowed: frozenset[str]
    called: Mapping[str, str] = field(default_factory=dict)
    number: Callable[[float], str] = to_literal


_COLUMNS = _Dialect(
    # What columns have in all versions, by themselves or through Base: 1.x lacks `max`, `min` and
    # `atan` of one argument.
    frozenset({*INFIX, "inv", "sqrt", "cbrt", "exp", "log", "sin", "cos", "tan", "asin", "acos"})
    | {"atan2", "sinh", "cosh", "tanh", "abs"},
    {"atan2": "atan"},
)
_OF_A_FINITE = "(v -> isfinite(v) ? {}(v) : oftype(v, NaN))"
_NUMBERS = _Dialect(
    frozenset(OPERATORS),
    {
        "pow": "safe_pow",
        "sqrt": "safe_sqrt",
        "log": "safe_log",
        "asin": "safe_asin",
        "acos": "safe_acos",
        "atan2": "atan",
        # These fail for infinity, and an operator that fails anywhere is refused.
        **{name: _OF_A_FINITE.format(name) for name in ("sin", "cos", "tan")},
    },
    lambda value: f"oftype(x, {to_literal(value)})",
)


def _write(tree: Node, names: Mapping[str, str], dialect: _Dialect) -> str:
    if isinstance(tree, Number):
        return dialect.number(tree.value)
    if isinstance(tree, Symbol):
        return names[tree.name]
    operator = tree.operator
    if operator not in dialect.allowed:
        return _write(_said_by_others(tree, dialect.allowed), names, dialect)
    args = [_write(arg, names, dialect) for arg in tree.args]
    if operator == "ifless":
        text = f"ifelse({args[0]} < {args[1]}, {args[2]}, {args[3]})"
    elif operator in INFIX and operator not in dialect.called:
        text = f"({args[0]} {INFIX[operator]} {args[1]})"
    else:
        text = f"{dialect.called.get(operator, operator)}({', '.join(args)})"
    if len(text) > MAX_TEXT:
        raise FormulaError(f"the formula is longer than {MAX_TEXT} characters of Julia.")
    return text


def _said_by_others(tree: Call, allowed: Collection[str]) -> Node:
    if tree.operator == "pow" and isinstance(tree.args[1], Number):
        name = _POWERS.get(tree.args[1].value)
        if name is not None:
            return Call(name, tree.args[:1])
    for equivalent in _EQUIVALENTS.get(tree.operator, ()):
        if _operators(equivalent) <= set(allowed):
            return substitute(equivalent, dict(zip(_ARGUMENTS, tree.args, strict=False)))
    raise FormulaError(
        f"`{tree.operator}` cannot be said with the operators {', '.join(sorted(allowed))}."
    )


def _operators(tree: Node) -> set[str]:
    return {node.operator for node in postorder(tree) if isinstance(node, Call)}
