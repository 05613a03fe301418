"""The teacher's own closed form, as a formula where it can be read and as a chain of steps.

Nothing is searched: it is the end of the front with an error of rounding, beside which the price
of exactness is seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from distill.arrays import Array
from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.expansion import formula_of
from distill.chain.steps.whole import MAX_ROWS
from distill.domain import Domain
from distill.engines.base import Candidate, Problem
from distill.engines.boolean import boolean_candidates
from distill.errors import DistillError
from distill.logic.build import logic_chain
from distill.sampling.designs import exhaustive
from distill.teachers.base import Teacher

NAME = "exact"
LOGIC = "minimised logic"

READABLE = 400
"""Nodes of the longest formula that a person is spared the trouble of: beyond, the steps alone."""


@dataclass(frozen=True, slots=True)
class ExactOptions:
    """There is nothing to choose."""


@dataclass(frozen=True)
class Exact:
    """What is known of the teacher beforehand, and nothing else."""

    options: ExactOptions = ExactOptions()
    name: str = NAME

    def search(self, problem: Problem) -> Iterator[Candidate]:
        """Yield the closed forms that the problem brings."""
        yield from problem.closed


def closed_candidates(chain: Chain | None, domain: Domain, output: int) -> list[Candidate]:
    """The closed form of one output of a chain: as a formula too where that can be read.

    ``chain`` maps the inputs of ``domain`` to all outputs; None gives nothing.
    """
    if chain is None:
        return []
    # Without a limit in seconds, so that the result never depends on the clock.
    formula = formula_of(chain, domain, output, limit=READABLE, seconds=None)
    closed = Candidate(ClosedForm(chain, domain, output), NAME, "the teacher's own steps")
    if formula is None:
        return [closed]
    return [Candidate(formula, NAME, "the teacher's own formula"), closed]


def counted_candidates(
    teacher: Teacher, x: Array, y: Array, domain: Domain, output: int
) -> list[Candidate]:
    """Exact candidates where every point of the domain is known: x (n, d), y (n,).

    Empty where the domain is not all whole numbers, or the answers are no logic.
    """
    found = [Candidate(f, NAME, LOGIC) for f in boolean_candidates(x, y, domain)]
    chain = _logic(teacher, domain, output) if teacher.can_be_asked else None
    if chain is not None:
        number = output if chain.outputs > 1 else 0
        found.append(Candidate(ClosedForm(chain, domain, number), NAME, LOGIC))
    return found


def _logic(teacher: Teacher, domain: Domain, output: int) -> Chain | None:
    """The logic of all outputs at once; of this one where another is none."""
    every = exhaustive(domain, MAX_ROWS, 0)
    answers = teacher.predict(every)
    for columns in (answers, answers[:, [output]]):
        try:
            return logic_chain(columns, domain)
        except DistillError:  # more values than a choice among a few has
            continue
    return None
