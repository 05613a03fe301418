"""The whole verification, and its evidence."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from distill.errors import StorageError
from distill.firmware import verify_chip
from distill.firmware.evidence import Check, Evidence
from distill.firmware.target import Target
from distill.firmware.toolchains import ToolMissing, host_compilers

Verify = Callable[..., Evidence]
Outcome = Callable[[Evidence, str], Check]


def test_a_good_bundle_passes_every_check(verify: Verify, probe, outcome: Outcome) -> None:
    evidence = verify(probe, compilers=None, points=1_000_000)
    assert evidence.passed, evidence.failed
    names = [check.name for check in evidence.checks]
    assert len(names) == len(set(names))
    assert all("\n" not in check.detail for check in evidence.checks)
    for compiler in host_compilers():
        assert outcome(evidence, f"strict C, {compiler.family}").passed
    for part in (
        "host against Python",
        "host against the teacher",
        "host at edge inputs",
        "pic32 against Python, wheels",
        "pic32 against the teacher, wheels",
        "pic32 at edge inputs against Python, wheels",
        "pic32 against the host, wheels",
        "pic32 limits, wheels",
        "pic32 self-test, wheels",
    ):
        assert outcome(evidence, part).passed, part
    host = outcome(evidence, "host against Python")
    assert host.figures["points"] >= 1_000_000
    assert 0 < host.figures["largest"] < 5e-6
    assert outcome(evidence, "host against the teacher").figures["largest"] == pytest.approx(
        0.01, rel=1e-3
    )
    assert evidence.cost is not None
    limits = outcome(evidence, "pic32 limits")
    assert limits.figures["instructions"] == evidence.cost.instructions > 500
    assert limits.figures["flash_bytes"] == evidence.cost.flash_bytes
    assert f"{evidence.cost.flash_bytes:,}" in limits.detail
    assert limits.detail.endswith(evidence.cost.compiler)


def test_integers_at_the_door_are_held_to_every_bit(
    verify: Verify, integers, outcome: Outcome
) -> None:
    evidence = verify(integers)
    assert evidence.passed, evidence.failed
    for part in ("host against Python", "pic32 against Python, wheels"):
        assert outcome(evidence, part).figures["allowed"] == 0
    teacher = outcome(evidence, "host against the teacher")
    # Truncated to steps of 2^-20, compared in the teacher's own unit.
    assert 0.9 * 2**-20 < teacher.figures["largest"] <= 2**-20
    assert evidence.cost is not None
    assert evidence.cost.arithmetic == "fixed"


def test_integers_need_the_format_of_the_result(verify: Verify, integers) -> None:
    with pytest.raises(ValueError, match="format of the output"):
        verify(replace(integers, output=None))


def test_one_wrong_bit_of_an_integer_is_found(verify: Verify, integers, outcome: Outcome) -> None:
    wrong = integers.but("    {\n", "    if (a == -536870912) { return 1; }\n    {\n")
    evidence = verify(wrong)
    check = outcome(evidence, "host at edge inputs")
    assert check.passed is False
    a, b = (float(text) for text in check.detail.split("at (")[1].split(")")[0].split(", "))
    assert a <= -(2**29) < b
    assert check.figures["largest"] > 1


def test_a_missing_toolchain_leaves_the_chip_unproven(
    verify: Verify, probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(target: Target) -> None:
        raise ToolMissing("the compiler is not installed.", hint="pip install it")

    monkeypatch.setattr(verify_chip, "toolchain_for", missing)
    evidence = verify(probe)
    assert evidence.passed
    chip = [check for check in evidence.not_run if check.name.startswith("pic32")]
    assert [check.name for check in chip] == ["pic32, wheels", "pic32, native"]
    assert "pip install it" in chip[0].detail
    assert evidence.cost is None


def test_without_a_host_compiler_the_chip_is_verified_still(
    verify: Verify, probe, outcome: Outcome
) -> None:
    evidence = verify(probe, compilers=())
    assert evidence.passed
    (host,) = [check for check in evidence.checks if check.name == "host"]
    assert host.passed is None
    assert outcome(evidence, "pic32 against Python, wheels").passed


def test_c_that_does_not_compile_is_one_story(verify: Verify, probe, outcome: Outcome) -> None:
    evidence = verify(probe.but("expf(a)", "expf(a"))
    assert not evidence.passed
    assert evidence.cost is None
    assert outcome(evidence, "strict C").passed is False
    assert "cannot build for pic32" in outcome(evidence, "pic32 results, wheels").detail


def test_evidence_survives_json(verify: Verify, probe) -> None:
    for evidence in (verify(probe), Evidence((Check("a", None, "no tool"),))):
        assert Evidence.from_data(json.loads(json.dumps(evidence.to_data()))) == evidence


@pytest.mark.parametrize("data", [{"version": 1, "checks": []}, {"version": 2, "checks": []}])
def test_evidence_of_another_version_or_shape_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(StorageError, match="not evidence of version 2"):
        Evidence.from_data(data)


@pytest.mark.parametrize(
    ("outcomes", "passed"),
    [
        ((True, True), True),
        ((True, None), True),
        ((None,), False),
        ((True, False), False),
        ((), False),
    ],
)
def test_evidence_passes_when_something_was_shown_and_nothing_failed(
    outcomes: tuple[bool | None, ...], passed: bool
) -> None:
    checks = tuple(Check(str(i), outcome, "") for i, outcome in enumerate(outcomes))
    assert Evidence(checks).passed is passed
