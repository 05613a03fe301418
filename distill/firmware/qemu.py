"""A second opinion on the emulator: the same program in QEMU's user mode, results to the bit.

The program is linked with the harness of :mod:`distill.firmware.harness`, as for Unicorn, and with
a start that calls it for points held in the program itself and prints the bits of the results. It
asks Linux, that is QEMU, for two things: to write, and to end.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.arrays import Array
from distill.errors import ToolchainError
from distill.firmware.emulator import SECONDS
from distill.firmware.harness import ENTRY, Results, Signature, chip_loop
from distill.firmware.target import Processor, Target
from distill.firmware.toolchains import Toolchain, ToolMissing, run_tool

PACKAGES = ("qemu-user",)
"""The Debian package of all the programs used here."""

START = "distill_start"


@dataclass(frozen=True, slots=True)
class _Row:
    """A processor in QEMU: the program, its CPU, and how code asks Linux to write and to end.

    ``start`` is the assembler of the entry; ``system`` that of
    ``distill_system(number, first, second, third)``.
    """

    program: str
    cpu: str
    write: int
    end: int
    start: str
    system: str


# QEMU 7.2 does not start an M-class core in user mode. An A7 knows all of their instructions, so
# the results are the same; that an M0 lacks some of them, Unicorn shows.
_CORTEX = _Row(
        "qemu-arm", "cortex-a7", 4, 1,
        ".syntax unified; .thumb; .thumb_func; distill_start: bl distill_main",
        ".thumb_func; distill_system: push {r7, lr}; mov r7, r0; mov r0, r1; mov r1, r2; "
        "mov r2, r3; svc 0; pop {r7, pc}",
    )  # fmt: skip


_ROWS: dict[Processor, _Row] = {
    "arm-m0plus": _CORTEX,
    "arm-m4": _CORTEX,
    "arm-m4f": _CORTEX,
    "mipsel": _Row(
        "qemu-mipsel", "4KEc", 4004, 4001,
        ".set noreorder; distill_start: jal distill_main; nop",
        "distill_system: move $2, $4; move $4, $5; move $5, $6; move $6, $7; syscall; "
        "jr $ra; nop; .set reorder",
    ),
    # The C library finds its errno, and its small data, by registers that the start sets.
    "riscv32": _Row(
        "qemu-riscv32", "rv32", 64, 93,
        "distill_start: .option push; .option norelax; la gp, __global_pointer$; .option pop; "
        "la tp, distill_thread; call distill_main",
        "distill_system: mv a7, a0; mv a0, a1; mv a1, a2; mv a2, a3; ecall; ret",
    ),
    "x86_64": _Row(
        "qemu-x86_64", "qemu64", 1, 60,
        "distill_start: andq $-16, %rsp; call distill_main",
        "distill_system: movq %rdi, %rax; movq %rsi, %rdi; movq %rdx, %rsi; movq %rcx, %rdx; "
        "syscall; ret",
    ),
}  # fmt: skip


def run_in_qemu(
    sources: Sequence[Path],
    name: str,
    x: Array,
    signature: Signature,
    target: Target,
    toolchain: Toolchain,
    seconds: float = SECONDS,
) -> Results:
    """The results of function ``name`` of C ``sources`` at points x (n, d), shape (n,).

    Raises
    ------
    ToolMissing : when QEMU's program for the chip is not installed.
    ToolchainError : when QEMU has no such chip, the program does not build, faults, or does not
        end in time.
    """
    row = _ROWS.get(target.emulator)
    if row is None:
        raise ToolchainError(
            f"QEMU's user mode does not run {target.emulator}.", where="target.emulator"
        )
    path = shutil.which(row.program)
    if path is None:
        raise ToolMissing(
            f"`{row.program}` is not installed.", hint=f"apt install {' '.join(PACKAGES)}"
        )
    with tempfile.TemporaryDirectory(prefix="distill-") as folder_name:
        folder = Path(folder_name)
        loop, start, program = folder / "loop.c", folder / "start.c", folder / "program.elf"
        loop.write_text(chip_loop(name, signature), encoding="utf-8")
        start.write_text(_start(row, x, signature), encoding="utf-8")
        toolchain.build([*sources, loop, start], program, entry=START)
        ended = run_tool((path, "-cpu", row.cpu, str(program)), seconds=seconds, folder=folder)
    size = signature.columns * signature.dtype.itemsize
    if ended.status != 0 or len(ended.output) != 2 * size * len(x):
        raise ToolchainError(
            f"the program faults in {row.program} -cpu {row.cpu}: {ended.complaint}.",
            hint="compare with the results of the emulator of target.emulator.",
        )
    return signature.shaped(np.frombuffer(bytes.fromhex(ended.output), dtype=signature.dtype))


def _start(row: _Row, x: Array, signature: Signature) -> str:
    """C of the entry: the points as bytes, a call of the harness, the results as hexadecimal."""
    real, n = signature.real, len(x)
    size = n * signature.columns * signature.dtype.itemsize
    data = ", ".join(str(byte) for byte in signature.pack(x))
    return f"""#include <stdint.h>
__asm__(".text; .globl distill_start; .globl distill_system; {row.start}; {row.system}");
void distill_start(void);
void distill_main(void);
long distill_system(long number, long first, const void *second, long third);
void {ENTRY}(const {real} *x, {real} *y, unsigned n);
extern unsigned char distill_thread[64];
unsigned char distill_thread[64];
static const union {{ unsigned char bytes[{len(signature.pack(x))}]; {real} number; }} points =
    {{ {{ {data} }} }};
static union {{ unsigned char bytes[{size}]; {real} number; }} results;
void distill_main(void)
{{
    unsigned i;
    char digits[2];
    {ENTRY}(&points.number, &results.number, {n});
    for (i = 0; i < sizeof results.bytes; i++) {{
        digits[0] = "0123456789abcdef"[results.bytes[i] >> 4];
        digits[1] = "0123456789abcdef"[results.bytes[i] & 15];
        distill_system({row.write}, 1, digits, 2);
    }}
    distill_system({row.end}, 0, digits, 0);
}}
"""
