"""Whether a formula makes sense in physical units, and which units its constants carry.

Every node has a dimension, a linear combination of the dimensions of variables, of the output and
of constants; every operator adds linear equations. Those of variables and output are known where
their units are, those of constants are unknowns: a fitted constant may carry any unit. The formula
is consistent when the equations (:mod:`distill.formula.unit_equations`) have a solution.

Scales are not compared: km/h and m/s may be added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from distill.formula.dimension import Dimension, dimension, require_units
from distill.formula.tree import Node
from distill.formula.unit_equations import ConstantUnit, UnitEquations

__all__ = [
    "ConstantUnit",
    "Dimension",
    "UnitReport",
    "check_units",
    "describe",
    "dimension",
    "possible_pair",
    "require_units",
]


@dataclass(frozen=True, slots=True)
class UnitReport:
    """Whether a formula is consistent.

    Attributes
    ----------
    consistent : there are units of the constants with which it is.
    pure : it is even where constants that look like pure numbers carry no unit.
    bare : it is only where logarithms are taken of the bare numbers of quantities with units.
    reason : why it is not consistent, for people; empty where it is.
    node : the part of the formula in which it fails; None where it does not.
    constants : one for each constant, in post-order; empty where nothing fits.
    """

    consistent: bool
    pure: bool
    bare: bool = False
    reason: str = ""
    node: Node | None = None
    constants: tuple[ConstantUnit, ...] = ()

    @property
    def free(self) -> tuple[int, ...]:
        """Which constants have a unit that cannot be determined, counted in post-order."""
        return tuple(i for i, constant in enumerate(self.constants) if constant.unit is None)


def check_units(tree: Node, units: Mapping[str, str], output: str) -> UnitReport:
    """Whether the tree makes sense, given the variables' units and the output's.

    Parameters
    ----------
    units : the unit of each variable; one that is missing, empty or not understood may be anything,
        but the same wherever its variable stands.
    output : likewise.
    """
    for bare in (False, True):
        for pure in (True, False):
            system = UnitEquations(tree, units, output, pure, bare)
            if system.failure is None:
                return UnitReport(True, pure, bare, constants=system.constants())
    assert system.failure is not None
    node, reason = system.failure
    return UnitReport(False, False, reason=reason, node=node)


def describe(report: UnitReport) -> list[str]:
    """The report for people, line by line."""
    if not report.consistent:
        return [f"units do not fit: {report.reason}"]
    conditions = []
    if not report.pure:
        conditions.append("round constants carry units too")
    if report.bare:
        conditions.append("logarithms take the bare number of a quantity")
    lines = ["units fit" + (f" if {' and '.join(conditions)}" if conditions else "")]
    return lines + [f"  {constant}" for constant in report.constants]


def possible_pair(kind: Literal["add", "sub", "mul", "div"], unit_a: str, unit_b: str) -> bool:
    """Whether a sum, difference, product or ratio of two quantities makes sense as it stands.

    Sums and differences need the same dimension; a unit that is not known may be any.
    """
    a, b = dimension(unit_a), dimension(unit_b)
    return kind in ("mul", "div") or a is None or b is None or a == b
