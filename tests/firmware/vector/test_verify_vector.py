"""Verifying and weighing functions of arrays: good ones pass, faults are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distill.firmware import verify as module
from distill.firmware.evidence import Check, Evidence
from distill.firmware.toolchains import host_compilers
from distill.firmware.vector.bundle import write_vector_bundle
from distill.firmware.vector.spec import VectorSpec
from distill.firmware.vector.verify import verify_vector
from distill.firmware.weigh import weigh

Verify = Callable[..., Evidence]


def truth_of(spec: VectorSpec) -> Callable[[np.ndarray], np.ndarray]:
    """The chain or the formulas in float64."""
    if spec.chain is not None:
        return lambda x: spec.chain.evaluate(x, "double")
    return lambda x: np.column_stack([formula(x) for formula in spec.formulas])


@pytest.fixture
def verify(tmp_path: Path, target, monkeypatch: pytest.MonkeyPatch) -> Verify:
    """The verification of a bundle, with a text of its C replaced; Frama-C takes a minute."""
    left_out = Check("all values, Frama-C", None, "left to the slow tests")
    monkeypatch.setattr(module, "check_values", lambda code, folder: (left_out, {}))

    def run(spec: VectorSpec, old: str = "", new: str = "", chip: str = "pic32") -> Evidence:
        bundle = write_vector_bundle(spec, tmp_path / "b")
        text = bundle.source.read_text()
        assert old in text
        bundle.source.write_text(text.replace(old, new) if old else text)
        return verify_vector(
            spec, bundle.directory, truth_of(spec), target(chip), 5000,
            chip_points=64, compilers=host_compilers()[:1],
        )  # fmt: skip

    return run


def failed(evidence: Evidence) -> dict[str, str]:
    return {check.name: check.detail for check in evidence.failed}


@pytest.mark.parametrize("name", ["whole", "door", "trees"])
def test_a_good_bundle_passes_every_check(verify: Verify, specs, name: str) -> None:
    evidence = verify(specs[name])
    assert failed(evidence) == {}
    checks = {check.name: check for check in evidence.checks}
    for part in ("host against Python", "pic32 against Python, wheels"):
        assert checks[part].figures["largest"] == checks[part].figures["allowed"] == 0
    assert checks["host against the teacher"].figures["largest"] <= 0.1
    assert checks["pic32 self-test, wheels"].passed
    assert evidence.cost is not None
    assert 0 < evidence.cost.instructions < 2000


def test_outputs_of_the_c_library_are_held_to_their_own_rounding(verify: Verify, specs) -> None:
    evidence = verify(replace(specs["air"], max_errors=(0.05, 0.1)))
    assert failed(evidence) == {}
    (host,) = [check for check in evidence.checks if check.name == "host against Python"]
    assert 0 < host.figures["largest"] < host.figures["allowed"] < 0.01


def test_one_wrong_output_is_found_and_named(verify: Verify, specs) -> None:
    evidence = verify(specs["air"], "y[1] = t0 * 2.0f;", "y[1] = t0 * 2.001f;")
    assert "`heat` differs" in failed(evidence)["host against Python"]
    assert "pic32 self-test, wheels" in failed(evidence)


def test_a_label_that_does_not_follow_from_the_scores_is_found(verify: Verify, specs) -> None:
    evidence = verify(specs["door"], "score > most", "score >= most + 1.0f")
    assert (
        "`label` differs from Python's model by at most 1 (allowed 0)"
        in (failed(evidence)["host against Python"])
    )
    assert "`label` is off the teacher" in failed(evidence)["host against the teacher"]


def test_an_answer_where_the_policy_refuses_is_found(verify: Verify, specs) -> None:
    evidence = verify(specs["door"], "door_out_fill(y, NAN);\n            return;", "value = 0;")
    assert "host at edge inputs against Python" in failed(evidence)
    assert "host against Python" not in failed(evidence)


def test_weighing_counts_the_label_with_the_scores(specs, target) -> None:
    plain = replace(specs["iris"], classes=())
    known = {"label": specs["iris"], "scores": plain, "whole": specs["trees"]}
    found = weigh(known, specs["iris"].domain.sample(32), target("cortex_m0plus"))
    assert found.failures == {}
    costs = found.costs
    assert costs["label"].measured
    assert costs["label"].instructions > costs["scores"].instructions > 500
    assert (costs["label"].flash_bytes or 0) > (costs["scores"].flash_bytes or 0) > 100
    assert costs["whole"].instructions < 0.2 * costs["scores"].instructions
    assert costs["whole"].arithmetic == "fixed"
    assert (costs["label"].stack_bytes or 0) >= 4 * (2 + 4 + 3)
