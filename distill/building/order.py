"""What is wanted of an export, and which arithmetics and accuracies its C may have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from distill.arrays import Array
from distill.bounds.base import NotBounded
from distill.chain.expression import Expression
from distill.config.schema import ExportConfig
from distill.domain import Domain
from distill.firmware.fixed.estimates import ESTIMATES
from distill.firmware.graph import Arithmetic
from distill.firmware.passes.functions import machine_costs
from distill.firmware.target import Target
from distill.formula import Formula
from distill.proving.certificate import Known
from distill.proving.whole import Prover
from distill.proving.within import Budget
from distill.teachers.base import Output

SHARE = 0.9
"""The part of what a formula leaves of the tolerance that its arithmetic may use up."""

LEAST_SHARE = 0.02
"""What the arithmetic may use where a formula leaves nothing: the table answers there."""

SELFTEST_POINTS = 64
"""Points of the self-test, besides corners, edges and special values."""

Truth = Callable[[Array], Array]


@dataclass(frozen=True)
class Order:
    """What is wanted of every way of one export.

    ``formula_error`` is the formula's largest error against the teacher, None when unknown;
    ``truth`` the teacher's answers (n, d) -> (n,), None where it cannot be asked; ``own`` what the
    teacher computes, None where that is not known, and then ``why_not_own`` says why.
    """

    name: str
    domain: Domain
    formula: Formula | None
    formula_error: float | None
    truth: Truth | None
    tolerance: float
    output: Output
    options: ExportConfig
    target: Target
    provenance: Mapping[str, str]
    own: Expression | None = None
    why_not_own: str = ""

    @property
    def prover(self) -> Prover | None:
        """What proves errors against the teacher; None where nothing is to be or can be proven."""
        return self._proving[0]

    @property
    def why_no_prover(self) -> str:
        """Why nothing can be proven against the teacher; empty where nothing was to be."""
        return self._proving[1]

    @cached_property
    def _proving(self) -> tuple[Prover | None, str]:
        if self.own is None or not self.options.prove:
            return None, self.why_not_own
        budget = Budget.of(
            self.options.proof_boxes, self.options.proof_seconds, self.options.proof_workers
        )
        fingerprint = self.provenance.get("teacher fingerprint", "")
        known = Known(self.own, self.provenance.get("teacher", self.name), fingerprint)
        try:
            return Prover(known, budget), ""
        except NotBounded as error:
            return None, error.what


def arithmetics(options: ExportConfig) -> tuple[Arithmetic, ...]:
    """The arithmetics an export may use."""
    if options.arithmetic != "auto":
        return (cast(Arithmetic, options.arithmetic),)
    return ("fixed",) if options.interface == "integer" else ("float32", "fixed")


def looked_at(options: ExportConfig) -> tuple[Arithmetic, ...]:
    """The arithmetics whose costs are told: of float32 people want to know what integers save."""
    if options.arithmetic == "float32" and options.interface == "float":
        return ("float32", "fixed")
    return arithmetics(options)


def accuracy_left(formula_error: float | None, tolerance: float) -> float:
    """How far the arithmetic may move a formula's answers."""
    left = tolerance - formula_error if formula_error is not None else 0.0
    return max(SHARE * left, LEAST_SHARE * tolerance)


def own_accuracy(options: ExportConfig, arithmetic: Arithmetic, accuracy: float) -> float | None:
    """The accuracy of the C's own functions; None where the C library's are wanted."""
    own = options.functions == "cheapest" and arithmetic == "float32"
    return accuracy if own or arithmetic == "fixed" else None


def arithmetic_costs(target: Target, arithmetic: Arithmetic) -> Mapping[str, float]:
    """By which the C's own functions are chosen."""
    if arithmetic == "fixed":
        return ESTIMATES[target.emulator].costs()
    return machine_costs(target)
