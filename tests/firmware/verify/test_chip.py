"""Checks on the emulated chip, with both toolchains: every fault is found, the others go on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from distill.firmware import verify_chip
from distill.firmware.cost import Cost
from distill.firmware.evidence import Check
from distill.firmware.subject import Subject
from distill.firmware.target import Target
from distill.firmware.toolchains import Toolchain, toolchain_for
from distill.firmware.verify_chip import Points, chip_checks

Make = Callable[..., Subject]
Targets = Callable[[str], Target]


def on_chip(subject: Subject, target: Target, folder: Path) -> tuple[dict[str, Check], Cost | None]:
    """The chip's checks by name, and the cost."""
    work = folder / "work"
    work.mkdir(exist_ok=True)
    points = Points(subject.points(100, seed=7), subject.edges(64, seed=1))
    checks, cost = chip_checks(subject, target, points, None, work, lambda what: None)
    named = {check.name: check for check in checks}
    assert len(named) == len(checks)
    return named, cost


def failed(checks: dict[str, Check]) -> list[str]:
    """The names of those that failed."""
    return [name for name, check in checks.items() if check.passed is False]


def native(target: Target) -> bool:
    """Whether its cross-GCC is here."""
    return target.native is not None and shutil.which(target.native.compiler) is not None


@pytest.fixture
def wheels(target: Targets) -> Target:
    """A chip for which only zig is asked."""
    return replace(target("pic32"), native=None)


@pytest.mark.parametrize(
    "name", ["host", "cortex_m0plus", "cortex_m4", "cortex_m4f", "pic32", "riscv32", "avr"]
)
def test_integers_have_the_same_bits_on_every_chip(
    name: str, subject: Make, integers, target: Targets, tmp_path: Path
) -> None:
    chip = target(name)
    if chip.wheels is None and not native(chip):
        pytest.skip(f"no toolchain for {name} on this machine")
    checks, cost = on_chip(subject(integers), chip, tmp_path)
    assert not failed(checks), {name: checks[name].detail for name in failed(checks)}
    assert cost is not None
    assert cost.unit == chip.unit
    printed = [check.detail for key, check in checks.items() if "test program" in key]
    assert printed
    assert all(text.startswith("0 failed; ") for text in printed)
    if chip.wheels is not None and native(chip):
        agree = checks[f"{name}: wheels and native agree"]
        assert agree.figures["same"] == agree.figures["points"] > 100
        assert checks[f"{name} self-test, native"].detail.endswith(
            toolchain_for(replace(chip, toolchain="native")).compiler
        )


def test_the_named_toolchain_counts_for_limits_and_cost(
    subject: Make, exact, target: Targets, tmp_path: Path
) -> None:
    chip = target("pic32")
    if not native(chip):
        pytest.skip("no mipsel-linux-gnu-gcc on this machine")
    checks, cost = on_chip(subject(exact), replace(chip, toolchain="native"), tmp_path)
    assert not failed(checks)
    assert cost is not None
    assert cost.compiler.startswith("mipsel-linux-gnu-gcc")
    assert next(iter(checks)).endswith("native")
    assert {"pic32 limits, native", "pic32 figures, wheels"} <= set(checks)


def test_one_bit_between_toolchains_is_a_disagreement(
    subject: Make,
    exact,
    target: Targets,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two builds by the same compiler, the second of other C: no second toolchain is needed."""
    made = subject(exact)
    other = tmp_path / "other.c"
    one_bit = "float y = a * b; if (a == 2.0f) { y *= 1.0000001f; } return y;"
    other.write_text(exact.source.replace("return a * b;", one_bit))

    class Tampered:
        def __init__(self, honest: Toolchain) -> None:
            self.honest = honest
            self.compiler = "tampered"

        def prepare(self, announce: object = None) -> None:
            self.honest.prepare()

        def build(self, sources: Sequence[Path], program: Path, *, entry: str) -> None:
            swapped = [other if source.name == "probe.c" else source for source in sources]
            (program.parent / "probe.h").write_text(exact.header)
            other.with_name("probe.h").write_text(exact.header)
            self.honest.build(swapped, program, entry=entry)

    def build_for(chip: Target) -> Toolchain:
        honest = toolchain_for(replace(chip, toolchain="wheels"))
        return honest if chip.toolchain == "wheels" else Tampered(honest)

    monkeypatch.setattr(verify_chip, "toolchain_for", build_for)
    checks, _ = on_chip(made, target("pic32"), tmp_path)
    agree = checks["pic32: wheels and native agree"]
    assert agree.passed is False
    assert agree.figures["largest_ulp"] == 1
    assert 0 < agree.figures["points"] - agree.figures["same"] < 50
    assert {name.split(", ")[-1] for name in failed(checks) if name != agree.name} == {"native"}


def test_c_that_differs_on_the_chip_alone_is_found(
    subject: Make, exact, wheels: Target, tmp_path: Path
) -> None:
    wrong = exact.but(
        "return a * b;", "#ifdef __mips__\n    b += 1e-6f;\n#endif\n    return a * b;"
    )
    checks, _ = on_chip(subject(wrong), wheels, tmp_path)
    assert "pic32 against Python, wheels" in failed(checks)
    assert checks["pic32 self-test, wheels"].passed


def test_a_hang_is_killed_and_reported_and_the_run_goes_on(
    subject: Make, exact, wheels: Target, tmp_path: Path
) -> None:
    hang = exact.but(
        "return a * b;", "while (a > 1.5f) { b += 1.0f; }\n    return a * b;", seconds=1.0
    )
    checks, cost = on_chip(subject(hang), wheels, tmp_path)
    assert failed(checks) == ["pic32 results, wheels"]
    assert "did not return within 1 s" in checks["pic32 results, wheels"].detail
    assert checks["pic32 self-test, wheels"].passed
    assert cost is None


def test_a_fault_of_the_chip_is_reported_and_the_run_goes_on(
    subject: Make, exact, wheels: Target, tmp_path: Path
) -> None:
    fault = exact.but("return a * b;", "return a > 1.5f ? *(volatile float *)64 : a * b;")
    checks, _ = on_chip(subject(fault), wheels, tmp_path)
    assert "faults" in checks["pic32 results, wheels"].detail
    assert checks["pic32 self-test, wheels"].passed


def test_a_failing_self_test_is_seen_on_the_chip(
    subject: Make, exact, wheels: Target, tmp_path: Path
) -> None:
    wrong = replace(exact, selftest=exact.selftest.replace("0.49f", "0.6f"))
    checks, _ = on_chip(subject(wrong), wheels, tmp_path)
    assert failed(checks) == ["pic32 self-test, wheels", "pic32 test program, wheels"]
    assert checks["pic32 self-test, wheels"].figures["failed"] == 1
    assert checks["pic32 test program, wheels"].detail.startswith("1 failed; ")


@pytest.mark.parametrize(
    ("key", "word", "source"),
    [
        ("flash_bytes", "flash", "return a * b;"),
        (
            "stack_bytes", "stack",
            "volatile float kept[200]; kept[(int)b] = a; return kept[(int)b] * b;",
        ),
        ("ram_bytes", "RAM", "static volatile float kept[9]; kept[0] = a; return kept[0] * b;"),
    ],
)  # fmt: skip
def test_a_function_that_does_not_fit_is_refused_with_the_figure(
    key: str, word: str, source: str, subject: Make, exact, wheels: Target, tmp_path: Path
) -> None:
    small = replace(wheels, **{key: 30})
    checks, _ = on_chip(subject(exact.but("return a * b;", source)), small, tmp_path)
    limits = checks["pic32 limits, wheels"]
    assert failed(checks) == [limits.name]
    assert limits.detail.startswith(f"too much {word}: ")
    assert f"{limits.figures[key]:,.0f} of 30 B" in limits.detail


def test_the_chips_bits_are_its_own_where_a_library_computes(
    subject: Make, probe, target: Targets, tmp_path: Path
) -> None:
    checks, _ = on_chip(subject(probe), target("pic32"), tmp_path)
    assert not failed(checks)
    assert 0 < checks["pic32 against Python, wheels"].figures["largest"] < 5e-6
