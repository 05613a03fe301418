"""What a bundle is made from, and what its C answers, in Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import ExportError
from distill.firmware.graph import Arithmetic, dtype
from distill.firmware.guard import Guard
from distill.firmware.lookup import Table, bounds, held
from distill.firmware.names import check_function_name
from distill.firmware.policy import Policy
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
    target : the name of the chip it was written for.
    vectors : points (n, d) for the self-test, besides corners, edges and special values.

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
    policy: Policy = field(default_factory=Policy)
    provenance: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    vectors: Array | None = None

    def __post_init__(self) -> None:
        check_function_name(self.name)
        if self.arithmetic not in ("float32", "double"):
            raise ExportError(
                f"`{self.arithmetic}` is no arithmetic.",
                where="export.arithmetic",
                hint="allowed: float32, double.",
            )
        if self.error_kind not in ("sampled", "proven"):
            raise ExportError(f"an error is sampled or proven, not `{self.error_kind}`.")
        if not (self.tolerance > 0 and np.isfinite(self.tolerance)):
            raise ExportError(f"the tolerance {self.tolerance} is no size.", where="tolerance")
        if not self.max_error >= 0:
            raise ExportError(f"the largest error {self.max_error} is no size.")
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
        for variable in self.domain.variables:
            bounds(variable, self.arithmetic)

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
        return ("default", "formula") if self.table is None else ("default", "table", "formula")


def evaluate_bundle(spec: BundleSpec, x: Array, mode: Mode = "default") -> Array:
    """What the C answers at x (n, d), shape (n,): inputs rounded to its arithmetic, the formula
    in float64, policy, guard and table as they are, the last two to the bit.

    In mode ``formula`` guarded inputs give NaN, as in the C.

    Raises
    ------
    ExportError : for a mode the bundle cannot be compiled in.
    """
    if mode not in spec.modes:
        raise ExportError(f"`{spec.name}` has nothing for the mode `{mode}`.")
    with np.errstate(over="ignore"):
        rounded = x.astype(dtype(spec.arithmetic)).astype(float)
    x = held(rounded, spec.domain, spec.arithmetic)
    refused = np.zeros(len(x), dtype=bool)
    for i, variable in enumerate(spec.domain.variables):
        low, high = bounds(variable, spec.arithmetic)
        missing = np.isnan(rounded[:, i])
        if spec.policy.nan_input == "low":
            x[missing, i] = low
        else:
            refused |= missing
        if spec.policy.out_of_domain == "nan":
            refused |= (rounded[:, i] < low) | (rounded[:, i] > high)
    answers = np.full(len(x), np.nan)
    rows = np.flatnonzero(~refused)
    answers[rows] = _inside(spec, x[rows], mode)
    return answers


def _inside(spec: BundleSpec, x: Array, mode: Mode) -> Array:
    """The answers at points of the domain."""
    if spec.formula is None or mode == "table":
        assert spec.table is not None  # the spec holds one of them, the mode was checked
        return spec.table(x)
    answers = spec.formula(x)
    if spec.guard is not None and spec.guarded:
        assert spec.table is not None
        flagged = spec.guard(x)
        answers[flagged] = np.nan if mode == "formula" else spec.table(x[flagged])
    return answers
