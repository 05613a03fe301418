"""The checker of certificates: it must never crash, and never accept what is false."""

from __future__ import annotations

import json

import numpy as np

from distill.checking.certificate import Certificate
from distill.checking.check import check
from fuzz.mutating import json_bytes
from fuzz.seeds import certificates
from fuzz.target import Target, Wrong

BUDGET = 64
"""Boxes that one box of a certificate may be divided into: a fuzzer wants answers."""


def once(data: bytes) -> None:
    """Check it; what is accepted is compared with the teacher at points."""
    certificate, _ = check(data, budget=BUDGET)
    compare(certificate)


def compare(certificate: Certificate) -> None:
    """Look for a point at which an accepted formula is farther off than was claimed."""
    claim = certificate.claims.get("formula")
    if claim is None or certificate.formula is None or certificate.guard is not None:
        return
    domain = certificate.domain
    x = np.vstack([domain.corners()[:64], domain.sample(256, seed=1)])
    formula, teacher = certificate.formula(x), certificate.teacher(x)
    off = np.abs(formula - teacher)
    # Values of both are rounded to float64 themselves.
    slack = 1e-9 * (1 + np.abs(formula) + np.abs(teacher))
    if not np.all(off <= claim.bound + slack):
        raise Wrong(f"accepted: {claim.bound!r}, but it is off by {np.nanmax(off)!r}")
    if not certificate.bound >= claim.bound:
        raise Wrong(f"accepted: {certificate.bound!r} is less than its claim {claim.bound!r}")


def seeds() -> list[bytes]:
    """Certificates that hold: of networks, formulas, integers, and with a table."""
    return [json.dumps(data).encode() for data in certificates()]


TARGET = Target("certificates (`distill check`)", once, seeds, json_bytes)
