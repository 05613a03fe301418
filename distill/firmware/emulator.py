"""Running a chip's program in Unicorn: results to the bit, instructions counted, stack measured.

A program is an ELF whose entry is the harness of :mod:`distill.firmware.harness`. All points are
run in one go without hooks; instructions are counted in a second, hooked run of a few of them.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.errors import ToolchainError
from distill.firmware.harness import Results, Signature
from distill.firmware.image import Image
from distill.firmware.toolchains.process import ToolMissing

PAGE = 0x1000
POINTS = 0x50000000
RESULTS = 0x60000000
STACK = 0x70000000
STACK_BYTES = 0x40000
RETURN = 0x7F000000
PAINT = 0xA5

SECONDS = 60.0
"""Limit of one run."""


@dataclass(frozen=True, slots=True)
class _Machine:
    """A processor as Unicorn names it; ``registers`` is the module that holds its registers.

    An empty ``model`` is Unicorn's default: for x86 the only one that starts with SSE enabled.
    ``width`` is the length of every instruction in bytes, or 0 where it varies. ``link`` holds
    the return address; it is empty where that lies on the stack. ``callee`` is the register that
    holds the address of a called function, where the ABI has one.
    """

    registers: str
    architecture: str
    modes: tuple[str, ...]
    model: str
    arguments: tuple[str, str, str]
    stack: str
    counter: str
    link: str = ""
    callee: str = ""
    width: int = 0
    thumb: int = 0


_MACHINES = {
    # 4KEc: MIPS32 release 2 without a floating-point unit, as the cores of the PIC32MX.
    "mipsel": _Machine(
        "mips_const", "UC_ARCH_MIPS", ("UC_MODE_MIPS32", "UC_MODE_LITTLE_ENDIAN"),
        "UC_CPU_MIPS32_4KEC", ("UC_MIPS_REG_A0", "UC_MIPS_REG_A1", "UC_MIPS_REG_A2"),
        "UC_MIPS_REG_SP", "UC_MIPS_REG_PC", link="UC_MIPS_REG_RA", callee="UC_MIPS_REG_T9",
        width=4,
    ),
    "x86_64": _Machine(
        "x86_const", "UC_ARCH_X86", ("UC_MODE_64",),
        "", ("UC_X86_REG_RDI", "UC_X86_REG_RSI", "UC_X86_REG_RDX"),
        "UC_X86_REG_RSP", "UC_X86_REG_RIP",
    ),
    "arm-m0plus": _Machine(
        "arm_const", "UC_ARCH_ARM", ("UC_MODE_THUMB", "UC_MODE_MCLASS"),
        "UC_CPU_ARM_CORTEX_M0", ("UC_ARM_REG_R0", "UC_ARM_REG_R1", "UC_ARM_REG_R2"),
        "UC_ARM_REG_SP", "UC_ARM_REG_PC", link="UC_ARM_REG_LR", thumb=1,
    ),
    "riscv32": _Machine(
        "riscv_const", "UC_ARCH_RISCV", ("UC_MODE_RISCV32",),
        "UC_CPU_RISCV32_ANY", ("UC_RISCV_REG_A0", "UC_RISCV_REG_A1", "UC_RISCV_REG_A2"),
        "UC_RISCV_REG_SP", "UC_RISCV_REG_PC", link="UC_RISCV_REG_RA",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counts:
    """Instructions of each call, shape (n,), and the deepest stack of all of them in bytes."""

    instructions: Array
    stack_bytes: int


class Emulator:
    """One program in one emulated processor; every run starts from a fresh processor.

    Every method raises ToolchainError when the program faults or does not return in time.

    Raises
    ------
    ToolMissing : when Unicorn is not installed.
    """

    def __init__(self, image: Image, processor: str, seconds: float = SECONDS) -> None:
        self._image = image
        self._processor = processor
        self._seconds = seconds
        self._row = _MACHINES[processor]
        self._unicorn = _unicorn()
        self._constants = importlib.import_module(f"unicorn.{self._row.registers}")

    def run(self, x: Array, signature: Signature) -> Results:
        """The results at the points x (n, d), shape (n,), to the bit."""
        machine = self._load(signature.pack(x), len(x) * signature.dtype.itemsize)
        self._call(machine, len(x))
        content = machine.mem_read(RESULTS, len(x) * signature.dtype.itemsize)
        return np.frombuffer(bytes(content), dtype=signature.dtype)

    def selftest(self) -> int:
        """The number of failures that a self-test program reports."""
        machine = self._load(b"", 4)
        self._call(machine, 0)
        return int.from_bytes(machine.mem_read(RESULTS, 4), "little", signed=True)

    def count(self, x: Array, signature: Signature) -> Counts:
        """The instructions of each call at the points x (n, d), and the stack they need.

        A call's instructions are those from the function's first to its return; the harness's
        own are left out. The stack is what the calls overwrote of a painted one, below the
        caller's.
        """
        machine = self._load(signature.pack(x), len(x) * signature.dtype.itemsize)
        first, last = self._image.harness
        width, stack = self._row.width, self._constant(self._row.stack)
        calls: list[int] = []
        current, caller = 0, STACK + STACK_BYTES

        def step(uc: Any, address: int, size: int, _: object) -> None:
            nonlocal current, caller
            if first <= address < last:
                if current:
                    calls.append(current)
                    current = 0
                return
            if not current and not calls:
                caller = uc.reg_read(stack)
            current += size // width if width else 1

        # All of a block runs, but its size tells the count only for instructions of one length.
        hook = self._unicorn.UC_HOOK_BLOCK if width else self._unicorn.UC_HOOK_CODE
        machine.hook_add(hook, step)
        self._call(machine, len(x))
        painted = np.frombuffer(bytes(machine.mem_read(STACK, STACK_BYTES)), dtype=np.uint8)
        deepest = STACK + int(np.argmax(painted != PAINT))
        return Counts(np.array(calls, dtype=np.float64), max(caller - deepest, 0))

    def _constant(self, name: str) -> int:
        return int(getattr(self._constants, name))

    def _load(self, points: bytes, result_bytes: int) -> Any:
        """A fresh processor with the program, the points and a painted stack in its memory."""
        unicorn, row = self._unicorn, self._row
        modes = sum(getattr(unicorn, mode) for mode in row.modes)
        machine = unicorn.Uc(getattr(unicorn, row.architecture), modes)
        if row.model:
            machine.ctl_set_cpu_model(self._constant(row.model))
        pages = {
            page
            for address, _, size in self._image.segments
            for page in range(address // PAGE, (address + size - 1) // PAGE + 1)
        }
        for page in sorted(pages):
            machine.mem_map(page * PAGE, PAGE)
        for address, content, _ in self._image.segments:
            machine.mem_write(address, content)
        for address, size in ((POINTS, len(points)), (RESULTS, result_bytes)):
            machine.mem_map(address, (size // PAGE + 1) * PAGE)
        machine.mem_write(POINTS, points)
        machine.mem_map(STACK, STACK_BYTES)
        machine.mem_write(STACK, bytes([PAINT]) * STACK_BYTES)
        machine.mem_map(RETURN, PAGE)
        return machine

    def _call(self, machine: Any, n: int) -> None:
        """Call the entry with the addresses of the points and results, and n."""
        row = self._row
        stack = STACK + STACK_BYTES - 64  # a MIPS callee may store its arguments above
        if row.link:
            machine.reg_write(self._constant(row.link), RETURN | row.thumb)
        else:
            stack -= 8
            machine.mem_write(stack, RETURN.to_bytes(8, "little"))
        machine.reg_write(self._constant(row.stack), stack)
        for name, value in zip(row.arguments, (POINTS, RESULTS, n), strict=True):
            machine.reg_write(self._constant(name), value)
        if row.callee:
            machine.reg_write(self._constant(row.callee), self._image.entry)
        counter = self._constant(row.counter)
        try:
            machine.emu_start(
                self._image.entry | row.thumb, RETURN, timeout=int(self._seconds * 1e6)
            )
        except self._unicorn.UcError as error:
            raise ToolchainError(
                f"the program faults on the emulated {self._processor} at address "
                f"{machine.reg_read(counter):#x}: {error}.",
                hint="it needs more stack than 256 KiB, reads outside its memory, or was built "
                "for another processor.",
            ) from None
        if machine.reg_read(counter) & ~row.thumb != RETURN:
            raise ToolchainError(
                f"the program did not return within {self._seconds:g} s on the emulated "
                f"{self._processor}.",
                hint="check the C for an endless loop, or run fewer points.",
            )


def _unicorn() -> ModuleType:
    # A damaged installation fails on import too; its message says how.
    try:
        return importlib.import_module("unicorn")
    except ImportError as error:
        raise ToolMissing(
            f"the Unicorn emulator cannot be used: {error}.", hint="python -m pip install unicorn"
        ) from error
