from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from distill.arrays import Array
from distill.config import conf_directory
from distill.domain import Domain
from distill.errors import StorageError
from distill.firmware import verify_chip
from distill.firmware.bundle import BundleSpec, Policy, write_bundle
from distill.firmware.evidence import Check, Evidence
from distill.firmware.guard import find_guard
from distill.firmware.policy import OutOfDomain
from distill.firmware.tables import fit_table
from distill.firmware.target import Target, load_target
from distill.firmware.toolchains import ToolMissing, host_compilers
from distill.firmware.verify import verify_bundle
from distill.formula import Formula

DOMAIN = Domain.box(a=(-2, 2, "V"), b=(0.5, 4, "A"))
X = DOMAIN.sample(200)

HEADER = """#ifndef PROBE_H
#define PROBE_H
#ifdef __cplusplus
extern "C" {
#endif
float probe(float a, float b);
#ifdef __cplusplus
}
#endif
#endif
"""

# Clamps as its model does; NaN stays NaN.
SOURCE = """#include "probe.h"
#include <math.h>
float probe(float a, float b)
{
    if (a < -2.0f) { a = -2.0f; }
    if (a > 2.0f) { a = 2.0f; }
    if (b < 0.5f) { b = 0.5f; }
    if (b > 4.0f) { b = 4.0f; }
    return expf(a) / b;
}
"""

SELFTEST = """#include "probe.h"
int probe_selftest(void);
int probe_selftest(void)
{
    const float y = probe(0.0f, 2.0f);
    return (y > 0.49f && y < 0.51f) ? 0 : 1;
}
"""

MAIN = """#include <stdio.h>
int probe_selftest(void);
int main(void)
{
    const int failed = probe_selftest();
    printf("%d failed\\n", failed);
    return failed;
}
"""

GCC = [compiler for compiler in host_compilers() if compiler.family == "gcc"]
COMPILERS = GCC or list(host_compilers())


def model(x: Array) -> Array:
    inside = np.clip(x, DOMAIN.low, DOMAIN.high)
    result: Array = np.exp(inside[:, 0]) / inside[:, 1]
    return result


def truth(x: Array) -> Array:
    return model(x) + 0.01 * np.sin(7 * x[:, 0])


@cache
def pic32() -> Target:
    content = OmegaConf.to_container(OmegaConf.load(conf_directory() / "target" / "pic32.yaml"))
    assert isinstance(content, dict)
    return load_target({str(key): value for key, value in content.items()})


Verify = Callable[..., Evidence]


@pytest.fixture
def verify(tmp_path: Path) -> Verify:
    """Verify the bundle above, with parts of it replaced."""

    def run(
        source: str = SOURCE,
        selftest: str = SELFTEST,
        header: str = HEADER,
        target: Target | None = None,
        **options: object,
    ) -> Evidence:
        files = {
            "probe.h": header, "probe.c": source, "probe_selftest.c": selftest, "main.c": MAIN,
        }  # fmt: skip
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        given = {
            "inputs": X, "model": model, "truth": truth, "tolerance": 0.0101,
            "allowed_rounding": 5e-6, "target": target or pic32(), "points": 5000,
            "domain": DOMAIN, "compilers": COMPILERS,
        } | options  # fmt: skip
        return verify_bundle(tmp_path, "probe", **given)  # type: ignore[arg-type]

    return run


def outcome(evidence: Evidence, part: str) -> Check:
    (check,) = [check for check in evidence.checks if part in check.name]
    return check


def test_a_good_bundle_passes_every_check(verify: Verify) -> None:
    evidence = verify(compilers=None, points=1_000_000)
    assert evidence.passed, evidence.failed
    names = [check.name for check in evidence.checks]
    assert len(names) == len(set(names))
    for compiler in host_compilers():
        assert outcome(evidence, f"strict C, {compiler.family}").passed
    for part in (
        "host against Python",
        "host against the teacher",
        "edge inputs",
        "pic32 against Python",
        "pic32 against the teacher",
        "pic32 against the host",
        "pic32 limits",
        "pic32 self-test",
    ):
        assert outcome(evidence, part).passed, part
    host = outcome(evidence, "host against Python")
    assert host.figures["points"] >= 1_000_000
    assert 0 < host.figures["largest"] < 5e-6
    assert outcome(evidence, "host against the teacher").figures["largest"] == pytest.approx(
        0.01, rel=1e-3
    )
    assert evidence.cost is not None
    limits = outcome(evidence, "limits")
    assert limits.figures["instructions"] == evidence.cost.instructions > 500
    assert limits.figures["flash_bytes"] == evidence.cost.flash_bytes
    assert f"{evidence.cost.flash_bytes:,}" in limits.detail


def test_a_warning_fails_the_strict_check_with_the_compilers_words(verify: Verify) -> None:
    evidence = verify(SOURCE.replace("expf(a) / b", "(float)exp((double)a) / b + 0.0"))
    assert not evidence.passed
    strict = outcome(evidence, "strict C")
    assert strict.passed is False
    assert "conversion" in strict.detail or "promotion" in strict.detail


def test_a_header_that_cxx_cannot_link_fails(verify: Verify) -> None:
    if COMPILERS[0].cxx is None:
        pytest.skip("no C++ compiler on this machine")
    plain = "#ifndef PROBE_H\n#define PROBE_H\nfloat probe(float a, float b);\n#endif\n"
    evidence = verify(header=plain)
    assert [check.name.split(",")[0] for check in evidence.failed] == ["C++"]


def test_a_failing_self_test_is_seen_on_the_host_and_on_the_chip(verify: Verify) -> None:
    evidence = verify(selftest=SELFTEST.replace("0.49f", "0.6f"))
    assert "1 failed" in outcome(evidence, "self-test, ").detail
    assert outcome(evidence, "pic32 self-test").figures["failed"] == 1
    assert len(evidence.failed) == 2


def test_a_variant_is_compiled_and_self_tested_too(verify: Verify) -> None:
    source = SOURCE.replace("{\n", "{\n#ifdef PROBE_TABLE_ONLY\n    return a + b;\n#else\n", 1)
    source = source.replace("/ b;\n", "/ b;\n#endif\n")
    assert verify(source).passed
    evidence = verify(source, variants=["PROBE_TABLE_ONLY"])
    failed = outcome(evidence, "self-test, ")
    assert failed.passed is False
    assert "PROBE_TABLE_ONLY" in failed.detail


@pytest.mark.parametrize(
    "fault",
    [
        "static const float t[4] = {1.0f, 2.0f, 3.0f, 4.0f}; return t[(int)(b * 1.2f)];",
        "return (float)(int)(a * 1e9f);",
    ],
    ids=["address", "conversion"],
)
def test_undefined_behaviour_is_found(fault: str, verify: Verify) -> None:
    source = SOURCE.replace("return expf(a) / b;", fault)
    check = outcome(verify(source), "sanitizers")
    if check.passed is None:
        pytest.skip(check.detail)
    assert check.passed is False
    assert "error" in check.detail


def test_a_conversion_of_nan_is_found_at_the_edges_only(verify: Verify) -> None:
    source = SOURCE.replace("return expf", "if ((int)a > 5) { return 0.0f; }\n    return expf")
    check = outcome(verify(source), "sanitizers")
    if check.passed is None:
        pytest.skip(check.detail)
    assert check.passed is False
    assert "nan" in check.detail.lower()


def test_c_that_differs_from_python_is_found_with_the_point(verify: Verify) -> None:
    source = SOURCE.replace(
        "return expf(a) / b;", "return expf(a) / b + (a > 1.9f ? 1e-4f : 0.0f);"
    )
    evidence = verify(source)
    host = outcome(evidence, "host against Python")
    assert host.passed is False
    assert host.figures["largest"] == pytest.approx(1e-4, rel=0.1)
    assert float(host.detail.split("(")[2].split(",")[0]) > 1.9
    assert outcome(evidence, "pic32 against Python").passed is False
    assert outcome(evidence, "pic32 against the host").passed


def test_a_teacher_further_off_than_the_tolerance_is_found(verify: Verify) -> None:
    evidence = verify(tolerance=0.0099)
    assert {check.name for check in evidence.failed} == {
        "host against the teacher",
        "pic32 against the teacher",
    }


def test_nan_in_c_is_never_within_any_tolerance(verify: Verify) -> None:
    source = SOURCE.replace("return expf", "if (a > 1.0f) { return NAN; }\n    return expf")
    evidence = verify(source, tolerance=1e9, allowed_rounding=1e9)
    assert outcome(evidence, "host against Python").figures["largest"] == np.inf
    assert outcome(evidence, "host against the teacher").figures["largest"] == np.inf


def test_a_broken_policy_is_found_only_outside_the_domain(verify: Verify) -> None:
    source = SOURCE.replace("if (a > 2.0f) { a = 2.0f; }", "")
    evidence = verify(source)
    assert [check.name for check in evidence.failed] == ["edge inputs against Python"]
    unchecked = verify(source, answers_everywhere=False)
    assert unchecked.passed
    assert 0 < outcome(unchecked, "edge inputs").figures["points"] < 4000


def test_without_a_teacher_only_python_is_compared(verify: Verify) -> None:
    evidence = verify(truth=None)
    assert evidence.passed
    assert not [check for check in evidence.checks if "teacher" in check.name]


@pytest.mark.parametrize(("key", "word"), [("flash_bytes", "flash"), ("stack_bytes", "stack")])
def test_a_function_that_does_not_fit_is_refused_with_the_figure(
    key: str, word: str, verify: Verify
) -> None:
    small = replace(pic32(), **{key: 10})
    evidence = verify(target=small)
    limits = outcome(evidence, "limits")
    assert evidence.failed == (limits,)
    assert limits.detail.startswith(f"too much {word}: ")
    assert f"{limits.figures[key]:,.0f} of 10 B" in limits.detail


def test_static_variables_that_do_not_fit_are_refused(verify: Verify) -> None:
    source = SOURCE.replace("float probe(", "float kept[500];\nfloat probe(", 1)
    source = source.replace("return expf", "kept[(unsigned)b] = a;\n    return expf")
    assert "RAM 2,000 of 1,024 B" in outcome(verify(source), "limits").detail


def test_a_missing_toolchain_leaves_the_chip_unproven(
    verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(target: Target) -> None:
        raise ToolMissing("the zig compiler is not installed.", hint="pip install ziglang")

    monkeypatch.setattr(verify_chip, "toolchain_for", missing)
    evidence = verify()
    assert evidence.passed
    assert [check.name for check in evidence.not_run] == ["pic32"]
    assert "pip install ziglang" in evidence.not_run[0].detail
    assert evidence.cost is None


def test_without_a_host_compiler_the_chip_is_verified_still(verify: Verify) -> None:
    evidence = verify(compilers=())
    assert evidence.passed
    assert outcome(evidence, "host").passed is None
    assert outcome(evidence, "pic32 against Python").passed


def test_zig_alone_does_every_check(verify: Verify) -> None:
    zig = [compiler for compiler in host_compilers() if compiler.family == "zig"]
    evidence = verify(compilers=zig)
    assert evidence.passed, evidence.failed
    assert outcome(evidence, "sanitizers, zig").passed
    source = SOURCE.replace("return expf", "if ((int)a > 5) { return 0.0f; }\n    return expf")
    assert outcome(verify(source, compilers=zig), "sanitizers, zig").passed is False


def test_c_that_does_not_compile_is_one_story(verify: Verify) -> None:
    evidence = verify(SOURCE.replace("expf(a)", "expf(a"))
    assert not evidence.passed
    assert evidence.cost is None
    assert outcome(evidence, "strict C").passed is False
    assert "cannot build for pic32" in evidence.checks[-1].detail


def test_double_is_verified_in_double(verify: Verify) -> None:
    def doubled(text: str) -> str:
        text = text.replace("float", "double").replace("expf", "exp")
        for number in ("2.0", "0.5", "4.0", "0.0", "0.49", "0.51"):
            text = text.replace(f"{number}f", number)
        return text

    evidence = verify(
        doubled(SOURCE), doubled(SELFTEST), doubled(HEADER), number="double",
        allowed_rounding=1e-14,
    )  # fmt: skip
    assert evidence.passed, evidence.failed
    assert outcome(evidence, "host against Python").figures["largest"] < 1e-14


def test_the_chips_bits_are_its_own(verify: Verify) -> None:
    """Two C libraries round exp in their own ways; the check tells how far they are apart."""
    source = SOURCE.replace("expf(a) / b", "powf(b, a) * sinf(a) + tanf(a * 0.5f)")

    def other(x: Array) -> Array:
        a, b = np.clip(x, DOMAIN.low, DOMAIN.high).T
        result: Array = b**a * np.sin(a) + np.tan(a / 2)
        return result

    selftest = SELFTEST.replace("y > 0.49f && y < 0.51f", "y < 0.01f")
    evidence = verify(source, selftest, model=other, truth=None, allowed_rounding=1e-5)
    check = outcome(evidence, "against the host")
    assert check.passed
    assert check.figures["points"] == len(X)
    assert 0 < check.figures["same"] < len(X)
    assert 1 <= check.figures["largest_ulp"] < 64


def test_evidence_survives_json(verify: Verify) -> None:
    for evidence in (verify(), Evidence((Check("a", None, "no tool"),))):
        assert Evidence.from_data(json.loads(json.dumps(evidence.to_data()))) == evidence


def test_evidence_of_another_version_is_refused() -> None:
    with pytest.raises(StorageError, match="not evidence of version 1"):
        Evidence.from_data({"version": 2, "checks": []})


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


@pytest.mark.parametrize("out_of_domain", ["clamp", "nan", "unchecked"])
def test_a_generated_bundle_with_table_and_guard_passes(
    out_of_domain: OutOfDomain, tmp_path: Path
) -> None:
    formula = Formula.parse("exp(a)/b + 0.0001/(a - 1)", DOMAIN)

    def smooth(x: Array) -> Array:
        result: Array = np.exp(x[:, 0]) / x[:, 1]
        return result

    guard = find_guard(formula, smooth, DOMAIN, 0.05)
    table = fit_table(smooth, DOMAIN, 0.05, max_bytes=65_536)
    spec = BundleSpec(
        "ratio", DOMAIN, formula, table, guard, "ratio", 0.05, 0.05,
        policy=Policy(out_of_domain), target="pic32",
    )  # fmt: skip
    assert spec.guarded
    bundle = write_bundle(spec, tmp_path / "ratio")
    evidence = verify_bundle(
        bundle.directory, "ratio", X, bundle.model, smooth, 0.05, 1e-3, pic32(), 20_000,
        domain=DOMAIN, variants=["RATIO_TABLE_ONLY", "RATIO_FORMULA_ONLY"],
        answers_everywhere=spec.policy.checked, compilers=COMPILERS,
    )  # fmt: skip
    assert evidence.passed, evidence.failed
