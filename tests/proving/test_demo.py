"""The demo's formula: 0.1 degC proven for the C on every target."""

from __future__ import annotations

import json

import numpy as np
import pytest

from distill.building import Order, build_formula, evaluate_real, with_proof
from distill.chain.closed_form import ClosedForm
from distill.checking.check import check
from distill.config import ExportConfig, options_of
from distill.firmware.bundle import render_bundle
from distill.formula import Formula
from distill.progress import Silent
from distill.teachers.base import Teacher, chain_of
from distill.teachers.load import load_teacher

FOUND = (
    "17.648*(temperature*((humidity - 0.7559*temperature - 128.11)"
    "/(humidity*temperature + 4515.7) + 0.063489)) + 0.054418*humidity - 5.4314"
)
"""What a search for the demo found."""


@pytest.fixture(scope="module")
def teacher() -> Teacher:
    return load_teacher("wet_bulb")


def an_order(teacher: Teacher, shipped, target: str, arithmetic: str) -> Order:
    domain = teacher.domain
    assert domain is not None
    formula = Formula.parse(FOUND, domain)
    x = np.vstack([domain.sample(8192), domain.corners()])
    error = float(np.abs(formula(x) - teacher.predict(x)[:, 0]).max())
    form = ClosedForm(chain_of(teacher), domain, 0)
    return Order(
        "wet_bulb", domain, formula, error, lambda x: teacher.predict(x)[:, 0], 0.1,
        teacher.outputs[0], ExportConfig(arithmetic=arithmetic), shipped(target),
        {"teacher": "wet_bulb", "teacher fingerprint": teacher.fingerprint}, form,
    )  # fmt: skip


@pytest.mark.parametrize("target", options_of("target"))
def test_it_is_proven_on_every_target(teacher: Teacher, shipped, target: str) -> None:
    arithmetic = "float32" if target in ("cortex_m4f", "host") else "fixed"
    order = an_order(teacher, shipped, target, arithmetic)
    assert order.formula_error is not None
    spec = with_proof(order, build_formula(order, arithmetic, Silent()), Silent())
    assert spec.error_kind == "proven"
    assert spec.proof is not None
    assert order.formula_error <= spec.max_error <= 0.1
    parts = {part.name: part.bound for part in spec.proof.parts}
    assert parts["formula"] < 1.06 * order.formula_error
    x = order.domain.sample(20_000, seed=3).astype(np.float32).astype(float)
    off = np.abs(evaluate_real(spec, x) - teacher.predict(x)[:, 0])
    assert off.max() <= spec.max_error


def test_its_certificate_is_accepted(teacher: Teacher, shipped) -> None:
    order = an_order(teacher, shipped, "pic32", "fixed")
    spec = with_proof(order, build_formula(order, "fixed", Silent()), Silent())
    text = render_bundle(spec)["certificate.json"]
    _, verdict = check(text.encode())
    assert verdict.bound == spec.max_error
    assert [name for name, _ in verdict.checked] == ["formula"]
    assert verdict.leaves < 2000
    assert json.loads(text)["tolerance"] == 0.1
