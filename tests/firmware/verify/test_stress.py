"""The program that feeds the sanitizers: the inputs it makes, on which compilers agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distill.firmware.stress import run_stressed, stress_program
from distill.firmware.subject import Subject
from distill.firmware.toolchains import HostCompiler, host_compilers

Make = Callable[..., Subject]

COMPILERS = [compiler for compiler in host_compilers() if compiler.family != "zig"]

FAST, MANY = 200_000, 10_000_000


def checksums(subject: Subject, folder: Path, inputs: int) -> set[str]:
    """The checksum of every compiler's run, each of which no sanitizer objects to."""
    found = set()
    for compiler in COMPILERS:
        if why := compiler.sanitizers_work(folder):
            pytest.skip(f"{compiler.name} has no sanitizers here: {why}")
        ran = run_stressed(subject, compiler, folder, inputs)
        assert ran.calls == inputs
        found.add(ran.checksum)
    return found


@pytest.mark.parametrize(
    "inputs", [FAST, pytest.param(MANY, marks=pytest.mark.slow)], ids=["fast", "many"]
)
@pytest.mark.parametrize("kind", ["exact", "integers"])
def test_compilers_agree_in_every_bit_under_sanitizers(
    kind: str, inputs: int, subject: Make, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if not COMPILERS:
        pytest.skip("neither gcc nor clang on this machine")
    probe = replace(request.getfixturevalue(kind), seconds=600.0)
    assert len(checksums(subject(probe), tmp_path, inputs)) == 1


def test_one_different_bit_changes_the_checksum(
    compiler: HostCompiler, subject: Make, exact, tmp_path: Path
) -> None:
    wrong = exact.but("return a * b;", "return a == 2.0f ? a * b * 1.0000001f : a * b;")
    honest = run_stressed(subject(exact), compiler, tmp_path, FAST)
    other = run_stressed(subject(wrong), compiler, tmp_path, FAST)
    assert honest.checksum != other.checksum
    assert honest.not_numbers == other.not_numbers > 0


@pytest.mark.parametrize("number", ["float32", "integers"])
def test_inputs_that_must_not_be_given_are_not(
    number: str, compiler: HostCompiler, subject: Make, exact, integers, tmp_path: Path
) -> None:
    """A function that traps on anything outside its domain is never made to."""
    if number == "integers":
        probe, low, high = integers, "-536870912", "536870912"
    else:
        probe, low, high = exact, "-2.0f", "2.0f"
    start = f"    if (a < {low}"
    trap = f"    if (!((a >= {low}) && (a <= {high}))) {{ *(volatile int *)0 = 1; }}\n"
    trapping = probe.but(start, trap + start)
    kept = run_stressed(
        subject(replace(trapping, answers_everywhere=False)), compiler, tmp_path, FAST
    )
    assert kept.calls == FAST
    assert kept.not_numbers == 0
    with pytest.raises(Exception, match="the C ended with status"):
        run_stressed(subject(trapping), compiler, tmp_path, FAST)


def test_every_special_value_is_among_the_inputs(subject: Make, probe, integers) -> None:
    """By their bits: NaN, infinities, -0, subnormals, ends, one unit outside the bounds."""
    program = stress_program(subject(probe))
    specials = [
        np.nan, np.inf, -np.inf, 0.0, -0.0, np.finfo(np.float32).smallest_subnormal,
        np.finfo(np.float32).max, -np.finfo(np.float32).max, 2, -2, 0.5, 4,
        np.nextafter(np.float32(2), np.float32(3)), np.nextafter(np.float32(2), np.float32(1)),
        np.nextafter(np.float32(0.5), np.float32(0)), np.nextafter(np.float32(4), np.float32(5)),
    ]  # fmt: skip
    for value in specials:
        assert f"{int(np.float32(value).view(np.uint32)):#x}u" in program, value
    program = stress_program(subject(integers))
    for whole in (-(2**31), 2**31 - 1, 0, -1, 2**29 + 1, -(2**29) - 1, 2**26, 2**26 - 1):
        assert f"{whole & 0xFFFFFFFF:#x}u" in program, whole
