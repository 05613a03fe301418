"""AVR chips in simavr: exact cycles.

A small C program on libsimavr, compiled once into the user's cache folder, calls the harness for
one point after the other, so that the few hundred bytes of a chip's RAM do.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

import numpy as np

from distill.arrays import Array
from distill.errors import ToolchainError
from distill.firmware.emulator import SECONDS, Counts
from distill.firmware.harness import Results, Signature
from distill.firmware.image import Image
from distill.firmware.toolchains.cache import cache_folder
from distill.firmware.toolchains.process import Finished, ToolMissing, ToolTimeout, run_tool

PACKAGES = ("simavr", "libsimavr-dev", "libelf-dev", "gcc")
"""Debian packages that the runner is built with."""

RUNNER = Path(__file__).with_name("simavr_runner.c")

COMPILE_SECONDS = 60.0

# Where avr-gcc's addresses of the data memory begin, and the RAM in it behind the registers.
_DATA, _RAM = 0x800000, 0x100


class Simavr:
    """One program in one AVR chip; see :class:`distill.firmware.emulator.Emulator`.

    Raises
    ------
    ToolMissing : when libsimavr or a compiler for this machine is not installed.
    """

    def __init__(self, image: Image, mcu: str, seconds: float = SECONDS) -> None:
        self._image = image
        self._mcu = mcu
        self._seconds = seconds
        self._runner = runner_program()

    def run(self, x: Array, signature: Signature) -> Results:
        """The results at the points x (n, d), shape (n,), to the bit."""
        results, _ = self._simulate(x, signature)
        return results

    def selftest(self) -> int:
        """The number of failures that a self-test program reports."""
        results, _ = self._simulate(np.zeros((1, 1)), Signature(1, "int32"))
        return int(results[0])

    def count(self, x: Array, signature: Signature) -> Counts:
        """The cycles of each call at the points x (n, d), and the stack they need."""
        _, counts = self._simulate(x, signature)
        return counts

    def _simulate(self, x: Array, signature: Signature) -> tuple[Results, Counts]:
        if signature.number == "double":
            raise ToolchainError(
                "`double` is no more than a float to AVR's C compiler.",
                where="export.arithmetic",
                hint="export.arithmetic=float32",
            )
        flash, ram, floor = _memories(self._image)
        size = signature.dtype.itemsize
        with tempfile.TemporaryDirectory(prefix="distill-") as name:
            folder = Path(name)
            (folder / "flash").write_bytes(flash)
            (folder / "ram").write_bytes(ram)
            (folder / "points").write_bytes(signature.pack(x))
            row = (x.shape[1] * size, signature.columns * size)
            numbers = (self._image.entry, *self._image.harness, floor, *row)
            files = ("flash", "ram", "points", "results")
            try:
                ended = run_tool(
                    (str(self._runner), self._mcu, *map(str, numbers), *files),
                    seconds=self._seconds,
                    folder=folder,
                )
            except ToolTimeout:
                raise ToolchainError(
                    f"the program did not return within {self._seconds:g} s on the emulated "
                    f"{self._mcu}.",
                    hint="check the C for an endless loop, or run fewer points.",
                ) from None
            self._check(ended)
            results = np.frombuffer((folder / "results").read_bytes(), dtype=signature.dtype)
            results = signature.shaped(results)
        *cycles, stack = (int(line) for line in ended.output.split())
        return results, Counts(np.array(cycles, dtype=np.float64), stack)

    def _check(self, ended: Finished) -> None:
        if ended.status != 0:
            raise ToolchainError(
                f"the program faults on the emulated {self._mcu}: {ended.complaint}.",
                hint="it needs more RAM, stack or flash than the chip has, reads outside its "
                "memory, or was built for another chip.",
            )


def _memories(image: Image) -> tuple[bytes, bytes, int]:
    """The bytes of flash and of data memory from address 0, and the first free address of RAM."""
    flash, data, floor = bytearray(), bytearray(), _RAM
    for address, content, size in image.segments:
        in_ram = address >= _DATA
        memory, start = (data, address - _DATA) if in_ram else (flash, address)
        memory.extend(bytes(max(start + len(content) - len(memory), 0)))
        memory[start : start + len(content)] = content
        if in_ram:
            floor = max(floor, start + size)
    return bytes(flash), bytes(data), floor


def runner_program() -> Path:
    """The runner, compiled into the cache if it is not there.

    Raises
    ------
    ToolMissing : when it cannot be compiled here.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    hint = f"apt install {' '.join(PACKAGES)}"
    if compiler is None:
        raise ToolMissing("the AVR simulator needs a C compiler for this machine.", hint=hint)
    key = hashlib.sha256(RUNNER.read_bytes()).hexdigest()[:16]
    program = cache_folder("simavr") / f"runner-{key}"
    if program.exists():
        return program
    with tempfile.TemporaryDirectory(prefix="distill-", dir=program.parent) as name:
        built = Path(name) / "runner"
        ended = run_tool(
            (compiler, "-O2", str(RUNNER), "-lsimavr", "-lelf", "-o", str(built)),
            seconds=COMPILE_SECONDS,
            folder=Path(name),
        )
        if ended.status != 0:
            raise ToolMissing(f"libsimavr cannot be used: {ended.complaint}", hint=hint)
        built.replace(program)
    return program
