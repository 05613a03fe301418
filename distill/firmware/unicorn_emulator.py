"""The 32-bit chips and the host in Unicorn.

All points are run in one go; instructions are counted in a second, hooked run of a few of them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.errors import ToolchainError
from distill.firmware.emulator import SECONDS, Counts
from distill.firmware.harness import Results, Signature
from distill.firmware.image import Image
from distill.firmware.toolchains.process import ToolMissing

PAGE = 0x1000
POINTS = 0x50000000
RESULTS = 0x60000000
STACK = 0x70000000
STACK_BYTES = 0x40000
THREAD = 0x78000000
RETURN = 0x7F000000
PAINT = 0xA5

ENDLESS = 2**40
"""Instructions after which Unicorn would stop by itself.

Never reached; but without a number, it translates a few hundred instructions without a jump, such
as unrolled fixed point, as one piece, which on MIPS can be more than its tables hold: a crash.
"""


def _thumb_length(halfword: int) -> int:
    """Bytes of the Thumb instruction that begins with a halfword."""
    return 4 if halfword >> 11 in (0b11101, 0b11110, 0b11111) else 2


def _riscv_length(halfword: int) -> int:
    """Bytes of the RISC-V instruction that begins with a halfword; `c` has those of two."""
    return 4 if halfword & 0b11 == 0b11 else 2


def _mips_length(halfword: int) -> int:
    return 4


@dataclass(frozen=True, slots=True)
class _Machine:
    """A processor as Unicorn names it; ``registers`` is the module that holds its registers.

    An empty ``model`` is Unicorn's default: for x86 the only one that starts with SSE enabled.
    ``length`` tells the bytes of an instruction by its first two; without it every instruction is
    hooked. ``link`` holds the return address; it is empty where that lies on the stack.
    ``callee`` holds the address of a called function, ``thread`` that of a C library's errno,
    ``data`` that of small data, where the ABI has one.
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
    thread: str = ""
    data: str = ""
    length: Callable[[int], int] | None = None
    thumb: int = 0


def _cortex_m(model: str) -> _Machine:
    return _Machine(
        # With UC_MODE_MCLASS Unicorn would take an M33, whatever the model.
        "arm_const", "UC_ARCH_ARM", ("UC_MODE_THUMB",), model,
        ("UC_ARM_REG_R0", "UC_ARM_REG_R1", "UC_ARM_REG_R2"), "UC_ARM_REG_SP", "UC_ARM_REG_PC",
        link="UC_ARM_REG_LR", length=_thumb_length, thumb=1,
    )  # fmt: skip


_MACHINES = {
    # Unicorn has no M0+, whose instructions are the M0's: no divide, and unaligned access faults.
    "arm-m0plus": _cortex_m("UC_CPU_ARM_CORTEX_M0"),
    # Unicorn's M4 starts with its floating-point unit on; code for one without does not use it.
    "arm-m4": _cortex_m("UC_CPU_ARM_CORTEX_M4"),
    "arm-m4f": _cortex_m("UC_CPU_ARM_CORTEX_M4"),
    # 4KEc: MIPS32 release 2 without a floating-point unit, as the cores of the PIC32MX.
    "mipsel": _Machine(
        "mips_const", "UC_ARCH_MIPS", ("UC_MODE_MIPS32", "UC_MODE_LITTLE_ENDIAN"),
        "UC_CPU_MIPS32_4KEC", ("UC_MIPS_REG_A0", "UC_MIPS_REG_A1", "UC_MIPS_REG_A2"),
        "UC_MIPS_REG_SP", "UC_MIPS_REG_PC", link="UC_MIPS_REG_RA", callee="UC_MIPS_REG_T9",
        length=_mips_length,
    ),
    "riscv32": _Machine(
        "riscv_const", "UC_ARCH_RISCV", ("UC_MODE_RISCV32",),
        "UC_CPU_RISCV32_ANY", ("UC_RISCV_REG_A0", "UC_RISCV_REG_A1", "UC_RISCV_REG_A2"),
        "UC_RISCV_REG_SP", "UC_RISCV_REG_PC", link="UC_RISCV_REG_RA", thread="UC_RISCV_REG_TP",
        data="UC_RISCV_REG_GP", length=_riscv_length,
    ),
    "x86_64": _Machine(
        "x86_const", "UC_ARCH_X86", ("UC_MODE_64",),
        "", ("UC_X86_REG_RDI", "UC_X86_REG_RSI", "UC_X86_REG_RDX"),
        "UC_X86_REG_RSP", "UC_X86_REG_RIP",
    ),
}  # fmt: skip


class UnicornEmulator:
    """One program in one processor; see :class:`distill.firmware.emulator.Emulator`.

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
        """The results at the points x (n, d), to the bit."""
        size = len(x) * signature.columns * signature.dtype.itemsize
        machine = self._load(signature.pack(x), size)
        self._call(machine, len(x))
        content = machine.mem_read(RESULTS, size)
        return signature.shaped(np.frombuffer(bytes(content), dtype=signature.dtype))

    def selftest(self) -> int:
        """The number of failures that a self-test program reports."""
        machine = self._load(b"", 4)
        self._call(machine, 0)
        return int.from_bytes(machine.mem_read(RESULTS, 4), "little", signed=True)

    def count(self, x: Array, signature: Signature) -> Counts:
        """The instructions of each call at the points x (n, d), and the stack they need."""
        size = len(x) * signature.columns * signature.dtype.itemsize
        machine = self._load(signature.pack(x), size)
        first, last = self._image.harness
        length, stack = self._row.length, self._constant(self._row.stack)
        blocks: dict[tuple[int, int], int] = {}
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
            if length is None:
                current += 1
                return
            if (address, size) not in blocks:
                blocks[address, size] = _instructions(self._code(address, size), length)
            current += blocks[address, size]

        # All of a block runs, and a hook per block is many times quicker than one per instruction.
        hook = self._unicorn.UC_HOOK_BLOCK if length else self._unicorn.UC_HOOK_CODE
        machine.hook_add(hook, step)
        self._call(machine, len(x))
        painted = np.frombuffer(bytes(machine.mem_read(STACK, STACK_BYTES)), dtype=np.uint8)
        deepest = STACK + int(np.argmax(painted != PAINT))
        return Counts(np.array(calls, dtype=np.float64), max(caller - deepest, 0))

    def _code(self, address: int, size: int) -> bytes:
        """The bytes of the program at an address."""
        for start, content, _ in self._image.segments:
            if start <= address < start + len(content):
                return content[address - start : address - start + size]
        return b""

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
        if row.thread:
            machine.mem_map(THREAD, PAGE)
            machine.reg_write(self._constant(row.thread), THREAD)
        if row.data:
            machine.reg_write(self._constant(row.data), self._image.global_pointer)
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
                self._image.entry | row.thumb,
                RETURN,
                timeout=int(self._seconds * 1e6),
                count=ENDLESS,
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


def _instructions(block: bytes, length: Callable[[int], int]) -> int:
    """How many instructions a block of code holds."""
    position = count = 0
    while position < len(block):
        position += length(int.from_bytes(block[position : position + 2], "little"))
        count += 1
    return count


def _unicorn() -> ModuleType:
    # A damaged installation fails on import too; its message says how.
    try:
        return importlib.import_module("unicorn")
    except ImportError as error:
        raise ToolMissing(
            f"the Unicorn emulator cannot be used: {error}.", hint="python -m pip install unicorn"
        ) from error
