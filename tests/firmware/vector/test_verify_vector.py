"""Verifying and weighing functions of arrays: good ones pass, faults are found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distill.errors import ToolchainError
from distill.firmware import verify as module
from distill.firmware.eva import check_values
from distill.firmware.evidence import Check
from distill.firmware.stress import run_stressed
from distill.firmware.toolchains import host_compilers
from distill.firmware.vector.bundle import write_vector_bundle
from distill.firmware.vector.spec import VectorSpec
from distill.firmware.vector.verify import vector_subject, verify_vector
from distill.firmware.verify_host import check_selftest, run_checks
from distill.firmware.weigh import weigh

Failures = Callable[..., dict[str, str]]


def truth_of(spec: VectorSpec) -> Callable[[np.ndarray], np.ndarray]:
    """The chain or the formulas in float64."""
    if spec.chain is not None:
        return lambda x: spec.chain.evaluate(x, "double")
    return lambda x: np.column_stack([formula(x) for formula in spec.formulas])


@pytest.fixture
def failures(tmp_path: Path) -> Failures:
    """The checks on this machine that fail, with a text of the C replaced: name and words."""

    def run(spec: VectorSpec, old: str = "", new: str = "") -> dict[str, str]:
        bundle = write_vector_bundle(spec, tmp_path / "b")
        text = bundle.source.read_text()
        assert old in text
        bundle.source.write_text(text.replace(old, new) if old else text)
        subject = vector_subject(spec, bundle.directory, truth_of(spec))
        compiler, edges = host_compilers()[0], subject.edges(500, 0)
        checks, _ = run_checks(subject, compiler, tmp_path, 3000, 0, edges, edges)
        checks.append(check_selftest(subject, compiler, tmp_path))
        return {check.name: check.detail for check in checks if check.passed is False}

    return run


def test_a_good_bundle_passes_every_check(
    specs, target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_out = Check("all values, Frama-C", None, "it takes a minute")
    monkeypatch.setattr(module, "check_values", lambda code, folder: (left_out, {}))
    spec = specs["door"]
    bundle = write_vector_bundle(spec, tmp_path / "b")
    evidence = verify_vector(
        spec, bundle.directory, truth_of(spec), replace(target("pic32"), native=None), 5000,
        chip_points=64, compilers=host_compilers()[:1],
    )  # fmt: skip
    assert evidence.passed, evidence.failed
    checks = {check.name: check for check in evidence.checks}
    for part in ("host against Python", "pic32 against Python, wheels"):
        assert checks[part].figures["largest"] == checks[part].figures["allowed"] == 0
    assert 0 < checks["host against the teacher"].figures["largest"] <= 0.01
    assert checks["pic32 self-test, wheels"].passed
    assert evidence.cost is not None
    assert 100 < evidence.cost.instructions < 1000


def test_every_kind_passes_on_this_machine(failures: Failures, spec: VectorSpec) -> None:
    assert failures(replace(spec, max_errors=tuple(0.01 + e for e in spec.max_errors))) == {}


def test_one_wrong_output_is_found_and_named(failures: Failures, specs) -> None:
    found = failures(specs["air"], "y[1] = 2.0f * t0;", "y[1] = 2.001f * t0;")
    assert "`heat` differs" in found["host against Python"]
    assert "`heat` is off" in found["host against the teacher"]
    assert any("self-test" in name for name in found)


def test_a_label_that_does_not_follow_from_the_scores_is_found(failures: Failures, specs) -> None:
    found = failures(specs["door"], "score > most", "score >= most + 1.0f")
    python = found["host against Python"]
    assert "`label` differs from Python's model by at most 1 (allowed 0)" in python
    assert "`label` is off the teacher" in found["host against the teacher"]


def test_scores_and_labels_that_are_wrong_together_are_found(failures: Failures, specs) -> None:
    """A label that follows from the C's scores is not the model's for all that."""
    found = failures(specs["iris"], "0.0f, 1.0f, -0.5f", "0.0f, 1.0f, 0.5f")
    assert "host against Python" in found


def test_an_answer_where_the_policy_refuses_is_found(failures: Failures, specs) -> None:
    found = failures(specs["door"], "door_out_fill(y, NAN);\n            return;", "value = 0;")
    assert "host at edge inputs against Python" in found
    assert "host against Python" not in found


def test_sanitizers_watch_every_input_of_the_array(specs, tmp_path: Path) -> None:
    compiler = next((c for c in host_compilers() if not c.sanitizers_work(tmp_path)), None)
    if compiler is None:
        pytest.skip("no compiler on this machine has sanitizers")
    spec = specs["iris"]
    bundle = write_vector_bundle(spec, tmp_path / "b")
    subject = vector_subject(spec, bundle.directory, None)
    run = run_stressed(subject, compiler, tmp_path, 20_000)
    assert run.calls == 20_000
    assert 0 < run.not_numbers < 20_000
    text = bundle.source.read_text()
    bundle.source.write_text(text.replace("float held[2];", "float held[1];"))
    with pytest.raises(ToolchainError, match="ended with status"):
        run_stressed(subject, compiler, tmp_path, 20_000)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("frama-c") is None, reason="no frama-c here")
def test_trees_in_integers_raise_no_alarm_at_any_input(specs, tmp_path: Path) -> None:
    bundle = write_vector_bundle(specs["trees"], tmp_path / "b")
    subject = vector_subject(specs["trees"], bundle.directory, None)
    check, reports = check_values(subject, tmp_path)
    assert check.passed, check.detail
    assert check.detail.startswith("no alarm at every input of its type")
    assert "100% coverage" in reports["frama-c.txt"]


def test_weighing_counts_the_label_with_the_scores(specs, target) -> None:
    plain = replace(specs["iris"], classes=())
    known = {"label": specs["iris"], "scores": plain, "whole": specs["trees"]}
    found = weigh(known, specs["iris"].domain.sample(32), target("cortex_m0plus"))
    costs = found.costs
    assert costs["label"].measured
    assert costs["label"].instructions > costs["scores"].instructions > 500
    assert (costs["label"].flash_bytes or 0) > (costs["scores"].flash_bytes or 0) > 100
    assert (costs["label"].stack_bytes or 0) >= 4 * (2 + 4 + 3)
    # Trees over integers need no floats.
    real = replace(plain, chain=specs["trees"].chain)
    both = {"whole": specs["trees"], "real": real}
    trees = weigh(both, specs["iris"].domain.sample(32), target("cortex_m0plus")).costs
    assert trees["whole"].arithmetic == "fixed"
    assert trees["whole"].instructions < trees["real"].instructions
