"""Operators of the user's own, stated once: Julia searches with them, the C has what they mean."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from distill.engines.pysr.julia import to_definition
from distill.errors import ConfigError, FormulaError
from distill.formula.operators import OPERATORS
from distill.formula.parse import Macro, parse
from distill.formula.tree import Node, substitute

_KEY = "config key `engine.options.custom_operators`"
_HINT = (
    "write `name(x) = formula` or `name(x, y) = formula`, as in `softplus(x) = log(1 + exp(x))`."
)

_STATEMENT = re.compile(r"\s*(\w+)\s*\(([\w\s,]*)\)\s*=(.+)", re.ASCII | re.DOTALL)
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)

_WORDS = frozenset([
    "baremodule", "begin", "break", "catch", "const", "continue", "do", "else", "elseif",
    "end", "export", "false", "finally", "for", "function", "global", "if", "import", "in",
    "isa", "let", "local", "macro", "module", "quote", "return", "struct", "true", "try",
    "using", "where", "while", "im", "missing", "nothing", "pi",
])  # fmt: skip
"""What Julia's grammar keeps for itself."""
_TAKEN = frozenset([
    "acosh", "acosh_abs", "acot", "all", "angle", "any", "asinh", "atanh", "atanh_clip",
    "ceil", "clamp", "cond", "conj", "cosc", "cospi", "cot", "coth", "count", "csc", "csch",
    "diff", "div", "erf", "erfc", "eval", "exp10", "exp2", "expm1", "factorial", "filter",
    "first", "fld", "float", "floor", "fma", "gamma", "gcd", "greater", "greater_equal",
    "hypot", "identity", "ifelse", "imag", "last", "lcm", "length", "less", "less_equal",
    "log10", "log10_abs", "log1p", "log1p_abs", "log2", "log2_abs", "log_abs",
    "logical_and", "logical_or", "map", "mod", "muladd", "mult", "oftype", "one", "plus",
    "pow_abs", "print", "prod", "rand", "real", "reduce", "relu", "rem", "round",
    "safe_acos", "safe_acosh", "safe_asin", "safe_atanh", "safe_log", "safe_log10",
    "safe_log1p", "safe_log2", "safe_pow", "safe_sqrt", "sec", "sech", "sign", "sinc",
    "sinpi", "size", "sqrt_abs", "step", "sum", "trunc", "zero",
])  # fmt: skip
"""Functions of Julia and of PySR besides those that are ours too."""


@dataclass(frozen=True)
class Custom:
    """An operator that stands for a formula of its arguments."""

    name: str
    arguments: tuple[str, ...]
    tree: Node

    def __call__(self, *args: Node) -> Node:
        """What it means for the given arguments."""
        return substitute(self.tree, dict(zip(self.arguments, args, strict=True)))

    @property
    def macro(self) -> Macro:
        """For the parser."""
        return Macro(len(self.arguments), self)

    @property
    def julia(self) -> str:
        """Its definition, as PySR's lists of operators take it."""
        return to_definition(self.name, self.arguments, self.tree)


def read_custom(text: str, taken: Collection[str] = ()) -> Custom:
    """An operator of one or two arguments from ``name(a, b) = formula``, in our grammar.

    ``taken`` are names that others of the user's own have.

    Raises
    ------
    ConfigError : naming the key, for what cannot be read or a name that is not free.
    """
    match = _STATEMENT.fullmatch(text)
    if match is None:
        raise ConfigError(f"`{text}` does not define an operator.", where=_KEY, hint=_HINT)
    name, inside, formula = match.groups()
    arguments = tuple(argument.strip() for argument in inside.split(","))
    if not _NAME.fullmatch(name) or name in _WORDS or re.fullmatch(r"x\d+", name):
        raise ConfigError(
            f"`{name}` cannot name an operator.",
            where=_KEY,
            hint="use lower-case letters, digits and _, and no word of Julia's grammar.",
        )
    if name in {*OPERATORS, *_TAKEN, *taken}:
        raise ConfigError(
            f"`{name}` is an operator already.", where=_KEY, hint="give yours another name."
        )
    named = len(set(arguments)) == len(arguments) and all(map(_NAME.fullmatch, arguments))
    if not named or len(arguments) > 2:
        raise ConfigError(
            f"`{name}` must have one or two arguments with names of their own.",
            where=_KEY,
            hint=_HINT,
        )
    try:
        return Custom(name, arguments, parse(formula, arguments))
    except FormulaError as error:
        raise ConfigError(
            f"the operator `{name}` cannot be read: {error.what}",
            where=f"{_KEY}, {error.where}" if error.where else _KEY,
            hint=error.hint or _HINT,
        ) from error


def define(text: str) -> Custom:
    """An operator of any name and number of arguments, from a statement of this package's own."""
    head, _, formula = text.partition(" = ")
    name, _, inside = head.removesuffix(")").partition("(")
    arguments = tuple(inside.split(", "))
    return Custom(name, arguments, parse(formula, arguments))
