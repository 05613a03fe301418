"""A formula as the C computes it: in floats or in integers, its model in Python, its text.

Everything that must know what the C answers (guard, table, vectors, verification) asks the
implementation and never the formula, so that there is one truth about rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from distill.arrays import Array
from distill.firmware.emit import function_text
from distill.firmware.fixed.emit import emit_fixed
from distill.firmware.fixed.estimates import Estimates
from distill.firmware.fixed.formats import Integers, hold
from distill.firmware.fixed.plan import plan_fixed
from distill.firmware.fixed.program import FixedProgram
from distill.firmware.graph import Arithmetic, Graph
from distill.firmware.names import Names
from distill.firmware.passes import lower
from distill.firmware.rounding import rounding_bound
from distill.formula import Formula


class Implementation(Protocol):
    """What the C of a formula does with points of its domain."""

    @property
    def exact(self) -> bool:
        """Whether the C answers with the very bits of :meth:`answers`, on every target."""
        ...

    def answers(self, x: Array) -> Array:
        """The answers (n,) at points (n, d) that the C holds already, in real numbers."""
        ...

    @property
    def models(self) -> tuple[Callable[[Array], Array], ...]:
        """All answers (n, d) -> (n,) that the C may give: one where it is exact."""
        ...

    def rounding(self, x: Array) -> Array:
        """A bound (n,) of how far rounding may move the C's answers, whatever the compiler."""
        ...

    def text(self, name: str, names: Names) -> str:
        """The C of a static function ``NAME_formula`` and of what it calls."""
        ...


@dataclass(frozen=True, eq=False)
class FloatImplementation:
    """A formula in float32 or double."""

    formula: Formula
    graph: Graph
    arithmetic: Arithmetic

    @property
    def exact(self) -> bool:
        """Whether no C library rounds as it likes."""
        return not self.graph.uses_libm

    def answers(self, x: Array) -> Array:
        """To the bit where it is exact; else the same operations in float64."""
        return self.graph.evaluate(x, self.arithmetic if self.exact else "double")

    @property
    def models(self) -> tuple[Callable[[Array], Array], ...]:
        """With a C library also what its arithmetic makes of correctly rounded functions."""
        if self.exact:
            return (self.answers,)
        return (self.answers, lambda x: self.graph.evaluate(x, self.arithmetic))

    def rounding(self, x: Array) -> Array:
        """The running error bound of the graph: for compilers that fuse operations, too."""
        return rounding_bound(self.graph, x, self.arithmetic, kernels=not self.exact)

    def text(self, name: str, names: Names) -> str:
        """The C of the function and of the primitives it calls."""
        parameters = names.parameters(self.formula.domain.names)
        return function_text(
            self.graph, f"{name}_formula", self.arithmetic, parameters, names, static=True
        )


@dataclass(frozen=True, eq=False)
class FixedImplementation:
    """A formula in integers of 32 bits."""

    formula: Formula
    program: FixedProgram

    @property
    def exact(self) -> bool:
        """Integers have one answer."""
        return True

    def integers(self, q: Integers) -> Integers:
        """The answers (n,) in units of the program's output, at held inputs (n, d)."""
        return self.program.evaluate(q)

    def answers(self, x: Array) -> Array:
        """The values of the integer answers."""
        return self.program.output.reals(self.integers(hold(x, self.formula.domain)))

    @property
    def models(self) -> tuple[Callable[[Array], Array], ...]:
        """The one model."""
        return (self.answers,)

    def rounding(self, x: Array) -> Array:
        """Nothing: the model is the C."""
        return x[:, 0] * 0.0

    def text(self, name: str, names: Names) -> str:
        """The C of the function and of the integer functions it calls."""
        parameters = names.parameters(self.formula.domain.names)
        return emit_fixed(self.program, name, parameters, names)


def library_gap(implementation: Implementation, x: Array) -> Array:
    """How far (n,) from ``answers`` the C may be at held points where a C library rounds."""
    first, *others = implementation.models
    answers, gap = first(x), np.zeros(len(x))
    with np.errstate(invalid="ignore"):
        for other in others:
            gap = np.maximum(gap, np.abs(other(x) - answers))
    return gap


def implement(
    formula: Formula,
    arithmetic: Arithmetic,
    accuracy: float | None = None,
    costs: Mapping[str, float] | None = None,
) -> FloatImplementation | FixedImplementation:
    """The cheapest way found to compute ``formula`` in ``arithmetic``.

    Parameters
    ----------
    accuracy : how far the implementation may be from the formula, in the output's unit; None
        keeps the C library's functions. Fixed point needs it.
    costs : what operations take on the target: by operator name, with
        :func:`distill.firmware.passes.functions.machine_costs`; in fixed point the numbers of
        :class:`distill.firmware.fixed.estimates.Estimates`.

    Raises
    ------
    ExportError : when fixed point cannot hold the formula's values at that accuracy.
    """
    price = None if costs is None else tuple(sorted(costs.items()))
    return _implement(formula, arithmetic, accuracy, price)


@lru_cache(maxsize=256)
def _implement(
    formula: Formula,
    arithmetic: Arithmetic,
    accuracy: float | None,
    price: tuple[tuple[str, float], ...] | None,
) -> FloatImplementation | FixedImplementation:
    costs = None if price is None else dict(price)
    if arithmetic == "fixed":
        assert accuracy is not None  # BundleSpec asks for it
        estimates = None if costs is None else Estimates.from_costs(costs)
        program = plan_fixed(formula, formula.domain, accuracy, estimates)
        return FixedImplementation(formula, program)
    graph = lower(formula, arithmetic, accuracy=accuracy, costs=costs)
    return FloatImplementation(formula, graph, arithmetic)
