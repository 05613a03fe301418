"""Checks on the host: each finds the fault it is for, and nothing else is needed for that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distill.firmware.evidence import Check
from distill.firmware.subject import Subject
from distill.firmware.toolchains import HostCompiler, host_compilers
from distill.firmware.verify_host import (
    check_cxx,
    check_sanitizers,
    check_selftest,
    check_strict,
    run_checks,
)

Make = Callable[..., Subject]

COMPILERS = host_compilers()
LINKING = [c for c in COMPILERS if c.family != "zig"] or list(COMPILERS)


def run(subject: Subject, compiler: HostCompiler, folder: Path) -> dict[str, Check]:
    """The checks of running it, by name."""
    points = subject.points(20, seed=3)
    edges = subject.edges(2000, seed=0)
    checks, _ = run_checks(subject, compiler, folder, 5000, 0, edges, points)
    return {check.name: check for check in checks}


def linking(compiler: HostCompiler, folder: Path) -> HostCompiler:
    """The compiler where its sanitizers work."""
    if why := compiler.sanitizers_work(folder):
        pytest.skip(f"{compiler.name} has no sanitizers here: {why}")
    return compiler


@pytest.mark.parametrize("compiler", COMPILERS, ids=lambda c: c.family)
def test_a_warning_fails_the_strict_check_with_the_compilers_words(
    compiler: HostCompiler, subject: Make, probe, tmp_path: Path
) -> None:
    assert check_strict(subject(probe), compiler, tmp_path).passed
    loose = probe.but("expf(a) / b", "(float)exp((double)a) / b + 0.0")
    check = check_strict(subject(loose), compiler, tmp_path)
    assert check.passed is False
    assert "conversion" in check.detail or "promotion" in check.detail
    assert "\n" not in check.detail


def test_a_header_that_cxx_cannot_link_fails(
    compiler: HostCompiler, subject: Make, probe, tmp_path: Path
) -> None:
    if compiler.cxx is None:
        pytest.skip("no C++ compiler on this machine")
    assert check_cxx(subject(probe), compiler, tmp_path).passed
    plain = "#ifndef PROBE_H\n#define PROBE_H\nfloat probe(float a, float b);\n#endif\n"
    assert check_cxx(subject(replace(probe, header=plain)), compiler, tmp_path).passed is False


@pytest.mark.parametrize("compiler", LINKING, ids=lambda c: c.family)
def test_a_wrong_vector_fails_the_test_program_that_says_so(
    compiler: HostCompiler, subject: Make, probe, tmp_path: Path
) -> None:
    good = check_selftest(subject(probe), compiler, tmp_path)
    assert good.passed
    assert "0 failed" in good.detail
    wrong = replace(probe, selftest=probe.selftest.replace("0.49f", "0.6f"))
    bad = check_selftest(subject(wrong), compiler, tmp_path)
    assert bad.passed is False
    assert "1 failed" in bad.detail


def test_a_variant_is_self_tested_too(
    compiler: HostCompiler, subject: Make, probe, tmp_path: Path
) -> None:
    source = "#ifdef PROBE_TABLE_ONLY\n    return a + b;\n#else\n    return expf(a) / b;\n#endif\n"
    two = probe.but("    return expf(a) / b;\n", source)
    assert check_selftest(subject(two), compiler, tmp_path).passed
    check = check_selftest(
        subject(replace(two, variants=("PROBE_TABLE_ONLY",))), compiler, tmp_path
    )
    assert check.passed is False
    assert "PROBE_TABLE_ONLY" in check.detail


@pytest.mark.parametrize("compiler", LINKING, ids=lambda c: c.family)
@pytest.mark.parametrize(
    "fault",
    [
        "static const float t[4] = {1.0f, 2.0f, 3.0f, 4.0f}; return t[(int)(b * 1.2f)];",
        "return (float)(int)(a * 1e9f);",
        "const int32_t i = (int32_t)b; return (float)(1 << (i * 10));",
        "const int32_t i = (int32_t)a; return (float)(i << 3);",
        "const int32_t i = (int32_t)b * 600000000; return (float)i;",
    ],
    ids=["address", "conversion", "wide shift", "negative shift", "overflow"],
)
def test_undefined_behaviour_is_found(
    fault: str, compiler: HostCompiler, subject: Make, probe, tmp_path: Path
) -> None:
    linking(compiler, tmp_path)
    check = check_sanitizers(subject(probe.but("return expf(a) / b;", fault)), compiler, tmp_path)
    assert check.passed is False
    assert "error" in check.detail


@pytest.mark.parametrize("compiler", LINKING, ids=lambda c: c.family)
def test_a_conversion_of_nan_is_found_only_where_nan_may_come(
    compiler: HostCompiler, subject: Make, probe, tmp_path: Path
) -> None:
    linking(compiler, tmp_path)
    fault = probe.but("return expf", "if ((int)a > 5) { return 0.0f; }\n    return expf")
    check = check_sanitizers(subject(fault), compiler, tmp_path)
    assert check.passed is False
    assert "nan" in check.detail.lower()
    promised = replace(fault, answers_everywhere=False)
    assert check_sanitizers(subject(promised), compiler, tmp_path).passed


def test_an_overflow_at_the_ends_of_32_bits_is_found(
    compiler: HostCompiler, subject: Make, integers, tmp_path: Path
) -> None:
    linking(compiler, tmp_path)
    assert check_sanitizers(subject(integers), compiler, tmp_path).passed
    fault = integers.but("    if (a < -", "    if ((a - b) == 77) { return 7; }\n    if (a < -")
    check = check_sanitizers(subject(fault), compiler, tmp_path)
    assert check.passed is False
    assert "overflow" in check.detail


def test_c_that_differs_from_python_is_found_with_the_point(
    compiler: HostCompiler, subject: Make, probe, tmp_path: Path
) -> None:
    wrong = probe.but("return expf(a) / b;", "return expf(a) / b + (a > 1.9f ? 1e-4f : 0.0f);")
    check = run(subject(wrong), compiler, tmp_path)["host against Python"]
    assert check.passed is False
    assert check.figures["largest"] == pytest.approx(1e-4, rel=0.1)
    assert float(check.detail.split("(")[2].split(",")[0]) > 1.9


def test_a_zero_of_the_wrong_sign_counts_where_every_bit_is_promised(
    compiler: HostCompiler, subject: Make, exact, tmp_path: Path
) -> None:
    unsigned = exact.but("return a * b;", "return a * b + 0.0f;")
    assert run(subject(exact), compiler, tmp_path)["host against Python"].passed
    checks = run(subject(unsigned), compiler, tmp_path)
    # Only -0 * b is -0, to which 0 was added.
    corner = checks["host at edge inputs against Python"]
    assert corner.passed is False
    assert corner.figures["largest"] < 1e-300


def test_a_teacher_further_off_than_the_tolerance_is_found(
    compiler: HostCompiler, subject: Make, probe, tmp_path: Path
) -> None:
    checks = run(subject(replace(probe, tolerance=0.0099)), compiler, tmp_path)
    assert [name for name, check in checks.items() if check.passed is False] == [
        "host against the teacher"
    ]
    alone = run(subject(replace(probe, truth=None)), compiler, tmp_path)
    assert not [name for name in alone if "teacher" in name]


def test_nan_in_c_is_never_within_any_tolerance(
    compiler: HostCompiler, subject: Make, probe, tmp_path: Path
) -> None:
    wrong = probe.but("return expf", "if (a > 1.0f) { return NAN; }\n    return expf")
    checks = run(subject(replace(wrong, tolerance=1e9, allowed_rounding=1e9)), compiler, tmp_path)
    assert checks["host against Python"].figures["largest"] == np.inf
    assert checks["host against the teacher"].figures["largest"] == np.inf


def test_a_broken_policy_is_found_only_outside_the_domain(
    compiler: HostCompiler, subject: Make, probe, tmp_path: Path
) -> None:
    wrong = probe.but("if (a > 2.0f) { a = 2.0f; }", "")
    checks = run(subject(wrong), compiler, tmp_path)
    failed = [name for name, check in checks.items() if not check.passed]
    assert failed == ["host at edge inputs against Python"]
    promised = run(subject(replace(wrong, answers_everywhere=False)), compiler, tmp_path)
    assert all(check.passed for check in promised.values())


def test_c_that_hangs_is_killed_and_the_next_check_goes_on(
    compiler: HostCompiler, subject: Make, probe, tmp_path: Path
) -> None:
    # Only NaN gets in: the domain's points return.
    hang = probe.but("return expf", "while (a != a) { b += 1.0f; }\n    return expf", seconds=2.0)
    checks = run(subject(hang), compiler, tmp_path)
    edges = checks[f"edge inputs, {compiler.name}"]
    assert edges.passed is False
    assert "did not end within 2 s" in edges.detail
    assert checks["host against Python"].passed


def test_double_is_compared_in_double(
    compiler: HostCompiler, subject: Make, probe, tmp_path: Path
) -> None:
    def doubled(text: str) -> str:
        text = text.replace("float", "double").replace("expf", "exp")
        for number in ("2.0", "0.5", "4.0", "0.0", "0.49", "0.51"):
            text = text.replace(f"{number}f", number)
        return text

    double = replace(
        probe, source=doubled(probe.source), header=doubled(probe.header), number="double",
        allowed_rounding=1e-14,
    )  # fmt: skip
    made = subject(double)
    checks = run(made, compiler, tmp_path)
    assert all(check.passed for check in checks.values()), checks
    assert checks["host against Python"].figures["largest"] < 1e-14
    assert check_sanitizers(made, linking(compiler, tmp_path), tmp_path).passed
