"""The demo's formula: 0.1 degC proven for the C on every target."""

from __future__ import annotations

import json

import numpy as np
import pytest

from distill.building.order import Order
from distill.building.proof import with_proof
from distill.building.scalar import build_formula, evaluate_real
from distill.chain.closed_form import ClosedForm
from distill.checking.certificate import parse_certificate
from distill.checking.check import _check_program, check
from distill.checking.command import compare_source
from distill.checking.refusals import Rejected
from distill.config.folder import options_of
from distill.config.schema import ExportConfig
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


@pytest.mark.parametrize(
    ("target", "arithmetic"),
    [("pic32", "fixed"), ("avr", "fixed"), ("cortex_m0plus", "fixed"), ("cortex_m4f", "float32")],
)
def test_its_certificate_is_accepted(
    teacher: Teacher, shipped, tmp_path, target: str, arithmetic: str
) -> None:
    order = an_order(teacher, shipped, target, arithmetic)
    spec = with_proof(order, build_formula(order, arithmetic, Silent()), Silent())
    files = render_bundle(spec)
    raw = files["certificate.json"].encode()
    certificate, verdict = check(raw)
    assert verdict.bound == spec.max_error
    assert [name for name, _ in verdict.checked] == ["formula", "rounding"]
    assert verdict.believed == ()
    assert verdict.leaves < 2000
    data = json.loads(raw)
    assert data["tolerance"] == 0.1
    (tmp_path / "wet_bulb.c").write_text(files["wet_bulb.c"])
    assert "the very file" in compare_source(certificate, tmp_path)
    rejected = 0
    for step in data["program"]["steps"]:
        place, by = (3, 1) if arithmetic == "fixed" else (1, step[1])
        if step[0] not in (("mac", "shift") if arithmetic == "fixed" else ("constant",)):
            continue
        before = step[place]
        step[place] = before + by
        try:
            why = why_not(json.dumps(data).encode())
            assert why, step
        except Rejected:
            rejected += 1
        step[place] = before
    assert rejected >= 6


def why_not(raw: bytes) -> str:
    """Why `check` does not verify the C's operations; "" where it does."""
    return _check_program(raw, parse_certificate(raw), jobs=1, budget=200, tell=None)[1]
