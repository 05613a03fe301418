"""The export and verify stages: from a chosen candidate to C that was compiled, run, compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from distill.arrays import Array
from distill.config import ExportConfig, plain
from distill.domain import Domain
from distill.engines.base import Candidate
from distill.errors import ExportError
from distill.extremum import largest
from distill.firmware.bundle import Bundle, BundleSpec, evaluate_bundle, write_bundle
from distill.firmware.evidence import Evidence
from distill.firmware.graph import Arithmetic
from distill.firmware.guard import Guard, find_guard
from distill.firmware.harness import Number
from distill.firmware.lookup import Table
from distill.firmware.passes import lower
from distill.firmware.policy import NanInput, OutOfDomain, Policy
from distill.firmware.rounding import rounding_bound
from distill.firmware.spec_file import load_spec, save_spec
from distill.firmware.tables import fit_table
from distill.firmware.target import Target
from distill.firmware.verify import verify_bundle
from distill.progress import Progress
from distill.runner import Stage
from distill.stages import read_json, write_json
from distill.teachers.base import Teacher

BUNDLE = "bundle"

SELFTEST_POINTS = 64
"""Points of the self-test, besides corners, edges and special values."""

ROUNDING_POINTS = 8192
"""Points at which the rounding of the C's arithmetic is bounded."""

CHIP_POINTS = 512
"""Points at which the C runs on the emulated chip."""


@dataclass(frozen=True)
class ExportPlan:
    """What is to be exported: a candidate (None: the table alone) and its known largest error."""

    candidate: Candidate | None
    max_error: float | None
    domain: Domain
    output: int
    target: str
    tolerance: float
    options: ExportConfig
    provenance: Mapping[str, str]

    @property
    def arithmetic(self) -> Arithmetic:
        """The arithmetic of the C."""
        return cast(Arithmetic, self.options.arithmetic)

    def to_data(self) -> dict[str, Any]:
        """All that the bundle depends on besides the teacher, as plain data."""
        options = plain(self.options)
        for elsewhere in ("directory", "verify_points"):
            options.pop(elsewhere)
        return {
            "candidate": self.candidate.to_data() if self.candidate else None,
            "max_error": self.max_error,
            "domain": self.domain.to_json(),
            "output": self.output,
            "target": self.target,
            "tolerance": self.tolerance,
            "options": options,
            "provenance": dict(self.provenance),
        }


def export(plan: ExportPlan, teacher: Teacher, progress: Progress) -> BundleSpec:
    """What the bundle is made of: the formula, the table behind it, the guard between them.

    Raises
    ------
    ExportError : when the tolerance cannot be met within ``export.table_bytes``.
    """
    formula = plan.candidate.formula if plan.candidate else None
    output = teacher.outputs[plan.output]

    def truth(x: Array) -> Array:
        return teacher.predict(x)[:, plan.output]

    guard: Guard | None = None
    table: Table | None = None
    if teacher.can_be_asked:
        if formula is not None:
            progress.advance(0.1, "looking for cells in which the formula misses the tolerance")
            guard = find_guard(
                formula, truth, plan.domain, plan.tolerance, arithmetic=plan.arithmetic
            )
        progress.advance(0.4, "fitting the table")
        try:
            table = fit_table(
                truth,
                plan.domain,
                plan.tolerance,
                max_bytes=plan.options.table_bytes,
                arithmetic=plan.arithmetic,
            )
        except ExportError as error:
            if guard is None or not guard.empty:
                raise
            # The formula is enough everywhere; the table would only have been an alternative.
            progress.warn(f"no table stands behind the formula: {error.what} {error.hint}")
    elif formula is None:
        raise ExportError(
            "no formula is within the tolerance, and between a table's rows nothing can be asked.",
            where=f"teacher `{teacher.name}`",
            hint="raise the tolerance, search longer, or export a candidate by its id.",
        )
    spec = BundleSpec(
        name=teacher.name,
        domain=plan.domain,
        formula=formula,
        table=table,
        guard=guard,
        output_name=output.name,
        output_unit=output.unit,
        tolerance=plan.tolerance,
        # A table alone is searched for its worst point below.
        max_error=float("inf") if plan.max_error is None else plan.max_error,
        arithmetic=plan.arithmetic,
        policy=Policy(
            cast(OutOfDomain, plan.options.out_of_domain), cast(NanInput, plan.options.nan_input)
        ),
        provenance=plan.provenance,
        target=plan.target,
        vectors=plan.domain.sample(SELFTEST_POINTS),
    )
    if teacher.can_be_asked and (formula is None or spec.guarded):
        progress.advance(0.8, "looking for the worst point of formula and table together")
        spec = _with_error(spec, truth)
    return spec


def _with_error(spec: BundleSpec, truth: Callable[[Array], Array]) -> BundleSpec:
    """The spec with the largest error of what the C will answer."""
    worst = largest(lambda x: evaluate_bundle(spec, x) - truth(x), spec.domain)
    return replace(spec, max_error=worst.value)


def _save_bundle(spec: BundleSpec, folder: Path) -> None:
    save_spec(spec, folder)
    write_bundle(spec, folder / BUNDLE)


def _describe_spec(spec: BundleSpec) -> str:
    if spec.formula is None and spec.table is not None:
        return f"a table of {spec.table.bytes:,} bytes, no formula"
    table = f", table of {spec.table.bytes:,} bytes" if spec.table else ", no table"
    guard = (
        f", the table answers in {spec.guard.fraction:.1%} of the domain"
        if spec.guard is not None and spec.guarded
        else ""
    )
    return f"a formula{table}{guard}"


EXPORT: Stage[BundleSpec] = Stage("export", _save_bundle, load_spec, _describe_spec)


def verify(
    spec: BundleSpec,
    folder: Path,
    teacher: Teacher,
    output: int,
    target: Target,
    points: int,
    progress: Progress,
) -> Evidence:
    """Compile the bundle in ``folder``, run it here and on the chip, and compare."""

    def truth(x: Array) -> Array:
        return teacher.predict(x)[:, output]

    points_on_chip = spec.domain.sample(CHIP_POINTS, seed=7)
    return verify_bundle(
        folder / BUNDLE,
        spec.name,
        points_on_chip,
        lambda x: evaluate_bundle(spec, x),
        truth if teacher.can_be_asked else None,
        spec.tolerance,
        _allowed_rounding(spec),
        target,
        points,
        domain=spec.domain,
        number=cast(Number, spec.arithmetic),
        variants=[VARIANTS[mode].format(spec.name.upper()) for mode in spec.modes[1:]],
        answers_everywhere=spec.policy.checked,
        announce=lambda what: progress.advance(None, what),
    )


VARIANTS = {"table": "{}_TABLE_ONLY", "formula": "{}_FORMULA_ONLY"}


def _allowed_rounding(spec: BundleSpec) -> float:
    """How far the C may be from Python, which has the formula in float64: its rounding."""
    if spec.formula is None:
        return 0.0
    graph = lower(spec.formula, spec.arithmetic)
    x = np.vstack([spec.domain.sample(ROUNDING_POINTS), spec.domain.corners()])
    bound = rounding_bound(graph, x, spec.arithmetic)
    return float(bound[np.isfinite(bound)].max(initial=0.0))


def publish(spec: BundleSpec, directory: Path) -> Bundle:
    """Write the bundle where the user wants it.

    Raises
    ------
    ExportError : when something of the user's is in the way.
    """
    return write_bundle(spec, directory)


def _save_evidence(result: Evidence, folder: Path) -> None:
    write_json(folder / "evidence.json", result.to_data())


def _load_evidence(folder: Path) -> Evidence:
    return Evidence.from_data(read_json(folder / "evidence.json"))


def _describe_evidence(result: Evidence) -> str:
    ran = [c for c in result.checks if c.passed is not None]
    return f"{sum(bool(c.passed) for c in ran)} of {len(ran)} checks passed"


VERIFY: Stage[Evidence] = Stage("verify", _save_evidence, _load_evidence, _describe_evidence)
