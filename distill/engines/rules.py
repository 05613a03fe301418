"""What a formula has to keep to besides its error: constraints, units, a given form.

A search asks quick questions, at the points that it has; the few formulas that are left are
searched for the point where they break a rule most.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from distill.arrays import Array
from distill.domain import Domain
from distill.engines.constraints import (
    IMPLIED,
    Constraints,
    Verdict,
    broken_operators,
    read_constraints,
    satisfies,
    uses_allowed,
    violations,
)
from distill.engines.skeleton import Skeleton
from distill.errors import ConfigError
from distill.formula import Formula
from distill.formula.tree import Node, symbols
from distill.formula.units import UnitReport, check_units, describe, require_units


@dataclass(frozen=True)
class Rules:
    """The rules of one study; those of an empty one are kept by every formula.

    Attributes
    ----------
    constraints : monotone, bounded, operators by variable.
    units : the unit of each variable, empty where unknown; None where units are not checked.
    output : the unit of the output.
    skeleton : the form that formulas have; None for any.
    """

    constraints: Constraints = field(default_factory=Constraints)
    units: Mapping[str, str] | None = None
    output: str = ""
    skeleton: Skeleton | None = None

    def allows(self, tree: Node, *, whole: bool) -> bool:
        """Whether a formula (``whole``) or a part of one uses allowed operators and fits in units.

        A part may have any unit.
        """
        if not uses_allowed(tree, self.constraints.operators_of):
            return False
        return self.units is None or self._report(tree, whole=whole).consistent

    def admits(self, formula: Formula, x: Array) -> bool:
        """Whether no rule is broken at the points x (n, d)."""
        return self.allows(formula.tree, whole=True) and not self._exceeded(formula, x)

    def broken(self, formula: Formula) -> str:
        """Which rule is broken most anywhere on the domain, and where; empty for none found."""
        if self.units is not None:
            report = self._report(formula.tree, whole=True)
            if not report.consistent:
                return describe(report)[0]
        if not self.constraints:
            return ""
        return _said(satisfies(formula, self.constraints, formula.domain), formula.domain)

    def usable(self, operators: Mapping[str, float], views: Collection[Node]) -> dict[str, float]:
        """The operators that may stand above at least one of the views, with their costs."""
        allowed = self.constraints.operators_of
        if not allowed:
            return dict(operators)
        free = [[name for name in symbols(view) if name in allowed] for view in views]
        return {
            operator: cost
            for operator, cost in operators.items()
            if any(all(_may(operator, allowed[name]) for name in names) for names in free)
        }

    def told(self, formula: Formula) -> tuple[str, ...]:
        """How the formula keeps each rule, for people, line by line."""
        lines: list[str] = []
        if self.units is not None:
            lines += describe(self._report(formula.tree, whole=True))
        domain = formula.domain
        for text, demand in _demands(self.constraints):
            verdict = satisfies(formula, demand, domain)
            held = f"holds, checked at {verdict.points:,} points"
            lines.append(f"{text}: {held if verdict.satisfied else _said(verdict, domain)}")
        wrong = dict(broken_operators(formula.tree, self.constraints.operators_of))
        for name, operators in self.constraints.operators_of.items():
            held = f"`{wrong[name]}` is used" if name in wrong else "holds"
            lines.append(f"only {', '.join(sorted(operators))} on {name}: {held}")
        return tuple(lines)

    def __bool__(self) -> bool:
        return bool(self.constraints) or self.units is not None or self.skeleton is not None

    def _report(self, tree: Node, *, whole: bool) -> UnitReport:
        return check_units(tree, self.units or {}, self.output if whole else "")

    def _exceeded(self, formula: Formula, x: Array) -> bool:
        return bool(self.constraints) and violations(formula, self.constraints, x) > 0.0


def read_rules(
    units: str,
    constraints: Mapping[str, object],
    skeleton: str | None,
    domain: Domain,
    output: tuple[str, str],
) -> Rules:
    """The rules of a config; ``output`` is the name and the unit of what is distilled.

    Raises
    ------
    ConfigError : naming the key that cannot be used.
    DomainError : naming the unit that is not understood.
    """
    rules = Rules(
        read_constraints(constraints, domain.names),
        skeleton=None if skeleton is None else Skeleton.parse(skeleton, domain),
    )
    if units != "check":
        return rules
    stated = {variable.name: variable.unit for variable in domain.variables}
    name, unit = output
    require_units({**stated, name: unit})
    if not any(text.strip() for text in (*stated.values(), unit)):
        raise ConfigError(
            "there are no units to check: neither the variables nor the output have any.",
            where="config key `engine.units`",
            hint="state them in the domain (unit: m/s) and of the teacher's output, or set "
            "engine.units=off.",
        )
    return replace(rules, units=stated, output=unit)


def _may(operator: str, allowed: Collection[str]) -> bool:
    return not {operator, *IMPLIED.get(operator, ())}.isdisjoint(allowed)


def _demands(constraints: Constraints) -> Iterator[tuple[str, Constraints]]:
    """Each demand on values and slopes alone, with what to call it."""
    for name, direction in constraints.monotone.items():
        yield f"{direction} in {name}", Constraints(monotone={name: direction})
    if constraints.bounded:
        low, high = constraints.low, constraints.high
        ends = [f"{word} {end:g}" for word, end in (("at least", low), ("at most", high))
                if math.isfinite(end)]  # fmt: skip
        yield " and ".join(ends), Constraints(low=low, high=high)


def _said(verdict: Verdict, domain: Domain) -> str:
    """A verdict for people; empty where nothing is broken."""
    if verdict.satisfied or verdict.x is None:
        return verdict.broken
    at = ", ".join(f"{n} = {v:.4g}" for n, v in zip(domain.names, verdict.x, strict=True))
    return f"{verdict.broken}, and is off by {verdict.worst:.3g} at {at}"
