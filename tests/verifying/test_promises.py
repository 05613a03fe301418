"""A bundle that is whole is compiled and run; one that was forged as a whole is found out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distill.cli.front import main
from distill.config.folder import read_option
from distill.delivery.scalar import cost_lines
from distill.firmware import verify as compiling
from distill.firmware.alternatives import Alternative
from distill.firmware.evidence import Check
from distill.firmware.spec import BundleSpec
from distill.firmware.target import load_target
from distill.firmware.weigh import weigh
from distill.formula import Formula
from distill.progress import Silent
from distill.stages.measure import measured_points
from distill.teachers.base import Teacher
from distill.teachers.load import load_teacher
from distill.verifying import verify as verifying
from distill.verifying.again import Spec
from distill.verifying.costs import cost_check, target_of
from distill.verifying.verify import verify_bundle
from tests.verifying.conftest import PLANE, TEACHER, all_specs, proven_spec, write


def by_name(checks: tuple[Check, ...]) -> dict[str, Check]:
    return {check.name: check for check in checks}


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """No compiler for this machine, and no chip."""
    monkeypatch.setattr(compiling, "host_compilers", lambda: ())
    monkeypatch.setattr(verifying, "target_of", lambda spec, words: None)


def test_a_whole_bundle_is_compiled_and_run(bundle) -> None:
    verified = verify_bundle(bundle("cubic"), Silent(), points=500)
    assert verified.differing == ()
    assert verified.compiled
    checks = by_name(verified.checks)
    assert checks["host against Python"].figures["points"] == 502
    assert any(name.startswith("self-test") and c.passed for name, c in checks.items())
    assert checks["target"].passed is None  # the bundle names none


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_the_rest_is_checked_and_the_code_is_3(
    bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "--json", str(bundle("plane"))]) == 3
    out, err = capsys.readouterr()
    result = json.loads(out.splitlines()[-1])
    checks = {check["name"]: check["passed"] for check in result["checks"]}
    assert (result["verified"], result["compiled"]) == (False, False)
    assert checks["written again"] is True
    assert checks["certificate.json"] is True
    assert checks["error"] is True  # proven
    assert checks["host"] is None
    assert "this machine has no compiler for it" in err


@pytest.mark.usefixtures("no_compiler")
def test_a_certificate_of_a_smaller_bound_does_not_hold(tmp_path: Path) -> None:
    spec = proven_spec()
    assert spec.proof is not None
    lower = spec.proof.bound / 2
    text = spec.proof.certificate.replace(f'"bound": {spec.proof.bound!r}', f'"bound": {lower!r}')
    forged = replace(
        spec, max_error=lower, proof=replace(spec.proof, bound=lower, certificate=text)
    )
    verified = verify_bundle(write(forged, tmp_path / "forged"), Silent())
    assert not verified.ran
    (check,) = verified.differing
    assert check.name == "certificate.json"
    assert "its claims add up to" in check.detail


@pytest.mark.usefixtures("no_compiler")
def test_a_certificate_of_another_formula_is_not_this_bundles(tmp_path: Path) -> None:
    other = Formula.parse("u*v + 0.25*u^2 + 0.007", PLANE)
    forged = replace(proven_spec(), formula=other)
    verified = verify_bundle(write(forged, tmp_path / "forged"), Silent())
    (check,) = verified.differing
    assert check.name == "certificate.json"
    assert "its formula is not the bundle's" in check.detail


@pytest.mark.usefixtures("no_compiler")
def test_a_certificate_of_another_teacher_is_not_this_bundles(tmp_path: Path) -> None:
    forged = replace(proven_spec(), provenance={"teacher fingerprint": "c0ffee"})
    verified = verify_bundle(write(forged, tmp_path / "forged"), Silent())
    (check,) = verified.differing
    assert "its teacher is" in check.detail
    assert "c0ffee" in check.detail


def the_teacher(spec: Spec) -> Teacher:
    return load_teacher(TEACHER, domain=spec.domain, name="plane", outputs=["height"])


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize(("stated", "passed"), [(0.006, True), (0.005, False)])
def test_with_the_teacher_the_error_is_found_again(
    tmp_path: Path, stated: float, passed: bool
) -> None:
    spec = replace(proven_spec(), proof=None, error_kind="sampled", max_error=stated)
    folder = write(spec, tmp_path / "b")
    verified = verify_bundle(folder, Silent(), load=the_teacher, points=2000)
    check = by_name(verified.checks)["error"]
    assert check.passed is passed
    assert "at most 0.00567" in check.detail
    assert f"{stated:g} stated" in check.detail


@pytest.fixture(scope="module")
def measured() -> BundleSpec:
    """The formula with the figures that the emulated chip gives."""
    spec = replace(proven_spec(), proof=None, error_kind="sampled", max_error=0.0047)
    target = load_target(read_option("target", "cortex_m0plus"))
    cost = weigh({"way": spec}, measured_points(spec.domain), target).costs["way"]
    return replace(spec, figures=cost_lines(Alternative("formula", "float32", cost=cost)))


def test_costs_are_measured_again(measured: BundleSpec) -> None:
    target = target_of(measured, ())
    assert target is not None
    assert cost_check(measured, target, Silent()).passed is True
    first, *rest = measured.figures
    forged = replace(measured, figures=(first.replace("bytes of flash", "kB of flash"), *rest))
    check = cost_check(forged, target, Silent())
    assert check.passed is False
    assert "stated: " in check.detail
    assert f"measured: {first}" in check.detail


def test_figures_of_another_compiler_are_said_to_be(measured: BundleSpec) -> None:
    target = target_of(measured, ())
    assert target is not None
    line = "Measured with zig cc (clang 99.0.0) -Os, in an emulator."
    check = cost_check(replace(measured, figures=(measured.figures[0], line)), target, Silent())
    assert check.passed is None
    assert check.detail.startswith("measured with zig cc (clang 99.0.0) -Os; here is zig cc (clang")
    assert measured.figures[0] in check.detail


def test_a_bundle_never_names_the_program_that_is_run() -> None:
    spec = all_specs()["cubic"]
    assert target_of(replace(spec, target="no such chip"), ()) is None
    chosen = target_of(replace(spec, target="avr"), ["target.optimization=-O2"])
    assert chosen is not None
    assert chosen.native is not None
    assert chosen.native.compiler == load_target(read_option("target", "avr")).native.compiler


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plane", "dew_fixed", "air", "iris", "trees"])
def test_every_kind_verifies_here_and_on_its_chip(bundle, name: str) -> None:
    verified = verify_bundle(bundle(name), Silent(), points=2000)
    # Figures of the golden bundles were made up, and are found to be.
    assert {check.name for check in verified.differing} <= {"costs"}
    assert verified.compiled


def test_arrays_are_compared_with_their_teacher(bundle, no_compiler: None) -> None:
    spec = all_specs()["iris"]

    def load(spec: Spec) -> Teacher:
        return load_teacher(
            lambda x: np.zeros((len(x), 3)), domain=spec.domain, name="iris",
            outputs=["setosa", "versicolor", "virginica"],
        )  # fmt: skip

    verified = verify_bundle(bundle("iris"), Silent(), load=load, points=200)
    check = by_name(verified.checks)["error"]
    assert check.passed is False
    assert "`setosa` at most" in check.detail
    assert f"{spec.max_errors[0]:g} stated" in check.detail
