"""Certificates made by hand: even boxes, so that nothing of the prover is asked."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.steps.affine import Affine
from distill.chain.steps.elementwise import Apply, Scale
from distill.domain import Domain
from distill.formula import Formula

DOMAIN = Domain.box(t=(10, 50, "degC"), h=(5, 99, "percent"))
FORMULA = "0.5*tanh(t/12 - 2) + exp(-h/30)*sqrt(h + 1) - 0.3*log(t) + atan(h/20 - t/10)"


def network(width: int, function: str = "tanh", seed: int = 0, d: int = 2) -> Chain:
    """Two hidden layers of this width over DOMAIN's ranges."""
    rng = np.random.default_rng(seed)
    return Chain(
        d,
        (
            Scale(np.full(d, 30.0), np.full(d, 12.0)),
            Affine(rng.normal(size=(width, d)) / d**0.5, rng.normal(size=width) * 0.5),
            Apply(function, width),
            Affine(rng.normal(size=(width, width)) / width**0.5, rng.normal(size=width) * 0.5),
            Apply(function, width),
            Affine(rng.normal(size=(1, width)) / width**0.5, np.zeros(1)),
        ),
    )


def halved(depth: int, axes: tuple[int, ...] = (0, 1)) -> list[Any]:
    """A tree that halves along the axes in turn, so deep."""
    if not depth:
        return [-1]
    rest = halved(depth - 1, (*axes[1:], axes[0]))
    return [axes[0], *rest, *rest]


def largest(formula: Any, teacher: Any, domain: Domain, n: int = 4096) -> float:
    """The largest difference among points of the domain, corners included."""
    x = np.vstack([domain.sample(n, 1), domain.corners()])
    return float(np.abs(formula(x) - teacher(x)).max())


def certificate(
    formula: Any,
    teacher: ClosedForm | Formula,
    bound: float,
    splits: list[Any] | None,
    **changes: Any,
) -> dict[str, Any]:
    """A certificate of a formula alone, with a bound of 0.001 for its rounding."""
    data: dict[str, Any] = {
        "version": 1,
        "kind": "distill certificate",
        "domain": json.loads(teacher.domain.to_json()),
        "output": {"name": "y", "unit": "degC"},
        "teacher": {"name": "net", "fingerprint": "f" * 64, "expression": teacher.to_data()},
        "formula": formula.to_data(),
        "table": None,
        "guard": [],
        "claims": [
            {"name": "formula", "says": "by at most", "bound": bound, "splits": splits},
            {"name": "rounding", "says": "by at most", "bound": 0.001, "splits": None},
        ],
        "bound": float(np.nextafter(bound + 0.001, np.inf)),
        "tolerance": 0.1,
        "rests_on": ["arithmetic of IEEE 754"],
    }
    return data | changes


def plain(width: int = 8, depth: int = 6, above: float = 1.05) -> dict[str, Any]:
    """A certificate that holds: a small network, a formula, a bound above the largest found."""
    teacher = ClosedForm(network(width), DOMAIN)
    formula = Formula.parse(FORMULA, DOMAIN)
    return certificate(formula, teacher, above * largest(formula, teacher, DOMAIN), halved(depth))


def raw(data: Any) -> bytes:
    """The bytes of its file."""
    return json.dumps(data).encode()
