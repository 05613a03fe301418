"""A skeleton as PySR's template expression, and what comes back as its parts and constants."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from distill.engines.pysr.custom import Custom
from distill.engines.pysr.equations import read_equation, read_number
from distill.engines.pysr.julia import to_combine
from distill.engines.skeleton import Skeleton
from distill.errors import FormulaError
from distill.formula.tree import Call, Node, Number, Symbol, add, mul, rewrite, symbols

_ARGUMENT = re.compile(r"#(\d+)", re.ASCII)
_LITERAL = re.compile(r"\d\.\d", re.ASCII)
_HAVE_A_DOMAIN = frozenset({"pow", "sqrt", "log", "asin", "acos", "sin", "cos", "tan"})
"""The last three refuse infinity."""


@dataclass(frozen=True)
class Template:
    """What ``TemplateExpressionSpec`` takes, and the skeleton it says.

    Parts and constants have names of the worker's own, which no word of Julia and no variable has.

    Attributes
    ----------
    skeleton : what the user stated.
    combine : Julia over the variables, the parts and the parameters.
    expressions : the names of the parts, in the skeleton's order.
    variable_names : the names of the variables, in the domain's order.
    parameters : the length of each parameter: 1, as each free constant is one of its own.
    """

    skeleton: Skeleton
    combine: str
    expressions: tuple[str, ...]
    variable_names: tuple[str, ...]
    parameters: Mapping[str, int]

    @classmethod
    def of(cls, skeleton: Skeleton, variable_names: Sequence[str]) -> Template:
        """The template of a skeleton whose domain's variables the worker calls so.

        Raises
        ------
        FormulaError : where :func:`supported` says why not.
        """
        if not skeleton.parts:
            raise FormulaError("PySR's templates need a free part such as `f(x)`.")
        variables = dict(zip(skeleton.domain.names, variable_names, strict=True))
        expressions = tuple(f"f{i}" for i, _ in enumerate(skeleton.parts, 1))
        constants = {name: f"c{i}" for i, name in enumerate(skeleton.constants, 1)}
        names = {**variables, **{name: f"{own}[1]" for name, own in constants.items()}}
        for part, own in zip(skeleton.parts, expressions, strict=True):
            for use in part.uses:
                names[part.symbol(use)] = f"{own}({', '.join(variables[name] for name in use)})"
        return cls(
            skeleton,
            to_combine(_over_columns(skeleton), names),
            expressions,
            tuple(variable_names),
            dict.fromkeys(constants.values(), 1),
        )

    def read(
        self, text: str, custom: Sequence[Custom] = ()
    ) -> tuple[dict[str, Node], dict[str, float]]:
        """Parts and constants by the user's names, for :meth:`Skeleton.fill`.

        ``text`` is as PySR writes it to its files: ``f1 = #1 * 2.0; c1 = [0.5]``.

        Raises
        ------
        FormulaError : for text that is none of this template.
        """
        said = dict(_statements(text))
        parts: dict[str, Node] = {}
        constants: dict[str, float] = {}
        for part, own in zip(self.skeleton.parts, self.expressions, strict=True):
            arguments = {f"argument{i}": Symbol(name) for i, name in enumerate(part.names, 1)}
            written = _ARGUMENT.sub(r"argument\1", _found(said, own))
            parts[part.name] = read_equation(written, arguments, custom)
        for name, own in zip(self.skeleton.constants, self.parameters, strict=True):
            constants[name] = _parameter(_found(said, own))
        return parts, constants


def supported(skeleton: Skeleton, release: tuple[int, ...] = (2,), precision: int = 64) -> str:
    """Why the skeleton cannot be a template of that PySR; empty where it can.

    ``release`` is PySR's version, ``precision`` the bits of its numbers.
    """
    try:
        template = Template.of(skeleton, [f"x{i}" for i, _ in enumerate(skeleton.domain.names)])
    except FormulaError as error:
        return error.what
    if release < (2,) and precision != 64 and _LITERAL.search(template.combine):
        return "before PySR 2 a template with numbers needs `engine.options.precision=64`."
    return ""


def _over_columns(skeleton: Skeleton) -> Node:
    """The tree with a column in every function that Julia may refuse for a number.

    Of a column, values outside a domain are NaN and only lose the search that formula; of a number,
    as a free constant is, they end it.
    """
    variable = Symbol(skeleton.domain.names[0])

    def rule(node: Node) -> Node:
        if not isinstance(node, Call) or node.operator not in _HAVE_A_DOMAIN:
            return node
        if not set(symbols(node)) <= set(skeleton.constants):
            return node
        column = add(node.args[0], mul(Number(0.0), variable))
        return Call(node.operator, (column, *node.args[1:]))

    return rewrite(skeleton.tree, rule)


def _statements(text: str) -> Iterator[tuple[str, str]]:
    for statement in text.split(";"):
        name, _, value = statement.partition("=")
        yield name.strip(), value.strip()


def _found(said: Mapping[str, str], name: str) -> str:
    if name not in said:
        raise FormulaError(f"`{name}` of the template is missing in what PySR wrote.")
    return said[name]


def _parameter(text: str) -> float:
    """The number of a vector of one."""
    try:
        value = read_number(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FormulaError(f"`{text}` is no finite number of the template.")
    return value
