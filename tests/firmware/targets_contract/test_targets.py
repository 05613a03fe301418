"""What every target promises, with each of its toolchains: the bits of Python, counts, limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from distill.arrays import Array
from distill.config.folder import options_of, read_option
from distill.errors import ToolchainError
from distill.firmware.cost import build_image
from distill.firmware.emulator import Emulator, emulator_for
from distill.firmware.harness import Signature, chip_loop, chip_selftest
from distill.firmware.image import Image
from distill.firmware.qemu import run_in_qemu
from distill.firmware.target import Target
from distill.firmware.toolchains import Toolchain, toolchain_for

Values = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Program:
    """C of a function `f` of two arguments, and the same in NumPy."""

    c: str
    python: Callable[[Values, Values], Values]
    number: str = "float32"
    ulps: float = 0.0


def _table(a: Values, b: Values) -> Values:
    table = (np.arange(64) * np.float32(0.37)).astype(np.float32)
    at = (a * np.float32(6)).astype(np.int64)
    return table[at] + (table[at + 1] - table[at]) * b


def _integers(a: Values, b: Values) -> Values:
    a, b = a.astype(np.int64), b.astype(np.int64)
    return (((a * b) >> 12) + a // 7 - (b & 255) * 3).astype(np.int32)


TABLE = ", ".join(f"{np.float32(i) * np.float32(0.37):.9e}f" for i in range(64))

PROGRAMS = {
    "arithmetic": Program(
        "float f(float a, float b) { return (a * b + a / b) - (a - 3.25f) * a; }",
        lambda a, b: (a * b + a / b) - (a - np.float32(3.25)) * a,
    ),
    "integers": Program(
        "int32_t f(int32_t a, int32_t b) {\n"
        "  return (int32_t)(((int64_t)a * b) >> 12) + a / 7 - (b & 255) * 3; }",
        _integers,
        "int32",
    ),
    "table": Program(
        f"static const float table[64] = {{{TABLE}}};\n"
        "float f(float a, float b) {\n"
        "  const int i = (int)(a * 6.0f);\n"
        "  return table[i] + (table[i + 1] - table[i]) * b; }",
        _table,
    ),
    "root": Program("float f(float a, float b) { return sqrtf(a) + b; }",
                    lambda a, b: np.sqrt(a) + b),
    # Every C library rounds as it likes; AVR's is the least exact.
    "libm": Program(
        "float f(float a, float b) {\n"
        "  return expf(a * 0.1f) + logf(a) + sinf(a) + atanf(b) + powf(a, 0.3f) + tanhf(b); }",
        lambda a, b: (
            np.exp(a.astype(float) * np.float32(0.1)) + np.log(a.astype(float))
            + np.sin(a.astype(float)) + np.arctan(b.astype(float))
            + np.power(a.astype(float), np.float32(0.3)) + np.tanh(b.astype(float))
        ),
        ulps=8.0,
    ),
}  # fmt: skip

COMBINATIONS = [
    (name, chain)
    for name in sorted(options_of("target"))
    for chain in ("wheels", "native")
    if read_option("target", name)[chain] is not None
]
IN_QEMU = [c for c in COMBINATIONS if read_option("target", c[0])["emulator"] != "avr"]


def named(combination: tuple[str, str]) -> str:
    return "-".join(combination)


class Chip:
    """A target with one of its toolchains, and the folder it builds in."""

    def __init__(self, target: Target, toolchain: Toolchain, folder: Path) -> None:
        self.target, self.toolchain, self.folder = target, toolchain, folder

    def image(self, c: str, signature: Signature, harness: str | None = None) -> Image:
        source = self.source(c)
        return build_image(
            [source], harness or chip_loop("f", signature), self.toolchain, self.folder
        )

    def source(self, c: str) -> Path:
        source = self.folder / "f.c"
        source.write_text(f"#include <math.h>\n#include <stdint.h>\n#include <string.h>\n{c}\n")
        return source

    def emulator(
        self, c: str, signature: Signature, seconds: float = 60, harness: str | None = None
    ) -> Emulator:
        return emulator_for(self.target, self.image(c, signature, harness), seconds)


@pytest.fixture(params=COMBINATIONS, ids=named)
def chip(
    request: pytest.FixtureRequest,
    shipped: Callable[..., Target],
    installed: Callable[[Callable[[], Toolchain]], Toolchain],
    tmp_path: Path,
) -> Chip:
    name, chain = request.param
    target = replace(shipped(name), toolchain=chain)
    installed(lambda: emulator_for(target, Image(0, (), (0, 0), 0, 0)))
    return Chip(target, installed(lambda: toolchain_for(target)), tmp_path)


def points(number: str, n: int = 40) -> Array:
    rng = np.random.default_rng(3)
    if number == "int32":
        return rng.integers(0, 100_000, (n, 2)).astype(float)
    x = np.column_stack([rng.uniform(0.1, 9.9, n), rng.uniform(0.1, 2, n)])
    return x.astype(np.float32).astype(float)


@pytest.mark.parametrize("key", PROGRAMS)
def test_results_are_pythons(chip: Chip, key: str) -> None:
    program = PROGRAMS[key]
    signature = Signature(2, program.number)  # type: ignore[arg-type]
    x = points(program.number)
    found = chip.emulator(program.c, signature).run(x, signature)
    a, b = x.astype(signature.dtype).T
    expected = program.python(a, b)
    apart = np.abs(found.astype(float) - expected.astype(float))
    assert (apart <= program.ulps * np.spacing(np.abs(expected).astype(np.float32))).all()


def test_counts_are_positive_and_the_same_again(chip: Chip) -> None:
    signature = Signature(2)
    x = points("float32", 6)
    image = chip.image(PROGRAMS["arithmetic"].c, signature)
    first = emulator_for(chip.target, image).count(x, signature)
    again = emulator_for(chip.target, image).count(x, signature)
    assert first.calls.shape == (6,)
    assert np.array_equal(first.calls, again.calls)
    assert first.stack_bytes == again.stack_bytes
    if chip.target.fpu:
        assert 3 < first.calls.mean() < 20
    else:
        assert 100 < first.calls.mean() < 2000


def test_a_straight_line_of_code_is_counted_line_by_line(chip: Chip) -> None:
    def calls(steps: int) -> float:
        body = "\n".join('__asm__ volatile("nop");' for _ in range(steps))
        c = f"int32_t f(int32_t a, int32_t b) {{ {body} return a; }}"
        signature = Signature(2, "int32")
        counts = chip.emulator(c, signature).count(points("int32", 3), signature)
        assert len(set(counts.calls.tolist())) == 1
        return float(counts.calls[0])

    assert calls(900) - calls(600) == 300


def test_sizes_hold_what_the_function_needs(chip: Chip) -> None:
    signature = Signature(2)
    small = chip.image("float f(float a, float b) { return b; }", signature)
    table = chip.image(PROGRAMS["table"].c, signature)
    libm = chip.image(PROGRAMS["libm"].c, signature)
    state = chip.image(
        "static float last[25]; float f(float a, float b) {\n"
        " const float then = last[(int)a]; last[(int)a] = b; return then; }",
        signature,
    )
    assert 2 <= small.flash_bytes <= 32
    assert small.ram_bytes == 0
    assert table.flash_bytes >= small.flash_bytes + 256
    assert small.flash_bytes < 500 < libm.flash_bytes < 40_000
    assert 100 <= state.ram_bytes <= 104


def test_the_stack_of_a_frame_is_measured(chip: Chip) -> None:
    c = (
        "float f(float a, float b) { volatile unsigned char room[256]; int i;\n"
        " for (i = 0; i < 256; i++) room[i] = (unsigned char)i;\n"
        " return a + (float)room[(int)b]; }"
    )
    counts = chip.emulator(c, Signature(2)).count(points("float32", 2), Signature(2))
    assert 256 <= counts.stack_bytes <= 256 + 128


def test_an_endless_loop_is_ended(chip: Chip) -> None:
    c = "float f(float a, float b) { volatile int go = 1; while (go) {} return a + b; }"
    emulator = chip.emulator(c, Signature(2), seconds=0.3)
    with pytest.raises(ToolchainError, match="did not return within"):
        emulator.run(points("float32", 2), Signature(2))


def test_too_deep_a_stack_is_a_fault(chip: Chip) -> None:
    room = 3000 if chip.target.emulator == "avr" else 400_000
    c = (
        f"float f(float a, float b) {{ volatile char deep[{room}]; deep[(int)a] = 1;\n"
        " return b + (float)deep[1]; }"
    )
    emulator = chip.emulator(c, Signature(2), seconds=10)
    with pytest.raises(ToolchainError, match="faults on the emulated"):
        emulator.run(points("float32", 2), Signature(2))


def test_a_self_test_answers_its_number_of_failures(chip: Chip) -> None:
    c = "int checks(void); int checks(void) { return 7; }"
    emulator = chip.emulator(c, Signature(1), harness=chip_selftest("checks"))
    assert emulator.selftest() == 7


@pytest.mark.parametrize("chip", IN_QEMU, ids=named, indirect=True)
def test_qemu_gives_the_same_bits(
    chip: Chip, installed: Callable[[Callable[[], Values]], Values]
) -> None:
    signature, x = Signature(2), points("float32")
    here = chip.emulator(PROGRAMS["libm"].c, signature).run(x, signature)
    source = chip.source(PROGRAMS["libm"].c)
    there = installed(lambda: run_in_qemu([source], "f", x, signature, chip.target, chip.toolchain))
    assert here.tobytes() == there.tobytes()
