"""The export and verify stages of C functions of arrays: closed forms, and several outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.building.order import looked_at
from distill.building.vector import (
    Content,
    VectorOrder,
    build_vector,
    with_known_errors,
    with_vector_proofs,
)
from distill.chain.chain import Chain
from distill.chain.expression import Expression
from distill.config.schema import ExportConfig
from distill.delivery.scalar import (
    BUNDLE,
    CHIP_POINTS,
    cost_lines,
    options_data,
    read_ways,
    write_ways,
)
from distill.domain import Domain
from distill.errors import ExportError
from distill.firmware.alternatives import (
    NEVER,
    Alternative,
    cheapest,
    nothing_fits,
    too_large,
)
from distill.firmware.evidence import Evidence
from distill.firmware.graph import Arithmetic
from distill.firmware.target import Target
from distill.firmware.vector.bundle import VectorBundle, write_vector_bundle
from distill.firmware.vector.spec import VectorSpec
from distill.firmware.vector.spec_file import load_vector_spec, save_vector_spec
from distill.firmware.vector.verify import verify_vector
from distill.firmware.weigh import weigh
from distill.progress import Progress
from distill.runner import Stage
from distill.scoring.own_form import own_form
from distill.stages.measure import measured_points
from distill.teachers.base import Teacher, asked_freely, classes_of


@dataclass(frozen=True)
class VectorPlan:
    """What is to be exported: a chain or formulas, for these of the teacher's outputs."""

    content: Content
    outputs: tuple[int, ...]
    max_errors: tuple[float, ...]
    domain: Domain
    tolerance: float
    options: ExportConfig
    provenance: Mapping[str, str]

    def to_data(self) -> dict[str, Any]:
        """All that the bundle depends on besides the teacher, as plain data."""
        content = self.content
        known = "chain" if isinstance(content, Chain) else [formula.text for formula in content]
        return {
            "content": known,
            "outputs": list(self.outputs),
            "max_errors": list(self.max_errors),
            "domain": self.domain.to_json(),
            "tolerance": self.tolerance,
            "options": options_data(self.options),
            "provenance": dict(self.provenance),
        }


@dataclass(frozen=True)
class ExportedVector:
    """The way that was taken, and all that were looked at."""

    spec: VectorSpec
    alternatives: tuple[Alternative, ...]


def export(
    plan: VectorPlan, teacher: Teacher, target: Target, progress: Progress
) -> ExportedVector:
    """The cheapest way of those that ``export.arithmetic`` allows; the others measured beside it.

    Raises
    ------
    ExportError : when none is within the tolerance and the target's limits, saying why of each.
    """
    classes = classes_of(teacher)
    order = VectorOrder(
        name=teacher.name,
        domain=plan.domain,
        content=plan.content,
        outputs=tuple(teacher.outputs[i] for i in plan.outputs),
        # One score of several classes is no label.
        classes=classes if len(plan.outputs) == len(teacher.outputs) else (),
        max_errors=plan.max_errors,
        tolerance=plan.tolerance,
        options=plan.options,
        target=target,
        provenance=plan.provenance,
    )
    ways: dict[Alternative, VectorSpec | None] = {}
    for arithmetic in _looked_at(plan):
        way, spec = _weighed(order, plan, arithmetic, teacher, progress)
        ways[way] = spec
    allowed = set(_allowed(plan))
    taken = cheapest([way for way in ways if way.arithmetic in allowed])
    if taken is None:
        raise nothing_fits([way for way in ways if way.arithmetic in allowed], target)
    spec = ways[taken]
    assert spec is not None  # what cannot be built says why not
    own = [_own(teacher, plan.domain, output) for output in plan.outputs]
    spec = with_vector_proofs(order, spec, own, progress)
    return ExportedVector(replace(spec, figures=cost_lines(taken)), tuple(ways))


def _own(teacher: Teacher, domain: Domain, output: int) -> Expression | str:
    """What one output of the teacher computes, or why that is not known."""
    form, why = own_form(teacher, domain, output)
    return why if form is None else form.expression


def _allowed(plan: VectorPlan) -> tuple[Arithmetic, ...]:
    """The arithmetics that may be taken; ``auto`` means double, too, for a closed form."""
    if plan.options.arithmetic != "auto":
        return looked_at(plan.options)[:1]
    return _looked_at(plan)


def _looked_at(plan: VectorPlan) -> tuple[Arithmetic, ...]:
    """The arithmetics whose costs are told."""
    known = looked_at(plan.options)
    whole = isinstance(plan.content, Chain) and plan.options.interface == "float"
    return tuple(dict.fromkeys([*known, "double"])) if whole else known


def _weighed(
    order: VectorOrder,
    plan: VectorPlan,
    arithmetic: Arithmetic,
    teacher: Teacher,
    progress: Progress,
) -> tuple[Alternative, VectorSpec | None]:
    """One way, built and measured; or why it cannot be taken."""
    way = Alternative("closed" if isinstance(order.content, Chain) else "formulas", arithmetic)
    progress.advance(None, f"the {way.name}")
    try:
        spec = build_vector(order, arithmetic)
    except ExportError as error:
        return replace(way, why_not=f"{NEVER}: {error.what}"), None
    outputs = list(plan.outputs)
    truth = (lambda x: teacher.predict(x)[:, outputs]) if asked_freely(teacher) else None
    spec = with_known_errors(spec, order.content, truth)
    progress.advance(None, f"measuring the {way.name} on {order.target.name}")
    measured = weigh({"way": spec}, measured_points(order.domain), order.target)
    if failure := measured.failures.get("way"):
        return replace(way, why_not=f"does not run: {failure.what}"), None
    cost = measured.costs.get("way")
    why_not = too_large(cost, order.target) if cost else ""
    if not spec.within_tolerance:
        worst = spec.missed[0]
        off = spec.max_errors[spec.outputs.index(worst)]
        why_not = f"is off by {off:.4g} {worst.unit}".rstrip() + f" in `{worst.name}`"
    return replace(way, max_error=max(spec.max_errors), cost=cost, why_not=why_not), spec


def _save_exported(result: ExportedVector, folder: Path) -> None:
    save_vector_spec(result.spec, folder)
    write_vector_bundle(result.spec, folder / BUNDLE)
    write_ways(result.alternatives, folder)


def _load_exported(folder: Path) -> ExportedVector:
    return ExportedVector(load_vector_spec(folder), read_ways(folder))


def _describe_exported(result: ExportedVector) -> str:
    spec = result.spec
    arithmetic = "fixed point" if spec.arithmetic == "fixed" else spec.arithmetic
    outputs = "1 output" if len(spec.outputs) == 1 else f"{len(spec.outputs)} outputs"
    what = "formulas" if spec.chain is None else "a closed form"
    return f"{what} of {outputs} in {arithmetic}"


EXPORT: Stage[ExportedVector] = Stage("export", _save_exported, _load_exported, _describe_exported)


def verify(
    spec: VectorSpec,
    folder: Path,
    teacher: Teacher,
    outputs: tuple[int, ...],
    target: Target,
    points: int,
    progress: Progress,
) -> Evidence:
    """Compile the bundle in ``folder``, run it here and on the chip, and compare."""

    def truth(x: Array) -> Array:
        return np.ascontiguousarray(teacher.predict(x)[:, list(outputs)])

    return verify_vector(
        spec,
        folder / BUNDLE,
        truth if asked_freely(teacher) else None,
        target,
        points,
        chip_points=CHIP_POINTS,
        announce=lambda what: progress.advance(None, what),
    )


def publish(spec: VectorSpec, directory: Path) -> VectorBundle:
    """Write the bundle where the user wants it.

    Raises
    ------
    ExportError : when something of the user's is in the way.
    """
    return write_vector_bundle(spec, directory)
