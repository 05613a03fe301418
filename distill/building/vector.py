"""Building C functions of arrays: closed forms, and formulas of several outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from distill.arrays import Array, affordable
from distill.building.order import SELFTEST_POINTS, accuracy_left, arithmetic_costs, own_accuracy
from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.expression import Expression
from distill.chain.fold import folded
from distill.chain.steps.columns import Pick
from distill.config.schema import ExportConfig
from distill.domain import Domain
from distill.extremum import border_points
from distill.firmware.graph import Arithmetic
from distill.firmware.holding import held
from distill.firmware.implementation import library_gap
from distill.firmware.numbers import InterfaceName
from distill.firmware.policy import NanInput, OutOfDomain, Policy
from distill.firmware.target import Target
from distill.firmware.vector.content import FloatFormulas
from distill.firmware.vector.spec import VectorSpec, evaluate_vector
from distill.formula import Formula
from distill.progress import Progress
from distill.proving.certificate import Known
from distill.proving.vector import vector_proofs
from distill.proving.within import Budget
from distill.teachers.base import Output

Content = Chain | tuple[Formula, ...]
"""What a C function of arrays computes: all outputs by one chain, or each by a formula."""

COMPARED = 16_384
"""Points at which the C's answers are compared with the teacher's before it is written."""

BORDER = 2048
"""Points on edges and faces at which they are compared as well."""


@dataclass(frozen=True)
class VectorOrder:
    """What is wanted of every way of one export.

    ``max_errors`` (k,) are the largest errors of the content against the teacher that are known.
    """

    name: str
    domain: Domain
    content: Content
    outputs: tuple[Output, ...]
    classes: tuple[str, ...]
    max_errors: tuple[float, ...]
    tolerance: float
    options: ExportConfig
    target: Target
    provenance: Mapping[str, str]


def build_vector(order: VectorOrder, arithmetic: Arithmetic) -> VectorSpec:
    """The spec of one way.

    Raises
    ------
    ExportError : when the arithmetic cannot hold the content.
    """
    options = order.options
    accuracies = [
        own_accuracy(options, arithmetic, accuracy_left(error, order.tolerance))
        for error in order.max_errors
    ]
    chain = order.content if isinstance(order.content, Chain) else None
    if chain is not None and arithmetic == "float32":
        # Exact where inputs are floats: no scaler is left whose rounding could turn a decision.
        chain = folded(chain)
    known = [a for a in accuracies if a is not None]
    spec = VectorSpec(
        name=order.name,
        domain=order.domain,
        outputs=order.outputs,
        tolerance=(order.tolerance,) * len(order.outputs),
        max_errors=order.max_errors,
        chain=chain,
        formulas=() if isinstance(order.content, Chain) else order.content,
        classes=order.classes,
        arithmetic=arithmetic,
        interface=cast(InterfaceName, options.interface),
        accuracy=tuple(known) if known and chain is None else None,
        costs=arithmetic_costs(order.target, arithmetic),
        policy=Policy(cast(OutOfDomain, options.out_of_domain), cast(NanInput, options.nan_input)),
        provenance=order.provenance,
        target=order.target.name,
        verified=options.verify,
        vectors=order.domain.sample(SELFTEST_POINTS),
    )
    _ = spec.content.exact, spec.output_formats  # built now, so that errors come now
    return spec


def plain_vector(
    closed: ClosedForm,
    name: str,
    arithmetic: Arithmetic,
    tolerance: float,
    options: ExportConfig,
    target: Target,
) -> VectorSpec:
    """A closed form of one output alone, its inputs unchecked: what candidates are compared by.

    Raises
    ------
    ExportError : when the arithmetic cannot hold it.
    """
    order = VectorOrder(
        name=name,
        domain=closed.domain,
        content=alone(closed),
        outputs=(Output(name),),
        classes=(),
        max_errors=(0.0,),
        tolerance=tolerance,
        options=replace(options, out_of_domain="unchecked"),
        target=target,
        provenance={},
    )
    return build_vector(order, arithmetic)


def alone(closed: ClosedForm) -> Chain:
    """The chain of the closed form's own output."""
    if closed.chain.outputs == 1:
        return closed.chain
    pick = Pick(closed.chain.outputs, np.array([closed.output]))
    return Chain(closed.chain.inputs, (*closed.chain.steps, pick))


def with_known_errors(
    spec: VectorSpec, content: Content, truth: Callable[[Array], Array] | None
) -> VectorSpec:
    """The spec with the largest errors of what the C will answer, at points of the domain.

    ``truth`` gives the teacher's answers (n, k) at points (n, d). Where it cannot be asked, what
    the arithmetic loses of ``content`` comes on top of the errors that are known.
    """
    domain = spec.domain
    inside = domain.sample(affordable(COMPARED, len(domain)), seed=3)
    x = np.vstack([inside, border_points(domain, BORDER, 3)])
    # The teacher is asked what the C can be told: floats, or fixed-point numbers.
    x = spec.numbers.reals(spec.numbers.inside(x))
    wanted = truth(x) if truth is not None else _values(content, x)
    with np.errstate(invalid="ignore"):
        off = np.abs(real_answers(spec, x) - wanted) + _gaps(spec, x)
    errors = np.nan_to_num(np.where(np.isfinite(wanted), off, 0.0), nan=np.inf).max(axis=0)
    known = np.array(spec.max_errors)
    worst = errors + known if truth is None else np.maximum(errors, known)
    return replace(spec, max_errors=tuple(map(float, worst)))


def _values(content: Content, x: Array) -> Array:
    """What the content is (n, k) in float64."""
    if isinstance(content, Chain):
        return content.evaluate(x)
    return np.column_stack([formula(x) for formula in content])


def _gaps(spec: VectorSpec, x: Array) -> Array:
    """How far (n, k) a C library may take formulas from the model that stands for the C."""
    if not isinstance(spec.content, FloatFormulas):
        return np.zeros((len(x), len(spec.outputs)))
    at = held(x, spec.domain, spec.arithmetic)
    return np.column_stack([library_gap(part, at) for part in spec.content.parts])


def with_vector_proofs(
    order: VectorOrder, spec: VectorSpec, own: Sequence[Expression | str], progress: Progress
) -> VectorSpec:
    """The spec with what is proven of each output; what is not is said, and why.

    ``own`` is what each output of the teacher computes, or why that is not known.
    """
    if not order.options.prove:
        return spec
    name = order.provenance.get("teacher", order.name)
    fingerprint = order.provenance.get("teacher fingerprint", "")
    found = vector_proofs(
        spec,
        order.content if isinstance(order.content, Chain) else None,
        [one if isinstance(one, str) else Known(one, name, fingerprint) for one in own],
        Budget.of(
            order.options.proof_boxes, order.options.proof_seconds, order.options.proof_workers
        ),
        progress,
    )
    errors = tuple(
        proof.bound if proof is not None and error <= proof.bound <= allowed else error
        for proof, error, allowed in zip(found.proofs, spec.max_errors, spec.tolerance, strict=True)
    )
    told = replace(spec, proofs=found.proofs, remarks=found.remarks, max_errors=errors)
    return replace(told, error_kind="proven") if set(told.error_kinds) == {"proven"} else told


def real_answers(spec: VectorSpec, x: Array) -> Array:
    """What the C answers at real points (n, d), in real numbers (n, k), whatever its interface."""
    answers: Array = evaluate_vector(spec, spec.numbers.numbers(x))
    if spec.interface == "integer":
        answers = answers * np.array([form.step for form in spec.output_formats])
    return answers
