from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from distill.arrays import Array
from distill.config import conf_directory
from distill.errors import ToolchainError
from distill.firmware.cost import build_image
from distill.firmware.emulator import Emulator
from distill.firmware.harness import Signature, chip_loop, chip_selftest
from distill.firmware.image import Image, read_image
from distill.firmware.target import Target, load_target
from distill.firmware.toolchains import toolchain_for

Build = Callable[..., Image]

DEW = """#include <math.h>
float f(float t, float h) {
    const float g = logf(h * 0.01f) + 17.625f * t / (243.04f + t);
    return 243.04f * g / (17.625f - g);
}
"""


@cache
def shipped(name: str) -> Target:
    content = OmegaConf.to_container(OmegaConf.load(conf_directory() / "target" / f"{name}.yaml"))
    assert isinstance(content, dict)
    return load_target({str(key): value for key, value in content.items()})


def freestanding(name: str) -> Target:
    """A target without a C library; its own runtime has the basic arithmetic."""
    triple, cpu = {
        "arm-m0plus": ("thumb-freestanding-eabi", "cortex_m0plus"),
        "riscv32": ("riscv32-freestanding-none", "generic_rv32+m+c"),
    }[name]
    return replace(
        shipped("pic32"), name=name.replace("-", "_"), triple=triple, cpu=cpu, flags=(),
        emulator=name,
    )  # fmt: skip


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def make(source: str, target: Target, harness: str | None = None, inputs: int = 2) -> Image:
        file = tmp_path / "function.c"
        file.write_text(source)
        loop = harness or chip_loop("f", Signature(inputs))
        return build_image([file], loop, toolchain_for(target), tmp_path)

    return make


@pytest.fixture
def points() -> Array:
    rng = np.random.default_rng(0)
    return np.column_stack([rng.uniform(10, 50, 300), rng.uniform(5, 99, 300)])


@pytest.mark.parametrize("name", ["pic32", "host"])
def test_results_agree_with_float64(name: str, build: Build, points: Array) -> None:
    target = shipped(name)
    results = Emulator(build(DEW, target), target.emulator).run(points, Signature(2))
    t, h = points.astype(np.float32).astype(float).T
    g = np.log(h / 100) + 17.625 * t / (243.04 + t)
    assert results.dtype == np.float32
    assert np.abs(results - 243.04 * g / (17.625 - g)).max() < 3e-5


@pytest.mark.parametrize("name", ["arm-m0plus", "riscv32"])
def test_the_other_processors_run_and_count_too(name: str, build: Build, points: Array) -> None:
    target = freestanding(name)
    emulator = Emulator(build("float f(float a, float b) { return a * b + a / b; }", target), name)
    a, b = points.astype(np.float32).T
    assert np.array_equal(emulator.run(points, Signature(2)), a * b + a / b)
    counts = emulator.count(points[:4], Signature(2))
    assert len(counts.instructions) == 4
    assert 100 < counts.instructions.mean() < 2000


def test_soft_float_arithmetic_has_ieee_bits(build: Build) -> None:
    target = shipped("pic32")
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2**32, (2000, 2), dtype=np.uint32)
    with np.errstate(invalid="ignore"):  # signalling NaNs among them
        x = bits.view(np.float32).astype(float)
    source = "float f(float a, float b) { return (a + b) * a - b; }"
    results = Emulator(build(source, target), "mipsel").run(x, Signature(2))
    a, b = x.astype(np.float32).T
    with np.errstate(all="ignore"):
        expected = (a + b) * a - b
    assert np.array_equal(results, expected, equal_nan=True)


def test_double_goes_through_memory_whole(build: Build, points: Array) -> None:
    target = shipped("pic32")
    signature = Signature(2, "double")
    image = build(
        "double f(double a, double b) { return a / b; }", target, chip_loop("f", signature)
    )
    results = Emulator(image, "mipsel").run(points, signature)
    assert results.dtype == np.float64
    assert np.array_equal(results, points[:, 0] / points[:, 1])


def test_instructions_of_a_known_function_are_exact(build: Build, points: Array) -> None:
    # Three instructions by hand, and nothing of the harness.
    source = """float f(float a, float b);
    __asm__(".text\\n.globl f\\n.type f, @function\\n.set noreorder\\n"
            "f:\\n nop\\n jr $ra\\n move $2, $4\\n");
    """
    image = build(source, shipped("pic32"))
    emulator = Emulator(image, "mipsel")
    counts = emulator.count(points[:5], Signature(2))
    assert counts.instructions.tolist() == [3.0] * 5
    assert counts.stack_bytes == 0
    assert np.array_equal(emulator.run(points[:5], Signature(2)), points[:5, 0].astype(np.float32))


def test_a_loop_is_counted_by_its_passes(build: Build) -> None:
    source = """float f(float a) {
        int n = (int)a;
        for (volatile int i = 0; i < n; i++) {}
        return a;
    }"""
    emulator = Emulator(build(source, shipped("pic32"), inputs=1), "mipsel")
    counts = emulator.count(np.array([[10.0], [20.0], [30.0]]), Signature(1)).instructions
    # Converting the number takes a few instructions more or fewer by its exponent.
    assert 20 < counts[1] - counts[0] < 200
    assert abs((counts[2] - counts[1]) - (counts[1] - counts[0])) < 20


def test_counting_blocks_equals_counting_every_instruction(
    build: Build, points: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = build(DEW, shipped("pic32"))
    blocks = Emulator(image, "mipsel")
    single = Emulator(image, "mipsel")
    monkeypatch.setattr(single, "_row", replace(single._row, width=0))
    x = points[:20]
    expected = single.count(x, Signature(2))
    assert np.array_equal(blocks.count(x, Signature(2)).instructions, expected.instructions)
    assert expected.instructions.min() > 1000


def test_the_stack_of_a_known_frame_is_measured(build: Build) -> None:
    source = """float f(float a) {
        volatile unsigned char room[512];
        for (int i = 0; i < 512; i++) room[i] = 1;
        return a + (float)room[3];
    }"""
    emulator = Emulator(build(source, shipped("pic32"), inputs=1), "mipsel")
    assert 512 <= emulator.count(np.array([[1.0]]), Signature(1)).stack_bytes <= 512 + 128


def test_flash_and_ram_hold_the_functions_data_and_not_the_harness(build: Build) -> None:
    target = shipped("pic32")
    bare = build("float f(float a) { return a; }", target, inputs=1)
    assert bare.flash_bytes == 8  # jr $ra; move $2, $4
    assert bare.ram_bytes == 0
    table = build(
        "static const float t[100] = {1.0f, 2.0f};\nfloat f(float a) { return t[(int)a]; }",
        target,
        inputs=1,
    )
    assert table.flash_bytes > bare.flash_bytes + 400
    state = build(
        "float last[25];\nfloat f(float a) { last[(int)a] = a; return last[0]; }", target, inputs=1
    )
    assert state.ram_bytes == 100
    unused = build(
        "float g(float a) { return a * a * a; }\nfloat f(float a) { return a; }", target, inputs=1
    )
    assert unused.flash_bytes == bare.flash_bytes


def test_an_endless_loop_ends_with_an_error(build: Build) -> None:
    source = "float f(float a) { volatile int go = 1; while (go) {} return a; }"
    emulator = Emulator(build(source, shipped("pic32"), inputs=1), "mipsel", seconds=0.3)
    with pytest.raises(ToolchainError, match="did not return within"):
        emulator.run(np.array([[1.0]]), Signature(1))


@pytest.mark.parametrize(
    "body",
    [
        "return *(volatile float *)0x90000 + a;",
        "volatile char deep[400000]; deep[(int)a] = 1; return a + (float)deep[1];",
        "__builtin_trap(); return a;",
    ],
    ids=["bad address", "stack overflow", "trap"],
)
def test_a_fault_is_an_error(body: str, build: Build) -> None:
    emulator = Emulator(
        build(f"float f(float a) {{ {body} }}", shipped("pic32"), inputs=1), "mipsel", seconds=5
    )
    with pytest.raises(ToolchainError, match="faults on the emulated mipsel"):
        emulator.run(np.array([[1.0]]), Signature(1))


def test_a_self_test_answers_its_number_of_failures(build: Build) -> None:
    target = shipped("pic32")
    image = build("int checks(void) { return 7; }", target, chip_selftest("checks"))
    assert Emulator(image, "mipsel").selftest() == 7


def test_a_file_that_is_no_program_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "noise.elf"
    file.write_bytes(b"not an ELF at all")
    with pytest.raises(ToolchainError, match="not a linked program"):
        read_image(file)
