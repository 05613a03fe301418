"""What the emulators of single chips do beyond the contract that all targets share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distill.arrays import Array
from distill.errors import ToolchainError
from distill.firmware import simavr
from distill.firmware.cost import build_image
from distill.firmware.emulator import Emulator, emulator_for
from distill.firmware.harness import Signature, chip_loop
from distill.firmware.image import Image, read_image
from distill.firmware.target import Target
from distill.firmware.toolchains import ToolMissing, toolchain_for
from distill.firmware.toolchains.cache import cache_folder
from distill.firmware.unicorn_emulator import UnicornEmulator

Build = Callable[..., Image]

DEW = """#include <math.h>
float f(float t, float h) {
    const float g = logf(h * 0.01f) + 17.625f * t / (243.04f + t);
    return 243.04f * g / (17.625f - g);
}
"""


@pytest.fixture
def build(tmp_path: Path, installed: Callable[[Callable[[], Image]], Image]) -> Build:
    def make(source: str, target: Target, signature: Signature | None = None) -> Image:
        file = tmp_path / "function.c"
        file.write_text(source)
        loop = chip_loop("f", signature or Signature(2))
        return installed(lambda: build_image([file], loop, toolchain_for(target), tmp_path))

    return make


@pytest.fixture
def points() -> Array:
    rng = np.random.default_rng(0)
    return np.column_stack([rng.uniform(10, 50, 300), rng.uniform(5, 99, 300)])


@pytest.mark.parametrize("name", ["pic32", "cortex_m0plus", "cortex_m4f", "riscv32"])
def test_float_arithmetic_has_ieee_bits(
    name: str, build: Build, shipped: Callable[..., Target]
) -> None:
    target = shipped(name)
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2**32, (2000, 2), dtype=np.uint32)
    with np.errstate(invalid="ignore"):  # signalling NaNs among them
        x = bits.view(np.float32).astype(float)
    source = "float f(float a, float b) { return (a + b) * a - b; }"
    results = emulator_for(target, build(source, target)).run(x, Signature(2))
    a, b = x.astype(np.float32).T
    with np.errstate(all="ignore"):
        expected = (a + b) * a - b
    assert np.array_equal(results, expected, equal_nan=True)


@pytest.mark.parametrize("name", ["pic32", "cortex_m4f", "riscv32", "host"])
def test_double_goes_through_memory_whole(
    name: str, build: Build, points: Array, shipped: Callable[..., Target]
) -> None:
    target, signature = shipped(name), Signature(2, "double")
    image = build("double f(double a, double b) { return a / b; }", target, signature)
    results = emulator_for(target, image).run(points, signature)
    assert results.dtype == np.float64
    assert np.array_equal(results, points[:, 0] / points[:, 1])


def test_instructions_of_a_known_function_are_exact(
    build: Build, points: Array, shipped: Callable[..., Target]
) -> None:
    # Three instructions by hand, and nothing of the harness.
    source = """float f(float a, float b);
    __asm__(".text\\n.globl f\\n.type f, @function\\n.set noreorder\\n"
            "f:\\n nop\\n jr $ra\\n move $2, $4\\n");
    """
    emulator = emulator_for(shipped("pic32"), build(source, shipped("pic32")))
    counts = emulator.count(points[:5], Signature(2))
    assert counts.calls.tolist() == [3.0] * 5
    assert counts.stack_bytes == 0
    assert np.array_equal(emulator.run(points[:5], Signature(2)), points[:5, 0].astype(np.float32))


@pytest.mark.parametrize("name", ["pic32", "cortex_m0plus", "cortex_m4", "cortex_m4f", "riscv32"])
def test_counting_blocks_equals_counting_every_instruction(
    name: str,
    build: Build,
    points: Array,
    shipped: Callable[..., Target],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = shipped(name)
    image = build(DEW, target)
    single = UnicornEmulator(image, target.emulator)
    monkeypatch.setattr(single, "_row", replace(single._row, length=None))
    x = points[:10]
    expected = single.count(x, Signature(2)).calls
    found = emulator_for(target, image).count(x, Signature(2)).calls
    assert expected.min() > 50
    # An M4 has instructions under a condition; where it is false they take their time all the same,
    # but Unicorn's hook for single instructions leaves them out.
    if name.startswith("cortex_m4"):
        assert ((expected <= found) & (found <= 1.1 * expected)).all()
    else:
        assert np.array_equal(found, expected)


def test_long_code_without_a_jump_runs(build: Build, shipped: Callable[..., Target]) -> None:
    # As one piece it is more than Unicorn's translation of MIPS holds, and a crash of Python.
    steps = "\n".join(
        f"const int32_t t{i + 1} = (int32_t)(((int64_t)t{i} * b + {7 * i + 1}) >> 9);"
        for i in range(120)
    )
    source = f"#include <stdint.h>\nint32_t f(int32_t a, int32_t b) {{ int32_t t0 = a; {steps}\n"
    target, signature = shipped("pic32"), Signature(2, "int32")
    image = build(source + "return t120; }", target, signature)
    x = np.array([[1_000_000.0, 509.0], [-77.0, 513.0]])
    results = emulator_for(target, image).run(x, signature)
    for row, found in zip(x.astype(int).tolist(), results, strict=True):
        t, b = row
        for i in range(120):
            t = (t * b + 7 * i + 1) >> 9
        assert found == t


# One number at an odd address; the pointer hides that from the compiler.
MISPLACED = """#include <stdint.h>
static unsigned char bytes[16] __attribute__((aligned(8))) = {1, 2, 3, 4, 5, 6, 7, 8};
float f(float a, float b) {
    volatile uint32_t *volatile at = (volatile uint32_t *)(uintptr_t)(bytes + 1);
    return (float)*at + a;
}
"""


def test_an_m0_faults_on_a_misplaced_number_and_an_m4_does_not(
    build: Build, points: Array, shipped: Callable[..., Target]
) -> None:
    small, large = shipped("cortex_m0plus"), shipped("cortex_m4")
    with pytest.raises(ToolchainError, match="faults on the emulated arm-m0plus"):
        emulator_for(small, build(MISPLACED, small)).run(points[:1], Signature(2))
    results = emulator_for(large, build(MISPLACED, large)).run(points[:1], Signature(2))
    assert results[0] == np.float32(0x05040302) + np.float32(points[0, 0])


def test_an_m0_has_no_divide(build: Build, points: Array, shipped: Callable[..., Target]) -> None:
    # sdiv r0, r0, r1, which the assembler would refuse by its name.
    source = 'float f(float a, float b) { __asm__ volatile(".inst.w 0xfb90f0f1"); return a; }'
    target = shipped("cortex_m0plus")
    with pytest.raises(ToolchainError, match="faults on the emulated arm-m0plus"):
        emulator_for(target, build(source, target)).run(points[:1], Signature(2))


@pytest.mark.parametrize(
    "body",
    ["return *(volatile float *)0x90000 + a;", "__builtin_trap(); return a;"],
    ids=["bad address", "trap"],
)
def test_a_fault_is_an_error(body: str, build: Build, shipped: Callable[..., Target]) -> None:
    target = shipped("pic32")
    image = build(f"float f(float a, float b) {{ (void)b; {body} }}", target)
    with pytest.raises(ToolchainError, match="faults on the emulated mipsel"):
        emulator_for(target, image, seconds=5).run(np.ones((1, 2)), Signature(2))


def test_unused_functions_are_not_in_the_image(
    build: Build, shipped: Callable[..., Target]
) -> None:
    target = shipped("pic32")
    bare = build("float f(float a, float b) { return a; }", target)
    assert bare.flash_bytes == 8  # jr $ra; move $2, $4
    source = "float g(float a) { return a * a; }\nfloat f(float a, float b) { return a; }"
    assert build(source, target).flash_bytes == bare.flash_bytes


def test_a_file_that_is_no_program_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "noise.elf"
    file.write_bytes(b"not an ELF at all")
    with pytest.raises(ToolchainError, match="not a linked program"):
        read_image(file)


# AVR ---------------------------------------------------------------------------------------------


@pytest.fixture
def avr(
    build: Build, shipped: Callable[..., Target], installed: Callable[..., Emulator]
) -> Callable[..., Emulator]:
    def make(source: str, signature: Signature | None = None) -> Emulator:
        image = build(source, shipped("avr"), signature)
        return installed(lambda: emulator_for(shipped("avr"), image))

    return make


def test_cycles_of_a_known_avr_function_are_exact(avr: Callable[..., Emulator]) -> None:
    # ldi 1, mul 2, two nops, clr 1, ret 4: by the data sheet of the ATmega328P.
    source = """float f(float a, float b);
    __asm__(".text\\n.globl f\\n.type f, @function\\n"
            "f:\\n ldi r18, 3\\n mul r18, r18\\n nop\\n nop\\n clr r1\\n ret\\n");
    """
    counts = avr(source).count(np.ones((3, 2)), Signature(2))
    assert counts.calls.tolist() == [10.0] * 3
    assert counts.stack_bytes == 0


def test_variables_of_an_avr_program_begin_with_their_values(avr: Callable[..., Emulator]) -> None:
    source = "static float first = 2.5f; float f(float a, float b) { return first++ + a; }"
    assert avr(source).run(np.zeros((3, 2)), Signature(2)).tolist() == [2.5, 3.5, 4.5]


def test_avr_has_no_double(avr: Callable[..., Emulator]) -> None:
    signature = Signature(2, "double")
    emulator = avr("double f(double a, double b) { return a + b; }", signature)
    with pytest.raises(ToolchainError, match="no more than a float"):
        emulator.run(np.ones((1, 2)), signature)


def test_more_variables_than_ram_is_a_fault(avr: Callable[..., Emulator]) -> None:
    source = "static float t[600]; float f(float a, float b) { t[(int)a] = b; return t[(int)b]; }"
    emulator = avr(source)
    with pytest.raises(ToolchainError, match="static variables fill the RAM"):
        emulator.run(np.ones((1, 2)), Signature(2))


def test_without_libsimavr_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    cache_folder.cache_clear()
    try:
        with pytest.raises(ToolMissing) as caught:
            simavr.runner_program()
    finally:
        cache_folder.cache_clear()
    assert "apt install simavr libsimavr-dev" in caught.value.hint
