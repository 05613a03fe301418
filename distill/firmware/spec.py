"""What a bundle is made from, and what its C answers, in Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import ExportError
from distill.firmware.axes import bounds
from distill.firmware.door import to_float
from distill.firmware.fixed.formats import Integers, QFormat, input_formats
from distill.firmware.given import take
from distill.firmware.graph import Arithmetic
from distill.firmware.guard import Guard
from distill.firmware.harness import Number
from distill.firmware.implementation import FixedImplementation, Implementation, implement
from distill.firmware.interface import Interface, make_interface
from distill.firmware.lookup import Table
from distill.firmware.names import check_function_name
from distill.firmware.numbers import InterfaceName, check_numbers
from distill.firmware.policy import Policy
from distill.firmware.proven import Proof
from distill.formula import Formula

Mode = Literal["default", "table", "formula"]
"""How the C is compiled: plainly, with NAME_TABLE_ONLY, or with NAME_FORMULA_ONLY."""


@dataclass(frozen=True, eq=False)
class BundleSpec:
    """Everything a bundle is written from; equal specs give equal bytes.

    Attributes
    ----------
    name : the C function's name, and the stem of the files.
    formula, table : one of them at least. Without a formula the bundle is the table alone.
    guard : where the table answers in the formula's place; needs both unless it is empty.
    output_name, output_unit : what the function returns.
    max_error : the largest error of the whole against the teacher that is known, in the output's
        unit, and whether it was ``"sampled"`` or ``"proven"``.
    provenance : what this came from (run, teacher, fingerprint, versions); no times.
    interface : ``integer`` leaves the numbers of fixed point as they are at the function's door.
    accuracy : how far the C's formula may be from the formula, in the output's unit; None leaves
        the mathematical functions to the C library. Fixed point needs it.
    costs : what operations take on the target, by which the C's functions were chosen; see
        :func:`distill.firmware.implementation.implement`.
    label_above : with a number, a second function says whether the output is above it.
    target : the name of the chip it was written for.
    figures : lines that say what a call costs there, and what was not done to know it.
    verified : whether the C is compiled and run before anybody gets it.
    vectors : points (n, d) for the self-test, besides corners, edges and special values.
    proof : what is proven of the error, whether or not it is within the tolerance.
    remarks : what else there is to know of the error, sentences that are no proof.

    Raises
    ------
    ExportError : when the parts do not fit together.
    """

    name: str
    domain: Domain
    formula: Formula | None
    table: Table | None
    guard: Guard | None
    output_name: str
    tolerance: float
    max_error: float
    error_kind: Literal["sampled", "proven"] = "sampled"
    output_unit: str = ""
    arithmetic: Arithmetic = "float32"
    interface: InterfaceName = "float"
    accuracy: float | None = None
    costs: Mapping[str, float] | None = None
    label_above: float | None = None
    policy: Policy = field(default_factory=Policy)
    provenance: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    figures: tuple[str, ...] = ()
    verified: bool = True
    vectors: Array | None = None
    proof: Proof | None = None
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_function_name(self.name)
        self._check_numbers()
        if self.error_kind not in ("sampled", "proven"):
            raise ExportError(f"an error is sampled or proven, not `{self.error_kind}`.")
        if not (self.tolerance > 0 and np.isfinite(self.tolerance)):
            raise ExportError(f"the tolerance {self.tolerance} is no size.", where="tolerance")
        if not self.max_error >= 0:
            raise ExportError(f"the largest error {self.max_error} is no size.")
        proven = self.max_error if self.proof is None else self.proof.bound
        if self.error_kind == "proven" and self.max_error != proven:
            raise ExportError("the error is not the one that was proven.")
        if self.formula is None and self.table is None:
            raise ExportError(
                "there is nothing to export: neither a formula nor a table.",
                hint="allow a larger table (export.table_bytes) or a larger tolerance.",
            )
        if self.guarded and (self.formula is None or self.table is None):
            raise ExportError(
                "a guard sends inputs from the formula to the table and needs both.",
                hint="fit a table too, or export the table alone.",
            )
        for part in (self.formula, self.table, self.guard):
            if part is not None and part.domain != self.domain:
                raise ExportError(f"the {type(part).__name__.lower()} has another domain.")
        for part in (self.table, self.guard):
            if part is not None and part.arithmetic != self.arithmetic:
                raise ExportError(f"the {type(part).__name__.lower()} has another arithmetic.")
        if self.vectors is not None and (
            self.vectors.ndim != 2 or self.vectors.shape[1] != len(self.domain)
        ):
            raise ExportError(f"the vectors need shape (n, {len(self.domain)}).")
        if self.table is not None and self.table.output != self.output_format:
            raise ExportError("formula and table give numbers of different formats.")
        for variable in self.domain.variables:
            bounds(variable, self.arithmetic)

    def _check_numbers(self) -> None:
        """Arithmetic, interface and policy must fit together."""
        check_numbers(self.arithmetic, self.interface, self.policy)
        if self.arithmetic == "fixed" and self.formula is not None and not (self.accuracy or 0) > 0:
            raise ExportError("fixed point needs to know how accurate it must be.")

    @cached_property
    def implementation(self) -> Implementation | None:
        """The formula as the C computes it; None where the table is alone."""
        if self.formula is None:
            return None
        return implement(self.formula, self.arithmetic, self.accuracy, self.costs)

    @property
    def number(self) -> Number:
        """What the C function takes and returns."""
        if self.interface == "integer":
            return "int32"
        return "double" if self.arithmetic == "double" else "float32"

    @property
    def output_format(self) -> QFormat | None:
        """The format of fixed point's answer: the formula's, or the table's where it is alone."""
        if isinstance(self.implementation, FixedImplementation):
            return self.implementation.program.output
        return None if self.table is None else self.table.output

    @property
    def numbers(self) -> Interface:
        """What the function's arguments and results stand for."""
        return make_interface(self.domain, self.number, self.output_format)

    def exact(self, mode: Mode = "default") -> bool:
        """Whether the C answers with the very bits of :func:`evaluate_bundle`, on every target."""
        if self.implementation is None or mode == "table":
            return True
        return self.implementation.exact

    @property
    def guarded(self) -> bool:
        """Whether some inputs go to the table although there is a formula."""
        return self.guard is not None and not self.guard.empty

    @property
    def within_tolerance(self) -> bool:
        """Whether the largest error known is within the tolerance."""
        return self.max_error <= self.tolerance

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The ways the C can be compiled."""
        if self.formula is None:
            return ("default", "table")
        if self.table is None:
            return ("default", "formula")
        # A guarded input has no answer without the table, and an integer cannot say so.
        if self.guarded and self.interface == "integer":
            return ("default", "table")
        return ("default", "table", "formula")


def evaluate_bundle(spec: BundleSpec, x: Array, mode: Mode = "default") -> Array:
    """What the C answers at x (n, d), shape (n,), with policy, guard and table as they are.

    x and the answers are the C function's own numbers: real ones, rounded to its arithmetic, or
    with ``spec.interface == "integer"`` fixed-point integers, held in float64. Where
    ``spec.exact(mode)`` holds the answers are the C's to the bit; else the formula is computed in
    float64. In mode ``formula`` guarded inputs give NaN, as in the C.

    Raises
    ------
    ExportError : for a mode the bundle cannot be compiled in.
    """
    if mode not in spec.modes:
        raise ExportError(f"`{spec.name}` has nothing for the mode `{mode}`.")
    given = take(x, spec.domain, spec.arithmetic, spec.policy, spec.interface == "integer")
    answers = np.full(len(x), np.nan)
    if given.reals is not None:
        answers[given.rows] = _reals(spec, given.reals, mode)
        return answers
    assert given.integers is not None  # fixed point has both
    assert spec.output_format is not None
    found = _integers(spec, given.integers, mode)
    if spec.interface == "integer":
        return found.astype(float)
    answers[given.rows] = to_float(found, spec.output_format)
    if mode == "formula":
        answers[given.rows[_flagged(spec, given.integers)]] = np.nan
    return answers


def _reals(spec: BundleSpec, x: Array, mode: Mode) -> Array:
    """The answers in floats at points of the domain."""
    if spec.implementation is None or mode == "table":
        assert spec.table is not None  # the spec holds one of them, the mode was checked
        return spec.table(x)
    answers = spec.implementation.answers(x)
    if spec.guard is not None and spec.guarded:
        assert spec.table is not None
        flagged = spec.guard(x)
        answers[flagged] = np.nan if mode == "formula" else spec.table(x[flagged])
    return answers


def _integers(spec: BundleSpec, q: Integers, mode: Mode) -> Integers:
    """The answers in integers of ``spec.output_format`` at held inputs."""
    implementation, table = spec.implementation, spec.table
    if not isinstance(implementation, FixedImplementation) or mode == "table":
        assert table is not None  # the spec holds one of them, the mode was checked
        return table.read_integers(q)
    answers = implementation.integers(q)
    flagged = _flagged(spec, q)
    if mode != "formula" and flagged.any():
        assert table is not None  # a guard needs it
        answers[flagged] = table.read_integers(q[flagged])
    return answers


def _flagged(spec: BundleSpec, q: Integers) -> npt.NDArray[np.bool_]:
    """Where the guard sends held inputs (n, d) of fixed point to the table."""
    if spec.guard is None or not spec.guarded:
        return np.zeros(len(q), dtype=bool)
    steps = np.array([form.step for form in input_formats(spec.domain)])
    return spec.guard(q * steps)
