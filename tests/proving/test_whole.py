"""Formula, table, guard and arithmetic together: one bound, which holds, and its certificate."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from distill.building.order import Order
from distill.building.proof import with_proof
from distill.building.scalar import build_formula, build_table, evaluate_real
from distill.chain.closed_form import ClosedForm
from distill.checking.check import check
from distill.config.schema import ExportConfig
from distill.errors import DistillError
from distill.extremum import largest
from distill.firmware.bundle import render_bundle
from distill.firmware.spec import BundleSpec
from distill.firmware.spec_file import load_spec, save_spec
from distill.formula import Formula
from distill.progress import Silent
from distill.proving.certificate import Known
from distill.proving.sides import ELSEWHERE, walked
from distill.proving.whole import Prover
from distill.proving.within import Budget
from distill.teachers.base import Output

CLOSE, ROUGH = 4, 3
"""Degrees of polynomials that are good enough everywhere, and that are not."""


def polynomial(form: ClosedForm, degree: int) -> Formula:
    """A least-squares polynomial of the network, in Horner's way along each input."""
    domain = form.domain
    x = domain.sample(2000, seed=1)
    scaled = (x - (domain.low + domain.high) / 2) / ((domain.high - domain.low) / 2)
    powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    rows = np.stack([scaled[:, 0] ** i * scaled[:, 1] ** j for i, j in powers], axis=1)
    found = np.linalg.lstsq(rows, form(x), rcond=None)[0]
    u, v = "((u - 0.5)/1.5)", "((v - 1.55)/1.45)"
    rows_of_v = [
        "+".join(
            f"({c!r})*{v}^{j}" for (k, j), c in zip(powers, found.tolist(), strict=True) if k == i
        )
        for i in range(degree + 1)
    ]
    text = " + ".join(f"({row})*{u}^{i}" for i, row in enumerate(rows_of_v))
    return Formula.parse(text, domain)


def order(form: ClosedForm, shipped, formula: Formula | None, tolerance: float, **options) -> Order:
    """An export of the network."""
    truth = form
    error = None
    if formula is not None:
        error = largest(lambda x: formula(x) - truth(x), form.domain).value
    return Order(
        "net", form.domain, formula, error, truth, tolerance, Output("height", "m"),
        ExportConfig(**options), shipped("cortex_m0plus"),
        {"teacher": "net", "teacher fingerprint": "c0ffee"}, form,
    )  # fmt: skip


def worst_found(spec: BundleSpec, form: ClosedForm) -> float:
    """The largest error of the C that a search finds, at inputs that its caller can give."""

    def difference(x: np.ndarray) -> np.ndarray:
        x = x if spec.arithmetic == "double" else x.astype(np.float32).astype(float)
        x = np.clip(x, form.domain.low, form.domain.high)
        return evaluate_real(spec, x) - form(x)

    return largest(difference, form.domain, points=20_000, seed=9).value


@pytest.fixture(scope="module")
def close(network: ClosedForm) -> Formula:
    return polynomial(network, CLOSE)


@pytest.fixture(scope="module")
def rough(network: ClosedForm) -> Formula:
    return polynomial(network, ROUGH)


@pytest.mark.parametrize("arithmetic", ["float32", "fixed"])
def test_a_formula_proven_within_the_tolerance_needs_no_guard(
    network: ClosedForm, shipped, close: Formula, arithmetic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        pytest.fail("the guard was searched although the proof had been found")

    monkeypatch.setattr("distill.building.scalar.find_guard", never)
    mine = order(network, shipped, close, 0.06, arithmetic=arithmetic)
    spec = with_proof(mine, build_formula(mine, arithmetic, Silent()), Silent())
    assert spec.error_kind == "proven"
    assert not spec.guarded
    assert mine.formula_error <= spec.max_error <= 0.06
    assert worst_found(spec, network) <= spec.max_error
    _, verdict = check(render_bundle(spec)["certificate.json"].encode())
    names = [name for name, _ in verdict.checked]
    if arithmetic == "fixed":
        assert names == ["formula", "rounding"]
    else:
        assert names == ["formula"]
        assert "`kernel`" in verdict.reasons["rounding"]


@pytest.mark.parametrize("arithmetic", ["float32", "fixed"])
def test_the_guard_follows_the_proof(
    network: ClosedForm, shipped, rough: Formula, arithmetic: str
) -> None:
    mine = order(network, shipped, rough, 0.06, arithmetic=arithmetic)
    assert mine.formula_error > 0.07
    spec = with_proof(mine, build_formula(mine, arithmetic, Silent()), Silent())
    assert spec.guarded
    assert spec.error_kind == "proven"
    assert worst_found(spec, network) <= spec.max_error <= 0.06
    text = render_bundle(spec)["certificate.json"]
    data = json.loads(text)
    assert [claim["name"] for claim in data["claims"]] == [
        "formula", "rounding", "table", "table rounding",
    ]  # fmt: skip
    _, verdict = check(text.encode())
    verified = ["rounding"] if arithmetic == "fixed" else []
    assert [name for name, _ in verdict.checked] == ["formula", *verified, "table"]
    sums = [claim["bound"] for claim in data["claims"]]
    assert data["bound"] == pytest.approx(max(sums[0] + sums[1], sums[2] + sums[3]))
    # Leaves on the other side are nothing but guard, and there are some on both sides.
    listed = np.array(data["guard"])
    for claim in (data["claims"][0], data["claims"][2]):
        splits = [tuple(e) if isinstance(e, list) else e for e in claim["splits"]]
        leaves, boxes = walked(splits, network.domain)
        away = np.array([splits[at] == ELSEWHERE for at in leaves])
        assert away.any()
        assert not away.all()
        for k in np.flatnonzero(away):
            low, high = boxes.low[:, k], boxes.high[:, k]
            inside = ((listed[:, 0] <= low) & (high <= listed[:, 1])).all(axis=1).any()
            apart = ((high < listed[:, 0]) | (listed[:, 1] < low)).any(axis=1).all()
            assert inside if claim["name"] == "formula" else apart


def test_a_certificate_that_moves_a_box_is_rejected(
    network: ClosedForm, shipped, rough: Formula
) -> None:
    mine = order(network, shipped, rough, 0.06)
    spec = with_proof(mine, build_formula(mine, "float32", Silent()), Silent())
    assert spec.proof is not None
    data = json.loads(spec.proof.certificate)
    splits = data["claims"][0]["splits"]
    data["claims"][0]["splits"] = [-1 if entry == ELSEWHERE else entry for entry in splits]
    with pytest.raises(DistillError):
        check(json.dumps(data).encode())


@pytest.mark.parametrize("arithmetic", ["float32", "fixed"])
def test_a_table_alone_is_proven_everywhere(network: ClosedForm, shipped, arithmetic: str) -> None:
    mine = order(network, shipped, None, 0.03, arithmetic=arithmetic)
    spec = with_proof(mine, build_table(mine, arithmetic, Silent()), Silent())
    assert spec.error_kind == "proven"
    assert worst_found(spec, network) <= spec.max_error <= 0.03
    _, verdict = check(render_bundle(spec)["certificate.json"].encode())
    assert [name for name, _ in verdict.checked] == ["table"]


def test_what_is_not_proven_within_the_tolerance_stays_sampled(
    network: ClosedForm, shipped, rough: Formula
) -> None:
    mine = order(network, shipped, rough, 0.06)
    spec = replace(build_formula(replace(mine, own=None), "float32", Silent()))
    # A guard by samples alone, and a proof of one box: nothing is close.
    few = replace(mine, options=ExportConfig(proof_boxes=40))
    told = with_proof(few, spec, Silent())
    assert told.error_kind == "sampled"
    assert told.max_error == spec.max_error
    assert told.proof is not None
    assert told.proof.bound > 0.06
    header = render_bundle(told)["net.h"]
    assert "sampled" in header
    assert f"at most {told.proof.bound:.4g} m off the teacher" in header


def test_proofs_can_be_left_out(network: ClosedForm, shipped, close: Formula) -> None:
    mine = order(network, shipped, close, 0.06, prove=False)
    spec = with_proof(mine, build_formula(mine, "float32", Silent()), Silent())
    assert spec.error_kind == "sampled"
    assert spec.proof is None
    assert spec.remarks == ()
    assert "certificate.json" not in render_bundle(spec)


def test_a_teacher_without_a_chain_gets_a_statement_that_is_no_proof(
    network: ClosedForm, shipped, close: Formula
) -> None:
    mine = replace(order(network, shipped, close, 0.06), own=None)
    spec = with_proof(mine, build_formula(mine, "float32", Silent()), Silent())
    assert spec.error_kind == "sampled"
    (said,) = spec.remarks
    assert said.startswith("Not proven, but with 99 % confidence")
    assert "0.029 %" in said  # 1 - 0.01^(1/16384), rounded up
    assert said.split()[-1] in " ".join(render_bundle(spec)["README.md"].split())


def test_equal_exports_give_equal_certificates(
    network: ClosedForm, shipped, close: Formula
) -> None:
    texts = set()
    for _ in range(2):
        mine = order(network, shipped, close, 0.06)
        spec = with_proof(mine, build_formula(mine, "float32", Silent()), Silent())
        texts.add(render_bundle(spec)["certificate.json"])
    assert len(texts) == 1


def test_a_spec_is_stored_with_its_proof(
    network: ClosedForm, shipped, close: Formula, tmp_path
) -> None:
    mine = order(network, shipped, close, 0.06)
    spec = with_proof(mine, build_formula(mine, "float32", Silent()), Silent())
    save_spec(spec, tmp_path)
    again = load_spec(tmp_path)
    assert again.proof == spec.proof
    assert render_bundle(again) == render_bundle(spec)


def test_an_unbounded_formula_has_no_proof_and_says_why(network: ClosedForm, shipped) -> None:
    pole = Formula.parse("1/(u - 0.3141592)", network.domain)
    mine = order(network, shipped, pole, 0.06)
    prover = Prover(Known(network, "net", ""), Budget(200))
    spec = BundleSpec("net", network.domain, pole, None, None, "height", 0.06, 1.0, output_unit="m")
    with pytest.raises(DistillError):
        prover.proof(spec, Silent())
    told = with_proof(mine, spec, Silent())
    assert told.proof is None
    assert told.remarks[0].startswith("Not proven: ")


def test_what_is_not_proven_needs_no_table_where_the_search_found_nothing(
    network: ClosedForm, shipped, close: Formula, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proof with one box fails in some cells; no table is small enough to stand in there."""
    mine = order(network, shipped, close, 0.06, proof_boxes=1, table_bytes=1)
    asked = []
    real = Prover.guarded

    def some_cells(self, spec, guard, counts, progress):
        asked.append(counts)
        wider = real(self, spec, guard, counts, progress)
        flags = np.zeros(counts, dtype=bool)
        flags[0] = True
        return replace(wider, flags=flags)

    monkeypatch.setattr(Prover, "guarded", some_cells)
    spec = with_proof(mine, build_formula(mine, "float32", Silent()), Silent())
    assert asked
    assert spec.table is None
    assert not spec.guarded
    assert spec.error_kind == "sampled"
    assert spec.max_error <= 0.06
