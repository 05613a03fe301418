"""What the teacher is, in real numbers: what formulas are proven against."""

from __future__ import annotations

from dataclasses import dataclass

from distill.arrays import Array
from distill.bounds.base import Enclosable, NotBounded
from distill.bounds.read import enclosable
from distill.chain.closed_form import ClosedForm
from distill.chain.expression import Expression
from distill.domain import Domain
from distill.formula import Formula
from distill.teachers.base import Teacher, chain_of, why_no_chain
from distill.teachers.checked import Checked
from distill.teachers.function import CallableTeacher


@dataclass(frozen=True)
class OwnForm:
    """One output of a teacher as what it computes, and as what can be enclosed, if it can.

    A proof against it is about real numbers: the teacher's float32 or float64 answers are rounded.
    """

    expression: Expression
    function: Enclosable | None

    def __call__(self, x: Array) -> Array:
        """Values (n,) at x (n, d), in float64."""
        return self.expression(x)

    def is_(self, other: Expression) -> bool:
        """Whether a candidate is the very same."""
        return type(other) is type(self.expression) and other == self.expression


def own_form(teacher: Teacher, domain: Domain, output: int) -> tuple[OwnForm | None, str]:
    """What one output of a teacher computes, where that is known, and why nothing can be proven.

    The reason is empty where something can.
    """
    known = _expression(teacher, domain, output)
    if isinstance(known, str):
        return None, known
    try:
        return OwnForm(known, enclosable(known)), ""
    except NotBounded as error:
        return OwnForm(known, None), error.what.rstrip(".")


def _expression(teacher: Teacher, domain: Domain, output: int) -> Expression | str:
    inner = teacher.teacher if isinstance(teacher, Checked) else teacher
    if isinstance(inner, CallableTeacher) and isinstance(inner.function, Formula):
        formula = inner.function
        if formula.domain.names == domain.names:
            return Formula(formula.tree, domain)
    chain = chain_of(teacher)
    if chain is not None:
        return ClosedForm(chain, domain, output)
    if not teacher.can_be_asked:
        return "a table is known at its rows alone"
    reason = why_no_chain(teacher).rstrip(".")
    return (
        reason or f"the arithmetic of the teacher `{teacher.name}` is not known: it is asked only"
    )
