"""A tree over a domain: what engines propose, scoring measures and the firmware room emits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import FormulaError
from distill.formula import tree as trees
from distill.formula.parse import parse
from distill.formula.program import Program, compile_tree
from distill.formula.text import to_text

if TYPE_CHECKING:
    import sympy
    import torch

VERSION = 1


@dataclass(frozen=True)
class Formula:
    """An expression whose variables are those of ``domain``.

    >>> domain = Domain.box(x=(0, 1))
    >>> formula = Formula.parse("2*x + 1", domain)
    >>> float(formula(domain.high[None, :])[0])
    3.0
    """

    tree: trees.Node
    domain: Domain

    def __post_init__(self) -> None:
        unknown = set(trees.symbols(self.tree)) - set(self.domain.names)
        if unknown:
            raise FormulaError(
                f"the formula uses `{min(unknown)}`, which the domain does not have.",
                hint=f"variables: {', '.join(self.domain.names)}.",
            )

    @classmethod
    def parse(cls, text: str, domain: Domain) -> Formula:
        """Read a formula by the closed grammar of :mod:`distill.formula.parse`."""
        return cls(parse(text, domain.names), domain)

    @cached_property
    def program(self) -> Program:
        """The flattened tree, ready to be evaluated."""
        return compile_tree(self.tree, self.domain.names)

    def __call__(self, x: Array) -> Array:
        """Values at the points x of shape (n, d), shape (n,), in float64."""
        return self.program(x)

    def gradient(self, x: Array) -> Array:
        """Derivatives by the inputs at x (n, d), shape (n, d)."""
        return self.program.by_inputs(x)[1]

    @cached_property
    def text(self) -> str:
        """The exact text; :meth:`parse` reads it back to the same tree."""
        return to_text(self.tree)

    def readable(self, digits: int = 5) -> str:
        """The text with constants rounded to ``digits`` significant digits."""
        return to_text(self.tree, digits)

    @property
    def complexity(self) -> int:
        """The node count, as PySR counts."""
        return trees.complexity(self.tree)

    @property
    def sympy(self) -> sympy.Expr:
        """The formula as a sympy expression over real symbols."""
        from distill.formula.to_sympy import to_sympy

        return to_sympy(self.tree)

    def latex(self, digits: int = 5) -> str:
        """The formula as LaTeX, constants rounded to ``digits`` significant digits."""
        from distill.formula.to_latex import to_latex

        return to_latex(self.tree, digits)

    def fpcore(self) -> str:
        """The formula as FPCore 2.0 (fpbench.org), with the domain as its precondition."""
        from distill.formula.to_fpcore import to_fpcore

        return to_fpcore(self.tree, self.domain)

    def to_torch(self, trainable: bool = False) -> torch.nn.Module:
        """A differentiable module (n, d) -> (n, 1); constants are parameters if ``trainable``."""
        from distill.formula.to_torch import FormulaModule

        return FormulaModule(self.tree, self.domain.names, trainable=trainable)

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    def __str__(self) -> str:
        return self.readable()

    def to_data(self) -> dict[str, object]:
        """A versioned plain form; :meth:`from_data` reads it back."""
        return {
            "version": VERSION,
            "text": self.text,
            "domain": json.loads(self.domain.to_json()),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, object]) -> Formula:
        """Read what :meth:`to_data` gave.

        Raises
        ------
        FormulaError : when it is no formula, or of another version.
        """
        if data.get("version") != VERSION or not isinstance(data.get("text"), str):
            raise FormulaError(f"not a formula of version {VERSION}.")
        domain = data.get("domain")
        if not isinstance(domain, Mapping):
            raise FormulaError("the formula lacks its domain.")
        return cls.parse(str(data["text"]), Domain.from_data(domain))
