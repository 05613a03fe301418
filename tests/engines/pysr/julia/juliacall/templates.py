"""Template expressions: what `@template_spec` makes, and formulas of that form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version

import numpy as np

from juliacall.expressions import OPERATORS, Tree, evaluate, number, operators_of, read, show
from juliacall.values import JuliaError, Struct

MAJOR = int(version("pysr").split(".")[0])

# Functions that have no method for a ValidVector.
_NEVER = {"relu", "cond", "greater", "less", "gamma", "erf", "erfc", "logical_or", "logical_and"}
_MISSING = _NEVER | ({"atan", "square", "cube"} if MAJOR == 1 else set())


class Template(Struct):
    """A template: the parts that are searched, and how Julia puts them together."""

    def __init__(
        self,
        expressions: Sequence[str],
        parameters: Mapping[str, int],
        variables: Sequence[str],
        combine: str,
    ):
        super().__init__(
            "TemplateExpressionSpec",
            expressions=list(expressions),
            parameters=dict(parameters),
            variables=list(variables),
            combine=combine,
        )
        self.expressions = expressions
        self.parameters = parameters
        self.variables = variables
        self.tree = read(combine)
        self.arities = self._checked()

    def _checked(self) -> dict[str, int]:
        """Return how many arguments each part takes, found by calling `combine` once, as Julia."""
        used = operators_of(self.tree)
        arities = {name: {count for key, count in used if key == name} for name in self.expressions}
        for name, counts in arities.items():
            if len(counts) != 1:
                raise JuliaError(f"Failed to infer number of features used by `{name}`")
        for name, _ in used - {(key, count) for key in arities for count in arities[key]}:
            if name not in OPERATORS or name in _MISSING:
                raise JuliaError(f"MethodError: no method matching {name}(::ValidVector)")
        parts: dict[str, Tree] = {
            name: "#1" if counts == {1} or max(counts) else 0.0 for name, counts in arities.items()
        }
        ones = {name: np.ones(1) for name in self.variables}
        given = {name: np.ones(count) for name, count in self.parameters.items()}
        if not isinstance(self.evaluate(parts, given, ones), np.ndarray):
            raise JuliaError("TemplateReturnError: the template must return a ValidVector")
        return {name: max(counts) for name, counts in arities.items()}

    def evaluate(
        self,
        parts: Mapping[str, Tree],
        parameters: Mapping[str, Sequence[float] | np.ndarray],
        columns: Mapping[str, np.ndarray],
    ) -> object:
        """Return the values of the template with these parts in it."""
        calls = {name: partial(_call, part) for name, part in parts.items()}
        elements = {
            f"{name}[{i}]": np.float64(value)
            for name, values in parameters.items()
            for i, value in enumerate(values, 1)
        }
        return evaluate(self.tree, {**columns, **elements}, calls)

    def show(
        self, parts: Mapping[str, Tree], parameters: Mapping[str, Sequence[float] | np.ndarray]
    ) -> str:
        """Print as the hall of fame has it."""
        shown = [f"{name} = {show(parts[name])}" for name in self.expressions]
        vectors = {name: map(number, parameters[name]) for name in self.parameters}
        return "; ".join(shown + [f"{key} = [{', '.join(v)}]" for key, v in vectors.items()])


def _call(part: Tree, *values: object) -> object:
    """Return the values of a part; before PySR 2.0 its arguments may be vectors only."""
    if MAJOR == 1 and not all(isinstance(value, np.ndarray) for value in values):
        raise JuliaError("MethodError: ComposableExpression does not support input of type Float64")
    return evaluate(part, {f"#{i}": value for i, value in enumerate(values, 1)})
