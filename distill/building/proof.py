"""What was built, with what is proven of its error; or with what random points tell of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from distill.bounds.base import NotBounded
from distill.bounds.statistical import random_points, state
from distill.building.order import Order
from distill.building.scalar import evaluate_real
from distill.errors import ExportError
from distill.firmware.proven import Proof
from distill.firmware.spec import BundleSpec
from distill.progress import Progress

STATED_POINTS = 16_384
"""Random points that a statement rests on where nothing can be proven."""

STATED_SEED = 20_260_101
"""Nothing else draws points from it."""

CONFIDENCE = 0.99
"""Of such a statement."""


def with_proof(order: Order, spec: BundleSpec, progress: Progress) -> BundleSpec:
    """The spec with what is proven of its error; what is not is said, and why.

    Where nothing can be proven, random points tell on what part of the domain the error may be
    larger than the one that was found.
    """
    if not order.options.prove:
        return spec
    why = order.why_no_prover
    if order.prover is not None:
        try:
            return _proven(spec, order.prover.proof(spec, progress))
        except (NotBounded, ExportError) as error:
            why = error.what
    remarks = (f"Not proven: {why.rstrip('.')}.",) if why else ()
    if order.truth is None or not np.isfinite(spec.max_error):
        return replace(spec, remarks=remarks)
    progress.advance(None, "trying random points, of which a statement is made")
    x = random_points(order.domain, STATED_POINTS, STATED_SEED)
    stated = state(np.abs(evaluate_real(spec, x) - order.truth(x)), CONFIDENCE, size=spec.max_error)
    return replace(spec, remarks=(*remarks, stated.told(spec.output_unit)))


def _proven(spec: BundleSpec, proof: Proof) -> BundleSpec:
    """The spec whose error is the proven one, if that is what was promised."""
    if spec.max_error <= proof.bound <= spec.tolerance:
        return replace(spec, proof=proof, max_error=proof.bound, error_kind="proven")
    return replace(spec, proof=proof)
