"""One candidate with all that is known about it, and what the candidates of a study share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from distill.arrays import Array
from distill.building.order import accuracy_left
from distill.building.scalar import plain_spec
from distill.building.vector import plain_vector
from distill.chain.closed_form import ClosedForm
from distill.chain.expression import Expression
from distill.config.schema import StudyConfig
from distill.domain import Domain
from distill.engines.base import Candidate
from distill.engines.rules import Rules
from distill.firmware.cost import Cost
from distill.firmware.spec import BundleSpec
from distill.firmware.target import load_target
from distill.firmware.vector.spec import LOCALS, VectorSpec
from distill.fitting.keeping import rules_of
from distill.formula import Formula
from distill.scoring.facts import FINITE
from distill.scoring.score import Score
from distill.teachers.base import Output, Teacher


@dataclass(frozen=True)
class Choice:
    """One candidate with all that is known about it.

    ``cost`` is None where it was not measured (off the front, or without a target).
    """

    candidate: Candidate
    score: Score
    cost: Cost | None
    on_front: bool
    study: StudyContext

    @property
    def formula(self) -> Expression:
        """The formula, or the teacher's closed form; callable on points (n, d)."""
        return self.candidate.formula

    @property
    def published(self) -> bool:
        """Whether it comes from the literature and not from a search."""
        return self.candidate.engine == "published"

    @property
    def within_tolerance(self) -> bool:
        """Whether no error larger than the tolerance was found."""
        return self.score.max_error <= self.study.config.tolerance

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """How the formula keeps to units and constraints, line by line; empty without any.

        A line whose demand is proven says so.
        """
        if not isinstance(self.formula, Formula):
            return ()
        proven = {fact.says for fact in self.score.facts if fact.proven}
        lines = (line.split(": ", 1) for line in self.study.rules.told(self.formula))
        return tuple(
            f"{line[0]}: proven everywhere on the domain" if line[0] in proven else ": ".join(line)
            for line in lines
        )

    @cached_property
    def alone(self) -> BundleSpec | VectorSpec | None:
        """The C that its cost was measured of: nothing checked, no table; None without a cost."""
        config, name = self.study.config, self.study.output_of_teacher.name
        if self.cost is None or not config.target:
            return None
        target, arithmetic = load_target(config.target), self.cost.arithmetic
        if isinstance(self.formula, ClosedForm):
            # An output may be called what the C around it calls a variable, a function may not.
            free = f"the_{name}" if name in LOCALS else name
            return plain_vector(
                self.formula, free, arithmetic, config.tolerance, config.export, target
            )
        return plain_spec(
            self.candidate.written,
            name,
            arithmetic,
            accuracy_left(self.score.max_error, config.tolerance),
            config.tolerance,
            config.export,
            target,
        )

    @property
    def finite(self) -> bool:
        """Whether it is proven that the formula has a finite value everywhere on the domain."""
        return any(fact.says == FINITE and fact.proven for fact in self.score.facts)

    @property
    def proven(self) -> str:
        """How sure the largest error is, as a sentence; empty where nothing can be said."""
        return self.score.told(self.study.output_of_teacher.unit)


@dataclass(frozen=True)
class StudyContext:
    """What all candidates of a study share."""

    config: StudyConfig
    teacher: Teacher
    domain: Domain
    output: int

    @property
    def output_of_teacher(self) -> Output:
        """Name and unit of the output that is distilled."""
        return self.teacher.outputs[self.output]

    @cached_property
    def rules(self) -> Rules:
        """What formulas have to keep to.

        Raises
        ------
        ConfigError, DomainError : where they cannot be read.
        """
        return rules_of(self.config.engine, self.domain, self.output_of_teacher)

    def truth(self, x: Array) -> Array:
        """The teacher's answers for that output at x (n, d), shape (n,)."""
        return self.teacher.predict(x)[:, self.output]
