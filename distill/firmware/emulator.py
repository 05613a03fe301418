"""Running a chip's program in an emulator: results to the bit, counts, stack.

A program is an ELF whose entry is the harness of :mod:`distill.firmware.harness`. Which emulator
runs it is the target's: Unicorn for the 32-bit chips and the host, simavr for AVR.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from distill.arrays import Array
from distill.firmware.harness import Results, Signature
from distill.firmware.image import Image
from distill.firmware.target import Target, simulated_mcu

SECONDS = 60.0
"""Limit of one run."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What each call takes in the target's unit, shape (n,), and the deepest stack in bytes.

    A call is counted from the function's first instruction to its return. The harness's own are
    left out; instructions whose condition is false are not, for they take their time. The stack
    is what the calls overwrote of a painted one, below the caller's.
    """

    calls: Array
    stack_bytes: int


class Emulator(Protocol):
    """One program in one emulated chip; every run starts from a fresh chip.

    Every method raises ToolchainError when the program faults or does not return in time.
    """

    def run(self, x: Array, signature: Signature) -> Results:
        """The results at the points x (n, d), (n,) or (n, columns), to the bit."""
        ...

    def selftest(self) -> int:
        """The number of failures that a self-test program reports."""
        ...

    def count(self, x: Array, signature: Signature) -> Counts:
        """What each call at the points x (n, d) takes, and the stack they need."""
        ...


def emulator_for(target: Target, image: Image, seconds: float = SECONDS) -> Emulator:
    """The emulator of a target, with a program in it; one run may last ``seconds``.

    Raises
    ------
    ToolMissing : when it is not installed.
    """
    if target.emulator == "avr":
        from distill.firmware.simavr import Simavr

        return Simavr(image, simulated_mcu(target) or target.name, seconds)
    from distill.firmware.unicorn_emulator import UnicornEmulator

    return UnicornEmulator(image, target.emulator, seconds)
