"""How far C's answers are from a formula: looked for by sampling and climbing, in many digits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from flint import ctx

from distill.domain import Domain
from distill.firmware.fixed.formats import input_formats
from distill.firmware.graph import build_graph, dtype
from distill.firmware.proof import rounding_claim
from distill.firmware.spec import BundleSpec
from distill.formula import Formula
from tests.firmware.proof.exact import exact_value

Make = Callable[..., BundleSpec]
Found = Callable[[BundleSpec], float]


@pytest.fixture(scope="session")
def make() -> Make:
    """A bundle of a formula alone."""

    def spec(text: str, domain: Domain, arithmetic: str = "float32", **options: object):
        formula = Formula.parse(text, domain)
        options = {"accuracy": None, **options}
        return BundleSpec(
            "f", domain, formula, None, None, "y", 1.0, 0.5, arithmetic=arithmetic, **options
        )

    return spec


def given(spec: BundleSpec, x: np.ndarray) -> np.ndarray:
    """Points of the domain as the C's caller has them."""
    if spec.interface == "integer":
        forms = input_formats(spec.domain)
        x = np.column_stack([f.reals(f.integers(x[:, i])) for i, f in enumerate(forms)])
    else:
        x = x.astype(dtype(spec.arithmetic)).astype(float)
    inside = ((x >= spec.domain.low) & (x <= spec.domain.high)).all(axis=1)
    return x[inside]


def _distances(spec: BundleSpec, x: np.ndarray) -> np.ndarray:
    """|C - formula| (n,), the formula in float64; NaN where it has no value."""
    with np.errstate(all="ignore"):
        exact = spec.formula(x)
        apart = [np.abs(model(x) - exact) for model in spec.implementation.models]
    return np.where(np.isfinite(exact), np.max(apart, axis=0), np.nan)


def _in_many_digits(spec: BundleSpec, x: np.ndarray) -> float:
    """The largest distance at a few points, what the C means in 60 digits."""
    graph = build_graph(rounding_claim(spec).meant)
    answers = [model(x) for model in spec.implementation.models]
    before, ctx.dps = ctx.dps, 60
    try:
        largest = 0.0
        for i, point in enumerate(x):
            exact = exact_value(graph, [float(v) for v in point])
            if exact is not None:
                for answer in answers:
                    largest = max(largest, float(abs(exact - float(answer[i])).lower()))
    finally:
        ctx.dps = before
    return largest


@pytest.fixture(scope="session")
def found() -> Found:
    """The largest |C - formula| that samples, edges and a climb around the worst points find."""

    def search(spec: BundleSpec) -> float:
        domain, rng = spec.domain, np.random.default_rng(1)
        x = np.vstack([domain.sample(8192, seed=3), domain.corners()])
        edges = x[:2048].copy()
        rows, sides = np.arange(len(edges)), rng.integers(0, len(domain), len(edges))
        edges[rows, sides] = np.where(
            rng.random(len(edges)) < 0.5, domain.low[sides], domain.high[sides]
        )
        x = given(spec, np.vstack([x, edges]))
        width = domain.high - domain.low
        for scale in (0.05, 1e-2, 1e-3, 1e-5):
            worst = x[np.argsort(-np.nan_to_num(_distances(spec, x), nan=-1.0))[:24]]
            near = worst[:, None] + scale * width * rng.uniform(-1, 1, (24, 80, len(domain)))
            near = domain.clip(near.reshape(-1, len(domain)))
            x = given(spec, np.vstack([worst, near]))
        worst = x[np.argsort(-np.nan_to_num(_distances(spec, x), nan=-1.0))[:12]]
        return _in_many_digits(spec, worst)

    return search
