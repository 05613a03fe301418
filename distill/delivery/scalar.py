"""The export and verify stages: from a chosen candidate to C that was compiled, run, compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.building.order import Order, arithmetics, looked_at
from distill.building.proof import with_proof
from distill.building.scalar import build_formula, build_table
from distill.config.schema import ExportConfig, plain
from distill.domain import Domain
from distill.engines.base import Candidate
from distill.errors import ExportError
from distill.files import write_whole
from distill.firmware.alternatives import (
    NEVER,
    Alternative,
    cheapest,
    nothing_fits,
    too_large,
)
from distill.firmware.bundle import Bundle, write_bundle
from distill.firmware.evidence import Evidence
from distill.firmware.graph import Arithmetic
from distill.firmware.spec import BundleSpec, evaluate_bundle
from distill.firmware.spec_file import load_spec, save_spec
from distill.firmware.target import Target
from distill.firmware.verify import verify_bundle
from distill.firmware.weigh import weigh
from distill.progress import Progress
from distill.runner import Stage
from distill.scoring.own_form import own_form
from distill.stages.kept import read_json, write_json
from distill.stages.measure import measured_points
from distill.teachers.base import Teacher, asked_freely

BUNDLE = "bundle"
WAYS = "alternatives.json"

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
    tolerance: float
    options: ExportConfig
    provenance: Mapping[str, str]

    def to_data(self) -> dict[str, Any]:
        """All that the bundle depends on besides the teacher, as plain data."""
        return {
            "candidate": self.candidate.to_data() if self.candidate else None,
            "max_error": self.max_error,
            "domain": self.domain.to_json(),
            "output": self.output,
            "tolerance": self.tolerance,
            "options": options_data(self.options),
            "provenance": dict(self.provenance),
        }


def options_data(options: ExportConfig) -> dict[str, Any]:
    """The options that change what is in a bundle: not where it goes and how much it is tried."""
    data = plain(options)
    return {key: data[key] for key in data if key not in {"directory", "verify_points"}}


@dataclass(frozen=True)
class Exported:
    """The way that was taken, and all that were looked at."""

    spec: BundleSpec
    alternatives: tuple[Alternative, ...]


def export(plan: ExportPlan, teacher: Teacher, target: Target, progress: Progress) -> Exported:
    """What the bundle is made of: the formula, the table behind it, the guard between them.

    With ``export.arithmetic`` a name, the formula is taken in it where there is one, and other ways
    are measured beside it. With ``auto`` the cheapest of all ways is taken.

    Raises
    ------
    ExportError : when the tolerance cannot be met within the limits, saying why for every way.
    """
    own, why = own_form(teacher, plan.domain, plan.output)
    order = Order(
        name=teacher.name,
        domain=plan.domain,
        formula=plan.candidate.written if plan.candidate else None,
        formula_error=plan.max_error,
        truth=(lambda x: teacher.predict(x)[:, plan.output]) if asked_freely(teacher) else None,
        tolerance=plan.tolerance,
        output=teacher.outputs[plan.output],
        options=plan.options,
        target=target,
        provenance=plan.provenance,
        own=None if own is None else own.expression,
        why_not_own=why,
    )
    ways: dict[Alternative, BundleSpec | None] = {}
    for arithmetic in looked_at(plan.options):
        for content, build in BUILDERS.items():
            if content == "formula" and order.formula is None:
                continue
            way, spec = _weighed(order, content, arithmetic, build, progress)
            ways[way] = spec
    wanted = [way for way in ways if way.arithmetic in arithmetics(plan.options)]
    if plan.options.arithmetic != "auto" and order.formula is not None:
        wanted = [way for way in wanted if way.content == "formula"]
    taken = cheapest(wanted)
    if taken is None:
        raise nothing_fits(wanted, target)
    spec = ways[taken]
    assert spec is not None  # what cannot be built says why not
    spec = with_proof(order, spec, progress)
    return Exported(replace(spec, figures=cost_lines(taken)), tuple(ways))


BUILDERS = {"formula": build_formula, "table": build_table}


def _weighed(
    order: Order,
    content: str,
    arithmetic: Arithmetic,
    build: Callable[[Order, Arithmetic, Progress], BundleSpec],
    progress: Progress,
) -> tuple[Alternative, BundleSpec | None]:
    """One way, built and measured; or why it cannot be taken."""
    way = Alternative(content, arithmetic)
    try:
        spec = build(order, arithmetic, progress)
    except ExportError as error:
        return replace(way, why_not=f"{NEVER}: {error.what}"), None
    progress.advance(None, f"measuring the {way.name} on {order.target.name}")
    points = measured_points(order.domain)
    measured = weigh({"way": spec}, points, order.target)
    if failure := measured.failures.get("way"):
        return replace(way, why_not=f"does not run: {failure.what}"), None
    cost = measured.costs.get("way")
    why_not = too_large(cost, order.target) if cost else ""
    if not spec.within_tolerance and content == "table":
        why_not = f"is off by {spec.max_error:.4g}"
    return replace(way, max_error=spec.max_error, cost=cost, why_not=why_not), spec


def cost_lines(way: Alternative) -> tuple[str, ...]:
    """What the C's header says of its cost."""
    cost = way.cost
    if cost is None:
        return ()
    if not cost.measured:
        return (
            f"{cost.target}: about {cost.instructions:,.0f} {cost.unit} a call, estimated: no"
            " compiler for it was there.",
        )
    return (
        f"{cost.target}: {cost.instructions:,.0f} {cost.unit} a call (at most "
        f"{cost.instructions_max:,.0f}), {cost.flash_bytes:,} bytes of flash, "
        f"{cost.ram_bytes:,} of RAM, {cost.stack_bytes:,} of stack; all that it pulls in included.",
        f"Measured with {cost.compiler}, in an emulator.",
    )


def _save_exported(result: Exported, folder: Path) -> None:
    save_spec(result.spec, folder)
    write_bundle(result.spec, folder / BUNDLE)
    write_ways(result.alternatives, folder)


def _load_exported(folder: Path) -> Exported:
    return Exported(load_spec(folder), read_ways(folder))


def write_ways(ways: Sequence[Alternative], folder: Path) -> None:
    """Keep the ways that were looked at."""
    write_json(folder / WAYS, {"alternatives": [way.to_data() for way in ways]})


def read_ways(folder: Path) -> tuple[Alternative, ...]:
    """Read what :func:`write_ways` wrote."""
    return tuple(map(Alternative.from_data, read_json(folder / WAYS)["alternatives"]))


def _describe_exported(result: Exported) -> str:
    spec = result.spec
    arithmetic = "fixed point" if spec.arithmetic == "fixed" else spec.arithmetic
    if spec.formula is None and spec.table is not None:
        return f"a table of {spec.table.bytes:,} bytes in {arithmetic}, no formula"
    table = f", table of {spec.table.bytes:,} bytes" if spec.table else ", no table"
    guard = (
        f", the table answers in {spec.guard.fraction:.1%} of the domain"
        if spec.guard is not None and spec.guarded
        else ""
    )
    return f"a formula in {arithmetic}{table}{guard}"


EXPORT: Stage[Exported] = Stage("export", _save_exported, _load_exported, _describe_exported)


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

    return verify_spec(
        spec,
        folder / BUNDLE,
        truth if asked_freely(teacher) else None,
        target,
        points,
        lambda what: progress.advance(None, what),
    )


def verify_spec(
    spec: BundleSpec,
    directory: Path,
    truth: Callable[[Array], Array] | None,
    target: Target | None,
    points: int,
    announce: Callable[[str], None],
) -> Evidence:
    """The checks of :func:`verify_bundle` on the bundle of ``spec`` that lies in a folder.

    Without ``target`` nothing runs on an emulated chip.
    """
    return verify_bundle(
        directory,
        spec.name,
        spec.domain.sample(CHIP_POINTS, seed=7),
        lambda x: evaluate_bundle(spec, x),
        truth,
        spec.tolerance,
        rounding_of(spec),
        target,
        points,
        domain=spec.domain,
        number=spec.number,
        output=spec.output_format,
        variants=[VARIANTS[mode].format(spec.name.upper()) for mode in spec.modes[1:]],
        answers_everywhere=spec.policy.checked,
        announce=announce,
    )


VARIANTS = {"table": "{}_TABLE_ONLY", "formula": "{}_FORMULA_ONLY"}


def rounding_of(spec: BundleSpec) -> float:
    """How far the C may be from Python: the rounding of the C library's functions, if any."""
    if spec.implementation is None or spec.exact():
        return 0.0
    x = np.vstack([spec.domain.sample(ROUNDING_POINTS), spec.domain.corners()])
    bound = spec.implementation.rounding(x)
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
    for name, text in result.reports.items():
        write_whole(folder / name, text)


def _load_evidence(folder: Path) -> Evidence:
    return Evidence.from_data(read_json(folder / "evidence.json"))


def _describe_evidence(result: Evidence) -> str:
    ran = [c for c in result.checks if c.passed is not None]
    return f"{sum(bool(c.passed) for c in ran)} of {len(ran)} checks passed"


VERIFY: Stage[Evidence] = Stage("verify", _save_evidence, _load_evidence, _describe_evidence)
